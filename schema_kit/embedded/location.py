"""Where an embedded server lives: its folder, the account it runs as, the lock that orders its starters."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from schema_kit.errors import EmbeddedServerError

DATA_VARIABLE = "SCHEMA_KIT_PG_DATA"
MARKER = "schema_kit.lock"
"""The lock file. It also says that a folder is ours: without it nothing in there is touched."""

SHORT_LIVED = Path("/tmp")  # noqa: S108  sockets need a short path that every account can enter; owners are verified
LONG_LIVED = Path("/var/tmp")  # noqa: S108  survives a restart of the machine
ELSEWHERE = f"Set {DATA_VARIABLE} to another folder, or name a database with --url or DATABASE_URL."
LOCK_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Account:
    """An operating system's user. PostgreSQL refuses to run as root, so root lends it one of these."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Place:
    """One server's folder. *account* is None where it runs as the caller; *wanted* is what was asked for."""

    folder: Path
    account: Account | None
    wanted: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server has to say."""
        return self.folder / "server.log"

    @property
    def socket_dir(self) -> Path:
        """A short path: a socket's path must stay under 108 bytes wherever the project is."""
        return SHORT_LIVED / f"schema_kit-{digest(str(self.folder))}"

    @property
    def uid(self) -> int:
        """Who owns all of it."""
        return self.account.uid if self.account else os.geteuid()

    def is_ours(self) -> bool:
        """Return whether a server has ever been started here."""
        return (self.folder / MARKER).is_file()


def find_alembic_folder(start: Path | None = None) -> Path:
    """Return the folder of the ``alembic.ini``, or of the pyproject.toml with [tool.alembic], that governs *start*.

    Args:
        start: where to look first, then upwards; the current directory when left out.

    Returns:
        The folder that holds it, or *start* itself where there is none.
    """
    begin = Path(start or Path.cwd()).absolute()
    for folder in (begin, *begin.parents):
        if (folder / "alembic.ini").is_file() or mentions_alembic(folder / "pyproject.toml"):
            return folder
    return begin


def mentions_alembic(toml: Path) -> bool:
    """Return whether a pyproject.toml configures Alembic."""
    try:
        return bool(re.search(r"^\[tool\.alembic\]", toml.read_text(encoding="utf-8"), re.MULTILINE))
    except (OSError, UnicodeDecodeError):
        return False


def data_folder(project: Path | None = None) -> Path:
    """Return the folder in which the embedded server keeps its data.

    Args:
        project: the project's folder; that of ``alembic.ini`` when left out.

    Returns:
        What ``SCHEMA_KIT_PG_DATA`` says, else ``.schema_kit`` in the project's folder.
    """
    moved = os.environ.get(DATA_VARIABLE)
    return Path(moved).absolute() if moved else (project or find_alembic_folder()).absolute() / ".schema_kit"


def digest(text: str) -> str:
    """Twelve digits that tell folders apart."""
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:12]


def locate(wanted: Path) -> Place:
    """Return where the server for *wanted* lives. Only root is ever sent elsewhere: its account must get there.

    Raises:
        EmbeddedServerError: this is not a POSIX system, or root has no account to run a server as.
    """
    if os.name != "posix":
        raise EmbeddedServerError(
            "the embedded server needs Unix sockets, and this system has none for it. "
            "Name a database with --url or DATABASE_URL."
        )
    folder = Path(os.path.realpath(wanted))
    if os.geteuid() != 0:
        return Place(folder, None, folder)
    owner = folder.stat().st_uid if (folder / MARKER).is_file() else 0
    if owner != 0:  # who began it goes on with it: sudo must not take a user's server away
        return Place(folder, _account_of(folder, owner), folder)
    account = _lent_account()
    if not folder.parent.is_dir() or _can_enter(folder.parent, account):
        return Place(folder, account, folder)
    return Place(LONG_LIVED / f"schema_kit-{digest(str(folder))}", account, folder)


