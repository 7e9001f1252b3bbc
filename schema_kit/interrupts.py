"""Ctrl-C and SIGTERM: the statement that runs is cancelled, and the exit code says how the call ended."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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
    try:
        with _heard():
            yield
    except KeyboardInterrupt as interrupt:
        code = code_of(interrupt)
        sys.stderr.write(f"{SAID}\n")
        raise SystemExit(code) from None


@contextmanager
def _heard() -> Iterator[None]:
    """Hear both signals at once: an event loop that a call blocks would hear Ctrl-C only after it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        before[signal.SIGTERM] = signal.signal(signal.SIGTERM, terminate)
    if _in_a_loop():
        before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_a_loop() -> bool:
    asyncio = sys.modules.get("asyncio")  # who runs one has imported it
    try:
        return asyncio is not None and asyncio.get_running_loop() is not None
    except RuntimeError:
        return False
