"""The console script, as a shell or cron calls it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, TextIO
from unittest import mock

from schema_kit.cli import main
from tests.support.database import Database

ROOT = Path(__file__).parents[2]


def command(database: Database | str, *arguments: str) -> list[str]:
    """The words of a call, for a process of its own."""
    url = database if isinstance(database, str) else database.url
    return [sys.executable, "-m", "schema_kit", *arguments, "--url", url]


def shell(database: Database | str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call it as a shell does, and wait for its end; in this process, which is the faster way."""
    return called(command(database, *arguments)[2:])


def spawned(
    database: Database | str, *arguments: str, timeout: float | None = 120, **more: Any
) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own, without a terminal, where a warning is an error."""
    return subprocess.run(
        command(database, *arguments),
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "error", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        **more,
    )


def called(argv: list[str], stdin: TextIO | None = None) -> subprocess.CompletedProcess[str]:
    """The console script in this process: to start one each time would take longer than what is tested."""
    out, err, before = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGTERM)
    code: object = 0
    with (
        mock.patch.object(sys, "argv", argv),
        mock.patch.object(sys, "stdin", stdin or io.StringIO()),
        mock.patch.dict(os.environ, NO_COLOR="1"),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as done:
            code = done.code
        finally:
            signal.signal(signal.SIGTERM, before)
    return subprocess.CompletedProcess(argv, code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


@contextmanager
def interruptible(arguments: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that hears Ctrl-C, and that is killed where the test fails.

    A shell has what it starts in the background ignore Ctrl-C, and these tests may have been started so.
    """

    def hear() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(arguments, text=True, preexec_fn=hear, **options) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def alembic(database: Database, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Alembic, as a user runs it in a project's folder."""
    return subprocess.run(
        [sys.executable, "-m", "alembic", "-x", f"url={database.url}", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
    )
