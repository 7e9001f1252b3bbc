"""Every exception of schema_kit, split by the state in which the database is left.

    SchemaKitError
    ├── Refusal
    │   ├── DeclarationError  bad input: nothing was read, nothing was written             exit 2
    │   └── PlanError         declaration and database disagree: nothing was written       exit 3
    ├── EmbeddedServerError   the embedded server is not available                         exit 1
    └── ExecutionError        PostgreSQL refused a step: the steps before it are committed exit 1
        └── LockNotAvailable  other sessions held the lock through every attempt; .blockers

A message says what happened, why, and what to do now, and names the object. What a refusal gives is its reason; that
nothing was changed is said by the one who knows (`saying_unchanged`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ClassVar

UNCHANGED = "Nothing was changed."


class SchemaKitError(Exception):
    """What every error of this package is."""

    exit_code: ClassVar[int] = 1

    @property
    def reason(self) -> str:
        """What, why and what to do now, without what is said of the database's state."""
        return Exception.__str__(self)


class Refusal(SchemaKitError):
    """Something is not done, for a reason; what raises it has written nothing."""

    unchanged = False
    """Nothing was changed by the operation or command that it ended, and its message says so."""

    def __str__(self) -> str:
        if not self.unchanged:
            return self.reason
        one_line = self.reason.endswith(".") and "\n" not in self.reason
        return f"{self.reason}{' ' if one_line else chr(10)}{UNCHANGED}"


class DeclarationError(Refusal):
    """The input makes no sense by itself. Nothing was read and nothing was written."""

    exit_code = 2


class PlanError(Refusal):
    """The declaration and the database disagree. Nothing was written."""

    exit_code = 3


def refuse_for(what: str, obstacles: Iterable[str], *, then: str = "", lines: bool = False) -> None:
    """Refuse a plan for what stands in its way; return where nothing does.

    Args:
        what: what cannot be done.
        obstacles: what stands in the way.
        then: what to do now about all of them.
        lines: whether each obstacle gets a line of its own.

    Raises:
        PlanError: something stands in the way.
    """
    if listed := [*obstacles]:
        text = "\n  - ".join(("", *listed)) if lines else f" {'; '.join(listed)}."
        raise PlanError(f"{what}:{text}{then}")


_changes: ContextVar[list[str] | None] = ContextVar("schema_kit_changes", default=None)


@contextmanager
def saying_unchanged() -> Iterator[list[str]]:
    """Have a refusal that leaves this block say whether nothing was changed in it: the outermost block decides.

    Yields:
        What was changed so far.
    """
    outer, made = _changes.get(), list[str]()
    _changes.set(made)
    try:
        yield made
    except Refusal as error:
        error.unchanged = not made
        raise
    finally:
        _changes.set(outer)
        if outer is not None:
            outer += made


def changed(what: str) -> None:
    """Note that something was changed for good, a step was committed, say: what ends later is not without effect."""
    if (made := _changes.get()) is not None:
        made.append(what)


class EmbeddedServerError(SchemaKitError):
    """The embedded PostgreSQL cannot be found, started or reached."""


class ExecutionError(SchemaKitError):
    """PostgreSQL refused a step. The steps before it are committed; running again resumes there.

    Args:
        message: what, why and what to do now.
        sqlstate: PostgreSQL's five-character code, where there was one.
    """

    def __init__(self, message: str, *, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class LockNotAvailable(ExecutionError):
    """A lock was not available within the budget, in any attempt.

    Args:
        message: which step, how often it was tried.
        blockers: who held the lock, a line each, as seen after the last attempt.
        sqlstate: of the last attempt: 55P03, 57014 or 40P01.
    """

    def __init__(self, message: str, *, blockers: Sequence[str] = (), sqlstate: str | None = None) -> None:
        lines = [message, *(f"  blocked by {blocker}" for blocker in blockers)]
        super().__init__("\n".join(lines), sqlstate=sqlstate)
        self.blockers = tuple(blockers)
