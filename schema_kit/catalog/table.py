"""Read one table and its dependent objects: a query for each kind, next to the function that maps its rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from schema_kit.catalog import citus, foreign_keys, kinds, newest_partition, obstacles, publications
from schema_kit.catalog.nouns import Noun, noun
from schema_kit.catalog.session import ON_CITUS, note_citus, printed, rows
from schema_kit.errors import PlanError
from schema_kit.fingerprints.stamps import stamp_sql
from schema_kit.model import (
    Check,
    Column,
    Grant,
    Index,
    Partition,
    Relation,
    Sequence,
    StatisticsObject,
    Table,
    Trigger,
    View,
)
from schema_kit.names import MAX_BYTES, QualifiedName, ident

_TABLE = f"""
SELECT {ON_CITUS} AS on_citus, coalesce(m.amname, '') AS access_method,
       c.oid, c.relkind, c.relispartition, c.relrowsecurity, c.relforcerowsecurity, c.relpersistence, c.relreplident,
       c.reltuples, obj_description(c.oid, 'pg_class') AS comment, c.reltype, c.reloftype,
       nullif(pg_get_userbyid(c.relowner), current_user) AS owner, p.partstrat,
       (SELECT spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace) AS tablespace,
       c.reloptions || ARRAY(SELECT 'toast.' || o FROM pg_class x, unnest(x.reloptions) o WHERE x.oid = c.reltoastrelid)
         AS reloptions,
       ARRAY(SELECT coalesce(a.attname::text, '(expression)') FROM unnest(p.partattrs) WITH ORDINALITY k (attnum, place)
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum AND k.attnum > 0
             ORDER BY k.place) AS key
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid
LEFT JOIN pg_am m ON m.oid = c.relam
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind IN ('r', 'p')
"""

_COLUMNS_OF = """
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
       a.attidentity, a.attgenerated <> ''
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY (%(oids)s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""

_INDEX_COLUMNS = f"""
n.nspname, i.relname AS name, {printed("pg_get_indexdef", "i.oid")} AS definition,
       format('CREATE %%sINDEX %%I ON %%s%%I.%%I USING ', CASE WHEN x.indisunique THEN 'UNIQUE ' END, i.relname,
              CASE WHEN c.relkind = 'p' THEN 'ONLY ' END, n.nspname, c.relname) AS head,
       ARRAY(SELECT a.attname::text FROM unnest(x.indkey::int2[]) WITH ORDINALITY k (attnum, place)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
             WHERE k.place <= x.indnkeyatts ORDER BY k.place) AS columns,
       x.indisunique AS unique, x.indisprimary AS primary, x.indisvalid AND x.indisready AS valid,
       k.definition AS constraint, coalesce(k.contype = 'x', false) AS exclusion,
       NOT x.indisvalid AND EXISTS (SELECT 1 FROM pg_stat_progress_create_index b WHERE b.relid = c.oid) AS building,
       pn.nspname AS parent_schema, pi.relname AS parent_name, obj_description(i.oid, 'pg_class') AS comment,
       ARRAY(SELECT format('foreign key %%s of %%s', quote_ident(f.conname), f.conrelid::regclass) FROM pg_constraint f
             WHERE f.conindid = i.oid AND f.contype = 'f' AND f.conparentid = 0 AND NOT EXISTS (
               SELECT 1 FROM pg_constraint o WHERE o.conindid = i.oid AND o.contype IN ('p', 'u')) ORDER BY 1)
         || CASE WHEN x.indisreplident THEN ARRAY['the replica identity of ' || c.oid::regclass] END AS needed_by,
       coalesce(i.reloptions, '{{}}') AS options,
       ARRAY(SELECT ARRAY[a.attnum::int, a.attstattarget::int] FROM pg_attribute a
             WHERE a.attrelid = i.oid AND a.attstattarget >= 0 ORDER BY a.attnum) AS statistics,
       x.indisclustered AS clustered, (SELECT spcname FROM pg_tablespace s WHERE s.oid = i.reltablespace) AS tablespace
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (SELECT {printed("pg_get_constraintdef", "k.oid")} AS definition, k.contype FROM pg_constraint k
                   WHERE k.conindid = i.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')) k ON true
LEFT JOIN pg_inherits h ON h.inhrelid = i.oid LEFT JOIN pg_class pi ON pi.oid = h.inhparent
LEFT JOIN pg_namespace pn ON pn.oid = pi.relnamespace
"""

_INDEXES = f"SELECT {_INDEX_COLUMNS} WHERE x.indrelid = %(oid)s ORDER BY i.relname"

_TREE = f"""
SELECT {ON_CITUS}, c.oid, n.nspname, c.relname, hn.nspname, hc.relname, c.relkind = 'p',
       ARRAY(SELECT coalesce(a.attname::text, '(expression)')
             FROM pg_partitioned_table p, unnest(p.partattrs) WITH ORDINALITY k (attnum, place)
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum AND k.attnum > 0
             WHERE p.partrelid = c.oid ORDER BY k.place),
       coalesce((SELECT amname FROM pg_am m WHERE m.oid = c.relam AND c.relkind = 'r'), '')
FROM pg_class r JOIN pg_namespace rn ON rn.oid = r.relnamespace,
     LATERAL (SELECT r.oid AS relid, NULL::oid AS parentrelid, 0 AS level WHERE r.relkind <> 'p' UNION ALL
              SELECT relid, CASE WHEN level > 0 THEN parentrelid::oid END, level FROM pg_partition_tree(r.oid)
              WHERE r.relkind = 'p') t
JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class hc ON hc.oid = t.parentrelid LEFT JOIN pg_namespace hn ON hn.oid = hc.relnamespace
WHERE rn.nspname = %(schema)s AND r.relname = %(name)s AND r.relkind = ANY (%(kinds)s) AND c.relkind = ANY (%(kinds)s)
ORDER BY t.level, c.oid
"""

_FOREIGN_TABLES = """
SELECT h.inhparent, n.nspname, c.relname FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid AND c.relkind = 'f'
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE h.inhparent = ANY (%(oids)s) AND c.relispartition ORDER BY c.oid
"""

_INDEXES_OF = f"SELECT x.indrelid, {_INDEX_COLUMNS} WHERE x.indrelid = ANY (%(oids)s) ORDER BY i.relname"

_CHECKS_OF = f"""
SELECT k.conrelid, k.conname, {printed("pg_get_constraintdef", "k.oid")}, k.convalidated,
       ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)),
       k.contype = 'n'
FROM pg_constraint k WHERE k.conrelid = ANY (%(oids)s) AND k.contype IN ('c', 'n') ORDER BY k.conname
"""

_CHECKS = f"""
SELECT conname, {printed("pg_get_constraintdef", "oid")}, convalidated FROM pg_constraint
WHERE conrelid = %(oid)s AND contype = 'c' ORDER BY conname
"""

_TRIGGERS = f"""
SELECT t.tgname, {printed("pg_get_triggerdef", "t.oid")}, t.tgenabled, p.prosrc, t.tgtype & 3 = 3,
       t.tgtype & 1 = 1 AND (t.tgoldtable IS NOT NULL OR t.tgnewtable IS NOT NULL)
FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE t.tgrelid = %(oid)s AND NOT t.tgisinternal AND t.tgparentid = 0 ORDER BY t.tgname
"""

_SEQUENCES = """
SELECT n.nspname, s.relname, a.attname, d.deptype = 'i',
       format('START WITH %%s INCREMENT BY %%s MINVALUE %%s MAXVALUE %%s CACHE %%s%%s',
              q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, CASE WHEN q.seqcycle THEN ' CYCLE' END),
       obj_description(s.oid, 'pg_class'), s.oid
FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
JOIN pg_sequence q ON q.seqrelid = s.oid JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %(oid)s
  AND d.deptype IN ('a', 'i') ORDER BY s.relname
"""

_PARTITIONS = """
SELECT n.nspname, c.relname, pg_get_expr(c.relpartbound, c.oid), c.relkind = 'r', greatest(c.reltuples, -1)::bigint,
       pg_total_relation_size(c.oid), h.inhdetachpending, c.relkind = 'f'
FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE h.inhparent = %(oid)s AND c.relispartition ORDER BY c.oid
"""

_VIEWS = f"""
SELECT DISTINCT n.nspname, v.relname, pg_get_userbyid(v.relowner), {printed("pg_get_viewdef", "v.oid")}, v.reloptions
FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'v'
JOIN pg_namespace n ON n.oid = v.relnamespace
WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %(oid)s ORDER BY 1, 2
"""

_VIEW = """
SELECT c.oid, nullif(pg_get_userbyid(c.relowner), current_user), obj_description(c.oid, 'pg_class'), c.reloptions
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind = 'v'
"""

# What a view that is made again would not have.
_OF_VIEW = """
SELECT format('trigger %%I', tgname) FROM pg_trigger WHERE tgrelid = %(oid)s AND NOT tgisinternal
UNION ALL SELECT format('rule %%I', rulename) FROM pg_rewrite WHERE ev_class = %(oid)s AND rulename <> '_RETURN'
UNION ALL SELECT format('default of column %%I', a.attname) FROM pg_attrdef d JOIN pg_attribute a
  ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = %(oid)s
UNION ALL SELECT 'security label' FROM pg_seclabel WHERE classoid = 'pg_class'::regclass AND objoid = %(oid)s
UNION ALL SELECT 'extension that it belongs to or depends on' FROM pg_depend
WHERE classid = 'pg_class'::regclass AND objid = %(oid)s AND deptype IN ('e', 'x')
"""

_COMMENTS = """
SELECT 'CONSTRAINT', k.conname, d.description FROM pg_constraint k JOIN pg_description d ON d.objoid = k.oid
WHERE d.classoid = 'pg_constraint'::regclass AND k.conrelid = %(oid)s
UNION ALL SELECT 'TRIGGER', t.tgname, d.description FROM pg_trigger t JOIN pg_description d ON d.objoid = t.oid
WHERE d.classoid = 'pg_trigger'::regclass AND t.tgrelid = %(oid)s
UNION ALL SELECT 'POLICY', p.polname, d.description FROM pg_policy p JOIN pg_description d ON d.objoid = p.oid
WHERE d.classoid = 'pg_policy'::regclass AND p.polrelid = %(oid)s
UNION ALL SELECT 'COLUMN', a.attname, d.description FROM pg_attribute a JOIN pg_description d ON d.objoid = a.attrelid
  AND d.objsubid = a.attnum
WHERE d.classoid = 'pg_class'::regclass AND a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2
"""

# By name: a server may note things of its own among a column's options (Debian's 15.20: pg_attver).
_STATISTICS = """
SELECT a.attname, s.action FROM pg_attribute a, LATERAL (
  SELECT 1, format('SET STATISTICS %%s', a.attstattarget) WHERE a.attstattarget >= 0
  UNION ALL SELECT 2, format('SET (%%s = %%s)', o.option_name, o.option_value) FROM pg_options_to_table(a.attoptions) o
  WHERE o.option_name IN ('n_distinct', 'n_distinct_inherited')
) s (place, action)
WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum, s.place, s.action
"""

_SETTINGS = """
SELECT a.attname, s.action FROM pg_attribute a
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = '', LATERAL (
  SELECT 'SET DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) WHERE d.oid IS NOT NULL
  UNION ALL SELECT 'SET STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL'
                                                       WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END
  UNION ALL SELECT 'SET COMPRESSION ' || CASE a.attcompression WHEN 'p' THEN 'pglz' ELSE 'lz4' END
  WHERE a.attcompression <> ''
) s (action)
WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum, s.action
"""

_STATISTICS_OBJECTS = f"""
SELECT n.nspname, s.stxname, {printed("pg_get_statisticsobjdef", "s.oid")},
       format('CREATE STATISTICS %%I.%%I ', n.nspname, s.stxname),
       format(' FROM %%I.%%I', tn.nspname, t.relname), pg_get_userbyid(s.stxowner), nullif(s.stxstattarget, -1),
       obj_description(s.oid, 'pg_statistic_ext')
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
JOIN pg_class t ON t.oid = s.stxrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
WHERE s.stxrelid = %(oid)s ORDER BY n.nspname, s.stxname
"""

_TREES = """
SELECT tree.root, ARRAY(SELECT ARRAY[n.nspname::text, c.relname::text] FROM pg_partition_tree(to_regclass(tree.root)) p
                        JOIN pg_class c ON c.oid = p.relid JOIN pg_namespace n ON n.oid = c.relnamespace
                        WHERE p.level > 0 ORDER BY p.level, c.oid)
FROM unnest(%(tables)s::text[]) AS tree (root)
"""

_POLICIES = """
SELECT p.polname, p.polpermissive, p.polcmd,
       ARRAY(SELECT CASE WHEN r.oid = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r.oid)) END
             FROM unnest(p.polroles) r (oid)), pg_get_expr(p.polqual, p.polrelid),
       pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_policy p WHERE p.polrelid = %(oid)s ORDER BY p.polname
"""

_GRANTS = """
SELECT string_agg(privilege, ', ' ORDER BY privilege), grantee, is_grantable,
       pg_get_userbyid(nullif(grantor, relowner)), role = relowner AS own, role <> 0 AND is_grantable AS hands_on,
       pg_get_userbyid(role)
FROM (
  SELECT a.privilege_type AS privilege, a.grantee AS role, a.grantor, a.is_grantable, c.relowner, false AS of_column
  FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = %(oid)s
  UNION ALL
  SELECT format('%%s (%%I)', a.privilege_type, t.attname), a.grantee, a.grantor, a.is_grantable, c.relowner, true
  FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid AND NOT t.attisdropped, aclexplode(t.attacl) a
  WHERE c.oid = %(oid)s
) g, LATERAL (SELECT CASE WHEN role = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) END) w (grantee)
WHERE role <> relowner OR grantor <> relowner OR is_grantable OR of_column -- The rest an owner has by itself.
GROUP BY grantee, role, is_grantable, grantor, relowner ORDER BY 2, 3, 4 NULLS FIRST
"""

_WITHHELD = """
SELECT string_agg(d.privilege_type, ', ' ORDER BY d.privilege_type)
FROM pg_class c, aclexplode(acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)) d
WHERE c.oid = %(oid)s AND c.relacl IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM aclexplode(c.relacl) a
  WHERE a.grantee = c.relowner AND a.grantor = c.relowner AND a.privilege_type = d.privilege_type)
"""

_DEFAULT_GRANTEES = """
SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
FROM pg_class c JOIN pg_default_acl d ON d.defaclnamespace IN (0, c.relnamespace)
  AND pg_get_userbyid(d.defaclrole) IN (current_user, pg_get_userbyid(c.relowner)), aclexplode(d.defaclacl) a
WHERE c.oid = %(oid)s AND d.defaclobjtype = %(kind)s AND a.grantee NOT IN (d.defaclrole, c.relowner)
ORDER BY 1
"""


# What CREATE TABLE refuses a name for; array types make way.
_TAKEN = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND starts_with(c.relname, %(stem)s)
UNION
SELECT t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = %(schema)s AND t.typrelid = 0 AND t.typcategory <> 'A' AND starts_with(t.typname, %(stem)s)
"""


_HERE = """
SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = %(oid)s AND n.nspname = %(schema)s AND c.relname = %(name)s
"""


def read(connection: Connection, name: QualifiedName) -> Table | None:
    """Return the table of that name, plain or partitioned; None where there is none. Call it while observing."""
    stamp = rows(connection, stamp_sql(name))[0][0]  # first: what changes while the rest is read shows later
    row = kinds.found(connection, _TABLE, name)
    if row is None:
        return None
    table = row._mapping
    note_citus(connection, table["on_citus"])
    at = {"oid": table["oid"]}
    keys = foreign_keys.read(connection, table["oid"])
    triggers = rows(connection, _TRIGGERS, at)
    parts = rows(connection, _PARTITIONS, at) if table["relkind"] == "p" else []
    example = newest_partition.read(connection, table["oid"]) if parts else {}
    example.setdefault("replica_identity", publications.replica_identity(connection, table["oid"]))
    indexes = tuple(map(_index, rows(connection, _INDEXES, at)))
    held, publishing = publications.read(connection, table["oid"])
    found = Table(
        name,
        columns=tuple(Column(*row[1:]) for row in rows(connection, _COLUMNS_OF, {"oids": [table["oid"]]})),
        partitioned_by=tuple(table["key"] or ()),
        partition_strategy=table["partstrat"] or "",
        primary_key=next((found.columns for found in indexes if found.primary), ()),
        indexes=indexes,
        foreign_keys=tuple(key for key in keys if key.table == name),
        incoming=tuple(key for key in keys if key.referenced == name),
        checks=tuple((row[0], row[1], row[2]) for row in rows(connection, _CHECKS, at)),
        triggers=tuple(Trigger(*row[:5]) for row in triggers),
        sequences=tuple(
            Sequence(
                *(QualifiedName(row[0], row[1]), row[2], row[3], row[4], row[5]),
                *(_grants(connection, row[6]), _withheld(connection, row[6])),
            )
            for row in rows(connection, _SEQUENCES, at)
        ),
        partitions=tuple(sorted(map(_partition, parts), key=_place)),
        views=tuple(_view(row) for row in rows(connection, _VIEWS, at)),
        policies=tuple((row[0], _policy(row)) for row in rows(connection, _POLICIES, at)),
        row_security=table["relrowsecurity"],
        force_row_security=table["relforcerowsecurity"],
        grants=_grants(connection, table["oid"]),
        withheld=_withheld(connection, table["oid"]),
        default_grantees=tuple(row[0] for row in rows(connection, _DEFAULT_GRANTEES, {**at, "kind": "r"})),
        default_sequence_grantees=tuple(row[0] for row in rows(connection, _DEFAULT_GRANTEES, {**at, "kind": "S"})),
        owner=table["owner"],
        comment=table["comment"],
        comments=tuple((row[0], row[1], row[2]) for row in rows(connection, _COMMENTS, at)),
        statistics=tuple((row[0], row[1]) for row in rows(connection, _STATISTICS, at)),
        taken=frozenset(
            row[0] for row in rows(connection, _TAKEN, {"schema": name.schema, "stem": name.name[: MAX_BYTES // 4]})
        ),
        settings=tuple((row[0], row[1]) for row in rows(connection, _SETTINGS, at)),
        statistics_objects=tuple(map(_statistics_object, rows(connection, _STATISTICS_OBJECTS, at))),
        trees=_trees(connection, {end for key in keys for end in (key.table, key.referenced)} - {name}),
        **{"options": tuple(table["reloptions"] or ()), "tablespace": table["tablespace"], **example},
        publications=held,
        publishing=publishing,
        is_partition=table["relispartition"],
        distribution=citus.read(connection, [table["oid"]]).get(table["oid"]),
        access_method=table["access_method"],
        analyzed=table["reltuples"] >= 0,
        obstacles=(
            *obstacles.read(connection, table),
            *(f"trigger {row[0]} has transition tables for each row" for row in triggers if row[5]),
        ),
        stamp=stamp,
    )
    here = rows(connection, _HERE, {**at, "schema": name.schema, "name": name.name})
    return found if here else read(connection, name)  # replaced, renamed or dropped while it was read


def read_view(connection: Connection, name: QualifiedName) -> Table | None:
    """Return a view as a table with its access and comments; its obstacles are why it cannot be made again."""
    found = rows(connection, _VIEW, {"schema": name.schema, "name": name.name})
    if not found:
        return None
    oid, owner, comment, options = found[0]
    at = {"oid": oid}
    return Table(
        name,
        columns=tuple(Column(*row[1:]) for row in rows(connection, _COLUMNS_OF, {"oids": [oid]})),
        grants=_grants(connection, oid),
        withheld=_withheld(connection, oid),
        default_grantees=tuple(row[0] for row in rows(connection, _DEFAULT_GRANTEES, {**at, "kind": "r"})),
        owner=owner,
        comment=comment,
        comments=tuple((row[0], row[1], row[2]) for row in rows(connection, _COMMENTS, at)),
        options=tuple(options or ()),
        obstacles=tuple(f"view {name} has a {row[0]}" for row in rows(connection, _OF_VIEW, at)),
    )


def read_tree(connection: Connection, name: QualifiedName, views: bool = False) -> tuple[Relation, ...]:
    """Return the table and its partitions with their indexes, parents first; empty where there is none.

    With *views*, a materialized view is as good as a table.
    """
    of_kinds = ["r", "p", "m"] if views else ["r", "p"]
    found = rows(connection, _TREE, {"schema": name.schema, "name": name.name, "kinds": of_kinds})
    if not found or kinds.of_the_system(name):
        kinds.refuse_others(connection, name)
    note_citus(connection, any(row[0] for row in found))
    oids = [row[1] for row in found]
    distributions = citus.read(connection, oids)

    def of(sql: str, made: Callable[[Any], Noun]) -> dict[int, tuple[Noun, ...]]:
        grouped: dict[int, list[Noun]] = {oid: [] for oid in oids}
        for row in rows(connection, sql, {"oids": oids}):
            grouped[row[0]].append(made(row))
        return {oid: tuple(nouns) for oid, nouns in grouped.items()}

    indexes, columns = of(_INDEXES_OF, _index), of(_COLUMNS_OF, lambda row: Column(*row[1:]))
    checks, keys = of(_CHECKS_OF, _check), of(foreign_keys.OF_TABLES, foreign_keys.foreign_key)
    foreign = of(_FOREIGN_TABLES, lambda row: QualifiedName(*row[1:]))
    return tuple(
        Relation(
            QualifiedName(schema, table),
            indexes[oid],
            QualifiedName(parent_schema, parent) if parent else None,
            partitioned,
            columns[oid],
            checks[oid],
            keys[oid],
            key=tuple(key),
            foreign=foreign[oid],
            distribution=distributions.get(oid),
            access_method=access_method,
        )
        for _, oid, schema, table, parent_schema, parent, partitioned, key, access_method in found
    )


def _check(row: Any) -> Check:
    name, definition, validated, columns, not_null = row[1:]
    return Check(name, definition.removesuffix(" NOT VALID"), validated, tuple(columns), not_null)


def _index(row: Any) -> Index:
    if not row.definition.startswith(row.head):  # the catalog is read as of the query, and definitions as of now
        raise PlanError(f"index {row.nspname}.{row.name} changed while it was looked at. Run again.")
    return noun(
        Index,
        row,
        tail=row.definition[len(row.head) :],
        parent=QualifiedName(row.parent_schema, row.parent_name) if row.parent_name else None,
        statistics=tuple((place, target) for place, target in row.statistics),
    )


def _statistics_object(row: Any) -> StatisticsObject:
    schema, name, definition, head, end, owner, target, comment = row
    if not (definition.startswith(head) and definition.endswith(end)):  # read as of now, as an index's definition is
        raise PlanError(f"statistics {schema}.{name} changed while looked at. Run again.")
    text = definition[len(head) : len(definition) - len(end)]
    return StatisticsObject(QualifiedName(schema, name), text, owner, target, comment)


def _grants(connection: Connection, oid: int) -> tuple[Grant, ...]:
    """Return grants in an order in which each role has what it grants."""
    left, found, able = rows(connection, _GRANTS, {"oid": oid}), list[Grant](), {None}
    while ready := [row for row in left if row[3] in able] or left:
        for what, whom, grantable, by, own, hands_on, role in ready:
            found.append(Grant(what, whom + (" WITH GRANT OPTION" if grantable else ""), by, own))
            able |= {role} if hands_on else set()
        left = [row for row in left if row not in ready]
    return tuple(found)


def _withheld(connection: Connection, oid: int) -> str:
    return rows(connection, _WITHHELD, {"oid": oid})[0][0] or ""


def _trees(connection: Connection, tables: set[QualifiedName]) -> tuple[tuple[QualifiedName, ...], ...]:
    names = {table.sql: table for table in sorted(tables)}
    found = dict(map(tuple, rows(connection, _TREES, {"tables": list(names)}))) if names else {}
    return tuple((table, *(QualifiedName(*part) for part in found[sql])) for sql, table in names.items())


def _partition(row: Any) -> Partition:
    schema, name, bounds, leaf, count, size, pending, foreign = row
    lower, upper = parse_bounds(bounds)
    own = QualifiedName(schema, name)
    return Partition(own, lower, upper, bounds == "DEFAULT", leaf, pending, foreign, count, size)


def _place(partition: Partition) -> tuple[bool, bool, int, str]:
    """In order, as far as that can be known without the key: whole numbers by value, all else by text."""
    lower = partition.lower or ""
    number = int(lower) if re.fullmatch(r"-?[0-9]+", lower) else 0
    return partition.default, partition.lower is not None, number, lower


def parse_bounds(text: str) -> tuple[str | None, str | None]:
    """Return both ends of FOR VALUES FROM (...) TO (...) of a key of one column; None for an open end or other form."""
    match = re.fullmatch(r"FOR VALUES FROM \((.*)\) TO \((.*)\)", text)
    return (_end(match[1]), _end(match[2])) if match else (None, None)


def _end(text: str) -> str | None:
    if text in ("MINVALUE", "MAXVALUE"):
        return None
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def _view(row: Any) -> View:
    schema, name, owner, definition, options = row
    return View(QualifiedName(schema, name), owner, definition.strip().removesuffix(";"), tuple(options or ()))


def _policy(row: Any) -> str:
    _, permissive, command, roles, using, check = row
    what = {"*": "ALL", "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}[command]
    parts = [f"AS {'PERMISSIVE' if permissive else 'RESTRICTIVE'} FOR {what} TO {', '.join(roles)}"]
    parts += [f"USING ({using})"] if using else []
    parts += [f"WITH CHECK ({check})"] if check else []
    return " ".join(parts)


def unfilled(connection: Connection, table: QualifiedName, column: str, key_column: str) -> bool:
    """Return whether rows with a value in *column* and none in *key_column* are left."""
    sql = f"SELECT EXISTS (SELECT 1 FROM {table.sql} WHERE {ident(column)} IS NOT NULL AND {ident(key_column)} IS NULL)"
    return bool(rows(connection, sql)[0][0])