def private_dir(path: Path, account: Account | None) -> None:
    """Make a directory that only *account* can have made, in a place where all users may make some.

    Raises:
        EmbeddedServerError: the name is taken by another user, or by something else.
    """
    uid = account.uid if account else os.geteuid()
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    try:  # by handle: no user can put a link in its place between the look and the change
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        raise _taken(path, uid) from None
    try:
        if os.fstat(handle).st_uid not in (uid, os.geteuid()):
            raise _taken(path, uid)
        if account:
            os.fchown(handle, account.uid, account.gid)
        os.fchmod(handle, 0o700)
    finally:
        os.close(handle)


def _taken(path: Path, uid: int) -> EmbeddedServerError:
    return EmbeddedServerError(
        f"{path} is not a directory of {owner_name(uid)}: it belongs to {owner_name(path.lstat().st_uid)}, or "
        f"is something else. Remove it, if it is yours to remove. {ELSEWHERE}"
    )


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Be the only process that starts, stops or removes the server of *place*; wait for the others.

    Raises:
        EmbeddedServerError: the folder is not ours to use, or another process does not let go of it.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    while (handle := _try_lock(place)) is None:
        if time.monotonic() > deadline:
            raise EmbeddedServerError(
                f"another process has been starting or stopping the server in {place.folder} for "
                f"{LOCK_SECONDS} seconds. Look who holds {place.folder / MARKER}, and try again."
            )
        time.sleep(0.05)
    try:
        yield
    finally:
        os.close(handle)


def owner_name(uid: int) -> str:
    """Return a user's name, or its number where it has none."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _try_lock(place: Place) -> int | None:
    import fcntl

    _claim(place)
    handle = os.open(place.folder / MARKER, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_nlink:  # else a reset has removed the file while we waited for it
            if place.account:
                os.fchown(handle, place.account.uid, place.account.gid)
            return handle
    except BlockingIOError:
        pass
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return None


def _claim(place: Place) -> None:
    """Make the folder, or see that the one that exists is empty or ours."""
    folder = place.folder
    if folder.exists() and not folder.is_dir():
        raise EmbeddedServerError(f"{folder} is a file, not a folder for a server's data. {ELSEWHERE}")
    if not folder.parent.is_dir():
        raise EmbeddedServerError(f"{folder.parent} does not exist. Make it first. {ELSEWHERE}")
    if folder.is_dir():
        owner = folder.stat().st_uid
        if owner not in (place.uid, os.geteuid()):
            raise EmbeddedServerError(
                f"{folder} belongs to {owner_name(owner)}, not to {owner_name(place.uid)}. "
                f"Work as that user, or as root, which takes that account then. {ELSEWHERE}"
            )
        names = [path.name for path in folder.iterdir()]
        if names and MARKER not in names:
            raise EmbeddedServerError(
                f"{folder} is not empty and was not made by schema_kit: it holds {min(names)!r}. "
                f"Nothing was touched. {ELSEWHERE}"
            )
    private_dir(folder, place.account)


def _lent_account() -> Account:
    import pwd

    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, found.pw_uid, found.pw_gid)
    raise EmbeddedServerError(
        "PostgreSQL does not run as root, and this machine has neither a user postgres nor a user nobody "
        "to run it as. Work as an ordinary user, or name a database with --url or DATABASE_URL."
    )


def _account_of(folder: Path, uid: int) -> Account:
    import pwd

    try:
        found = pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedServerError(
            f"{folder} belongs to uid {uid}, which is not a user of this machine, and PostgreSQL's tools need a "
            f"user with a name. {ELSEWHERE}"
        ) from None
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def _can_enter(folder: Path, account: Account) -> bool:
    """Ask the kernel: it knows about access lists and mount options, permission bits do not."""
    command = ["/bin/sh", "-c", 'cd "$0"', str(folder)]
    tried = subprocess.run(
        command,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        check=False,
    )
    return tried.returncode == 0
