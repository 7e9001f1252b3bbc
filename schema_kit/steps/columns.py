"""Commits that add, change and drop columns, and drop tables. None of them rewrites or scans a table."""

from __future__ import annotations

from dataclasses import dataclass

from schema_kit.fingerprints.stamps import seen
from schema_kit.model import ColumnDeclaration, Table
from schema_kit.names import QualifiedName, ident, literal
from schema_kit.steps.archive_views import ArchiveView
from schema_kit.steps.constraints import references_sql
from schema_kit.steps.step import Lock, LockMode, OnTree, Seen


def column_sql(column: ColumnDeclaration, name: str | None = None) -> str:
    """Return a column as ADD COLUMN takes it."""
    parts = [ident(name or column.name), column.type]
    parts += [f"DEFAULT {column.default}"] if column.default is not None else []
    parts += [] if column.nullable else ["NOT NULL"]
    key = column.foreign_key
    parts += [f"CONSTRAINT {ident(key.name)} {references_sql(key)}"] if key else []
    return " ".join(parts)


@dataclass(frozen=True)
class _ColumnStep(OnTree):
    """One ALTER TABLE on a table and its partitions briefly."""

    table: QualifiedName
    column: str
    partitions: tuple[QualifiedName, ...]

    def action(self) -> str:
        """Return what follows ALTER TABLE name."""
        raise NotImplementedError

    def sql(self) -> tuple[str, ...]:
        """The partitions follow by themselves."""
        return (f"ALTER TABLE {self.table.sql} {self.action()}",)


@dataclass(frozen=True)
class AddColumn(_ColumnStep):
    """ADD COLUMN with a default that PostgreSQL keeps in the catalog, or none; then a foreign key needs no scan.

    Args:
        declared: the column.
        later: a default that changes from row to row: set for new rows in the same commit, filled in afterwards.
        referenced: the table that its foreign key refers to, with its partitions.
    """

    says = "add column {self.column} to {self.table}"

    declared: ColumnDeclaration
    later: str | None = None
    referenced: tuple[QualifiedName, ...] = ()

    @property
    def locks(self) -> tuple[Lock, ...]:
        """All access waits briefly; writes to the table that a foreign key refers to, too."""
        own = super().locks
        more = dict.fromkeys(self.referenced if self.declared.foreign_key else ())
        others = (table for table in more if table not in (lock.table for lock in own))
        return (*own, *(Lock(LockMode.SHARE_ROW_EXCLUSIVE, table) for table in others))

    def action(self) -> str:
        """Return what follows ALTER TABLE name."""
        return f"ADD COLUMN {column_sql(self.declared)}"

    def sql(self) -> tuple[str, ...]:
        """Rows that exist are not touched."""
        statements = [*super().sql()]
        if self.later is not None:
            statements.append(
                f"ALTER TABLE {self.table.sql} ALTER COLUMN {ident(self.column)} SET DEFAULT {self.later}"
            )
        if self.declared.comment is not None:
            comment = literal(self.declared.comment)
            statements.append(f"COMMENT ON COLUMN {self.table.sql}.{ident(self.column)} IS {comment}")
        return tuple(statements)


@dataclass(frozen=True)
class _UnderViews(_ColumnStep):
    """What PostgreSQL refuses while a view shows the column: the views over table and archive go and come back around.

    Args:
        others: tables at the other end of the column's foreign keys, with their partitions.
        views: those views.
        observed: the table, where there are such views.
    """

    fresh = True

    others: tuple[QualifiedName, ...] = ()
    views: tuple[ArchiveView, ...] = ()
    observed: Table | None = None

    @property
    def locks(self) -> tuple[Lock, ...]:
        """All access waits briefly, to the views first."""
        return (*(view.lock for view in self.views), *super().locks)

    @property
    def relies_on(self) -> tuple[Seen, ...]:
        """The table, with its views."""
        return seen(self.observed)

    def without(self) -> str | None:
        """Return the column that the views lose."""
        return None

    def sql(self) -> tuple[str, ...]:
        """One commit."""
        again = (statement for view in self.views for statement in view.again_sql(self.without()))
        return (*(view.drop_sql for view in self.views), *super().sql(), *again)


@dataclass(frozen=True)
class DropColumn(_UnderViews):
    """DROP COLUMN: the rows keep its bytes until they are written again."""

    says = "drop column {self.column} of {self.table}"

    def without(self) -> str | None:
        """Return the column."""
        return self.column

    def action(self) -> str:
        """RESTRICT: what depends on it stops this."""
        return f"DROP COLUMN {ident(self.column)}"


@dataclass(frozen=True)
class AlterColumnType(_UnderViews):
    """ALTER COLUMN ... TYPE, of the kind that neither rewrites the table nor builds an index again.

    Args:
        type: the new type.
    """

    says = "make {self.column} of {self.table} {self.type}"

    type: str = ""

    def action(self) -> str:
        """Return what follows ALTER TABLE name."""
        return f"ALTER COLUMN {ident(self.column)} TYPE {self.type}"


@dataclass(frozen=True)
class SetDefault(_ColumnStep):
    """SET DEFAULT, or DROP DEFAULT: for rows to come."""

    default: str | None

    @property
    def summary(self) -> str:
        """Names the column."""
        return f"set the default of {self.column} of {self.table} to {self.default or 'none'}"

    def action(self) -> str:
        """Return what follows ALTER TABLE name."""
        what = "DROP DEFAULT" if self.default is None else f"SET DEFAULT {self.default}"
        return f"ALTER COLUMN {ident(self.column)} {what}"


@dataclass(frozen=True)
class DropNotNull(_ColumnStep):
    """DROP NOT NULL."""

    says = "let {self.column} of {self.table} be NULL"

    def action(self) -> str:
        """Return what follows ALTER TABLE name."""
        return f"ALTER COLUMN {ident(self.column)} DROP NOT NULL"


@dataclass(frozen=True)
class DropWholeTable(OnTree):
    """DROP TABLE, after its foreign keys are gone, so that it locks no other table."""

    says = "drop table {self.table}"

    table: QualifiedName
    partitions: tuple[QualifiedName, ...]

    def sql(self) -> tuple[str, ...]:
        """RESTRICT: what depends on it stops this."""
        return (f"DROP TABLE {self.table.sql}",)
