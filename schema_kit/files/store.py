"""Where files lie: a folder, or any store that fsspec knows. What is there is whole, or it has not got its name yet."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import fsspec

from schema_kit.errors import DeclarationError, ExecutionError, PlanError

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
        try:
            self._fs, root = fsspec.core.url_to_fs(destination)
        except (ValueError, ImportError) as error:
            raise DeclarationError(f"{destination!r} is no destination: {error}. Nothing was changed.") from error
        self.root = str(root).rstrip("/")
        protocol = self._fs.protocol
        self.local = "file" in ((protocol,) if isinstance(protocol, str) else protocol)
        if self.local and not Path(self.root or "/").is_dir():
            raise DeclarationError(f"there is no folder {self.root}. Nothing was changed; make it, or name another.")

    @classmethod
    def of(cls, file: str) -> tuple[Store, str]:
        """The store that a file lies in, and its name there."""
        folder, slash, name = file.rpartition("/")
        if not name:
            raise DeclarationError(f"{file!r} is no file. Nothing was changed.")
        return cls(folder + ("/" if slash and not folder.strip("/") else "") or "."), name

    def url(self, name: str) -> str:
        """Where a file is, for the manifest; a password is no part of it."""
        return str(self._fs.unstrip_protocol(f"{self.root}/{name}"))

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""
        with self._told(name, "look for"):
            return bool(self._fs.exists(self._at(name)))

    @contextmanager
    def writing(self, name: str) -> Iterator[Sink]:
        """A new file; on the way out it is on the disk, or it is gone again.

        Raises:
            ExecutionError: it cannot be written.
        """
        with self._told(name, "write"):
            file: Any = self._fs.open(self._at(name), "wb")
            try:
                with file:
                    yield file
                    if self.local:
                        file.flush()
                        os.fsync(file.fileno())
                        if hasattr(os, "posix_fadvise"):  # what is read back comes from the disk, not from memory
                            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            except BaseException:
                self.remove(name)
                raise

    @contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:
        """A file that is there.

        Raises:
            ExecutionError: it is gone, or cannot be read.
        """
        with self._told(name, "read"), self._fs.open(self._at(name), "rb") as file:
            yield file

    def digest(self, name: str) -> tuple[int, str]:
        """The bytes of a file, and their SHA-256."""
        size, sum_ = 0, hashlib.sha256()
        with self.reading(name) as file:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                sum_.update(chunk)
        return size, sum_.hexdigest()

    def publish(self, temporary: str, name: str) -> None:
        """Give a file its name, which nothing else has.

        In a folder that is one atomic step, and the folder is synced. Other stores copy it, so that each is as atomic
        as its writes are; it was read back before, and is registered afterwards.

        Raises:
            PlanError: the name is taken.
        """
        taken = PlanError(f"{self.url(name)} is there already. It was left as it is, and so was the table.")
        with self._told(name, "name"):
            if self._fs.exists(self._at(name)):
                raise taken
            if not self.local:
                self._fs.mv(self._at(temporary), self._at(name))
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
            folder = os.open(self.root or "/", os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

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
        except OSError as error:
            raise ExecutionError(
                f"cannot {verb} {self.url(name)}: {error.strerror or error}. No row was dropped for it."
            ) from error


def file_name(stem: str) -> str:
    """A table's name as that of a file: what separates folders or needs quoting in URLs is written as %XX."""
    return re.sub(r"[\x00-\x20/\\%?#*:|\"'<>\[\]{}\x7f]", lambda found: f"%{ord(found[0]):02X}", stem)
