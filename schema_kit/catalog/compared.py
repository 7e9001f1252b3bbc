"""What PostgreSQL has of the tables that models name: as autogenerate compares it, in a few queries for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

from schema_kit.catalog.session import observing, printed, rows
from schema_kit.names import QualifiedName


@dataclass(frozen=True, slots=True)
class FoundIndex:
    """An index, in the words of CREATE INDEX."""

    name: str
    tail: str
    """What pg_get_indexdef prints after USING."""
    keys: tuple[tuple[str, bool], ...]
    """Each key: its column, or with True what stands in CREATE INDEX for it."""
    include: tuple[str, ...]
    using: str
    unique: bool
    where: str | None
    options: tuple[tuple[str, str], ...]
    tablespace: str | None
    nulls_not_distinct: bool
    valid: bool
    """On a partitioned table: and each partition has a valid part of it."""
    building: bool
    constraint: bool


@dataclass(frozen=True, slots=True)
class FoundConstraint:
    """A check, a key of any kind, an exclusion constraint, or from 18 on a NOT NULL constraint."""

    name: str
    kind: str
    """c, f, n, p, u or x: pg_constraint.contype."""
    definition: str
    validated: bool
    columns: tuple[str, ...]
    referenced: str | None
    comment: str | None
    inherited: bool
    enforced: bool
    """What is NOT ENFORCED, which PostgreSQL has from 18 on, cannot be validated."""


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """A column; its type and default as PostgreSQL prints them."""

    name: str
    type: str
    default: str | None
    """Or the expression that generates it."""
    generated: str
    """s for stored, v for virtual, or nothing: pg_attribute.attgenerated."""
    collation: str | None
    """One that its type does not have by itself."""
    not_null: bool
    """By itself, and not through a domain."""


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table that the models name."""

    name: QualifiedName
    partition_key: str
    """What pg_get_partkeydef prints; empty on a plain table."""
    options: tuple[tuple[str, str], ...]
    primary_key: tuple[str, ...]
    unlogged: bool
    toasted: bool
    """It has a TOAST table, which takes the storage parameters of that name."""
    parents: tuple[str, ...]
    """What it inherits from, each as schema.table, where it is not a partition."""
    rows: int
    """The planner's estimate, of all partitions; 0 where it was never analyzed, or asked."""
    columns: tuple[FoundColumn, ...] = ()
    indexes: tuple[FoundIndex, ...] = ()
    constraints: tuple[FoundConstraint, ...] = field(default=())

    def index(self, name: str) -> FoundIndex | None:
        """Return the index of that name."""
        return next((one for one in self.indexes if one.name == name), None)

    def column(self, name: str) -> FoundColumn | None:
        """Return the column of that name."""
        return next((one for one in self.columns if one.name == name), None)


_NAMED = """
SELECT o.place, c.oid::bigint
FROM unnest(%(schemas)s::text[], %(names)s::text[]) WITH ORDINALITY AS o (schema, name, place)
JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(
  concat_ws('.', quote_ident(nullif(o.schema, '')), quote_ident(o.name)))
WHERE c.relkind IN ('r', 'p')
"""

_OPTIONS = """
ARRAY(SELECT ARRAY[split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)] FROM unnest({}.reloptions) AS o)
"""

_TABLES = f"""
SELECT c.oid::bigint, n.nspname, c.relname, coalesce(pg_get_partkeydef(c.oid), ''), {_OPTIONS.format("c")} ||
       ARRAY(SELECT ARRAY['toast.' || split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)]
             FROM pg_class l, unnest(l.reloptions) AS o WHERE l.oid = c.reltoastrelid),
       ARRAY(SELECT a.attname::text FROM pg_constraint k, unnest(k.conkey) WITH ORDINALITY AS u (number, place)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number
             WHERE k.conrelid = c.oid AND k.contype = 'p' ORDER BY u.place),
       c.relpersistence = 'u', c.reltoastrelid <> 0,
       ARRAY(SELECT concat_ws('.', p.relnamespace::regnamespace::text, p.relname) FROM pg_inherits h
             JOIN pg_class p ON p.oid = h.inhparent WHERE h.inhrelid = c.oid AND NOT c.relispartition
             ORDER BY h.inhseqno),
       CASE WHEN NOT %(sizes)s THEN 0 WHEN c.relkind = 'r' THEN greatest(c.reltuples, 0)::bigint
            ELSE (SELECT coalesce(sum(greatest(l.reltuples, 0)), 0)::bigint FROM pg_partition_tree(c.oid) t
                  JOIN pg_class l ON l.oid = t.relid WHERE t.isleaf) END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY (%(oids)s::bigint[])
"""

