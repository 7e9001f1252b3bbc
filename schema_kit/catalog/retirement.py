"""Read what detaching, attaching and dropping a partition depend on."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit.catalog import citus, dependents, kinds, present, publications
from schema_kit.catalog.drivers import sqlstate
from schema_kit.catalog.privileges import OWNER, Right
from schema_kit.catalog.rights import missing_of, of_record
from schema_kit.catalog.session import ON_CITUS, note_citus, rows
from schema_kit.catalog.table import parse_bounds
from schema_kit.errors import PlanError
from schema_kit.model import Attaching, Detaching, Retired, Stored
from schema_kit.names import QualifiedName, ident, literal, within
from schema_kit.storage import RETIRED_PARTITION

MOST_COUNTED = 1000
"""Rows that refer to a partition are counted up to here."""

_TABLE = f"""
SELECT {ON_CITUS}, c.oid, pn.nspname, p.relname, coalesce(h.inhdetachpending, false),
       pg_get_expr(c.relpartbound, c.oid), c.relkind,
       ARRAY(SELECT ARRAY[bn.nspname::text, b.relname::text] FROM pg_partition_tree(c.oid) t
             JOIN pg_class b ON b.oid = t.relid JOIN pg_namespace bn ON bn.oid = b.relnamespace
             WHERE t.level > 0 ORDER BY t.level, b.oid), coalesce(h.xmin::text, '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits h ON h.inhrelid = c.oid AND c.relispartition
LEFT JOIN pg_class p ON p.oid = h.inhparent LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind IN ('r', 'p', 'f')
"""

_PENDING = """
SELECT n.nspname, c.relname FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE h.inhparent = to_regclass(%(parent)s) AND h.inhdetachpending AND c.oid <> %(oid)s
"""

_DEFAULT = """
SELECT n.nspname, c.relname FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partdefid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE p.partrelid = to_regclass(%(parent)s)
"""

_REFERENCED = """
SELECT DISTINCT n.nspname, c.relname FROM pg_constraint k
JOIN pg_class c ON c.oid = k.confrelid OR c.oid IN (SELECT relid FROM pg_partition_tree(k.confrelid))
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'f' AND k.conrelid = %(oid)s ORDER BY 1, 2
"""

# Of the keys of a partitioned table: its own, not the copies that its partitions have.
_INCOMING = """
SELECT coalesce(above.conname, k.conname), n.nspname, c.relname,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u (n, p)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.p),
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u (n, p)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.p),
       ARRAY(SELECT s.nspname::text FROM unnest(k.conpfeqop) WITH ORDINALITY u (o, p)
             JOIN pg_operator e ON e.oid = u.o JOIN pg_namespace s ON s.oid = e.oprnamespace ORDER BY u.p)
FROM pg_constraint k LEFT JOIN pg_constraint above ON above.oid = k.conparentid
JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.confrelid = %(oid)s AND above.confrelid IS DISTINCT FROM k.confrelid
ORDER BY n.nspname, c.relname, k.conname
"""

_PUBLISHED = """
SELECT DISTINCT format('publication %%I names %%s itself', p.pubname, r.prrelid::regclass)
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
WHERE r.prrelid = %(oid)s OR r.prrelid IN (SELECT relid FROM pg_partition_tree(%(oid)s::oid::regclass)) ORDER BY 1
"""

_TRIGGERS = """
SELECT format('trigger %%I is %%s in %%s alone', coalesce(k.conname, t.tgname), CASE t.tgenabled
              WHEN 'D' THEN 'disabled' WHEN 'O' THEN 'enabled' WHEN 'A' THEN 'enabled always'
              ELSE 'enabled on replicas' END, t.tgrelid::regclass)
