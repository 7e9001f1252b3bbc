"""Start, find, stop and throw away an embedded PostgreSQL."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from schema_kit.embedded.place import (
    ELSEWHERE,
    MARKER,
    Place,
    data_folder,
    locate,
    locked,
    owner_name,
    private_dir,
)
from schema_kit.embedded.tools import Tools, clean_environment, find_tools
from schema_kit.errors import EmbeddedServerError

DATABASE = "schema_kit"
"""The database that every embedded server has."""

PORT = 5432
SECONDS = 120
"""How long a server may take to recover, to start or to stop."""

CONFIGURATION = """
# Written by schema_kit when it made this server; yours to change.
shared_buffers = 128MB
maintenance_work_mem = 128MB
max_wal_size = 4GB
max_connections = 100
max_locks_per_transaction = 256      # tables with thousands of partitions
timezone = 'UTC'
log_timezone = 'UTC'
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running embedded PostgreSQL.

    Args:
        folder: its data, its log and its lock file.
        bindir: PostgreSQL's programs.
        socket_dir: where its socket is; only its user (and root) may enter.
        port: the number in the socket's name; nothing listens on the network.
        pid: the postmaster's process.
        version: PostgreSQL's, such as ``18.6``.
        account: the operating system's user that it runs as.
        wanted: the folder asked for, where its user could not reach that and *folder* is another.
    """

    folder: Path
    bindir: Path
    socket_dir: Path
    port: int
    pid: int
    version: str
    account: str
    wanted: Path

    @property
    def log(self) -> Path:
        """The file with the server's messages."""
        return self.folder / "server.log"

    def url(self, dbname: str = DATABASE) -> str:
        """The URL of one of its databases, for libpq, psycopg and SQLAlchemy alike."""
        host = quote(str(self.socket_dir), safe="")
        return f"postgresql://postgres@/{quote(dbname, safe='')}?host={host}&port={self.port}"

    def environment(self, dbname: str = DATABASE) -> dict[str, str]:
        """The process's environment, changed so that libpq's programs find this server and no other."""
        return {
            **clean_environment(),
            "PGHOST": str(self.socket_dir),
            "PGPORT": str(self.port),
            "PGUSER": "postgres",
            "PGDATABASE": dbname,
        }

    def psql(self, *args: str) -> list[str]:
        """The command line of its psql; run it with :meth:`environment`."""
        return [str(self.bindir / "psql"), *args]


def start(
    folder: Path | None = None, *, quiet: bool = False, settings: Mapping[str, str] | None = None
) -> Server:
    """Find the running server, or start it; make its data and the database ``schema_kit`` if need be.

    It keeps running when this process ends. As root it runs as ``postgres`` or ``nobody``; if that user
    cannot reach *folder*, the data go to /var/tmp, and the printed line says so.

    Args:
        folder: where its data are; :func:`data_folder` when left out.
        quiet: do not say on stderr which server is used.
        settings: PostgreSQL's settings for this start; they change nothing on a server that runs already.

    Returns:
        The running server.

    Raises:
        EmbeddedServerError: it cannot be had. The message says why and what to do now.
    """
    place = _place(folder)
    with _plainly(place):
        tools = find_tools(place.account)
        with locked(place):
            _same_major(place, tools)
            postmaster = _await_postmaster(place)
            if postmaster is None:
                if not place.data.is_dir():
                    _initialise(place, tools, sync=(settings or {}).get("fsync") != "off")
                postmaster = _launch(place, tools, settings or {})
            server = _server(place, tools, postmaster)
            _create_database(server, tools)
    if not quiet:
        _announce(server)
    return server


def status(folder: Path | None = None) -> Server | None:
    """The running server, or None. Nothing is started.

    Args:
        folder: where its data are; :func:`data_folder` when left out.

    Raises:
        EmbeddedServerError: there is one, but its folder or PostgreSQL's programs cannot be read.
    """
    place = _place(folder)
    with _plainly(place):
        postmaster = _postmaster(place) if place.is_ours() else None
        if postmaster is None or not postmaster.ready:
            return None
        return _server(place, find_tools(place.account), postmaster)


def stop(folder: Path | None = None) -> bool:
    """Stop the server; open transactions are rolled back, data stay.

    Args:
        folder: where its data are; :func:`data_folder` when left out.

    Returns:
        Whether one was running.

    Raises:
        EmbeddedServerError: it does not stop, or it belongs to another user.
    """
    place = _place(folder)
    with _plainly(place):
        if not place.is_ours():
            return False
        with locked(place):
            return _stop(place)


def reset(folder: Path | None = None) -> bool:
    """Stop the server and remove its data. Only files that schema_kit made are removed.

    Args:
        folder: where its data are; :func:`data_folder` when left out.

    Returns:
        Whether there was anything to remove.

    Raises:
        EmbeddedServerError: the folder is not ours, or the server in it does not stop.
    """
    place = _place(folder)
    with _plainly(place):
        if not place.folder.exists():
            return False
        with locked(place):
            _stop(place)
            for path in (place.data, *place.folder.glob("new-*")):
                if path.exists():
                    shutil.rmtree(path)
            for path in (place.log, place.folder / "server.log.1", place.folder / ".gitignore"):
                path.unlink(missing_ok=True)
            (place.folder / MARKER).unlink()
            with suppress(OSError):  # it may be a mount point, or hold something that is not ours
                place.folder.rmdir()
    return True