_COLUMNS = """
SELECT a.attrelid::bigint, a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid),
       a.attgenerated::text,
       (SELECT l.collname FROM pg_collation l JOIN pg_type t ON t.oid = a.atttypid
        WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation), a.attnotnull
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY (%(oids)s::bigint[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""

# Of a key that is only its column, the column: everything else stands in CREATE INDEX as it is printed here.
_KEYS = """
ARRAY(SELECT ARRAY[key.text, (key.text <> coalesce(key.name, ''))::text] FROM (
  SELECT u.place, a.attname AS name, concat_ws(' ',
    CASE WHEN a.attname IS NULL THEN '(' || pg_get_indexdef(i.oid, u.place::int, false) || ')'
         WHEN x.indclass[u.place - 1] = d.oid AND x.indoption[u.place - 1] = 0
          AND x.indcollation[u.place - 1] IN (0, a.attcollation) AND own.attoptions IS NULL THEN a.attname
         ELSE quote_ident(a.attname) END,
    CASE WHEN x.indcollation[u.place - 1] NOT IN (0, coalesce(a.attcollation, t.typcollation))
         THEN (SELECT format('COLLATE %%I.%%I', s.nspname, k.collname) FROM pg_collation k
               JOIN pg_namespace s ON s.oid = k.collnamespace WHERE k.oid = x.indcollation[u.place - 1]) END,
    CASE WHEN x.indclass[u.place - 1] IS DISTINCT FROM d.oid OR own.attoptions IS NOT NULL
         THEN (SELECT CASE WHEN s.nspname = 'pg_catalog' THEN quote_ident(o.opcname)
                           ELSE format('%%I.%%I', s.nspname, o.opcname) END
               FROM pg_opclass o JOIN pg_namespace s ON s.oid = o.opcnamespace WHERE o.oid = x.indclass[u.place - 1])
              || coalesce('(' || array_to_string(own.attoptions, ', ') || ')', '') END,
    CASE WHEN x.indoption[u.place - 1] & 1 = 1 THEN 'DESC' END,
    CASE x.indoption[u.place - 1] & 3 WHEN 1 THEN 'NULLS LAST' WHEN 2 THEN 'NULLS FIRST' END) AS text
  FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS u (number, place)
  JOIN pg_attribute own ON own.attrelid = i.oid AND own.attnum = u.place JOIN pg_type t ON t.oid = own.atttypid
  LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = u.number AND u.number <> 0
  LEFT JOIN pg_opclass o ON o.oid = x.indclass[u.place - 1]
  LEFT JOIN pg_opclass d ON d.opcmethod = o.opcmethod AND d.opcdefault AND d.opcintype = o.opcintype
  WHERE u.place <= x.indnkeyatts) AS key ORDER BY key.place)
"""

_INDEXES = f"""
SELECT x.indrelid::bigint, i.relname, split_part({printed("pg_get_indexdef", "i.oid")},
         format(' ON %%s%%I.%%I USING ', CASE c.relkind WHEN 'p' THEN 'ONLY ' ELSE '' END, n.nspname, c.relname), 2),
       {_KEYS},
       ARRAY(SELECT a.attname::text FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS u (number, place)
             JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = u.number
             WHERE u.place > x.indnkeyatts ORDER BY u.place),
       m.amname, x.indisunique, pg_get_expr(x.indpred, x.indrelid), {_OPTIONS.format("i")}, s.spcname,
       coalesce((to_jsonb(x)->>'indnullsnotdistinct')::boolean, false), x.indisvalid AND x.indisready,
       i.oid IN (SELECT p.index_relid FROM pg_stat_progress_create_index p),
       EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am m ON m.oid = i.relam
LEFT JOIN pg_tablespace s ON s.oid = i.reltablespace
WHERE x.indrelid = ANY (%(oids)s::bigint[]) AND x.indislive ORDER BY i.relname
"""

# Few indexes are INVALID, so that is where to begin: not at the partitions.
_BROKEN_BELOW = """
SELECT p.indrelid::bigint, i.relname FROM pg_index x, pg_partition_ancestors(x.indexrelid) AS up (relid)
JOIN pg_index p ON p.indexrelid = up.relid JOIN pg_class i ON i.oid = p.indexrelid
WHERE NOT (x.indisvalid AND x.indisready) AND up.relid <> x.indexrelid AND p.indrelid = ANY (%(oids)s::bigint[])
"""

_CONSTRAINTS = f"""
SELECT k.conrelid::bigint, k.conname, k.contype::text, {printed("pg_get_constraintdef", "k.oid")}, k.convalidated,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place),
       (SELECT r.relname FROM pg_class r WHERE r.oid = k.confrelid), obj_description(k.oid, 'pg_constraint'),
       k.coninhcount > 0
