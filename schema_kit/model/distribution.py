"""How Citus spreads a table over servers."""

from __future__ import annotations

from dataclasses import dataclass

from schema_kit.names import QualifiedName, literal

_SPREAD = {
    "hash": "distributed by {column}",
    "range": "distributed by {column}",
    "append": "distributed by {column}",
    "reference": "a reference table",
    "single": "distributed as a single shard",
}
_LOCAL = {
    "local": "a local table that Citus knows",
    "managed": "a local table that Citus manages by itself, since a foreign key joins it to a reference table",
}


@dataclass(frozen=True, slots=True)
class Distribution:
    """What pg_dist_partition has of a table, or what it is to have."""

    kind: str = "hash"
    """hash, range, append, reference or single (one shard); local, or managed: local, because Citus made it so."""
    column: str | None = None
    """The distribution column, where it has one."""
    colocation: int = 0
    """Tables of one colocation id have their shards on the same nodes."""

    @property
    def spread(self) -> bool:
        """Whether its rows lie in shards, and not in the table itself."""
        return self.kind in _SPREAD

    @property
    def text(self) -> str:
        """What the table is, after ``it is``."""
        return (_SPREAD | _LOCAL)[self.kind].format(column=self.column)

    def call(self, table: str, colocate_with: str | None = None) -> str:
        """Return the SELECT that distributes a table in this way.

        Args:
            table: its name, in SQL.
            colocate_with: the name, in SQL, of the table with whose shards its own are colocated; None: Citus decides.
        """
        if self.kind == "reference":
            return f"SELECT pg_catalog.create_reference_table({literal(table)})"
        column = literal(self.column) if self.column else "NULL"
        colocated = f", colocate_with => {literal(colocate_with)}" if colocate_with else ""
        return f"SELECT pg_catalog.create_distributed_table({literal(table)}, {column}{colocated})"


@dataclass(frozen=True, slots=True)
class ShardDifference:
    """A placement of a shard that has other columns, indexes or checks than its table has on the coordinator."""

    table: QualifiedName
    shard: int
    node: str
    """Host and port."""
    missing: tuple[str, ...] = ()
    """What it lacks: ``index (at)``, ``column note text``; or the shard itself."""
    extra: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Which placement, what it lacks and what it has besides."""
        said = [f"lacks {', '.join(self.missing)}"] if self.missing else []
        said += [f"has {', '.join(self.extra)}, which the table has not"] if self.extra else []
        return f"shard {self.shard} of {self.table} on {self.node} {' and '.join(said)}"
