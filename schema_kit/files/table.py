"""What a file has to know of a table: its columns, its bounds, and what it was declared with. Only SELECTs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from schema_kit.catalog import citus, kinds
from schema_kit.catalog.retirement import remembered
from schema_kit.catalog.session import HIDES_ROWS, ON_CITUS, note_citus, rows
from schema_kit.catalog.table import parse_bounds
from schema_kit.errors import PlanError
from schema_kit.model import ArchiveFile, Distribution
from schema_kit.names import QualifiedName, ident, within

TEXT = "postgresql text"
"""How a type is stored that Parquet has nothing for: as PostgreSQL writes it, and reads it again."""

_AS_IT_IS = {
    "bool": "bool",
    "int2": "int16",
    "int4": "int32",
    "int8": "int64",
    "float4": "float32",
    "float8": "float64",
    "text": "text",
    "varchar": "text",
    "bytea": "bytes",
    "uuid": "uuid",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
}
_MOST_DIGITS = 38


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and how its values are stored."""

    name: str
    type: str
    """As format_type prints it, qualified."""
    stored: str
    """int64, text, decimal(12,2), ...; or TEXT."""
    output: str = ""
    """The type's output function, which is what makes its text; qualified."""
    base: str = ""
    """What a domain is of; empty for another type."""
    not_null: bool = False
    default: str | None = None
    """Or what it is generated from."""
    generated: bool = False
    identity: bool = False

    @property
    def expression(self) -> str:
        """What is selected: never a cast to text, which is not what the type prints (inet, character(n), ...)."""
        value = ident(self.name)
        if self.stored == "uuid":
            return f"pg_catalog.uuid_send({value})"
        if self.stored == TEXT or self.stored.startswith("decimal"):
            value = f"{value}::{self.base}" if self.base else value
            return f"pg_catalog.textin({self.output}({value}))"
        return value

    @property
    def definition(self) -> str:
        """As CREATE TABLE has it; no identity: the sequence stays the table's."""
        words = [ident(self.name), self.type]
        if self.generated and self.default:
            words.append(f"GENERATED ALWAYS AS ({self.default}) STORED")
        return " ".join([*words, *(["NOT NULL"] if self.not_null else [])])


@dataclass(frozen=True, slots=True)
class Source:
    """A table that is written to a file."""

    name: QualifiedName
    oid: int
    columns: tuple[Column, ...]
    kind: str = "r"
    parent: QualifiedName | None = None
    """Whose partition it is, or was until it was detached."""
    attached: bool = False
    retired: bool = False
    """retired_partition knows it."""
    bounds: str = ""
    control: str | None = None
    lower: str | None = None
    upper: str | None = None
    declared: tuple[str, ...] = ()
    """Its constraints, as ALTER TABLE ... ADD has them, and the statements that make its indexes."""
    bytes: int = 0
    rows: float = -1
    """Estimated; -1 where it was never analyzed."""
    hidden: str = ""
    """Why rows of it are hidden from the current role; empty where none are."""
    distribution: Distribution | None = None
    """How Citus spreads it; then rows are not counted, and its size is -1."""


_TABLE = f"""
SELECT c.oid::bigint, c.relkind, c.relispartition, pg_get_expr(c.relpartbound, c.oid), n2.nspname, p.relname,
       (SELECT coalesce(sum(pg_table_size(relid)), pg_table_size(c.oid)) FROM pg_partition_tree(c.oid))::bigint,
       c.reltuples, CASE WHEN row_security_active(c.oid) THEN {HIDES_ROWS} ELSE '' END, {ON_CITUS}
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits h ON h.inhrelid = c.oid AND c.relispartition
LEFT JOIN pg_class p ON p.oid = h.inhparent LEFT JOIN pg_namespace n2 ON n2.oid = p.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind IN ('r', 'p')
"""

_CONTROL = """
SELECT a.attname FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid
WHERE p.partrelid = to_regclass(%(name)s) AND p.partstrat = 'r' AND p.partnatts = 1
  AND a.attnum = (p.partattrs::int2[])[0] AND a.attnum > 0
"""

