"""What is said on stderr while something else is done: no trouble of a stream stops that."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO


def say(text: str) -> None:
    """Write to stderr; where it is closed or full, or its reader has gone, the work continues."""
    if sys.stderr is None:  # closed, or a program without a console
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        drop_unread()


def drop_unread() -> None:
    """Drop what is left for a reader that has gone: Python would flush it at its end, fail, and exit with 120."""
    _drop(sys.stdout, BrokenPipeError)
    _drop(sys.stderr, OSError)  # a full disk, too


def _drop(stream: TextIO | None, trouble: type[OSError]) -> None:
    if stream is None:
        return
    with suppress(OSError, ValueError):  # a program's own stream, or none
        try:
            stream.flush()
        except trouble:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
