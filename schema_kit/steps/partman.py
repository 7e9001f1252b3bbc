"""Commits that install and remove the functions in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from schema_kit.names import QualifiedName, ident, literal
from schema_kit.steps.step import Lock, LockMode, Step, Transaction
from schema_kit.storage import PART_CONFIG

_SAFE_PATH = (
    "SELECT pg_catalog.set_config('schema_kit.search_path', pg_catalog.current_setting('search_path'), true)",
    "SET LOCAL search_path TO pg_catalog, pg_temp",
)
_PATH_AGAIN = "SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('schema_kit.search_path'), true)"


def _of_views(views: tuple[QualifiedName, ...]) -> tuple[Lock, ...]:
    """LOCK TABLE would take a view's tables, too."""
    reset = "RESET (check_option)"
    return tuple(Lock(LockMode.ACCESS_EXCLUSIVE, view, f"ALTER VIEW {view.sql} {reset}") for view in views)


@dataclass(frozen=True)
class InstallPartmanSql(Step):
    """The functions in SQL, those that are missing, older or changed: all of them or none.

    Args:
        schema: where they live.
        names: what is made or replaced.
        statements: what makes it.
        views: views that were there, and are replaced.
        replaced: tables that were there, and are changed.
        commented: tables that were there, and only get a comment.
    """

    transaction: ClassVar[Transaction] = Transaction.SHARED

    schema: str
    names: tuple[str, ...]
    statements: tuple[str, ...]
    views: tuple[QualifiedName, ...] = ()
    replaced: tuple[QualifiedName, ...] = ()
    commented: tuple[QualifiedName, ...] = ()

    @property
    def summary(self) -> str:
        """Says how many, or which."""
        some = ", ".join(self.names) if len(self.names) <= 3 else f"{len(self.names)} objects"
        return f"install pg_partman's functions in schema {self.schema}: {some}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Briefly."""
        changed = tuple(Lock(LockMode.ACCESS_EXCLUSIVE, table) for table in self.replaced)
        return (
            *_of_views(self.views),
            *changed,
            *(Lock(LockMode.SHARE_UPDATE_EXCLUSIVE, table) for table in self.commented),
        )

    def sql(self) -> tuple[str, ...]:
        """No search_path of the session has a say in what they mean; it is put back."""
        return (*_SAFE_PATH, *self.statements, _PATH_AGAIN)


@dataclass(frozen=True)
class RemovePartmanSql(Step):
    """The functions in SQL go, and their schema where nothing else is in it; policies and partitions stay.

    Args:
        schema: where they live.
        views: its views.
        drops: what drops the rest.
        with_schema: nothing else is in it.
    """

    transaction: ClassVar[Transaction] = Transaction.SHARED
    says: ClassVar[str] = "remove pg_partman's functions from schema {self.schema}"

    schema: str
    views: tuple[QualifiedName, ...]
    drops: tuple[str, ...]
    with_schema: bool

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Those who read the views."""
        return _of_views(self.views)

    def sql(self) -> tuple[str, ...]:
        """RESTRICT: nothing that uses them is taken along."""
        views = (f"DROP VIEW {', '.join(view.sql for view in self.views)}",) if self.views else ()
        schema = (f"DROP SCHEMA {ident(self.schema)}",) if self.with_schema else ()
        return (*views, *self.drops, *schema)


@dataclass(frozen=True)
class HandOver(Step):
    """Copy a table's row to a real pg_partman's table, and turn schema_kit's maintenance of it off, in one commit.

    Args:
        parent: the partitioned table.
        config: pg_partman's table.
        values: its row: columns, and their values in SQL.
    """

    transaction: ClassVar[Transaction] = Transaction.SHARED
    says: ClassVar[str] = "hand {self.parent} over to {self.config}"

    parent: QualifiedName
    config: QualifiedName
    values: tuple[tuple[str, str], ...]

    def sql(self) -> tuple[str, ...]:
        """Two rows; ours stays, so that the partitioned table comes back as it was."""
        update = ", ".join(f"{column} = excluded.{column}" for column, _ in self.values if column != "parent_table")
        insert = (
            f"INSERT INTO {self.config.sql} ({', '.join(column for column, _ in self.values)}) "
            f"VALUES ({', '.join(value for _, value in self.values)}) "
            f"ON CONFLICT (parent_table) DO UPDATE SET {update}"
        )
        return insert, maintenance_sql(self.parent, "off")


@dataclass(frozen=True)
class StartMaintenance(Step):
    """schema_kit's maintenance of a partitioned table goes on again."""

    transaction: ClassVar[Transaction] = Transaction.SHARED
    says: ClassVar[str] = "turn schema_kit's maintenance of {self.parent} on"

    parent: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (maintenance_sql(self.parent, "on"),)


def maintenance_sql(parent: QualifiedName, to: str) -> str:
    """schema_kit's maintenance of a partitioned table goes on, or off."""
    where = f"WHERE parent_table = {literal(str(parent))}"
    return f"UPDATE {PART_CONFIG.sql} SET automatic_maintenance = {literal(to)} {where}"