FROM pg_trigger t JOIN pg_trigger p ON p.oid = t.tgparentid AND p.tgenabled <> t.tgenabled
LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint AND t.tgisinternal
WHERE t.tgrelid = to_regclass(%(table)s) ORDER BY 1
"""

# Without its last column it has to be brought up to date first.
_HAS_RECORD = """
SELECT to_regclass(%(record)s) IS NOT NULL,
       EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(%(record)s) AND attname = 'record_oid')
"""

# The third column: whether the oid means something here, where no dump and restore has come in between.
_RETIRED = f"""
SELECT r.partition_name, r.partition_oid::bigint,
       coalesce((to_jsonb(r) ->> 'record_oid')::oid = r.tableoid, false), r.parent_table, r.bounds, r.by_policy,
       r.retired_at, coalesce((to_jsonb(r) ->> 'by_ttl')::boolean, false), r.retired_at > now() - interval '1 hour'
FROM {RETIRED_PARTITION.sql} r
"""

_CONTROL = """
SELECT a.attname, coalesce(b.atttypid = a.atttypid, false), has_table_privilege(%(oid)s::oid, 'SELECT'),
       p.partstrat = 'r' AND p.partnatts = 1
FROM pg_partitioned_table p
LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = (p.partattrs::int2[])[0]
LEFT JOIN pg_attribute b ON b.attrelid = %(oid)s AND b.attname = a.attname AND NOT b.attisdropped
WHERE p.partrelid = to_regclass(%(parent)s)
"""


def read(connection: Connection, parent: QualifiedName, name: QualifiedName) -> Detaching | None:
    """Return a table that is a partition of *parent*, or was; None where there is none. Call it while observing."""
    row = kinds.found(connection, _TABLE, name)
    if row is None:
        return None
    on_citus, oid, schema, table, pending, bounds, kind, below, attached_by = row
    note_citus(connection, on_citus)
    attached = QualifiedName(schema, table) if table else None
    at = {"oid": oid, "parent": parent.sql, "record": RETIRED_PARTITION.sql}
    keys = rows(connection, _INCOMING, at)
    mine = attached == parent
    has_record = Stored.of(*rows(connection, _HAS_RECORD, at)[0])
    recorded, again = _recorded(connection, parent, name, oid, mine)
    default = rows(connection, _DEFAULT, at)
    return Detaching(
        parent,
        name,
        oid,
        attached,
        pending,
        bounds or "",
        tuple(QualifiedName(*part) for part in below),
        QualifiedName(*default[0]) if default else None,
        tuple(QualifiedName(*row) for row in rows(connection, _REFERENCED, at)),
        tuple(dict.fromkeys(QualifiedName(row[1], row[2]) for row in keys)),
        _referred(connection, name, keys) if mine and not pending else (),
        dependents.read(connection, name, attached=mine),
        tuple(row[0] for row in rows(connection, _PUBLISHED, at)),
        _subscribed(connection, parent) if mine else (),
        (
            *_missing_rights(connection, (parent, name, *(QualifiedName(*part) for part in below))),
            *((f"{name} is a foreign table",) if kind == "f" else ()),
        ),
        recorded,
        again,
        has_record,
        tuple(filter(None, (read(connection, parent, QualifiedName(*row)) for row in rows(connection, _PENDING, at))))
        if mine and not pending
        else (),
        citus.read(connection, [oid]).get(oid),
        attached_by,
        odd_triggers(connection, name) if mine else (),
    )


def odd_triggers(connection: Connection, partition: QualifiedName) -> tuple[str, ...]:
    """Return which triggers of its parent's fire otherwise in a partition alone. Call it while observing."""
    return tuple(dict.fromkeys(row[0] for row in rows(connection, _TRIGGERS, {"table": partition.sql})))


def _subscribed(connection: Connection, parent: QualifiedName) -> tuple[str, ...]:
    oid = rows(connection, "SELECT to_regclass(%(parent)s)::oid::bigint", {"parent": parent.sql})[0][0]
    return tuple(one.name for one in publications.read(connection, oid)[0])