@dataclass(frozen=True, slots=True)
class _Postmaster:
    """What postmaster.pid says of a process that is alive."""

    pid: int
    port: int
    socket_dir: Path
    ready: bool


def _place(folder: Path | None) -> Place:
    wanted = folder or data_folder()
    try:
        return locate(wanted)
    except OSError as error:
        raise _unusable(wanted, error) from error


@contextmanager
def _plainly(place: Place) -> Iterator[None]:
    """Say what the operating system refuses as a sentence."""
    try:
        yield
    except OSError as error:
        raise _unusable(place.folder, error) from error


def _unusable(folder: Path, error: OSError) -> EmbeddedServerError:
    culprit = f" ({error.filename})" if error.filename and Path(os.fsdecode(error.filename)) != folder else ""
    return EmbeddedServerError(
        f"{folder} cannot be used for the embedded server by {owner_name(os.geteuid())}: "
        f"{error.strerror or error}{culprit}. {ELSEWHERE}"
    )


def _server(place: Place, tools: Tools, postmaster: _Postmaster) -> Server:
    return Server(
        folder=place.folder,
        bindir=tools.bindir,
        socket_dir=postmaster.socket_dir,
        port=postmaster.port,
        pid=postmaster.pid,
        version=tools.version,
        account=owner_name(place.uid),
        wanted=place.wanted,
    )


_announced: set[Path] = set()


def _announce(server: Server) -> None:
    """Say once per process which server is used: it was not asked for by name."""
    if server.folder in _announced:
        return
    _announced.add(server.folder)
    why = "" if server.folder == server.wanted else f", as user {server.account} cannot reach {server.wanted}"
    sys.stderr.write(
        f"schema_kit: embedded PostgreSQL {server.version} in {server.folder}{why} "
        "(stop it with: schema_kit db stop)\n"
    )


def _same_major(place: Place, tools: Tools) -> None:
    made_by = place.data / "PG_VERSION"
    if made_by.exists() and (major := made_by.read_text().strip()) != str(tools.major):
        raise EmbeddedServerError(
            f"the data in {place.folder} were made by PostgreSQL {major}; {tools.bindir} has PostgreSQL "
            f"{tools.version}, which cannot read them. Point SCHEMA_KIT_PG_BIN at PostgreSQL {major}, "
            f"throw the data away with: schema_kit db reset --yes, or set SCHEMA_KIT_PG_DATA to a new folder."
        )


# The running process


def _postmaster(place: Place) -> _Postmaster | None:
    try:
        lines = (place.data / "postmaster.pid").read_text(errors="replace").splitlines()
        pid, port, socket_dir = int(lines[0]), int(lines[3]), Path(lines[4])
    except (FileNotFoundError, ValueError, IndexError):  # none, or one that is being written or was torn
        return None
    if not _alive(pid, place):
        return None
    return _Postmaster(pid, port, socket_dir, ready=len(lines) > 7 and lines[7].strip() == "ready")


def _alive(pid: int, place: Place) -> bool:
    """Whether *pid* is the postmaster of *place*, and neither a zombie nor a stranger who got its number."""
    proc = Path("/proc") / str(pid)
    try:
        name, _, rest = (proc / "stat").read_text(errors="replace").partition("(")[2].rpartition(")")
    except OSError:
        return not Path("/proc/self/stat").exists() and _accepts_signals(pid)
    if name != "postgres" or rest.split()[0] in ("Z", "X"):
        return False
    try:
        return (proc / "cwd").samefile(place.data)
    except PermissionError:  # root in a container that may not trace processes
        return True
    except OSError:
        return False


def _accepts_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _wait(done: Callable[[], bool], seconds: float = SECONDS) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _await_postmaster(place: Place) -> _Postmaster | None:
    """The server that is there already; one that is just starting or stopping is waited for."""
    found: _Postmaster | None = None

    def settled() -> bool:
        nonlocal found
        found = _postmaster(place)
        return found is None or found.ready

    if not _wait(settled):
        raise _failed(
            place, f"the server in {place.folder} has been starting or stopping for {SECONDS} seconds"
        )
    if found and not (found.socket_dir / f".s.PGSQL.{found.port}").exists():
        raise EmbeddedServerError(
            f"the server in {place.folder} runs (process {found.pid}), but somebody removed its socket in "
            f"{found.socket_dir}, and nobody can connect. Stop it with: schema_kit db stop, and try again."
        )
    return found


def _stop(place: Place) -> bool:
    postmaster = _postmaster(place)
    if postmaster is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(postmaster.pid, signal.SIGINT)  # PostgreSQL's "fast" shutdown
    if not _wait(lambda: not _alive(postmaster.pid, place)):
        raise _failed(place, f"the server in {place.folder} (process {postmaster.pid}) does not stop")
    with suppress(OSError):
        postmaster.socket_dir.rmdir()
    return True


