"""Commits that make partitions and keep their policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from schema_kit.intervals import Ids, Span
from schema_kit.model import Branch, Grant, Index, Partitioning, Table
from schema_kit.names import TABLE_BYTES, QualifiedName, fit, ident, literal, sending_sql
from schema_kit.steps.dependents import grant_sql, made_sql, parts_sql, statistics_sql
from schema_kit.steps.step import Lock, LockMode, OnTree, SharedStep, Transaction
from schema_kit.steps.storage import upsert_sql
from schema_kit.storage import PART_CONFIG


def bound(text: str | None, unbounded: str) -> str:
    """Return a partition's bound as FOR VALUES takes it."""
    return unbounded if text is None else literal(text)


def for_values(lower: str | None, upper: str | None) -> str:
    """FOR VALUES FROM (...) TO (...)."""
    return f"FOR VALUES FROM ({bound(lower, 'MINVALUE')}) TO ({bound(upper, 'MAXVALUE')})"


@dataclass(frozen=True)
class CreatePartitionedTable(SharedStep):
    """A partitioned table that is not there yet, without partitions: no session sees it before they come.

    Args:
        table: as it is declared.
        create: the statements that make it, its indexes and comments.
    """

    decide_again = True
    says = "create partitioned table {self.table.name}"

    table: Table
    create: tuple[str, ...]

    @property
    def locks(self) -> tuple[Lock, ...]:
        """What it refers to: the foreign keys' triggers come into being there."""
        referenced = sorted({key.referenced for key in self.table.foreign_keys} - {self.table.name})
        return tuple(Lock(LockMode.SHARE_ROW_EXCLUSIVE, table) for table in referenced)

    def sql(self) -> tuple[str, ...]:
        """As SQLAlchemy writes them."""
        return self.create


@dataclass(frozen=True)
class CreatePartition(SharedStep):
    """CREATE TABLE (LIKE parent) and ATTACH: writers of the parent go on, where PARTITION OF would stop them.

    Args:
        parent: the partitioned table.
        name: the new partition.
        lower: its first moment, as text, inclusive.
        upper: its last moment, as text, exclusive; None where it has no end.
        referenced: tables at the other end of the parent's foreign keys, either way.
        default: the default partition, which a new range takes its rows' place from.
        default_check: the validated CHECK on the default that spares its scan; dropped in the same commit.
        options: storage parameters for the new partition, as its siblings have them.
        owner: its owner, where that is not the current role.
        default_grantees: whom default privileges grant something on it, which goes.
        grants: what is granted on it, and to whom.
        tablespace: where it lies, if not in the database's own.
        places: where its parts of the parent's indexes lie, if elsewhere than those.
        indexes: those of the parent whose expressions have statistics targets.
        statistics: what was set for the statistics of columns, as Table has it.
        replica_identity: FULL, NOTHING, or the name of the parent's index whose part identifies its rows.
        comment: the parent's.
        branch: how the newest sibling is partitioned itself, and into what.
        values: FOR VALUES ... or DEFAULT, if it is not a range; `lower` and `upper` are empty then.
        template: pg_partman's, which says what it has and the parent has not: see template_sql.
        told: its range, for people.
    """

    parent: QualifiedName
    name: QualifiedName
    lower: str
    upper: str | None
    referenced: tuple[QualifiedName, ...] = ()
    default: QualifiedName | None = None
    default_check: str | None = None
    options: tuple[str, ...] = ()
    owner: str | None = None
    default_grantees: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    tablespace: str | None = None
    places: tuple[tuple[str, str], ...] = ()
    indexes: tuple[Index, ...] = ()
    statistics: tuple[tuple[str, str], ...] = ()
    replica_identity: str = ""
    comment: str | None = None
    branch: Branch | None = None
    values: str = ""
    template: QualifiedName | None = None
    told: str = field(default="", compare=False)

    @property
    def summary(self) -> str:
        """Names the partition and its bounds."""
        held = self.values.removeprefix("FOR VALUES ") or f"from {self.told}"
        return f"create partition {self.name} {held}"

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
        statements = list(self.make(self.name, self.branch or Branch(options=self.options)))
        if self.template and not (self.branch and self.branch.key):
            statements.append(template_sql(self.parent, self.name, self.template))
        values = self.values or for_values(self.lower, self.upper)
        statements.append(f"ALTER TABLE {self.parent.sql} ATTACH PARTITION {self.name.sql} {values}")
        places = list(self._places(self.name, self.branch or Branch(places=self.places)))
        if places:
            statements.append(places_sql(self.parent, places))
        statements += parts_sql(self.indexes, self.parent, self.name)
        if self.replica_identity:
            statements.append(replica_identity_sql(self.parent, self.name, self.replica_identity))
        if self.default and self.default_check:
            statements.append(f"ALTER TABLE {self.default.sql} DROP CONSTRAINT {ident(self.default_check)}")
        return tuple(statements)

    def make(self, name: QualifiedName, branch: Branch, without: str = "") -> Iterator[str]:
        """Return the statements before ATTACH; *without* names what else LIKE leaves out."""
        yield (
            f"CREATE TABLE {name.sql} (LIKE {self.parent.sql} INCLUDING ALL EXCLUDING IDENTITY{without})"
            + (f" PARTITION BY {branch.key}" if branch.key else "")
            + (f" WITH ({', '.join(branch.options)})" if branch.options else "")
            + (f" TABLESPACE {ident(self.tablespace)}" if self.tablespace else "")
        )
        yield from made_sql(name, self)
        yield from (grant_sql(grant, name.sql) for grant in self.grants)
        yield from statistics_sql(name, self.statistics)
        if self.comment is not None:
            yield f"COMMENT ON TABLE {name.sql} IS {literal(self.comment)}"
        for part in branch.branches:
            own = name.sibling(fit(name.name, part.suffix, TABLE_BYTES))
            yield from replace(self, tablespace=part.tablespace).make(own, part)
            yield f"ALTER TABLE {name.sql} ATTACH PARTITION {own.sql} {part.values}"

    def _places(self, name: QualifiedName, branch: Branch) -> Iterator[tuple[QualifiedName, str, str]]:
        """Yield the tables of the partition, each with indexes of the parent, and where its parts of those lie."""
        yield from ((name, *place) for place in branch.places)
        for part in branch.branches:
            yield from self._places(name.sibling(fit(name.name, part.suffix, TABLE_BYTES)), part)


