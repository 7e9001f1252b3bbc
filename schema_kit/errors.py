"""Every exception of schema_kit, split by the state in which the reader's database is left.

    SchemaKitError
    ├── DeclarationError      bad input: nothing was read, nothing was written             exit 2
    ├── PlanError             declaration and database disagree: nothing was written       exit 3
    ├── EmbeddedServerError   the embedded server cannot be had                            exit 1
    └── ExecutionError        PostgreSQL refused a step: the steps before it are committed exit 1
        └── LockNotAvailable  somebody else held the lock through every attempt; .blockers

A message says what happened, why, and what to do now, and names the object.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar


class SchemaKitError(Exception):
    """What every error of this package is."""

    exit_code: ClassVar[int] = 1

    @property
    def reason(self) -> str:
        """The message without its sentence that nothing was changed: who has committed something cannot say it."""
        return _UNCHANGED.sub(lambda found: f" {found[1].upper()}" if found[1] else "", str(self))


_UNCHANGED = re.compile(r"\s?\bNothing was changed(?: in the database)?(?:; (.)|\.|$)")


class DeclarationError(SchemaKitError):
    """The input makes no sense by itself. Nothing was read and nothing was written."""

    exit_code = 2


class PlanError(SchemaKitError):
    """The declaration and the database disagree. Nothing was written."""

    exit_code = 3


class EmbeddedServerError(SchemaKitError):
    """The embedded PostgreSQL cannot be found, started or reached."""


class ExecutionError(SchemaKitError):
    """PostgreSQL refused a step. The steps before it are committed; running again goes on from there.

    Args:
        message: what, why and what to do now.
        sqlstate: PostgreSQL's five-character code, where there was one.
    """

    def __init__(self, message: str, *, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class LockNotAvailable(ExecutionError):
    """A lock was not to be had within the budget, in any attempt.

    Args:
        message: which step, how often it was tried.
        blockers: who held the lock, a line each, as seen after the last attempt.
        sqlstate: of the last attempt: 55P03, 57014 or 40P01.
    """

    def __init__(self, message: str, *, blockers: Sequence[str] = (), sqlstate: str | None = None) -> None:
        lines = [message, *(f"  blocked by {blocker}" for blocker in blockers)]
        super().__init__("\n".join(lines), sqlstate=sqlstate)
        self.blockers = tuple(blockers)
