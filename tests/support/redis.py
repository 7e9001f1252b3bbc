"""A Redis of a test's own, on a socket in its folder, without persistence."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Redis:
    """A server that can be started again after it was killed."""

    def __init__(self, folder: Path, program: str) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._command = [program, "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"]
        self.process = self._started()

    def again(self) -> None:
        """Start it after its end."""
        self.process.wait()
        self.process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        self.socket.unlink(missing_ok=True)
        process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, cwd=self.socket.parent)
        deadline = time.monotonic() + 20
        while not self.socket.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return process


@contextmanager
def served(folder: Path) -> Iterator[Redis]:
    """Start Redis, and kill it at the end; skip the test where it is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    redis = Redis(folder, program)
    try:
        yield redis
    finally:
        redis.process.kill()
        redis.process.wait()