def _referred(connection: Connection, name: QualifiedName, keys: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    found = []
    for key, schema, table, columns, referenced, operators in keys:
        pairs = zip(columns, referenced, operators, strict=True)
        same = " AND ".join(f"p.{ident(to)} OPERATOR({ident(by)}.=) c.{ident(own)}" for own, to, by in pairs)
        child = QualifiedName(schema, table)
        sql = (
            f"SELECT count(*) FROM (SELECT 1 FROM {child.sql} c WHERE EXISTS (SELECT 1 FROM {name.sql} p WHERE {same}) "
            f"LIMIT {MOST_COUNTED}) counted"
        )
        if count := rows(connection, sql)[0][0]:
            many = f"{MOST_COUNTED} rows or more" if count == MOST_COUNTED else f"{count} row{'s' * (count > 1)}"
            found.append(f"{many} of {child} refer{'s' * (count == 1)} to it by {key}")
    return tuple(found)


def retired(connection: Connection) -> tuple[Retired, ...]:
    """Return what was detached, the longest ago first. Call it while observing, where the record exists."""
    known = rows(connection, f"{_RETIRED} ORDER BY r.retired_at, r.partition_name")
    names = [QualifiedName.parse(row[0]) for row in known]
    now = present.read(connection, names)
    found = dict[QualifiedName, Retired]()  # two rows of a name, of an earlier version: the later one is right
    for name, (_, oid, here, of, bounds, by_policy, since, by_ttl, _) in zip(names, known, strict=True):
        own = now.get(name)
        parent, gone, why = QualifiedName.parse(of), "", ""
        if own is None:
            gone = "there is no such table any more, dropped or renamed"
        elif own.parent:
            gone = "it is attached"
        elif own.oid != oid and here:
            gone = "the table of that name is another one, made since"
        elif own.oid != oid:
            why = doubt(connection, parent, name, own.oid, bounds)
        there, ends = not (gone or why), parse_bounds(bounds)
        found[name] = Retired(name, parent, by_policy, since, there, by_ttl, *ends, gone=gone, doubt=why)
    return tuple(found.values())


def _missing_rights(connection: Connection, owned: Sequence[QualifiedName]) -> tuple[str, ...]:
    """Return what the role lacks to detach a partition, and to record that; each with what grants it."""
    records = of_record(connection, RETIRED_PARTITION, ("record_oid",))
    needed = (*records, *(Right(name, OWNER) for name in owned))
    return missing_of(connection, needed)


def _recorded(
    connection: Connection, parent: QualifiedName, name: QualifiedName, oid: int, attached: bool
) -> tuple[bool, bool]:
    """Return whether a table is known as detached from that parent, or as about to be; and whether by another oid.

    Of a partition that is attached, a row is an earlier try's: it holds for the tries of one run and no longer, since
    the grace period counts from it.
    """
    found = remembered(connection, name, oid)
    if found is None or found[0] != parent:
        return False, False
    by_oid, recent = found[2:]
    return (by_oid and recent, False) if attached else (True, not by_oid)


def remembered(connection: Connection, name: QualifiedName, oid: int) -> tuple[QualifiedName, str, bool, bool] | None:
    """Return what retired_partition has of a table: whose partition it was, with which bounds. Call it while observing.

    Then whether its oid says so, or its name and bounds alone; and whether that was written within the hour. None where
    there is nothing, or what exists means another table that had the name.
    """
    if not rows(connection, _HAS_RECORD, {"record": RETIRED_PARTITION.sql})[0][0]:
        return None
    order = "ORDER BY r.partition_oid = %(oid)s DESC, r.retired_at DESC LIMIT 1"
    mine = f"{_RETIRED} WHERE r.partition_name = %(name)s {order}"
    for _, was, here, of, bounds, *_, recent in rows(connection, mine, {"name": str(name), "oid": oid}):
        parent = QualifiedName.parse(of)
        if was == oid or not (here or doubt(connection, parent, name, oid, bounds)):
            return parent, bounds, was == oid, recent
    return None


def doubt(connection: Connection, parent: QualifiedName, name: QualifiedName, oid: int, bounds: str) -> str:
    """Why a table of the name of a partition may be another one than that; empty where its rows lie in its bounds."""
    found = rows(connection, _CONTROL, {"oid": oid, "parent": parent.sql})
    if not found:
        return f"{parent} is not a partitioned table"
    control, alike, readable, by_range = found[0]
    if not by_range or bounds == "DEFAULT":
        return ""
    if not alike:
        return f"it has no such column {control} as {parent}"
    if not readable:
        return "the current role cannot read it"
    ends = dict(zip((">=", "<"), parse_bounds(bounds), strict=True))
    outside = [f"{ident(control)} IS NULL"]
    outside += [f"NOT {ident(control)} {sign} {literal(end)}" for sign, end in ends.items() if end is not None]
    rows(connection, "SELECT set_config('constraint_exclusion', 'on', true)")  # a CHECK of these bounds spares the scan
    sql = f"SELECT EXISTS (SELECT 1 FROM {name.sql} WHERE {' OR '.join(outside)})"
    return "it holds rows outside of the bounds that the partition had" if rows(connection, sql)[0][0] else ""


# Coming in

_OBSTACLES = """
WITH p AS (SELECT * FROM pg_attribute WHERE attrelid = %(parent)s AND attnum > 0 AND NOT attisdropped),
     c AS (SELECT * FROM pg_attribute WHERE attrelid = %(oid)s AND attnum > 0 AND NOT attisdropped)
SELECT CASE
  WHEN c.attname IS NULL THEN format('column %%I is missing', p.attname)
  WHEN p.attname IS NULL THEN format('the parent has no column %%I', c.attname)
  WHEN (p.atttypid, p.atttypmod) <> (c.atttypid, c.atttypmod) THEN format('column %%I is %%s, and %%s in the parent',
    c.attname, format_type(c.atttypid, c.atttypmod), format_type(p.atttypid, p.atttypmod))
  WHEN p.attcollation <> c.attcollation THEN format('column %%I has another collation than in the parent', c.attname)
  WHEN p.attgenerated <> c.attgenerated THEN format('column %%I is generated in one of the two only', c.attname)
  ELSE format('column %%I is an identity of its own (ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY)', c.attname) END
FROM p FULL JOIN c USING (attname)
WHERE p.attname IS NULL OR c.attname IS NULL OR (p.atttypid, p.atttypmod) <> (c.atttypid, c.atttypmod)
  OR p.attcollation <> c.attcollation OR p.attgenerated <> c.attgenerated
  OR c.attidentity <> '' AND NOT (SELECT relispartition FROM pg_class WHERE oid = c.attrelid)
UNION ALL
SELECT CASE WHEN c.relpersistence <> p.relpersistence THEN 'one of the two is unlogged or temporary'
            WHEN c.reloftype <> 0 THEN 'it is a table of a type (CREATE TABLE ... OF)'
            WHEN c.relkind = 'f' THEN 'it is a foreign table' ELSE 'it inherits, or is inherited from' END
FROM pg_class c, pg_class p WHERE c.oid = %(oid)s AND p.oid = %(parent)s AND (
  c.relpersistence <> p.relpersistence OR c.reloftype <> 0 OR c.relkind = 'f' OR NOT c.relispartition AND EXISTS (
    SELECT 1 FROM pg_inherits h WHERE h.inhrelid = c.oid OR h.inhparent = c.oid AND c.relkind <> 'p'))
UNION ALL
SELECT 'it is the parent, or the parent is below it' WHERE %(oid)s = %(parent)s OR %(oid)s IN (
  SELECT relid FROM pg_partition_ancestors(%(parent)s::oid::regclass))
"""

_KEY = """
SELECT c.oid, format_type(a.atttypid, a.atttypmod), pg_get_partition_constraintdef(c.oid), p.partstrat, p.partnatts,
       a.attname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = (p.partattrs::int2[])[0] AND a.attnum > 0
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind IN ('r', 'p')
"""

_SIBLINGS = """
SELECT n.nspname, c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE h.inhparent = %(parent)s AND c.oid <> %(oid)s AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT' ORDER BY c.oid
"""


def read_attaching(
    connection: Connection, parent: QualifiedName, name: QualifiedName, lower: str | None, upper: str | None
) -> Attaching:
    """Return a table that is to become a partition from *lower* to *upper*. Call it while observing.

    Raises:
        PlanError: the parent does not exist, is not partitioned by range of one column, or a bound has another type.
    """
    title = f"cannot attach {name} to {parent}"
    row = kinds.found(connection, _KEY, parent)
    if row is None:
        raise PlanError(f"{title}: there is no table {parent}.")
    parent_oid, key_type, inherited, strategy, columns, control = row
    if (strategy, columns) != ("r", 1) or control is None:
        raise PlanError(f"{title}: {parent} is not partitioned by RANGE of one column.")
    seen = read(connection, parent, name)
    if seen is None:
        raise PlanError(f"{title}: there is no table {name}.")
    low, high = (_printed(connection, title, end, key_type) for end in (lower, upper))
    at = {"oid": parent_oid}
    ends = [f"{ident(control)} IS NOT NULL"]
    if (low, high) != (None, None):
        ends.append(within(ident(control), low, high))
    keys = rows(connection, _INCOMING, at)
    return Attaching(
        seen,
        control,
        low,
        high,
        " AND ".join([f"({inherited})", *ends] if inherited else ends),
        obstacles=tuple(row[0] for row in rows(connection, _OBSTACLES, {"oid": seen.oid, "parent": parent_oid})),
        referenced=tuple(QualifiedName(*row) for row in rows(connection, _REFERENCED, at)),
        incoming=tuple(dict.fromkeys(QualifiedName(row[1], row[2]) for row in keys)),
        in_default=_in_default(connection, seen.default, within(ident(control), low, high)),
        empty=low is not None
        and high is not None
        and not rows(connection, f"SELECT {literal(low)}::{key_type} < {literal(high)}::{key_type}")[0][0],
        same=parse_bounds(seen.bounds) == (low, high),
        overlapping=_overlapping(connection, parent_oid, seen.oid, key_type, low, high),
    )


def _overlapping(
    connection: Connection, parent: int, own: int, key_type: str, low: str | None, high: str | None
) -> tuple[QualifiedName, ...]:
    def before(lower: str | None, upper: str | None) -> str:
        return (
            "true" if lower is None or upper is None else f"{literal(lower)}::{key_type} < {literal(upper)}::{key_type}"
        )

    found = []
    for schema, table, bounds in rows(connection, _SIBLINGS, {"parent": parent, "oid": own}):
        lower, upper = parse_bounds(bounds)
        if rows(connection, f"SELECT {before(lower, high)} AND {before(low, upper)}")[0][0]:
            found.append(QualifiedName(schema, table))
    return tuple(found)


def _in_default(connection: Connection, default: QualifiedName | None, range_: str) -> bool:
    found = default and rows(connection, f"SELECT EXISTS (SELECT 1 FROM {default.sql} WHERE {range_})")
    return bool(found and found[0][0])


def _printed(connection: Connection, title: str, end: str | None, key_type: str) -> str | None:
    """A bound as PostgreSQL prints it under UTC and ISO: what it means does not depend on the session that sends it."""
    if end is None:
        return None
    try:
        text: str = rows(connection, f"SELECT CAST({literal(end)} AS {key_type})::text")[0][0]
    except DBAPIError as error:
        state = sqlstate(error) or ""
        if not state.startswith("22"):
            raise
        raise PlanError(f"{title}: the bound {end!r} is not of type {key_type}.") from error
    return text
