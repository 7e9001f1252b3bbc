"""How long others wait for our sessions, by the server's own pg_locks.waitstart."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import psycopg

from tests.chaos.sessions import GONE, connect

BUDGET = 1.0
"""Seconds that a try of ours may wait for locks: --lock-timeout of every command here."""
HELD = 2.0
"""What is granted beyond it, in seconds: a client that says nothing is interrupted after one; then comes the commit."""

_WAITING = """
SELECT w.pid, w.waitstart::text, extract(epoch FROM clock_timestamp() - w.waitstart)::float, a.application_name,
       left(a.query, 100), o.state, left(o.query, 200)
FROM pg_locks w JOIN pg_stat_activity a ON a.pid = w.pid
CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) b(pid) JOIN pg_stat_activity o ON o.pid = b.pid
WHERE NOT w.granted AND w.waitstart IS NOT NULL AND a.application_name IN ('writer', 'reader')
AND o.application_name = 'schema_kit'
"""


@dataclass
class Watcher(threading.Thread):
    """Samples who waits for whom, twenty times a second."""

    url: str
    stop: threading.Event
    waits: dict[tuple[int, str], tuple[float, str]] = field(default_factory=dict)
    late: float = 0.0
    """How long the machine has let this thread wait beyond what it slept, in seconds, at most."""

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                with connect(self.url, "watcher", jit="off") as connection:
                    while not self.stop.is_set():
                        for pid, since, seconds, who, query, state, blocker in connection.execute(_WAITING):
                            text = f"{who} waited {seconds:.2f} s to {query!r} for ours ({state}): {blocker!r}"
                            self.waits[pid, since] = max(self.waits.get((pid, since), (0.0, "")), (seconds, text))
                        began = time.monotonic()
                        time.sleep(0.05)
                        self.late = max(self.late, time.monotonic() - began - 0.05)
            except psycopg.Error as error:
                if error.sqlstate not in GONE:
                    raise
                time.sleep(0.1)

    @property
    def longest(self) -> float:
        """The longest wait, in seconds."""
        return max((seconds for seconds, _ in self.waits.values()), default=0.0)

    @property
    def beyond(self) -> list[str]:
        """Waits that were longer than they may be, a machine that is too busy for all of this allowed for."""
        return [text for seconds, text in self.waits.values() if seconds > BUDGET + HELD + 4 * self.late]
