"""The console script in a process of its own, which can be killed and stopped; forked from one that has imported it.

A round starts it a dozen times, and importing takes longer than most of what it does.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import pkgutil
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import schema_kit
from schema_kit import cli
from tests.chaos import migration
from tests.chaos.watcher import BUDGET

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.chaos.client"])
_ENVIRONMENT = {
    "SCHEMA_KIT_LOCK_TIMEOUT": f"{BUDGET:.0f}s",
    "SCHEMA_KIT_LOCK_ATTEMPTS": "60",
    "NO_COLOR": "1",
}

for _module in pkgutil.walk_packages(schema_kit.__path__, "schema_kit."):
    if _module.name.startswith(("schema_kit.cli.", "schema_kit.ops.")):
        import_module(_module.name)


class Client:
    """A command that runs.

    Args:
        command: `schema_kit`'s arguments, or `migration` and what it takes.
        url: the database.
        out: a file for what it writes to stdout.
    """

    def __init__(self, command: Sequence[str], url: str, out: Path = Path(os.devnull)) -> None:
        here, there = os.pipe()
        self._told = os.fdopen(here, encoding="utf-8", errors="replace")
        with os.fdopen(there, "w") as end:
            self.process = _PROCESSES.Process(target=_run, args=(tuple(command), url, str(out), _Handle(end.fileno())))
            self.process.start()

    def lines(self) -> Iterator[str]:
        """What it writes to stderr, line by line, until it ends."""
        with self._told:
            yield from self._told

    def end(self) -> int:
        """Its exit code."""
        self.process.join()
        code = self.process.exitcode
        assert code is not None
        return code

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        assert self.process.pid is not None
        if self.process.is_alive():
            with suppress(ProcessLookupError):  # it has just ended, and was waited for
                os.kill(self.process.pid, number)


class _Handle:
    """A file descriptor that goes along to the new process."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[object, ...]:
        from multiprocessing.reduction import DupFd

        return _received, (DupFd(self.number),)


def _received(duplicate: object) -> int:
    return int(duplicate.detach())  # type: ignore[attr-defined]


def _run(command: tuple[str, ...], url: str, out: str, told: int) -> None:
    """In the new process: its standard streams, its environment, its arguments; then as the console script does."""
    os.dup2(told, 2)
    os.close(told)
    os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", buffering=1, closefd=False)
    os.environ.update(_ENVIRONMENT)
    warnings.simplefilter("error")
    if command[0] == "migration":
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
        migration.main(command[1], command[2], url)
        return
    sys.argv = ["schema_kit", *command, "--url", url, "--format", "json"]
    cli.main()
