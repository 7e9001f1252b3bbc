"""What PostgreSQL has: a table and all that belongs to it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from schema_kit.intervals import Point
from schema_kit.model.distribution import Distribution
from schema_kit.names import QualifiedName, ident, idents


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type` as format_type prints it."""

    name: str
    type: str
    not_null: bool = False
    default: str | None = None
    identity: str = ""
    """'a' always, 'd' by default, '' none: pg_attribute.attidentity."""
    generated: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """What a role may do with a table or a sequence."""

    what: str
    """What stands before ON."""
    to: str
    """What stands after TO."""
    by: str | None = None
    """Who granted it, where that is not the owner."""
    own: bool = False
    """The owner has it in addition to what owners have: of a column, with a grant option, or from another role."""


@dataclass(frozen=True, slots=True)
class StatisticsObject:
    """What CREATE STATISTICS makes."""

    name: QualifiedName
    definition: str
    """What stands between the name and FROM."""
    owner: str
    target: int | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence that a column owns."""

    name: QualifiedName
    column: str
    identity: bool
    options: str
    """As CREATE SEQUENCE takes them."""
    comment: str | None = None
    grants: tuple[Grant, ...] = ()
    """In an order in which each role has what it grants."""
    withheld: str = ""
    """The privileges that its owner took from itself."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index; `tail` is its definition after ON table USING, as pg_get_indexdef prints it."""

    name: str
    tail: str
    columns: tuple[str, ...] = ()
    unique: bool = False
    primary: bool = False
    valid: bool = True
    constraint: str | None = None
    """pg_get_constraintdef, where a primary key, unique or exclusion constraint rests on it."""
    exclusion: bool = False
    building: bool = False
    """Another session is building it right now."""
    parent: QualifiedName | None = None
    """The partitioned index that it is attached to."""
    comment: str | None = None
    needed_by: tuple[str, ...] = ()
    """What rests on it without being its constraint: foreign keys to a bare unique index, the replica identity."""
    options: tuple[str, ...] = ()
    """Storage parameters; `tail` has them, and `constraint` has not."""
    statistics: tuple[tuple[int, int], ...] = ()
    """The places of expressions with a statistics target of their own, and that."""
    clustered: bool = False
    """CLUSTER orders the table by it."""
    tablespace: str | None = None
    """Where it lies, if not in the database's own."""

    @property
    def marks(self) -> str:
        """What is set for it besides its definition, as one text."""
        targets = ",".join(f"{place}={target}" for place, target in self.statistics)
        texts = "t" if self.clustered else "f", targets or None, self.comment
        return "|".join(text for text in texts if text is not None)

    def create_sql(self, on: QualifiedName, name: str = "", how: str = "") -> str:
        """Return the statement that makes it, or the constraint on it, for a table; PostgreSQL may choose the name."""
        where = f" TABLESPACE {ident(self.tablespace)}" if self.tablespace else ""
        if self.constraint:
            named = f"CONSTRAINT {ident(name)} " if name else ""
            # An exclusion constraint is printed with its storage parameters.
            options = f" WITH ({', '.join(self.options)})" if self.options and not self.exclusion else ""
            more = options + (f" USING INDEX{where}" if where else "")
            return f"ALTER TABLE {on.sql} ADD {named}{_with(self.constraint, more)}"
        unique = "UNIQUE " if self.unique else ""
        own = f"{how}{ident(name)} " if name else how
        return f"CREATE {unique}INDEX {own}ON {on.sql} USING {_with(self.tail, where)}"


_DEFINITION = re.compile(
    r"""((?:'(?:[^']|'')*'|"(?:[^"]|"")*"|[^'"])*?)((?: WHERE .*?)?(?: DEFERRABLE(?: INITIALLY DEFERRED)?)?)""",
    re.DOTALL,
)


def _with(definition: str, more: str) -> str:
    """Return the definition of an index or a constraint with more in it, which has its place before WHERE."""
    found = _DEFINITION.fullmatch(definition) if more else None
    return f"{found[1]}{more}{found[2]}" if found else definition


class Strategy(StrEnum):
    """How a table is partitioned, in pg_partitioned_table's letters."""

    RANGE = "r"
    LIST = "l"
    HASH = "h"


