"""Archives follow their tables: a change of columns or checks changes the archive, and the view over both.

A new column comes to the archive behind the table, and a dropped one goes from the archive first; each of the two makes
the view again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops

from schema_kit.autogenerate.drift import in_schema
from schema_kit.autogenerate.work import Key, Work
from schema_kit.autogenerate.written import Stage, executed, nothing, pair_of, paired
from schema_kit.declare.nouns import Archived
from schema_kit.model import Table
from schema_kit.ops import classes
from schema_kit.ops.operation import PlanOperation, Several
from schema_kit.tasks.archive_views import showing, shown_by

_ADDS = (ops.AddColumnOp, classes.AddColumnConcurrentlyOp)
_DROPS = (ops.DropColumnOp, classes.DropColumnConcurrentlyOp)
_ALIKE = (
    classes.AlterColumnConcurrentlyOp,
    classes.SetNotNullConcurrentlyOp,
    classes.CreateCheckConstraintConcurrentlyOp,
    classes.DropConstraintConcurrentlyOp,
)


def follow(work: Work) -> None:
    """Change archives as their tables are changed.

    Args:
        work: the operations, once they are those that keep no session waiting.
    """
    kinds = (*_ADDS, *_DROPS, *_ALIKE, ops.AlterColumnOp)
    keys = [key for key in work.tables if work.of(kinds, key) and not work.of(ops.CreateTableOp, key)]
    policies = {policy.table: policy for policy in work.catalog.archive_policies()} if keys else {}
    for key in keys:
        if policy := policies.get(work.tables[key].name):
            table, archive = work.catalog.table(policy.table), work.catalog.table(policy.archive)
            if table and archive:
                _Pair(work, key, table, archive).follow()


@dataclass(frozen=True)
class _Pair:
    """A table and its archive."""

    work: Work
    key: Key
    table: Table
    archive: Table

    @property
    def _schema(self) -> dict[str, Any]:
        """The archive's, as a keyword; it may be that of the table, which search_path finds."""
        same = self.archive.name.schema == self.table.name.schema
        return in_schema(self.key) if same else {"schema": self.archive.name.schema}

    def follow(self) -> None:
        alike = self.work.of(_ALIKE, self.key)
        added = [one for one in self.work.of(_ADDS, self.key) if self._comes(_column_of(one))]
        if added:
            drops = [self._drop(_column_of(one).name) for one in reversed(added)]
            back = drops[0] if len(drops) == 1 else Several(*drops)
            self.work.add(paired(self._repair(), back, stage=Stage.BEHIND))
        for one in self.work.of(_DROPS, self.key):
            self._dropped(one)
        for one in alike:
            self._alike(one, behind=bool(added))
        for one in self.work.of(ops.AlterColumnOp, self.key):
            if one.modify_type is not None and self.archive.column(one.column_name):
                self.work.put(one, [*self._rewritten(one)])

    def _rewritten(self, one: ops.AlterColumnOp) -> Iterator[MigrateOperation]:
        """Yield the same change of table and archive, in one transaction that creates the views again."""
        views = showing(self.work.catalog, self.table, one.column_name)
        drops = Several(*(executed(view.drop_sql) for view in views))
        makes = Several(*(executed(text) for view in views for text in view.again_sql(None)))
        back = one.reverse()
        before = self._altered(back) if isinstance(back, ops.AlterColumnOp) else nothing(self.key[1], self.key[0])
        yield from [paired(drops, makes)] if views else []
        yield from (one, paired(self._altered(one), before))
        yield from [paired(Several(*makes.ops), Several(*drops.ops))] if views else []

    def _altered(self, one: ops.AlterColumnOp) -> ops.AlterColumnOp:
        types = {"modify_type": one.modify_type, "existing_type": one.existing_type}
        schema = self._schema.get("schema")
        return ops.AlterColumnOp(self.archive.name.name, one.column_name, schema=schema, **types, **one.kw)

    def _comes(self, column: sa.Column[Any]) -> bool:
        if self.archive.column(column.name):
            return False
        default = column.server_default
        if isinstance(default, sa.Computed | sa.Identity) or not (column.nullable or default):
            self._say(f"the new column {column.name}, which needs a value in each row: add it there, too")
            return False
        return True

    def _dropped(self, drop: Any) -> None:
        name = drop.column_name if isinstance(drop, ops.DropColumnOp) else drop.bound.arguments["column_name"]
        column = self.table.column(name)
        if column is None or self.archive.column(name) is None:
            return
        needs_value = column.generated or column.identity or (column.not_null and column.default is None)
        back = nothing(self.key[1], self.key[0]) if needs_value else self._repair()
        if isinstance(drop, ops.DropColumnOp):  # Alembic's, which joins a transaction
            stage, pair = Stage.OTHERS, pair_of(drop)
            paired(drop, pair.back if pair else drop.reverse(), stage=Stage.BEHIND)
        else:
            stage = Stage.LATER
        self.work.put(drop, [paired(self._drop(name), back, stage=stage), drop])

    def _alike(self, one: PlanOperation, *, behind: bool) -> None:
        given = one.bound.arguments
        column, check = given.get("column_name"), given.get("constraint_name")
        drops = isinstance(one, classes.DropConstraintConcurrentlyOp)
        there = {name for name, *_ in self.archive.checks}
        if drops and (given.get("type_") != "check" or check not in there):
            return
        if column is not None and self.archive.column(column) is None:
            return
        pair = pair_of(one)
        assert pair is not None  # each operation that replaces one of Alembic's has one
        if isinstance(pair.back, ops.AlterColumnOp):
            self.work.put(one, [one, paired(self._of_archive(one), nothing(self.key[1], self.key[0]))])
            paired(one, Several(*self._rewritten(pair.back)), stage=pair.stage)
        if not isinstance(pair.back, _ALIKE):
            return
        made = paired(self._of_archive(one), self._of_archive(pair.back), stage=pair.stage)
        if behind and not drops:
            self.work.add(paired(made, self._of_archive(pair.back), stage=Stage.BEHIND))
        else:
            self.work.put(one, [one, made])

    def _of_archive(self, one: PlanOperation) -> PlanOperation:
        """Return the same of the archive."""
        given = {name: value for name, value in one.bound.arguments.items() if name not in ("operations", "schema")}
        more = given.pop("dialect_kw", {})
        return type(one)(**{**given, **more, "table_name": self.archive.name.name, **self._schema})

    def _drop(self, column: str) -> MigrateOperation:
        return classes.DropColumnConcurrentlyOp(self.archive.name.name, column, **self._schema)

    @property
    def _view(self) -> str | None:
        """The view over both."""
        for view in self.table.views:
            if {self.table.name, self.archive.name} <= {*shown_by(view.definition)}:
                bare = view.name.schema == self.table.name.schema and view.name.name.isidentifier()
                return view.name.name if bare else str(view.name)
        return None

    def _repair(self) -> MigrateOperation:
        words: dict[str, Any] = in_schema(self.key)
        usual = Archived().archive(self.table.name)
        if self.archive.name.name != usual.name:
            words["archive_table_name"] = self.archive.name.name
        if self.archive.name.schema != usual.schema:
            words["archive_schema"] = self.archive.name.schema
        if self._view:
            words["view"] = self._view
        return classes.RepairArchiveTableOp(self.key[1], **words)

    def _say(self, what: str) -> None:
        self.work.say(
            f"{self.archive.name}, the archive of {self.table.name}, does not follow {what}.", difference=False
        )


def _column_of(one: Any) -> sa.Column[Any]:
    column: sa.Column[Any] = one.column if isinstance(one, ops.AddColumnOp) else one.bound.arguments["column"]
    return column