_COLUMNS = """
WITH RECURSIVE b (num, type, typmod, depth) AS (
    SELECT a.attnum, a.atttypid, a.atttypmod, 0 FROM pg_attribute a
    WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT b.num, t.typbasetype, t.typtypmod, b.depth + 1
    FROM b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd')
SELECT a.attname, format_type(a.atttypid, a.atttypmod), n.nspname, t.typname, a.atttypmod,
       format('%%I.%%I', pn.nspname, p.proname), CASE WHEN b.depth > 0 THEN format_type(t.oid, -1) ELSE '' END,
       a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attgenerated <> '', a.attidentity <> ''
FROM b JOIN pg_attribute a ON a.attrelid = %(oid)s AND a.attnum = b.num
JOIN pg_type t ON t.oid = b.type AND t.typtype <> 'd' JOIN pg_namespace n ON n.oid = t.typnamespace
JOIN pg_proc p ON p.oid = t.typoutput JOIN pg_namespace pn ON pn.oid = p.pronamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum ORDER BY a.attnum
"""

_DECLARED = """
SELECT format('CONSTRAINT %%I %%s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
WHERE conrelid = %(oid)s AND contype <> 'n' UNION ALL
SELECT pg_get_indexdef(indexrelid) FROM pg_index x WHERE indrelid = %(oid)s
  AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid) ORDER BY 1
"""

_LEAVES = """
SELECT n.nspname, c.relname FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE h.inhparent = to_regclass(%(name)s) ORDER BY c.oid
"""


def read(connection: Connection, name: QualifiedName) -> Source | None:
    """Return the table of that name. Call it in a transaction under the session dress."""
    row = kinds.found(connection, _TABLE, name)
    if row is None:
        return None
    oid, kind, attached, bounds, parent_schema, parent_name, size, estimate, hidden, there = row
    note_citus(connection, there)
    distribution = citus.read(connection, [oid]).get(oid)
    spread = distribution is not None and distribution.spread
    parent = QualifiedName(parent_schema, parent_name) if attached else None
    retired = False
    if not attached and (known := remembered(connection, name, oid)):
        parent, bounds, retired = known[0], known[1], True
    of = control(connection, parent) if parent else None
    lower, upper = parse_bounds(bounds) if bounds and of and bounds != "DEFAULT" else (None, None)
    return Source(
        name,
        oid,
        columns(connection, oid),
        kind,
        parent,
        attached,
        retired,
        bounds or "",
        of,
        lower,
        upper,
        tuple(row[0] for row in rows(connection, _DECLARED, {"oid": oid})),
        -1 if spread else size,
        -1 if spread else estimate,
        hidden,
        distribution,
    )


def control(connection: Connection, name: QualifiedName) -> str | None:
    """Return the column that a table is partitioned by; None where it is not, or not by RANGE of one column."""
    found = rows(connection, _CONTROL, {"name": name.sql})
    return str(found[0][0]) if found else None


def columns(connection: Connection, oid: int) -> tuple[Column, ...]:
    """Return the columns of a table in their order, each with the best way to store it."""
    return tuple(
        Column(name, type_, _stored(schema, base, typmod, of), output, of, *rest)
        for name, type_, schema, base, typmod, output, of, *rest in rows(connection, _COLUMNS, {"oid": oid})
    )


def _stored(schema: str, base: str, typmod: int, domain_of: str) -> str:
    if schema != "pg_catalog" or domain_of:
        return TEXT
    if base == "numeric" and typmod >= 4:
        digits, scale = (typmod - 4) >> 16, (typmod - 4) & 0x7FF  # from 1024 on, a scale is negative
        return f"decimal({digits},{scale})" if scale <= digits <= _MOST_DIGITS else TEXT
    return _AS_IT_IS.get(base, TEXT)


def partitions(connection: Connection, name: QualifiedName) -> tuple[QualifiedName, ...]:
    """Return the partitions of a table, one level down."""
    return tuple(QualifiedName(*row) for row in rows(connection, _LEAVES, {"name": name.sql}))


def overlapping(
    connection: Connection,
    parent: Source,
    lower: str | None,
    upper: str | None,
    detached: Sequence[QualifiedName] = (),
) -> tuple[tuple[Source, str | None, str | None, bool], ...]:
    """The partitions that a range may hold rows of: each with what of the range is its own, and whether that is all.

    A default partition has no range: it is one of them where it holds rows of this one.

    Args:
        connection: where to look.
        parent: the partitioned table.
        lower: where the range begins; None is MINVALUE.
        upper: where it ends, exclusive; None is MAXVALUE.
        detached: tables that were partitions of it.

    Raises:
        PlanError: the table is not partitioned by RANGE of one column.
    """
    by = control(connection, parent.name)
    if by is None:
        raise PlanError(f"{parent.name} is not partitioned by RANGE of one column.")
    key = next(column.type for column in parent.columns if column.name == by)
    found = []
    for name in (*partitions(connection, parent.name), *detached):
        part = read(connection, name)
        assert part is not None  # seen in this very snapshot
        if part.bounds == "DEFAULT":
            if rows(connection, f"SELECT EXISTS (SELECT 1 FROM {name.sql} WHERE {within(ident(by), lower, upper)})")[0][
                0
            ]:
                found.append((part, lower, upper, False))
            continue
        mine = rows(connection, _CUT.format(key=key), {"a": lower, "b": upper, "c": part.lower, "d": part.upper})[0]
        low, high, empty, whole = mine
        if not empty:
            found.append((part, low, high, whole))
    return tuple(found)