class Action(StrEnum):
    """What a foreign key does ON DELETE or ON UPDATE, in pg_constraint's letters."""

    NO_ACTION = "a"
    RESTRICT = "r"
    CASCADE = "c"
    SET_NULL = "n"
    SET_DEFAULT = "d"

    @classmethod
    def of(cls, words: str) -> Action:
        """Return the action that SQL calls so, whatever columns it sets; an empty text is the default."""
        return cls["_".join(words.partition("(")[0].upper().split()) or "NO_ACTION"]

    @property
    def words(self) -> str:
        """What it is called in SQL."""
        return self.name.replace("_", " ")


KEEPS_ROWS = frozenset({Action.SET_NULL, Action.SET_DEFAULT})
"""The actions that leave the referencing row."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key; `on_update` and `on_delete` are an Action."""

    name: str
    table: QualifiedName
    columns: tuple[str, ...]
    referenced: QualifiedName
    referenced_columns: tuple[str, ...]
    definition: str
    on_update: str = Action.NO_ACTION.value
    on_delete: str = Action.NO_ACTION.value
    match: str = "s"
    validated: bool = True
    deferred: str = ""
    """DEFERRABLE [INITIALLY DEFERRED], where it is."""
    operators: tuple[str, ...] = ("pg_catalog",)
    """The schemas of the operators = that compare its columns, in their order."""
    attached: bool = False
    """A partition's part of its parent's."""
    delete_columns: tuple[str, ...] = ()
    """Which of its columns ON DELETE SET NULL (...) or SET DEFAULT (...) sets, where that is not all of them."""
    period: bool = False
    """Its last column is a PERIOD: from 18 on."""
    comment: str | None = None

    @property
    def deletes(self) -> str:
        """What follows ON DELETE."""
        columns = f" ({idents(self.delete_columns)})" if self.delete_columns else ""
        return Action(self.on_delete).words + columns


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger of a user; `enabled` in pg_trigger's letters (O origin, A always, R replica, D disabled)."""

    name: str
    definition: str
    enabled: str = "O"
    source: str = ""
    """The text of its function."""
    before_row: bool = False


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication that holds a table."""

    name: str
    named: bool = True
    """It lists the table by name."""
    wide: str = ""
    """What else it holds the table with: all tables, or all of schema s."""
    via_root: bool = True
    """It publishes rows of partitions as those of the partitioned table."""
    publishes: tuple[str, ...] = ("insert", "update", "delete", "truncate")
    closed: str = ""
    """Why the current role lacks the right to alter it; empty where it has it."""
    columns: tuple[str, ...] = ()
    """The columns that it publishes of the table, where not all: from 15 on."""
    where: str = ""
    """The rows that it publishes of the table, where not all: from 15 on."""


@dataclass(frozen=True, slots=True)
class Publishing:
    """A publication by itself, and who may read from it."""

    via_root: bool
    closed: str = ""
    """Why the current role lacks the right to alter it; empty where it has it."""
    partitioned: tuple[QualifiedName, ...] = ()
    """Partitioned tables of which it publishes something."""
    slots: tuple[str, ...] = ()
    """Logical replication slots of this database: which publications they read, the server does not know."""


@dataclass(frozen=True, slots=True)
class View:
    """A view, with its options and its definition, all names in it qualified."""

    name: QualifiedName
    owner: str
    definition: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Range:
    """A half-open range of points; None where it has no end."""

    lower: Point | None
    upper: Point | None

    def overlaps(self, other: Range) -> bool:
        """Return whether some moment lies in both."""
        return bool(self.upper is None or other.lower is None or other.lower < self.upper) and bool(
            other.upper is None or self.lower is None or self.lower < other.upper
        )

    def covers(self, other: Range) -> bool:
        """Return whether every moment of *other* lies in this one."""
        above = self.lower is None or (other.lower is not None and self.lower <= other.lower)
        return bool(above and (self.upper is None or (other.upper is not None and other.upper <= self.upper)))


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition, known by its bounds: the text of them as PostgreSQL prints it under UTC and ISO."""

    name: QualifiedName
    lower: str | None
    """None is MINVALUE."""
    upper: str | None
    """None is MAXVALUE."""
    default: bool = False
    leaf: bool = True
    detach_pending: bool = False
    """Its concurrent detach was interrupted, and waits for FINALIZE."""
    foreign: bool = field(default=False, compare=False)
    """It is a foreign table: its rows lie elsewhere."""
    rows: int = field(default=0, compare=False)
    """The planner's estimate; -1 before the first ANALYZE. Like the size, it makes no other partition of it."""
    bytes: int = field(default=0, compare=False)
    parts: int = field(default=0, compare=False)
    """How many leaves it is partitioned into itself."""
    tablespace: str | None = field(default=None, compare=False)
    """Where it lies, if not in the database's own."""


