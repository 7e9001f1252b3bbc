"""The server's process: whether it lives, how it is launched and stopped, and what to do after a kill."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from schema_kit.embedded.location import Place, private_dir
from schema_kit.embedded.tools import Tools
from schema_kit.errors import EmbeddedServerError

PROC = Path("/proc")
PORT = 5432
SECONDS = 120
"""How long a server may take to recover, to start or to stop."""


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What postmaster.pid says of a process that is alive."""

    pid: int
    port: int
    socket_dir: Path
    ready: bool


def find_postmaster(place: Place) -> Postmaster | None:
    """Return the living process that works on the data of *place*, whether it takes connections already or not."""
    try:
        lines = (place.data / "postmaster.pid").read_text(errors="replace").splitlines()
        pid, port, socket_dir = int(lines[0]), int(lines[3]), Path(lines[4])
    except (FileNotFoundError, ValueError, IndexError):  # none, or one that is being written or was torn
        return None
    if not _alive(pid, place):
        return None
    return Postmaster(pid, port, socket_dir, ready=len(lines) > 7 and lines[7].strip() == "ready")


def _alive(pid: int, place: Place) -> bool:
    """Return whether *pid* is the postmaster of *place*, and neither a zombie nor a stranger who got its number."""
    if not _is_postgres(pid):
        return False
    try:
        return (PROC / str(pid) / "cwd").samefile(place.data)
    except PermissionError:  # root in a container without the privilege to trace processes
        return True
    except OSError:
        return not PROC.is_dir()


def _is_postgres(pid: int) -> bool:
    if PROC.is_dir():
        try:
            stat = (PROC / str(pid) / "stat").read_text(errors="replace")
        except OSError:
            return False
        name, _, rest = stat.partition("(")[2].rpartition(")")
        state = rest.strip()
    else:  # macOS
        ps = ["/bin/ps", "-o", "stat=,comm=", "-p", str(pid)]
        state, _, name = subprocess.run(ps, capture_output=True, text=True, check=False).stdout.partition(" ")
    return Path(name.strip()).name == "postgres" and state[:1] not in ("Z", "X")


def _wait(done: Callable[[], bool], seconds: float = SECONDS) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def await_postmaster(place: Place) -> Postmaster | None:
    """Return the server that exists already; one that is just starting or stopping is waited for."""
    found: Postmaster | None = None

    def settled() -> bool:
        nonlocal found
        found = find_postmaster(place)
        return found is None or found.ready

    if not _wait(settled):
        raise _failed(place, f"the server in {place.folder} has been starting or stopping for {SECONDS} seconds")
    if found and not (found.socket_dir / f".s.PGSQL.{found.port}").exists():
        raise EmbeddedServerError(
            f"the server in {place.folder} runs (process {found.pid}), but its socket was removed from "
            f"{found.socket_dir}, and no client can connect. Stop it with: schema_kit db stop, and try again."
        )
    return found


def stop_postmaster(place: Place) -> bool:
    """Shut it down in good order and wait for its end; False where none lives."""
    postmaster = find_postmaster(place)
    if postmaster is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(postmaster.pid, signal.SIGINT)  # PostgreSQL's "fast" shutdown
    if not _wait(lambda: not _alive(postmaster.pid, place)):
        raise _failed(place, f"the server in {place.folder} (process {postmaster.pid}) does not stop")
    with suppress(OSError):
        postmaster.socket_dir.rmdir()
    return True


def launch(place: Place, tools: Tools, settings: Mapping[str, str]) -> Postmaster:
    """Start one where none lives, and wait until it has recovered and takes connections."""
    private_dir(place.socket_dir, place.account)
    _clear_socket(place)
    _forget_the_dead(place)
    if place.log.exists() and place.log.stat().st_size > 10_000_000:
        place.log.replace(place.log.with_suffix(".log.1"))
    options = {"listen_addresses": "", "unix_socket_directories": str(place.socket_dir), "port": str(PORT)}
    if tools.has_library("pg_stat_statements"):
        options["shared_preload_libraries"] = "pg_stat_statements"
    options |= settings
    line = shlex.join(word for name, value in options.items() for word in ("-c", f"{name}={value}"))
    command = ("start", "-D", "data", "-l", place.log.name, "-w", "-t", str(SECONDS), "-o", line)
    deadline = time.monotonic() + 30
    while True:
        before = place.log.stat().st_size if place.log.exists() else 0
        code, said = tools.run("pg_ctl", *command, cwd=place.folder)
        if code == 0 and (postmaster := find_postmaster(place)):
            return postmaster
        with suppress(FileNotFoundError), place.log.open("rb") as log:
            log.seek(before)
            said = log.read().decode(errors="replace") or said
        # Backends of a killed postmaster need a moment to notice; until they go PostgreSQL refuses to start.
        if "is still in use" not in said or time.monotonic() > deadline:
            raise _failed(place, f"the server in {place.folder} does not start", said)
        time.sleep(0.2)


def _forget_the_dead(place: Place) -> None:
    """Make a dead postmaster's pid file look dead.

    A killed one may stay as a zombie, or its number may have passed to another process; PostgreSQL looks only
    whether the number is in use. So the number is replaced and the file kept: by its other lines PostgreSQL
    still finds out whether backends of the dead one are at work on the data.
    """
    path = place.data / "postmaster.pid"
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    with os.fdopen(handle, "r+", errors="surrogateescape") as lock:
        _, newline, rest = lock.read().partition("\n")
        lock.seek(0)
        lock.truncate()
        lock.write("999999999\n" + rest)  # beyond the numbers that systems give
    if not newline:  # it was torn when the machine went down; so is the shared memory it spoke of
        path.unlink()


def _clear_socket(place: Place) -> None:
    """Free the socket's name from a dead server, or from one that lives on though its folder was removed."""
    path = place.socket_dir / f".s.PGSQL.{PORT}"
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:  # no process listens; the lock file may name a number that is in use again
            path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
            return
        if not hasattr(socket, "SO_PEERCRED"):  # macOS: it notices by itself, within a minute
            return
        answer = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", answer)
    if uid == place.uid and _is_postgres(pid):
        os.kill(pid, signal.SIGQUIT)
        _wait(lambda: not _is_postgres(pid), 10)


def tail(text: str, lines: int = 10) -> str:
    """Return the last lines of what a program said, indented, for an error message."""
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])


def _failed(place: Place, what: str, said: str = "") -> EmbeddedServerError:
    if not said:
        with suppress(OSError):
            said = place.log.read_text(errors="replace")
    return EmbeddedServerError(
        f"{what}:\n{tail(said)}\n"
        f"Its log is {place.log}. Put right what it says, or start again with an empty one: schema_kit db reset --yes"
    )
