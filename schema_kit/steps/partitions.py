"""Commits that make partitions and keep their policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName, ident, literal
from schema_kit.steps.step import Lock, LockMode, Step, Transaction

CONFIG_SCHEMA = "schema_kit"
"""Where part_config and created_object live."""

PART_CONFIG = QualifiedName(CONFIG_SCHEMA, "part_config")


def bound(text: str | None, unbounded: str) -> str:
    """A partition's bound as FOR VALUES takes it."""
    return unbounded if text is None else literal(text)


def for_values(lower: str | None, upper: str | None) -> str:
    """FOR VALUES FROM (...) TO (...)."""
    return f"FOR VALUES FROM ({bound(lower, 'MINVALUE')}) TO ({bound(upper, 'MAXVALUE')})"


@dataclass(frozen=True)
class CreatePartition(Step):
    """CREATE TABLE (LIKE parent) and ATTACH: writers of the parent go on, where PARTITION OF would stop them.

    Args:
        parent: the partitioned table.
        name: the new partition.
        lower: its first moment, as text, inclusive.
        upper: its last moment, as text, exclusive.
        referenced: tables at the other end of the parent's foreign keys, either way.
        default: the default partition, which a new range takes its rows' place from.
        default_check: the validated CHECK on the default that spares its scan; dropped in the same commit.
        options: storage parameters for the new partition, as its siblings have them.
        owner: who shall own it, where that is not whoever runs this.
        default_grantees: whom default privileges grant something on it: only the parent's own grants count.
    """

    parent: QualifiedName
    name: QualifiedName
    lower: str
    upper: str
    referenced: tuple[QualifiedName, ...] = ()
    default: QualifiedName | None = None
    default_check: str | None = None
    options: tuple[str, ...] = ()
    owner: str | None = None
    default_grantees: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Names the partition and its bounds."""
        return f"create partition {self.name} from {self.lower} to {self.upper}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """The parent stays open for reads and writes."""
        found = [Lock(LockMode.SHARE_UPDATE_EXCLUSIVE, self.parent)]
        if self.default:
            found.append(Lock(LockMode.ACCESS_EXCLUSIVE, self.default))
        found += [Lock(LockMode.SHARE_ROW_EXCLUSIVE, table) for table in self.referenced]
        return tuple(found)

    def sql(self) -> tuple[str, ...]:
        """Identity is left out: 18 refuses a partition that brings its own, 15 would keep a sequence of its own."""
        statements = [
            f"CREATE TABLE {self.name.sql} (LIKE {self.parent.sql} INCLUDING ALL EXCLUDING IDENTITY)"
            + (f" WITH ({', '.join(self.options)})" if self.options else "")
        ]
        statements += [f"REVOKE ALL ON {self.name.sql} FROM {grantee}" for grantee in self.default_grantees]
        if self.owner:
            statements.append(f"ALTER TABLE {self.name.sql} OWNER TO {ident(self.owner)}")
        statements.append(
            f"ALTER TABLE {self.parent.sql} ATTACH PARTITION {self.name.sql} {for_values(self.lower, self.upper)}"
        )
        if self.default and self.default_check:
            statements.append(f"ALTER TABLE {self.default.sql} DROP CONSTRAINT {ident(self.default_check)}")
        return tuple(statements)


@dataclass(frozen=True)
class CreatePartConfig(Step):
    """The table that holds the policies, from sql/partman/tables/part_config.sql."""

    transaction: ClassVar[Transaction] = Transaction.SHARED

    statements: tuple[str, ...]

    @property
    def summary(self) -> str:
        """Names the table."""
        return f"create {PART_CONFIG}"

    def sql(self) -> tuple[str, ...]:
        """IF NOT EXISTS throughout."""
        return self.statements


@dataclass(frozen=True)
class DropPartConfig(Step):
    """The table that held the policies goes, and its schema where nothing else is in it."""

    transaction: ClassVar[Transaction] = Transaction.SHARED

    with_schema: bool

    @property
    def summary(self) -> str:
        """Names the table."""
        return f"drop {PART_CONFIG}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Only maintenance reads it."""
        return (Lock(LockMode.ACCESS_EXCLUSIVE, PART_CONFIG),)

    def sql(self) -> tuple[str, ...]:
        """RESTRICT: nothing that depends on it is taken along."""
        drop = (f"DROP TABLE {PART_CONFIG.sql}",)
        return (*drop, f"DROP SCHEMA {ident(CONFIG_SCHEMA)}") if self.with_schema else drop


def register_sql(policy: Partitioning) -> str:
    """The row of part_config; a row that is there is brought up to date."""
    values = {
        "parent_table": literal(str(policy.parent)),
        "control": literal(policy.control),
        "partition_interval": literal(policy.cut.text),
        "premake": str(policy.premake),
        "timezone": literal(policy.timezone),
        "infinite_time_partitions": "true",
        "datetime_string": literal("YYYYMMDD"),
    }
    update = ", ".join(f"{column} = excluded.{column}" for column in values if column != "parent_table")
    return (
        f"INSERT INTO {PART_CONFIG.sql} ({', '.join(values)}) VALUES ({', '.join(values.values())}) "
        f"ON CONFLICT (parent_table) DO UPDATE SET {update}"
    )


def unregister_sql(parent: QualifiedName) -> str:
    """The row of part_config goes."""
    return f"DELETE FROM {PART_CONFIG.sql} WHERE parent_table = {literal(str(parent))}"


@dataclass(frozen=True)
class RegisterPolicy(Step):
    """The policy's row in part_config."""

    transaction: ClassVar[Transaction] = Transaction.SHARED

    policy: Partitioning

    @property
    def summary(self) -> str:
        """Names the set."""
        return f"register the policy of {self.policy.parent}"

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (register_sql(self.policy),)


@dataclass(frozen=True)
class UnregisterPolicy(Step):
    """The policy's row in part_config goes."""

    transaction: ClassVar[Transaction] = Transaction.SHARED

    parent: QualifiedName

    @property
    def summary(self) -> str:
        """Names the set."""
        return f"forget the policy of {self.parent}"

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (unregister_sql(self.parent),)


@dataclass(frozen=True)
class Analyze(Step):
    """ANALYZE: autovacuum never does it for a partitioned table."""

    transaction: ClassVar[Transaction] = Transaction.NONE

    table: QualifiedName
    partitions: tuple[QualifiedName, ...] = ()

    @property
    def summary(self) -> str:
        """Names the table."""
        return f"analyze {self.table}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Other DDL and VACUUM wait; reads and writes do not."""
        return tuple(Lock(LockMode.SHARE_UPDATE_EXCLUSIVE, table) for table in (self.table, *self.partitions))

    def sql(self) -> tuple[str, ...]:
        """Samples the whole first, then analyzes partition by partition."""
        return (f"ANALYZE {self.table.sql}",)
