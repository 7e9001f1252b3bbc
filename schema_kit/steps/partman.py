"""Commits that install and remove the functions in SQL."""

from __future__ import annotations

from dataclasses import dataclass

from schema_kit.names import QualifiedName, ident, literal
from schema_kit.steps.dependents import own_view_lock
from schema_kit.steps.step import Lock, LockMode, SharedStep, exclusive
from schema_kit.steps.storage import written_sql
from schema_kit.storage import PART_CONFIG

_SAFE_PATH = (
    "SELECT pg_catalog.set_config('schema_kit.search_path', pg_catalog.current_setting('search_path'), true)",
    "SET LOCAL search_path TO pg_catalog, pg_temp",
)
_PATH_AGAIN = "SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('schema_kit.search_path'), true)"


@dataclass(frozen=True)
class InstallPartmanSql(SharedStep):
    """The functions in SQL, those that are missing, older or changed: all of them or none.

    Args:
        schema: where they live.
        names: what is made or replaced.
        statements: what makes it.
        views: views that were there, and are replaced.
        replaced: tables that were there, and are changed.
        commented: tables that were there, and only get a comment.
    """

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
        return (
            *map(own_view_lock, self.views),
            *exclusive(self.replaced),
            *(Lock(LockMode.SHARE_UPDATE_EXCLUSIVE, table) for table in self.commented),
        )

    def sql(self) -> tuple[str, ...]:
        """No search_path of the session has a say in what they mean; it is put back."""
        return (*_SAFE_PATH, *self.statements, _PATH_AGAIN)


@dataclass(frozen=True)
class RemovePartmanSql(SharedStep):
    """The functions in SQL go, and their schema where nothing else is in it; policies and partitions stay.

    Args:
        schema: where they live.
        views: its views.
        drops: what drops the rest.
        with_schema: nothing else is in it.
    """

    says = "remove pg_partman's functions from schema {self.schema}"

    schema: str
    views: tuple[QualifiedName, ...]
    drops: tuple[str, ...]
    with_schema: bool

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Those who read the views."""
        return tuple(map(own_view_lock, self.views))

    def sql(self) -> tuple[str, ...]:
        """RESTRICT: nothing that uses them is taken along."""
        views = (f"DROP VIEW {', '.join(view.sql for view in self.views)}",) if self.views else ()
        schema = (f"DROP SCHEMA {ident(self.schema)}",) if self.with_schema else ()
        return (*views, *self.drops, *schema)


@dataclass(frozen=True)
class Registered:
    """A partitioned table as a part_config is to have it: columns, and their values in SQL.

    Args:
        name: the table.
        values: its row of part_config; empty where that exists, and stays.
        sub: its row of part_config_sub; empty where its partitions are not partitioned.
    """

    name: QualifiedName
    values: tuple[tuple[str, str], ...]
    sub: tuple[tuple[str, str], ...] = ()

    def sql(self, config: QualifiedName) -> tuple[str, ...]:
        """Write each row, or bring it up to date."""
        written = ((config, self.values), (config.sibling("part_config_sub"), self.sub))
        return tuple(written_sql(table, dict(values)) for table, values in written if values)


@dataclass(frozen=True)
class HandOver(SharedStep):
    """Copy a table's rows to a real pg_partman's tables, and turn schema_kit's maintenance of it off, in one commit.

    Args:
        parent: the partitioned table.
        config: pg_partman's table.
        sets: it and those below it, from the top.
    """

    says = "hand {self.parent} over to {self.config}"

    parent: QualifiedName
    config: QualifiedName
    sets: tuple[Registered, ...]

    def sql(self) -> tuple[str, ...]:
        """Our rows stay, so that the partitioned table comes back as it was."""
        written = tuple(statement for one in self.sets for statement in one.sql(self.config))
        return (*written, *(maintenance_sql(one.name, "off") for one in self.sets))


@dataclass(frozen=True)
class TakeOver(SharedStep):
    """Copy what a real pg_partman's tables say of a table, and of those below it, to schema_kit's.

    Args:
        parent: the partitioned table.
        values: columns of its own row, which exists: pg_partman's functions in SQL use them. Empty where *sets* has
            the whole row.
        sets: how its partitions are partitioned, and the tables below it.
    """

    says = "take over what pg_partman knows of {self.parent}"

    parent: QualifiedName
    values: tuple[tuple[str, str], ...]
    sets: tuple[Registered, ...] = ()

    def sql(self) -> tuple[str, ...]:
        """The table's own row keeps what schema_kit has read off the bounds."""
        update = ", ".join(f"{column} = {value}" for column, value in self.values)
        where = f"WHERE parent_table = {literal(str(self.parent))}"
        below = tuple(statement for one in self.sets for statement in one.sql(PART_CONFIG))
        own = (f"UPDATE {PART_CONFIG.sql} SET {update} {where}",) if update else ()
        return (*own, *below)


@dataclass(frozen=True)
class RenamePartition(SharedStep):
    """Give a partition the name that pg_partman gives it, in schema_kit's policies, too.

    Args:
        partition: what it is called.
        to: what it is to be called.
        registered: it is partitioned itself, and has a policy.
    """

    says = "rename partition {self.partition} to {self.to}"

    partition: QualifiedName
    to: QualifiedName
    registered: bool = False

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Block statements that use the partition, briefly; those that prune it do not wait."""
        return (Lock(LockMode.ACCESS_EXCLUSIVE, self.partition),)

    def sql(self) -> tuple[str, ...]:
        """Its indexes and constraints keep their names."""
        policy = (
            f"UPDATE {PART_CONFIG.sql} SET parent_table = {literal(str(self.to))} "
            f"WHERE parent_table = {literal(str(self.partition))}",
        )
        return (
            f"ALTER TABLE {self.partition.sql} RENAME TO {ident(self.to.name)}",
            *(policy if self.registered else ()),
        )


@dataclass(frozen=True)
class StartMaintenance(SharedStep):
    """schema_kit's maintenance of a partitioned table goes on again."""

    says = "turn schema_kit's maintenance of {self.parent} on"

    parent: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (maintenance_sql(self.parent, "on"),)


def maintenance_sql(parent: QualifiedName, to: str) -> str:
    """schema_kit's maintenance of a partitioned table goes on, or off."""
    where = f"WHERE parent_table = {literal(str(parent))}"
    return f"UPDATE {PART_CONFIG.sql} SET automatic_maintenance = {literal(to)} {where}"
