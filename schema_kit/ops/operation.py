"""What an operation is: a function that says how it is called and which task it asks for, and a class for Alembic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from alembic.operations import AbstractOperations, MigrateOperation

from schema_kit.steps import Plan
from schema_kit.tasks import Database

Task = Callable[[Database], Plan]
"""What an operation asks for: it looks and decides, again for each try."""

Arguments = ParamSpec("Arguments")
Function = TypeVar("Function", bound=Callable[..., Task])


def task(
    planned: Callable[Concatenate[Database, Arguments], Plan], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Task:
    """A task of `schema_kit.tasks` with its request, but for the database."""
    return lambda database: planned(database, *args, **kwargs)


@dataclass(frozen=True)
class Declared:
    """An operation as it is written: what `tools/write_operations.py` makes a class and a line of op.pyi from."""

    function: Callable[..., Task]
    shared: bool
    reversed_by: str | None


OPERATIONS: dict[str, Declared] = {}


def operation(*, shared: bool = False, reversed_by: str | None = None) -> Callable[[Function], Function]:
    """Declare a function an operation of ``alembic.op``; its class is in `ops/classes.py`.

    Args:
        shared: all its steps may join the migration's transaction.
        reversed_by: the operation that takes it back, with those of its arguments that have the same names.
    """

    def declare(function: Function) -> Function:
        OPERATIONS[function.__name__] = Declared(function, shared, reversed_by)
        return function

    return declare


class PlanOperation(MigrateOperation):
    """An operation with its arguments, inert: autogenerate can make, compare, reverse and write it."""

    called: ClassVar[str]
    """What it is called in ``alembic.op``."""
    function: ClassVar[Callable[..., Task]]
    shared: ClassVar[bool] = False
    reversed_by: ClassVar[str | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.bound = signature(type(self).function).bind(None, *args, **kwargs)

    def task(self, operations: AbstractOperations) -> Task:
        """What it asks for, once names are looked up; bad input is refused."""
        return type(self).function(operations, *self.bound.args[1:], **self.bound.kwargs)

    @property
    def workers(self) -> int:
        """How many sessions send steps that may be sent side by side."""
        return int(self.bound.kwargs.get("workers", 1))

    def reverse(self) -> MigrateOperation:
        """The operation that takes it back.

        Raises:
            NotImplementedError: its arguments do not say which.
        """
        if self.reversed_by is None:
            raise NotImplementedError(f"op.{self.called} cannot be reversed by what it was called with")
        back = next(cls for cls in PlanOperation.__subclasses__() if cls.called == self.reversed_by)
        takes = {one.name for one in signature(back.function).parameters.values() if one.kind is not one.VAR_KEYWORD}
        _, *given = self.bound.arguments.items()
        return back(**{name: value for name, value in given if name in takes})

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Its name and its arguments."""
        return (self.called, *self.bound.args[1:], self.bound.kwargs)
