"""Errors are split by the state of the reader's database, and say what blocks."""

from __future__ import annotations

import pytest

from schema_kit import errors
from schema_kit.errors import (
    DeclarationError,
    EmbeddedServerError,
    ExecutionError,
    LockNotAvailable,
    PlanError,
    Refusal,
    SchemaKitError,
)

pytestmark = pytest.mark.cli

TREE = {
    SchemaKitError: (Exception, 1),
    Refusal: (SchemaKitError, 1),
    DeclarationError: (Refusal, 2),
    PlanError: (Refusal, 3),
    EmbeddedServerError: (SchemaKitError, 1),
    ExecutionError: (SchemaKitError, 1),
    LockNotAvailable: (ExecutionError, 1),
}


@pytest.mark.parametrize("kind", TREE)
def test_the_tree_and_the_exit_codes(kind: type[SchemaKitError]) -> None:
    base, code = TREE[kind]
    assert kind.__bases__ == (base,)
    assert kind.exit_code == code
    assert kind("what happened").exit_code == code


def test_the_tree_is_whole_and_drawn_on_top_of_its_module() -> None:
    found = {thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, Exception)}
    assert found == set(TREE)
    assert errors.__doc__
    assert all(kind.__name__ in errors.__doc__ for kind in TREE)


def test_a_refused_step_carries_its_sqlstate() -> None:
    assert ExecutionError("no room", sqlstate="53100").sqlstate == "53100"
    assert ExecutionError("gone").sqlstate is None
    assert str(ExecutionError("no room", sqlstate="53100")) == "no room"


def test_a_lock_that_could_not_be_taken_names_every_blocker_on_a_line_of_its_own() -> None:
    blockers = ["pid 7 (psql): AccessShareLock on users", "prepared transaction 'a'"]
    error = LockNotAvailable("cannot swap: 25 tries", blockers=blockers, sqlstate="55P03")
    assert error.blockers == tuple(blockers)
    assert error.sqlstate == "55P03"
    assert str(error).splitlines() == ["cannot swap: 25 tries", *(f"  blocked by {line}" for line in blockers)]


def test_no_blocker_was_seen() -> None:
    assert str(LockNotAvailable("cannot swap")) == "cannot swap"
    assert LockNotAvailable("cannot swap").blockers == ()