def places_sql(parent: QualifiedName, places: Iterable[tuple[QualifiedName, str, str]]) -> str:
    """Parts of a parent's indexes lie where they are said to; they are empty, and PostgreSQL has named them."""
    values = ", ".join(
        f"({literal(table.sql)}, {literal(parent.sibling(index).sql)}, {literal(place)})"
        for table, index, place in places
    )
    return sending_sql(
        f"SELECT format('ALTER INDEX %s SET TABLESPACE %I', x.indexrelid::regclass, p.place) "
        f"FROM (VALUES {values}) p (own, of, place) JOIN pg_index x ON x.indrelid = p.own::regclass "
        "WHERE EXISTS (SELECT 1 FROM pg_partition_ancestors(x.indexrelid) a WHERE a.relid = to_regclass(p.of))"
    )


def below(name: str, branch: Branch | None) -> Iterator[str]:
    """Yield what the partitions below a partition are called."""
    for part in branch.branches if branch else ():
        own = fit(name, part.suffix, TABLE_BYTES)
        yield own
        yield from below(own, part)


def own_identity_sql(table: QualifiedName, identity: str) -> str:
    """Its rows are identified so for who subscribes to it: FULL, NOTHING, DEFAULT or an index of its own."""
    using = identity if identity in ("FULL", "NOTHING", "DEFAULT") else f"USING INDEX {ident(identity)}"
    return f"ALTER TABLE {table.sql} REPLICA IDENTITY {using}"


def identity_back_sql(table: Table, had: str) -> Iterator[str]:
    """Set the replica identity of what has its name now as it was; *had*: how it is, in the names of now."""
    if had != table.replica_identity:
        yield own_identity_sql(table.name, table.replica_identity or "DEFAULT")


def replica_identity_sql(parent: QualifiedName, name: QualifiedName, identity: str) -> str:
    """A partition's rows are identified as its siblings' are."""
    if identity in ("FULL", "NOTHING"):
        return own_identity_sql(name, identity)
    # PostgreSQL has named the partition's part of the index.
    index = literal(parent.sibling(identity).sql)
    alter = literal(f"ALTER TABLE {name.sql.replace('%', '%%')} REPLICA IDENTITY USING INDEX %I")
    return sending_sql(
        f"SELECT format({alter}, c.relname) FROM pg_inherits h JOIN pg_index x ON x.indexrelid = h.inhrelid "
        f"JOIN pg_class c ON c.oid = h.inhrelid WHERE h.inhparent = {index}::regclass "
        f"AND x.indrelid = {literal(name.sql)}::regclass"
    )


def template_sql(parent: QualifiedName, name: QualifiedName, template: QualifiedName) -> str:
    """A partition gets what pg_partman's template has and its parent has not, while it is empty.

    That is UNLOGGED, storage parameters, and keys and indexes in their tablespaces.
    """
    of, like, to = (literal(table.sql) for table in (template, parent, name))
    tail = "substring(pg_get_indexdef({}.indexrelid) FROM ' (USING .*)$')"
    return sending_sql(f"""
 SELECT 'ALTER TABLE ' || {to} || ' SET ' || o.more FROM pg_class c, LATERAL (
   VALUES (CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED' END), ('(' || array_to_string(c.reloptions, ', ') || ')')
 ) o (more) WHERE c.oid = to_regclass({of}) AND o.more IS NOT NULL
 UNION ALL SELECT CASE WHEN s.oid IS NULL THEN d.made ELSE
   format('SET LOCAL default_tablespace = %L; %s; SET LOCAL default_tablespace = %L', s.spcname, d.made,
          current_setting('default_tablespace')) END
 FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid LEFT JOIN pg_tablespace s ON s.oid = i.reltablespace
 LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid AND k.conrelid = x.indrelid AND k.contype IN ('p', 'u', 'x'),
 LATERAL (SELECT CASE
   WHEN k.oid IS NOT NULL THEN 'ALTER TABLE ' || {to} || ' ADD ' || pg_get_constraintdef(k.oid)
   ELSE 'CREATE ' || CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX ON ' || {to} || ' '
        || {tail.format("x")} END) d (made)
 WHERE x.indrelid = to_regclass({of}) AND x.indisvalid AND NOT EXISTS (
   SELECT 1 FROM pg_index y WHERE y.indrelid = {like}::regclass AND y.indisunique = x.indisunique
   AND {tail.format("y")} = {tail.format("x")})""")