@dataclass(frozen=True, slots=True)
class Branch:
    """How a partition is partitioned itself, if it is, and into what: the newest one is the example for the next."""

    suffix: str = ""
    """What its name adds to that of what it is a partition of."""
    values: str = ""
    """FOR VALUES ... or DEFAULT, where it is a partition of a partition."""
    key: str = ""
    """HASH (tenant), LIST (region), ...; empty for a leaf."""
    options: tuple[str, ...] = ()
    """Storage parameters, which only leaves have."""
    branches: tuple[Branch, ...] = ()
    tablespace: str | None = None
    places: tuple[tuple[str, str], ...] = ()
    """See Table.places."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, or a partitioned table, and all that belongs to it."""

    name: QualifiedName
    columns: tuple[Column, ...]
    partitioned_by: tuple[str, ...] = ()
    """The key's columns where the table is partitioned by RANGE; empty on a plain table."""
    partition_strategy: str = ""
    """A Strategy, or '' on a plain table."""
    primary_key: tuple[str, ...] = ()
    indexes: tuple[Index, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    incoming: tuple[ForeignKey, ...] = ()
    checks: tuple[tuple[str, str, bool], ...] = ()
    """Name, definition, validated."""
    triggers: tuple[Trigger, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    partitions: tuple[Partition, ...] = ()
    views: tuple[View, ...] = ()
    policies: tuple[tuple[str, str], ...] = ()
    """Name, and what follows CREATE POLICY name ON table."""
    row_security: bool = False
    force_row_security: bool = False
    grants: tuple[Grant, ...] = ()
    """In an order in which each role has what it grants."""
    withheld: str = ""
    """The privileges that its owner took from itself."""
    default_grantees: tuple[str, ...] = ()
    """Whom ALTER DEFAULT PRIVILEGES grants something on each new table of its schema, or PUBLIC."""
    default_sequence_grantees: tuple[str, ...] = ()
    """The same of each new sequence."""
    owner: str | None = None
    """None: the current role."""
    comment: str | None = None
    comments: tuple[tuple[str, str, str], ...] = ()
    """COLUMN, CONSTRAINT, TRIGGER or POLICY, the name, the text."""
    statistics: tuple[tuple[str, str], ...] = ()
    """The statistics target or n_distinct of a column: its name, and SET STATISTICS n or SET (n_distinct = n)."""
    settings: tuple[tuple[str, str], ...] = ()
    """What else ALTER COLUMN sets, likewise: SET DEFAULT, SET STORAGE, SET COMPRESSION."""
    statistics_objects: tuple[StatisticsObject, ...] = ()
    trees: tuple[tuple[QualifiedName, ...], ...] = ()
    """The tables at the other end of its foreign keys, either way, each with the partitions that are locked with it."""
    options: tuple[str, ...] = ()
    """Storage parameters; of a partitioned table, those of its newest partition."""
    tablespace: str | None = None
    """Where it lies, if not in the database's own; of a partitioned table, its newest partition."""
    places: tuple[tuple[str, str], ...] = ()
    """Of its newest partition, whose parts of its indexes lie elsewhere than it says: the index, and the tablespace."""
    replica_identity: str = ""
    """FULL, NOTHING, or the name of an index, where it is not the default; of a partitioned table, the newest's."""
    branch: Branch | None = None
    """The newest partition, where it is partitioned itself."""
    publications: tuple[Publication, ...] = ()
    publishing: bool = False
    """The database has a publication, of this table or of others."""
    """Those that hold it."""
    is_partition: bool = False
    distribution: Distribution | None = None
    """How Citus spreads it; None where it is a table of this server alone."""
    access_method: str = ""
    """pg_am.amname: heap, columnar; empty on a partitioned table."""
    analyzed: bool = True
    rows: int = field(default=-1, compare=False)
    """The planner's estimate of a partitioned table that is read with others; -1 before the first ANALYZE."""
    held: int = field(default=-1, compare=False)
    """What its partitions have by theirs, or by what was written to them since; -1 where that is not known."""
    obstacles: tuple[str, ...] = ()
    """What depends on the table or its row type and cannot move with it, in PostgreSQL's own words."""
    stamp: str = ""
    """Stands for everything in the catalog that belongs to it: see fingerprints/stamps.py. Empty: not read."""
    taken: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    """The names of its schema that begin as its own, and are in use: by tables, indexes, views, sequences, types."""

    def column(self, name: str) -> Column | None:
        """Return the column of that name."""
        return next((column for column in self.columns if column.name == name), None)

    def index(self, name: str) -> Index | None:
        """Return the index of that name."""
        return next((index for index in self.indexes if index.name == name), None)

    @property
    def default_partition(self) -> QualifiedName | None:
        """The name of the default partition, if there is one."""
        return next((part.name for part in self.partitions if part.default), None)

    def with_partitions(self, names: Iterable[QualifiedName]) -> tuple[QualifiedName, ...]:
        """Return tables at the other end of its foreign keys, with their partitions."""
        trees = {tree[0]: tree for tree in self.trees}
        return tuple(dict.fromkeys(table for name in sorted(set(names)) for table in trees.get(name, (name,))))

    @property
    def primary(self) -> Index | None:
        """The primary key's index."""
        return next((index for index in self.indexes if index.primary), None)


@dataclass(frozen=True, slots=True)
class Check:
    """A check, or from 18 on a NOT NULL constraint: `definition` without NOT VALID."""

    name: str
    definition: str
    validated: bool
    columns: tuple[str, ...] = ()
    not_null: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """A table of a partition tree, with its indexes and constraints: what work during traffic must know of it."""

    name: QualifiedName
    indexes: tuple[Index, ...] = ()
    parent: QualifiedName | None = None
    partitioned: bool = False
    columns: tuple[Column, ...] = ()
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    key: tuple[str, ...] = ()
    """The columns of its own partition key; (expression) for an expression."""
    foreign: tuple[QualifiedName, ...] = ()
    """Its partitions that are foreign tables, which have no indexes and are no part of the tree."""
    imagined: bool = False
    """Not read (--sql): whatever is asked for is taken to exist."""
    distribution: Distribution | None = None
    """How Citus spreads it; None where it is a table of this server alone."""
    access_method: str = ""
    """pg_am.amname: heap, columnar; empty on a partitioned table."""

    def column(self, name: str) -> Column | None:
        """Return the column of that name."""
        if self.imagined:
            return Column(name, "")
        return next((column for column in self.columns if column.name == name), None)

    def check(self, name: str) -> Check | None:
        """Return the check, or from 18 on the NOT NULL constraint, of that name."""
        return next((check for check in self.checks if check.name == name), None)

    def index(self, name: str) -> Index | None:
        """Return the index of that name."""
        return next((index for index in self.indexes if index.name == name), None)


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column of a primary key, as paging through it needs to know it."""

    name: str
    type: str
    """As format_type prints it."""
    operators: str = "pg_catalog"
    """The schema of its = and >."""
    moment: bool = False
    """A date or a time, which the session's DateStyle would print in its own way."""
    comparisons: tuple[str, ...] = ("<", "<=", "=", ">=", ">")
    """What its operator class calls them: hstore has #<# and #>=#."""

    def operator(self, symbol: str) -> str:
        """Return one of < <= = >= > as it is written, whatever search_path is."""
        own = self.comparisons[("<", "<=", "=", ">=", ">").index(symbol)]
        return f"OPERATOR({ident(self.operators)}.{own})"


@dataclass(frozen=True, slots=True)
class MaterializedView:
    """A materialized view, as a refresh needs to know it."""

    populated: bool
    unique: bool
    """Whether a valid unique index over plain columns covers all its rows."""
