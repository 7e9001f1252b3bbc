"""Ctrl-C and SIGTERM: the statement that runs is cancelled, and the exit code says how the call ended."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from schema_kit.stderr import say

INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM
"""As shells have it: Ctrl-C 130, SIGTERM 143."""

SAID = "interrupted; what was committed stays, and running it again resumes there"


class Terminated(KeyboardInterrupt):
    """What a service manager sends is an interrupt, too: the statement that runs is cancelled."""


def terminate(*_: object) -> None:
    """Handle SIGTERM."""
    raise Terminated


def code_of(interrupt: BaseException) -> int:
    """Return the exit code of what was interrupted so, whatever it was doing: handling an error, asking."""
    cause: BaseException | None = interrupt
    while cause is not None and not isinstance(cause, Terminated):
        cause = cause.__context__
    return TERMINATED if cause else INTERRUPTED


@contextmanager
def exits() -> Iterator[None]:
    """In this block of a program that does nothing else, end the program when it is interrupted, with a sentence.

    Raises:
        SystemExit: it was interrupted.
    """
    cancelled = list[int]()
    try:
        with _heard(cancelled):
            yield
    except BaseException as interrupt:
        if not (cancelled or isinstance(interrupt, KeyboardInterrupt)):
            raise
        code = 128 + cancelled[0] if cancelled else code_of(interrupt)
        say(f"{SAID}\n")
        raise SystemExit(code) from None


@contextmanager
def _heard(cancelled: list[int]) -> Iterator[None]:
    """Hear both signals at once: an event loop that a call blocks would hear Ctrl-C only after it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    task = _task()
    handler = terminate if task is None else _in_a_loop(task, cancelled)
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        before[signal.SIGTERM] = signal.signal(signal.SIGTERM, handler)
    if task is not None and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        before[signal.SIGINT] = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _in_a_loop(task: Any, cancelled: list[int]) -> Callable[[int, object], None]:
    """Return what interrupts the block where it blocks the event loop, and cancels its task where the loop waits."""
    greenlet = sys.modules.get("greenlet")  # SQLAlchemy runs the block in one, and waits in another
    inside = greenlet.getcurrent() if greenlet else None

    def handle(number: int, _: object) -> None:
        if greenlet is None or greenlet.getcurrent() is inside:
            raise Terminated if number == signal.SIGTERM else KeyboardInterrupt
        cancelled.append(number)
        task.get_loop().call_soon_threadsafe(task.cancel)

    return handle


def _task() -> Any:
    """Return the task that runs here, or None outside an event loop."""
    asyncio = sys.modules.get("asyncio")  # who runs one has imported it
    try:
        return asyncio.current_task() if asyncio else None
    except RuntimeError:
        return None