EPOCHS = ("seconds", "milliseconds", "microseconds", "nanoseconds")
"""The encodings that pg_partman's own column knows."""


def _datetime_string(policy: Partitioning) -> str | None:
    if isinstance(policy.cut, Ids):
        return None
    return "YYYYMMDD_HH24MISS" if isinstance(policy.cut, Span) and policy.cut.clocked else "YYYYMMDD"


def register_sql(policy: Partitioning, *, maintained: bool = True) -> str:
    """Return the row of part_config; a row that exists is brought up to date.

    Args:
        policy: the policy.
        maintained: whether partitions are made ahead of the clock; said only where they are not.
    """
    own = policy.encoding not in EPOCHS
    values = {
        "parent_table": str(policy.parent),
        "control": policy.control,
        "partition_interval": policy.cut.text,
        "premake": policy.premake,
        "timezone": policy.timezone,
        "infinite_time_partitions": True,
        "datetime_string": _datetime_string(policy),
        "origin": policy.origin,
        "epoch": "none" if own else policy.encoding,
        "encoding": (policy.encoding or None) if own else None,
        **{name: getattr(policy, name) for name in Partitioning.kept()},
    }
    if policy.template is not None:
        values["template_table"] = policy.template
    if not maintained:
        values["automatic_maintenance"] = "off"
    return upsert_sql(PART_CONFIG, values)


def unregister_sql(parent: QualifiedName) -> str:
    """The row of part_config goes."""
    return f"DELETE FROM {PART_CONFIG.sql} WHERE parent_table = {literal(str(parent))}"


@dataclass(frozen=True)
class RegisterPolicy(SharedStep):
    """The policy's row in part_config."""

    says = "register the policy of {self.policy.parent}"

    policy: Partitioning

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (register_sql(self.policy),)


@dataclass(frozen=True)
class UnregisterPolicy(SharedStep):
    """The policy's row in part_config goes."""

    says = "forget the policy of {self.parent}"

    parent: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (unregister_sql(self.parent),)


@dataclass(frozen=True)
class Analyze(OnTree):
    """ANALYZE: autovacuum never does it for a partitioned table."""

    transaction = Transaction.NONE
    mode = LockMode.SHARE_UPDATE_EXCLUSIVE
    once = True
    """Its estimate may stay far from those of the partitions, which are older, or while writers continue."""
    says = "analyze {self.table}"

    table: QualifiedName
    partitions: tuple[QualifiedName, ...] = ()
    """Those that are analyzed along with it."""
    only: bool = False
    """Not with its partitions, which have statistics: from 18 on."""

    def sql(self) -> tuple[str, ...]:
        """Samples the whole first, then analyzes partition by partition."""
        return (f"ANALYZE {'ONLY ' if self.only else ''}{self.table.sql}",)


@dataclass(frozen=True)
class RememberMaintenance(SharedStep):
    """When sets were maintained last, in their rows of part_config."""

    once = True
    says = "remember that tables were maintained"

    parents: tuple[QualifiedName, ...]

    def sql(self) -> tuple[str, ...]:
        """Return one statement, which passes over a row that another session changes: it waits for none."""
        names = ", ".join(
            sorted({literal(name) for one in self.parents for name in (str(one), f"{one.schema}.{one.name}")})
        )
        return (
            f"UPDATE {PART_CONFIG.sql} SET maintenance_last_run = pg_catalog.now() "
            f"WHERE parent_table IN (SELECT parent_table "
            f"FROM {PART_CONFIG.sql} WHERE parent_table IN ({names}) FOR UPDATE SKIP LOCKED)",
        )


@dataclass(frozen=True)
class StopPartman(SharedStep):
    """Turn pg_partman's maintenance of a table off; its row stays, so that pg_partman can take the table over again."""

    says = "turn {self.config}'s maintenance of {self.parent} off"

    config: QualifiedName
    parent: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """One row; pg_partman writes names without quotes."""
        name = literal(f"{self.parent.schema}.{self.parent.name}")
        return (f"UPDATE {self.config.sql} SET automatic_maintenance = 'off' WHERE parent_table = {name}",)
