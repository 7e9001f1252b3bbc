"""Waiting: before the next try, and while a step is at work, seen from a connection of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from schema_kit.catalog.blockers import waits_for
from schema_kit.catalog.direct import PID, refuse
from schema_kit.catalog.drivers import alike, sqlstate
from schema_kit.catalog.session import lost_is_lost, rows
from schema_kit.errors import LockNotAvailable
from schema_kit.events import Emit, Waiting
from schema_kit.names import OWN_PATH
from schema_kit.script import LockPolicy
from schema_kit.steps import Step

WATCH_SECONDS = 1.0
"""Between two looks; what ends sooner is not looked at."""

TOLD_AFTER_SECONDS = 5.0
"""How long a step waits for others before that is reported."""

TOLD_AGAIN_SECONDS = 60.0

_BUILD = """
SELECT phase || CASE WHEN blocks_total > 0 THEN format(': %%s of %%s blocks', blocks_done, blocks_total) ELSE '' END
         || CASE WHEN lockers_total > 0
                 THEN format(', waiting for %%s older transactions', lockers_total - lockers_done) ELSE '' END,
       blocks_done::float / nullif(blocks_total, 0)
FROM pg_stat_progress_create_index WHERE pid = %(pid)s
"""


@contextmanager
def watching(
    connection: sa.Connection,
    progress: Callable[[str, float | None], None],
    waits: Callable[[tuple[str, ...], float], None],
) -> Iterator[None]:
    """Look after what is sent in this block.

    Args:
        connection: that sends it.
        progress: receives how far a build of an index has come.
        waits: receives for whom it waits, and for how many seconds it has done so.
    """
    with lost_is_lost():
        refuse(connection, "go on")  # known already, unless the connection is a new one since
        pid, ended = connection.info[PID], threading.Event()

    def look() -> None:
        if ended.wait(WATCH_SECONDS):
            return
        since, told = time.monotonic() - WATCH_SECONDS, 0.0
        with suppress(SQLAlchemyError), alike(connection.engine).connect() as other:
            rows(other, "SELECT pg_catalog.set_config('search_path', %(path)s, false)", {"path": OWN_PATH})
            while not ended.is_set():
                looked = time.monotonic()
                for state, share in rows(other, _BUILD, {"pid": pid}):
                    progress(state, share)
                blocked = waits_for(other, pid)
                if not blocked:
                    since, told = looked, 0.0
                elif looked - since >= TOLD_AFTER_SECONDS and (not told or looked - told >= TOLD_AGAIN_SECONDS):
                    waits(blocked, looked - since)
                    told = looked
                ended.wait(WATCH_SECONDS)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def wait(
    step: Step,
    policy: LockPolicy,
    attempt: int,
    who: tuple[str, ...],
    emit: Emit,
    why: str,
    cause: BaseException | None = None,
    said: str = "",
) -> None:
    """Sleep before the next try.

    Args:
        step: what is tried.
        policy: how long, and how often.
        attempt: the try that was in vain, from 1.
        who: who is in the way.
        emit: receives the event.
        why: what is said after the last try.
        cause: what was raised.
        said: what is said of it where no session is seen.

    Raises:
        LockNotAvailable: it was the last.
    """
    if attempt >= policy.attempts:
        text = f"cannot {step.summary}: {why}{said}"
        raise LockNotAvailable(text, blockers=who, sqlstate=sqlstate(cause)) from cause
    pause = policy.pause(attempt)
    emit(Waiting(step, who or ((said.strip(),) if said else ()), pause, attempt))
    time.sleep(pause)
