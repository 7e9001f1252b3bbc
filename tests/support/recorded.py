"""Operations that autogenerate writes, and what the written lines make when a revision runs them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import render
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation
from alembic.operations.base import Operations
from alembic.runtime.migration import MigrationContext

OPTIONS = {
    "sqlalchemy_module_prefix": "sa.",
    "alembic_module_prefix": "op.",
    "user_module_prefix": None,
    "render_item": None,
    "render_as_batch": False,
}


def written(operation: MigrateOperation) -> tuple[list[str], set[str]]:
    """The lines that autogenerate writes, and the imports that they need."""
    context = AutogenContext(MigrationContext.configure(dialect_name="postgresql"), opts=OPTIONS)
    lines = render.render_op(context, operation)
    return lines, context.imports


class Recorder(Operations):
    """An `op` that keeps what it is called for."""

    def __init__(self) -> None:
        super().__init__(MigrationContext.configure(dialect_name="postgresql"))
        self.made: list[MigrateOperation] = []

    def invoke(self, operation: MigrateOperation) -> Any:
        self.made.append(operation)


def executed(lines: Sequence[str], imports: Collection[str] = ()) -> list[MigrateOperation]:
    """The operations that a revision with these lines calls, in their order."""
    recorder = Recorder()
    exec("\n".join([*imports, *lines]), {"op": recorder, "sa": sa})  # noqa: S102 - what autogenerate has written
    return recorder.made
