"""File storage: a folder, or any store that fsspec knows. A file with its final name is complete."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import urlsplit, urlunsplit

import fsspec
import pyarrow as pa
from sqlalchemy.exc import SQLAlchemyError

from schema_kit.errors import DeclarationError, ExecutionError, PlanError, SchemaKitError
from schema_kit.files.arrow import Misfit

try:
    import fcntl
except ImportError:  # no POSIX: every run takes a temporary name of its own there
    fcntl = None  # type: ignore[assignment]

PARTIAL = ".partial"
"""What a file's name ends in until it is complete."""

_CHUNK = 1 << 20
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV}


class Sink(Protocol):
    """What a file is written to."""

    def write(self, data: bytes) -> int:
        """Append."""


class Store:
    """A folder of some file system.

    Args:
        destination: a path, or a URL that fsspec knows: ``/srv/archive``, ``s3://bucket/archive``.

    Raises:
        DeclarationError: no store of that kind is installed, or there is no such folder.
    """

    def __init__(self, destination: str) -> None:
        shown = _without_password(destination)
        try:
            self._fs, root = fsspec.core.url_to_fs(destination)
        except ImportError as error:
            extra = ' (pip install "schema-kit[s3]")' if destination.startswith("s3") else ""
            raise DeclarationError(f"{shown!r} is not a destination here: {error}{extra}.") from error
        except Exception as error:  # each store has its own: a host that is not there, a key that cannot be read
            raise DeclarationError(f"{shown!r} is not a destination: {error}.") from error
        self.root = str(root).rstrip("/")
        self._base = self._fs.unstrip_protocol(self.root)
        with suppress(Exception):
            if fsspec.core.url_to_fs(self._base) != (self._fs, root):  # sftp, say: the path has no host
                self._base = shown.rstrip("/")
        protocol = self._fs.protocol
        self.local = "file" in ((protocol,) if isinstance(protocol, str) else protocol)
        if self.local and not Path(self.root or "/").is_dir():
            raise DeclarationError(f"there is no folder {self.root}. Make it, or name another.")

    @classmethod
    def of(cls, file: str) -> tuple[Store, str]:
        """Return the store that a file lies in, and its name there."""
        folder, slash, name = file.rpartition("/")
        if not name:
            raise DeclarationError(f"{file!r} is not a file.")
        return cls(folder + ("/" if slash and not folder.strip("/") else "") or "."), name

    def url(self, name: str) -> str:
        """Return where a file is, for the manifest; without a password."""
        return f"{self._base}/{name}"

    def exists(self, name: str) -> bool:
        """Return whether there is a file of that name."""
        with self._told(name, "look for"):
            self._fs.invalidate_cache()  # another run may have written it
            return bool(self._fs.exists(self._at(name)))

    @contextmanager
    def claimed(self, name: str) -> Iterator[str]:
        """The name that a file has until it is complete, this run's alone; what still has it on the way out is gone.

        In a folder that is a lock on the file (flock), which runs on other databases heed, too; what a killed run has
        left there is written over. Other stores know no locks: each run has a name of its own.

        Raises:
            PlanError: another run is writing the file.
            ExecutionError: it cannot be written.
        """
        temporary = name + PARTIAL
        handle = self._locked(temporary) if self.local else None
        if handle is None:
            temporary = f"{name}.{secrets.token_hex(6)}{PARTIAL}"
        try:
            yield temporary
        finally:
            if handle is None:
                self.remove(temporary)
            else:
                with suppress(OSError):  # when it has got its name, another run may be at this one
                    if os.path.samestat(os.fstat(handle), Path(self._at(temporary)).stat()):
                        Path(self._at(temporary)).unlink()
                os.close(handle)

    def _locked(self, temporary: str) -> int | None:
        """Return a handle that holds the lock; None where the file system knows no locks."""
        path = Path(self._at(temporary))
        with self._told(temporary, "write"):
            while True:
                handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
                try:
                    if fcntl is None:
                        raise OSError(errno.ENOTSUP, "no locks")
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if os.path.samestat(os.fstat(handle), there := path.stat()):
                        if there.st_nlink == 1:
                            return handle
                        path.unlink()  # killed between its name and the end of this one: it is a file by now
                except BlockingIOError as error:
                    os.close(handle)
                    raise PlanError(f"another run is at {self.url(temporary)}. It is left to that one.") from error
                except FileNotFoundError:
                    pass  # another run has just ended
                except OSError as error:
                    os.close(handle)
                    if error.errno not in (*_NO_LINKS, errno.ENOLCK):
                        raise
                    path.unlink()
                    return None
                os.close(handle)

    @contextmanager
    def writing(self, name: str) -> Iterator[Sink]:
        """A file, begun again; on the way out it is on the disk.

        Raises:
            ExecutionError: it cannot be written.
        """
        with self._told(name, "write"):
            file: Any = self._fs.open(self._at(name), "wb")
            with file:
                yield file
                if self.local:
                    file.flush()
                    os.fsync(file.fileno())
                    if hasattr(os, "posix_fadvise"):  # what is read back comes from the disk, not from memory
                        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    @contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:
        """A file that exists.

        Raises:
            ExecutionError: it is gone, or cannot be read.
        """
        with self._told(name, "read"), self._fs.open(self._at(name), "rb") as file:
            yield file

    def digest(self, name: str) -> tuple[int, str]:
        """Return the bytes of a file, and their SHA-256."""
        size, sum_ = 0, hashlib.sha256()
        with self.reading(name) as file:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                sum_.update(chunk)
        return size, sum_.hexdigest()

    def publish(self, temporary: str, name: str, digest: tuple[int, str]) -> None:
        """Give a file its name, which nothing else has.

        In a folder that is one atomic step, and the folder is synced. Other stores copy it, and the copy is read once
        more; it is registered afterwards.

        Raises:
            PlanError: the name is taken.
            ExecutionError: it cannot be given, or the copy is another.
        """
        taken = PlanError(f"{self.url(name)} exists already. It was left as it is, and so was the table.")
        with self._told(name, "name"):
            if self._fs.exists(self._at(name)):
                raise taken
            if not self.local:
                self._copied(temporary, name, digest)
                return
            try:
                os.link(self._at(temporary), self._at(name))
                Path(self._at(temporary)).unlink()
            except FileExistsError as error:
                raise taken from error
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                Path(self._at(temporary)).rename(self._at(name))
            self._synced(self.root or "/")

    def sync(self, name: str) -> None:
        """See to it that a file that existed already is on the disk, and its name, too."""
        if self.local:
            with self._told(name, "sync"):
                self._synced(self._at(name))
                self._synced(self.root or "/")

    @staticmethod
    def _synced(path: str) -> None:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _copied(self, temporary: str, name: str, digest: tuple[int, str]) -> None:
        self._fs.mv(self._at(temporary), self._at(name))
        self._fs.invalidate_cache()
        if self.digest(name) != digest:
            self.remove(name)
            raise ExecutionError(
                f"{self.url(name)} is not what was copied there. It was taken away, and no row was dropped for it; "
                "look after the store, then run again."
            )

    def remove(self, name: str) -> None:
        """Take away what has no name yet; the store may be gone itself."""
        with suppress(Exception):
            self._fs.rm_file(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self.root}/{name}"

    @contextmanager
    def _told(self, name: str, verb: str) -> Iterator[None]:
        try:
            yield
        except (SchemaKitError, Misfit, SQLAlchemyError, pa.ArrowException):
            raise
        except Exception as error:
            if self.local and not isinstance(error, OSError):
                raise
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise ExecutionError(
                f"cannot {verb} {self.url(name)}: {said}. No row was dropped for it; see to it, then run again."
            ) from error


def _without_password(destination: str) -> str:
    if "://" not in destination or "@" not in (parts := urlsplit(destination)).netloc:
        return destination
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{host}"))


def file_name(stem: str) -> str:
    """Return a table's name as that of a file: what separates folders or needs quoting in URLs is written as %XX."""
    return re.sub(r"[\x00-\x20/\\%?#*:|\"'<>\[\]{}\x7f]", lambda found: f"%{ord(found[0]):02X}", stem)