_CUT = """
SELECT greatest(a, c)::text, least(b, d)::text, coalesce(greatest(a, c) >= least(b, d), false),
       (a IS NULL OR a <= c IS TRUE) AND (b IS NULL OR b >= d IS TRUE)
FROM (SELECT CAST(%(a)s AS {key}) a, CAST(%(b)s AS {key}) b, CAST(%(c)s AS {key}) c, CAST(%(d)s AS {key}) d) ends
"""


_SIBLINGS = """
SELECT pg_get_expr(c.relpartbound, c.oid), n.nspname, c.relname FROM pg_inherits h
JOIN pg_class c ON c.oid = h.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE h.inhparent = to_regclass(%(name)s)
"""

_TAKEN = """
SELECT EXISTS (SELECT 1 FROM unnest(CAST(%(lowers)s AS {key}[]), CAST(%(uppers)s AS {key}[])) own (lower, upper)
WHERE coalesce(greatest(own.lower, CAST(%(lower)s AS {key})) < least(own.upper, CAST(%(upper)s AS {key})), true))
"""


def free(connection: Connection, parent: Source, lower: str | None, upper: str | None) -> bool:
    """Whether a range of a table partitioned by RANGE of one column is free: in no partition, nor in the default."""
    by = control(connection, parent.name)
    key = next(column.type for column in parent.columns if column.name == by)
    found = rows(connection, _SIBLINGS, {"name": parent.name.sql})
    ends = [parse_bounds(bounds) for bounds, *_ in found if bounds != "DEFAULT"]
    lowers, uppers = [low for low, _ in ends], [high for _, high in ends]
    at = {"lowers": lowers, "uppers": uppers, "lower": lower, "upper": upper}
    if rows(connection, _TAKEN.format(key=key), at)[0][0]:
        return False
    default = next((QualifiedName(*name) for bounds, *name in found if bounds == "DEFAULT"), None)
    if default is None or by is None:
        return True
    mine = within(ident(by), lower, upper)
    return not rows(connection, f"SELECT EXISTS (SELECT 1 FROM {default.sql} WHERE {mine})")[0][0]


_ALONE = """
SELECT p.partdefid = 0 AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.contype = 'f'
         AND (k.conrelid = p.partrelid OR k.confrelid = p.partrelid))
FROM pg_partitioned_table p WHERE p.partrelid = to_regclass(%(name)s)
"""

_CONSTRAINTS = """
SELECT pg_get_expr(c.relpartbound, c.oid), pg_get_partition_constraintdef(c.oid)
FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid WHERE h.inhparent = to_regclass(%(name)s)
"""


def open_to(connection: Connection, parent: QualifiedName, bounds: str, own: Source | None) -> bool:
    """Return whether a table can become a partition by bounds of any kind, and no other session is locked out for long.

    Args:
        connection: where to look.
        parent: the partitioned table.
        bounds: FOR VALUES ..., as PostgreSQL prints it.
        own: the table; None before it is loaded.
    """
    at = {"name": parent.sql}
    if not bounds or not rows(connection, _ALONE, at)[0][0]:
        return False
    siblings = rows(connection, _CONSTRAINTS, at)
    if bounds in (row[0] for row in siblings):
        return False
    taken = " OR ".join(f"({row[1]})" for row in siblings)
    if own is None or not taken:
        return True
    return not rows(connection, f"SELECT EXISTS (SELECT 1 FROM {own.name.sql} WHERE {taken})")[0][0]


def meets(connection: Connection, file: ArchiveFile, lower: str | None, upper: str | None) -> bool:
    """Return whether a file may hold rows of a range."""
    if lower is None and upper is None:
        return True
    type_ = next((column[1] for column in file.columns if column[0] == file.control), None)
    if type_ is None:
        raise PlanError(f"{file.url} says nothing of a range. Name it itself.")
    at = {"a": lower, "b": upper, "c": file.lower, "d": file.upper}
    return not rows(connection, _CUT.format(key=type_), at)[0][2]