# Making and launching one


def _initialise(place: Place, tools: Tools, *, sync: bool) -> None:
    """Run initdb aside and rename: a data directory that is there is a whole one."""
    for leftover in place.folder.glob("new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with suppress(FileExistsError), (place.folder / ".gitignore").open("x") as ignore:
        ignore.write("*\n")
    new = f"new-{os.getpid()}"
    options = ["-D", new, "-U", "postgres", "-E", "UTF8", "-A", "trust", "--lc-messages=C"]
    if tools.major >= 17:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if not sync:
        options.append("--no-sync")
    said = ""
    for locale in _locales():
        code, said = tools.run("initdb", *options, f"--locale={locale}", cwd=place.folder)
        if code == 0:
            break
        if "invalid locale" not in said:
            raise EmbeddedServerError(f"initdb could not make {place.data}:\n{_tail(said)}\n{ELSEWHERE}")
    else:
        raise EmbeddedServerError(f"initdb accepts no locale of this machine:\n{_tail(said)}\n{ELSEWHERE}")
    if locale == "C":
        sys.stderr.write(
            "schema_kit: this machine has no UTF-8 locale, so PostgreSQL knows no letters beyond ASCII: "
            "trigram search (pg_trgm) on such text will not work. "
            "Install a locale (C.UTF-8), then: schema_kit db reset\n"
        )
    # No links are followed: as root we write where another account may have put some.
    handle = os.open(place.folder / new / "postgresql.conf", os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
    with os.fdopen(handle, "a") as configuration:
        configuration.write(CONFIGURATION)
    (place.folder / new).rename(place.data)


def _locales() -> Iterator[str]:
    """Locales whose LC_CTYPE knows letters, the likeliest first; pg_trgm takes its letters from there."""
    yield from ("C.UTF-8", "en_US.UTF-8")
    if lister := shutil.which("locale"):
        code, said = Tools(Path(lister).parent, "", None).run("locale", "-a", cwd=Path("/"))
        if code == 0:
            yield from (name for name in said.split() if name.lower().endswith(("utf8", "utf-8")))
    yield "C"


def _launch(place: Place, tools: Tools, settings: Mapping[str, str]) -> _Postmaster:
    private_dir(place.socket_dir, place.account)
    _end_orphan(place)
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
        if code == 0 and (postmaster := _postmaster(place)):
            return postmaster
        with suppress(FileNotFoundError), place.log.open("rb") as log:
            log.seek(before)
            said = log.read().decode(errors="replace") or said
        # Backends of a killed postmaster need a moment to notice; until they go PostgreSQL refuses to start.
        if "is still in use" not in said or time.monotonic() > deadline:
            raise _failed(place, f"the server in {place.folder} does not start", said)
        time.sleep(0.2)


def _forget_the_dead(place: Place) -> None:
    """Make a dead postmaster's lock files look dead.

    A killed one may stay as a zombie, or its number may have passed to another process; PostgreSQL looks only
    whether the number is in use. So the number is replaced and the file kept: by its other lines PostgreSQL
    still finds out whether backends of the dead one are at work on the data.
    """
    (place.socket_dir / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
    try:
        handle = os.open(place.data / "postmaster.pid", os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    with os.fdopen(handle, "r+", errors="surrogateescape") as lock:
        _, newline, rest = lock.read().partition("\n")
        lock.seek(0)
        lock.truncate()
        if newline:
            lock.write("999999999\n" + rest)  # beyond the numbers that systems give
    if not newline:
        (place.data / "postmaster.pid").unlink()


def _end_orphan(place: Place) -> None:
    """Stop a server whose folder was removed under it: it still holds the socket, for up to a minute."""
    if not hasattr(socket, "SO_PEERCRED"):
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(place.socket_dir / f".s.PGSQL.{PORT}"))
            answer = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            pid, uid, _ = struct.unpack("3i", answer)
        except OSError:  # nobody listens
            return
    if uid == place.uid and pid > 0:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)
        _wait(lambda: not _accepts_signals(pid), 10)


def _create_database(server: Server, tools: Tools) -> None:
    ask = f"SELECT count(*) FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608
    code, said = tools.run("psql", "-XAtqc", ask, server.url("postgres"), cwd=server.folder)
    if (code, said) == (0, "0"):
        create = f"CREATE DATABASE {DATABASE}"
        code, said = tools.run("psql", "-XAtqc", create, server.url("postgres"), cwd=server.folder)
    if code != 0:
        raise EmbeddedServerError(
            f"the server in {server.folder} (process {server.pid}) takes no orders:\n{_tail(said)}\n"
            f"Its log is {server.log}. Stop it with: schema_kit db stop, and try again."
        )


def _tail(text: str, lines: int = 10) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])


def _failed(place: Place, what: str, said: str = "") -> EmbeddedServerError:
    if not said:
        with suppress(OSError):
            said = place.log.read_text(errors="replace")
    return EmbeddedServerError(f"{what}. The last lines of its log, {place.log}:\n{_tail(said)}")