FROM pg_constraint k WHERE k.conrelid = ANY (%(oids)s::bigint[]) AND k.contype IN ('c', 'f', 'n', 'p', 'u', 'x')
ORDER BY k.conname
"""

Noun = TypeVar("Noun")


def found(
    connection: Connection, tables: Sequence[tuple[str | None, str]], *, sizes: bool = False
) -> tuple[FoundTable | None, ...]:
    """Return what there is of each table, in their order; None where there is none.

    Args:
        connection: of any driver.
        tables: schema and name; without a schema, as the session's search_path finds it.
        sizes: whether rows are estimated, which takes a look at each partition.
    """
    asked = {"schemas": [schema or "" for schema, _ in tables], "names": [name for _, name in tables]}
    places = {place - 1: oid for place, oid in rows(connection, _NAMED, asked)} if tables else {}
    oids = sorted(set(places.values()))
    if not oids:
        return (None,) * len(tables)
    with observing(connection):

        def of(sql: str, noun: Callable[..., Noun]) -> dict[int, list[Noun]]:
            grouped: dict[int, list[Noun]] = {oid: [] for oid in oids}
            for oid, *row in rows(connection, sql, {"oids": oids, "sizes": sizes}):
                grouped[oid].append(noun(*row))
            return grouped

        broken = of(_BROKEN_BELOW, str)
        columns, constraints = of(_COLUMNS, FoundColumn), of(_CONSTRAINTS, _constraint)
        indexes = of(_INDEXES, _index)
        read = {
            oid: one(tuple(columns[oid]), tuple(index(broken[oid]) for index in indexes[oid]), tuple(constraints[oid]))
            for oid, (one,) in of(_TABLES, _table).items()
        }
    return tuple(read.get(places.get(place, 0)) for place in range(len(tables)))


def _table(schema: str, name: str, key: str, options: Any, primary_key: Any, *rest: Any) -> Callable[..., FoundTable]:
    unlogged, toasted, parents, estimate = rest
    known = (unlogged, toasted, tuple(parents), int(estimate))
    own = (QualifiedName(schema, name), key, _pairs(options), tuple(primary_key), *known)
    return lambda *below: FoundTable(*own, *below)


def _index(name: str, tail: str | None, keys: Any, *rest: Any) -> Callable[[Sequence[str]], FoundIndex]:
    include, using, unique, where, options, tablespace, nulls_not_distinct, valid, building, constraint = rest
    return lambda broken: FoundIndex(
        name,
        tail or "",  # dropped since the catalog was read
        tuple((text, composed == "true") for text, composed in keys),
        tuple(include),
        using,
        unique,
        where,
        _pairs(options),
        tablespace,
        nulls_not_distinct,
        valid and name not in broken,
        building,
        constraint,
    )


def _constraint(
    name: str, kind: str, definition: str | None, validated: bool, columns: Any, *rest: Any
) -> FoundConstraint:
    definition = definition or ""  # dropped since the catalog was read
    referenced, comment, inherited = rest
    enforced = not definition.endswith(" NOT ENFORCED")
    definition = definition.removesuffix(" NOT ENFORCED")
    for ending in (" NOT VALID", " NO INHERIT"):
        definition = definition.removesuffix(ending)
    return FoundConstraint(name, kind, definition, validated, tuple(columns), referenced, comment, inherited, enforced)


def _pairs(options: Any) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in options)


_TYPES = """
SELECT o.name, ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)
FROM unnest(%(names)s::text[]) AS o (name) JOIN pg_type t ON t.oid = pg_catalog.to_regtype(o.name)
"""


def types_found(connection: Connection, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the existing ones of some types, each with its values, if it is an enum.

    Args:
        connection: of any driver.
        names: as SQL; without a schema, as the session's search_path finds it.
    """
    if not names:
        return {}
    return {name: tuple(values) for name, values in rows(connection, _TYPES, {"names": list(names)})}
