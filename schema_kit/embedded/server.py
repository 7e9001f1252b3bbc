"""Start, find, stop and throw away an embedded PostgreSQL."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from schema_kit.embedded.location import (
    ELSEWHERE,
    MARKER,
    Place,
    data_folder,
    locate,
    locked,
    owner_name,
)
from schema_kit.embedded.postmaster import (
    Postmaster,
    await_postmaster,
    find_postmaster,
    launch,
    stop_postmaster,
    tail,
)
from schema_kit.embedded.tools import Tools, clean_environment, find_tools
from schema_kit.errors import EmbeddedServerError
from schema_kit.stderr import say

DATABASE = "schema_kit"
"""The database that every embedded server has."""

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
        """Return the URL of one of its databases, for libpq, psycopg and SQLAlchemy alike."""
        host = quote(str(self.socket_dir), safe="")
        return f"postgresql://postgres@/{quote(dbname, safe='')}?host={host}&port={self.port}"

    def environment(self, dbname: str = DATABASE) -> dict[str, str]:
        """Return the process's environment, changed so that libpq's programs find this server and no other."""
        return {
            **clean_environment(),
            "PGHOST": str(self.socket_dir),
            "PGPORT": str(self.port),
            "PGUSER": "postgres",
            "PGDATABASE": dbname,
        }

    def psql(self, *args: str) -> list[str]:
        """Return the command line of its psql; run it with :meth:`environment`."""
        return [str(self.bindir / "psql"), *args]


def start(
    folder: Path | None = None, *, quiet: bool = False, settings: Mapping[str, str] | None = None, least: int = 0
) -> Server:
    """Find the running server, or start it; make its data and the database ``schema_kit`` if need be.

    It keeps running when this process ends. As root it runs as ``postgres`` or ``nobody``; if that user
    cannot reach *folder*, the data go to /var/tmp, and the printed line says so.

    Args:
        folder: where its data are; :func:`data_folder` when left out.
        quiet: do not say on stderr which server is used.
        settings: PostgreSQL's settings for this start; they change nothing on a server that runs already.
        least: the major version that is needed; where ``SCHEMA_KIT_PG_BIN`` names an older one, the wheel's is taken.

    Returns:
        The running server.

    Raises:
        EmbeddedServerError: it cannot be had. The message says why and what to do now.
    """
    place = _place(folder)
    with _plainly(place):
        tools = find_tools(place.account, least)
        with locked(place):
            _same_major(place, tools)
            postmaster = await_postmaster(place)
            if postmaster is None:
                if not place.data.is_dir():
                    _initialise(place, tools, sync=(settings or {}).get("fsync") != "off")
                postmaster = launch(place, tools, settings or {})
            server = _server(place, tools, postmaster)
            _create_database(server, tools)
    if not quiet:
        _announce(server)
    return server


def status(folder: Path | None = None) -> Server | None:
    """Return the running server, or None. Nothing is started.

    Args:
        folder: where its data are; :func:`data_folder` when left out.

    Raises:
        EmbeddedServerError: there is one, but its folder or PostgreSQL's programs cannot be read.
    """
    place = _place(folder)
    with _plainly(place):
        postmaster = find_postmaster(place) if place.is_ours() else None
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
            return stop_postmaster(place)


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
        if not place.folder.is_dir() or not any(place.folder.iterdir()):
            return False
        with locked(place):
            stop_postmaster(place)
            with suppress(OSError):  # what a killed server left
                if place.socket_dir.lstat().st_uid == place.uid:
                    shutil.rmtree(place.socket_dir)
            for path in (place.data, *place.folder.glob("new-*")):
                if path.exists():
                    shutil.rmtree(path)
            for path in (place.log, place.folder / "server.log.1", place.folder / ".gitignore"):
                path.unlink(missing_ok=True)
            (place.folder / MARKER).unlink()
            with suppress(OSError):  # it may be a mount point, or hold something that is not ours
                place.folder.rmdir()
    return True


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


def _server(place: Place, tools: Tools, postmaster: Postmaster) -> Server:
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
    why = "" if server.folder == server.wanted else f", because user {server.account} cannot reach {server.wanted}"
    say(
        f"schema_kit: embedded PostgreSQL {server.version} in {server.folder}{why} (stop it with: schema_kit db stop)\n"
    )


def _same_major(place: Place, tools: Tools) -> None:
    made_by = place.data / "PG_VERSION"
    if made_by.exists() and (major := made_by.read_text().strip()) != str(tools.major):
        raise EmbeddedServerError(
            f"the data in {place.folder} were made by PostgreSQL {major}; {tools.bindir} has PostgreSQL "
            f"{tools.version}, which cannot read them. Point SCHEMA_KIT_PG_BIN at PostgreSQL {major}, "
            f"throw the data away with: schema_kit db reset --yes, or set SCHEMA_KIT_PG_DATA to a new folder."
        )


def _initialise(place: Place, tools: Tools, *, sync: bool) -> None:
    """Run initdb aside and rename: a data directory that exists is a whole one."""
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
            raise EmbeddedServerError(f"initdb could not make {place.data}:\n{tail(said)}\n{ELSEWHERE}")
    else:
        raise EmbeddedServerError(f"initdb accepts no locale of this machine:\n{tail(said)}\n{ELSEWHERE}")
    if locale == "C":
        say(
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


def _create_database(server: Server, tools: Tools) -> None:
    ask = f"SELECT count(*) FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608
    code, said = tools.run("psql", "-XAtqc", ask, server.url("postgres"), cwd=server.folder)
    if (code, said) == (0, "0"):
        create = f"CREATE DATABASE {DATABASE}"
        code, said = tools.run("psql", "-XAtqc", create, server.url("postgres"), cwd=server.folder)
    if code != 0:
        raise EmbeddedServerError(
            f"the server in {server.folder} (process {server.pid}) takes no orders:\n{tail(said)}\n"
            f"Its log is {server.log}. Stop it with: schema_kit db stop, and try again."
        )
