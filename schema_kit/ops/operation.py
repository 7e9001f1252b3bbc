"""What an operation is: a function that says how it is called and which task it asks for, and a class for Alembic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any, ClassVar, Concatenate, ParamSpec, Self, TypeVar

import sqlalchemy as sa
from alembic.operations import AbstractOperations, MigrateOperation
from alembic.operations.ops import OpContainer

from schema_kit.steps import Plan
from schema_kit.tasks import Database

Task = Callable[[Database], Plan]
"""What an operation asks for: it looks and decides, again for each try."""

Arguments = ParamSpec("Arguments")
Function = TypeVar("Function", bound=Callable[..., Task])
Reverse = Callable[..., MigrateOperation]


def task(
    planned: Callable[Concatenate[Database, Arguments], Plan], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Task:
    """Return a task of `schema_kit.tasks` with its request, but for the database."""
    return lambda database: planned(database, *args, **kwargs)


@dataclass(frozen=True)
class Declared:
    """An operation as it is written: what `tools/write_operations.py` makes a class and a line of op.pyi from."""

    function: Callable[..., Task]
    shared: bool
    reversed_by: str | Reverse | None


OPERATIONS: dict[str, Declared] = {}


def operation(*, shared: bool = False, reversed_by: str | Reverse | None = None) -> Callable[[Function], Function]:
    """Declare a function an operation of ``alembic.op``; its class is in `ops/classes.py`.

    Args:
        shared: all its steps may join the migration's transaction.
        reversed_by: the operation that takes it back, with those of its arguments that have the same names; or a
            function of its arguments that returns that operation.
    """

    def declare(function: Function) -> Function:
        OPERATIONS[function.__name__] = Declared(function, shared, reversed_by)
        return function

    return declare


class Several(OpContainer):
    """Operations that together take one back, in their order; none where nothing has to be done."""

    def __init__(self, *ops: MigrateOperation) -> None:
        super().__init__(ops)
        self.back: MigrateOperation | None = None

    def reverse(self) -> MigrateOperation:
        """Return the operation that they take back, or the reverse of each."""
        return self.back or Several(*(one.reverse() for one in reversed(self.ops)))


class PlanOperation(MigrateOperation):
    """An operation with its arguments, inert: autogenerate can make, compare, reverse and write it."""

    called: ClassVar[str]
    """What it is called in ``alembic.op``."""
    function: ClassVar[Callable[..., Task]]
    shared: ClassVar[bool] = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.bound = signature(type(self).function).bind(None, *args, **kwargs)
        self.back: MigrateOperation | None = None

    def task(self, operations: AbstractOperations) -> Task:
        """Return what it asks for, once names are looked up; bad input is refused."""
        return type(self).function(operations, *self.bound.args[1:], **self.bound.kwargs)

    @property
    def workers(self) -> int:
        """How many sessions send steps that may be sent side by side."""
        return int(self.bound.kwargs.get("workers", 1))

    @property
    def positional(self) -> tuple[Any, ...]:
        """What is given by place: up to the first that is the default."""
        return self._given()[0]

    @property
    def keywords(self) -> dict[str, Any]:
        """What is given by name: what is not the default."""
        return self._given()[1]

    def _given(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        by_place: list[Any] = []
        by_name: dict[str, Any] = {}
        places = True
        for one in [*signature(type(self).function).parameters.values()][1:]:
            value = self.bound.arguments.get(one.name, one.default)
            if one.kind is one.VAR_POSITIONAL:
                by_place += value if one.name in self.bound.arguments else ()
            elif one.kind is one.VAR_KEYWORD:
                by_name |= value if one.name in self.bound.arguments else {}
            elif _same(value, one.default):
                places = False
            elif places and one.kind is one.POSITIONAL_OR_KEYWORD:
                by_place.append(value)
            else:
                by_name[one.name] = value
        return tuple(by_place), by_name

    def reverse(self) -> MigrateOperation:
        """Return the operation that takes it back; the reverse of that is this one.

        Raises:
            NotImplementedError: its arguments do not say which.
        """
        return self.back or self.taken_back_by(self._reverse()).reverse()

    def taken_back_by(self, *operations: MigrateOperation) -> Self:
        """Say what takes it back, where its arguments do not: the former values, what was dropped, or nothing."""
        self.back = operations[0] if len(operations) == 1 else Several(*operations)
        if isinstance(self.back, PlanOperation | Several):
            self.back.back = self
        return self

    def _reverse(self) -> MigrateOperation:
        by = OPERATIONS[self.called].reversed_by
        if callable(by):
            return by(*self.positional, **self.keywords)
        if by is None:
            raise NotImplementedError(f"op.{self.called} cannot be reversed by what it was called with")
        back = class_of(by)
        takes = {one.name for one in signature(back.function).parameters.values() if one.kind is not one.VAR_KEYWORD}
        given = {name: value for name, value in [*self.bound.arguments.items()][1:] if name in takes}
        needs = [one.name for one in signature(back.function).parameters.values() if one.default is one.empty]
        if unnamed := [name for name in needs if name in given and given[name] is None]:
            raise NotImplementedError(f"op.{self.called} cannot be reversed: it was called without {unnamed[0]}")
        return back(**given)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return its name, what it was given by place, and what was given by name where that is not the default."""
        keywords = {name: _read(value) for name, value in self.keywords.items()}
        return (self.called, *map(_read, self.positional), *([keywords] if keywords else []))


def class_of(called: str) -> type[PlanOperation]:
    """Return the class of an operation, by its name in ``alembic.op``."""
    return next(cls for cls in PlanOperation.__subclasses__() if cls.called == called)


def nothing(*_: Any, **__: Any) -> MigrateOperation:
    """Return what takes back an operation that leaves nothing behind that has to go."""
    return Several()


def _same(value: Any, default: Any) -> bool:
    """Return whether it is the default; an expression of SQLAlchemy's is compared with nothing."""
    return value is default or (type(value) is type(default) and isinstance(value, _LITERALS) and value == default)


_LITERALS = (str, int, float, tuple)


def _read(value: Any) -> Any:
    """Return a value as a person reads it: expressions as SQL."""
    if isinstance(value, Mapping):
        return {key: _read(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_read(one) for one in value]
    if isinstance(value, sa.ClauseElement) and not isinstance(value, sa.schema.SchemaItem):
        return str(value)
    return value
