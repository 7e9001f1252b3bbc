"""How large indexes that were made on the scratch would be in production, and what ANALYZE would find in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import Any

import psycopg
import sqlglot
from sqlglot import exp

from schema_kit.advise import btree, gin
from schema_kit.advise.btree import PAGE
from schema_kit.advise.gin import Shape
from schema_kit.advise.stretch import Tree
from schema_kit.names import QualifiedName, ident

Ask = Callable[..., list[Any]]

NEW = """
SELECT i.oid::bigint, n.nspname, i.relname, x.indrelid::bigint, a.amname, greatest(t.reltuples, 0)::float8,
       t.relname, pg_get_expr(x.indpred, x.indrelid), tn.nspname,
       coalesce((SELECT sum(coalesce(s.stawidth, 32)) FROM unnest(x.indkey::int2[]) k LEFT JOIN pg_statistic s
                 ON s.starelid = x.indrelid AND s.staattnum = k AND NOT s.stainherit), 32)::float8
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am a ON a.oid = i.relam
JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = i.relnamespace
JOIN pg_namespace tn ON tn.oid = t.relnamespace
WHERE i.relkind = 'i' AND i.oid = ANY (%s::oid[])
"""

_EXPRESSIONS = """
SELECT n.nspname, i.relname, k.place, pg_get_indexdef(i.oid, k.place::int, true), x.indrelid::bigint
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY k (attnum, place)
WHERE k.attnum = 0 AND i.relkind = 'i' AND i.oid = ANY (%s::oid[])
"""

_COLUMN = """
SELECT a.attname, format_type(a.atttypid, NULL), n.nspname, c.relname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = %s::oid AND a.attname = %s AND a.attnum > 0
"""

# What ANALYZE would find of an expression: it is calculated for the values that are known of its column. Where many of
# them give the same, as the key of a document does, the results are few and frequent ones.
_CALCULATED = """
WITH s AS (SELECT s.most_common_vals::text::{type}[] AS vals, s.most_common_freqs AS shares, s.null_frac, s.n_distinct,
                  s.histogram_bounds::text::{type}[] AS bounds,
                  (1 - s.null_frac - coalesce((SELECT sum(f) FROM unnest(s.most_common_freqs) f), 0))
                    / greatest(cardinality(s.histogram_bounds), 1) AS rest
           FROM pg_stats s WHERE s.schemaname = %(of_schema)s AND s.tablename = %(of)s AND s.attname = %(column)s
             AND NOT s.inherited),
  v AS (SELECT unnest(s.vals) AS {column}, unnest(s.shares) AS share, true AS common FROM s
        UNION ALL SELECT unnest(s.bounds), s.rest, false FROM s),
  r AS (SELECT ({expression}) AS x, share, common FROM v),
  g AS (SELECT x, sum(share) AS share, bool_or(common) AS common FROM r WHERE x IS NOT NULL GROUP BY x),
  c AS (SELECT (SELECT count(*) FROM g) AS now, (SELECT count(*) FROM v) AS was,
               (SELECT count(*) FROM g) < 0.7 * (SELECT count(*) FROM v) AS few,
               (SELECT sum(share) FROM r WHERE x IS NULL) AS nulls),
  m AS (SELECT g.* FROM g, c WHERE g.common OR c.few ORDER BY g.share DESC, g.x LIMIT 100)
SELECT pg_restore_attribute_stats('version', 180000, 'schemaname', %(schema)s::text, 'relname', %(index)s::text,
  'attnum', %(place)s::smallint, 'inherited', false, 'null_frac', (s.null_frac + coalesce(c.nulls, 0))::real,
  'avg_width', coalesce((SELECT avg(pg_column_size(x)) FROM g), 8)::int,
  'n_distinct', CASE WHEN c.few THEN c.now ELSE s.n_distinct * c.now / greatest(c.was, 1) END::real,
  'most_common_vals', (SELECT array_agg(x ORDER BY share DESC, x)::text FROM m),
  'most_common_freqs', (SELECT array_agg(share::real ORDER BY share DESC, x) FROM m),
  'histogram_bounds', (SELECT CASE WHEN count(*) > 1 THEN array_agg(x ORDER BY x)::text END FROM g
                       WHERE NOT g.common AND NOT c.few))
FROM s, c
"""

_GIN = """
SELECT i.oid::bigint, o.opcname, greatest(t.reltuples, 0)::float8, t.relpages,
       coalesce(s.most_common_vals::text::text[], '{}'), coalesce(s.most_common_freqs, '{}')::float8[],
       coalesce(s.histogram_bounds::text::text[], '{}'), s.n_distinct::float8
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam AND m.amname = 'gin'
JOIN pg_opclass o ON o.oid = x.indclass[0] AND o.opcname IN ('gin_trgm_ops', 'jsonb_ops', 'jsonb_path_ops')
JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]
JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = t.relname AND s.attname = a.attname AND NOT s.inherited
WHERE i.relkind = 'i' AND x.indnatts = 1
"""

_TRIGRAMS = "SELECT show_trgm(v) FROM unnest(%s::text[]) WITH ORDINALITY u (v, place) ORDER BY place"

_TELL = """
UPDATE pg_class c SET relpages = u.pages, reltuples = u.rows
FROM unnest(%s::oid[], %s::int[], %s::real[]) u (oid, pages, rows) WHERE c.oid = u.oid
"""


@dataclass(frozen=True, slots=True)
class New:
    """An index that production does not have."""

    name: QualifiedName
    pages: int
    rows: float


def expressions(ask: Ask, new: list[int]) -> None:
    """Give expressions of one column the statistics that they would have."""
    for schema, index, place, text, table in ask(_EXPRESSIONS, [new]):
        parsed = sqlglot.parse_one(text, read="postgres")
        columns = {column.name for column in parsed.find_all(exp.Column)}
        known = [row for column in columns for row in ask(_COLUMN, [table, column])]
        if len(known) != 1:
            continue
        ((column, type_, of_schema, of),) = known
        query = _CALCULATED.format(type=type_, expression=text.replace("%", "%%"), column=ident(column))
        with suppress(psycopg.Error):  # the function does not take all of them
            ask(
                query,
                {"schema": schema, "index": index, "place": place, "of_schema": of_schema, "of": of, "column": column},
            )


def sizes(
    ask: Ask,
    new: list[int],
    trees: Mapping[int, Tree],
    shapes: Mapping[int, Shape],
    table_pages: Mapping[QualifiedName, int],
) -> list[New]:
    """Return how large new indexes are; write it to the catalog, too.

    Args:
        ask: a query of the scratch, whose tables have their lengths already.
        new: oids of indexes, or of partitioned ones.
        trees: B-trees, by oid.
        shapes: GIN indexes, by oid.
        table_pages: how long tables are.
    """
    shares = dict[tuple[int, str], float]()
    found, oids = list[New](), list[int]()
    for oid, schema, name, table, method, rows, of, predicate, of_schema, width in ask(NEW, [new]):
        if predicate and (table, predicate) not in shares:
            shares[table, predicate] = _share(ask, QualifiedName(of_schema, of), predicate)
        covered = rows * shares.get((table, predicate), 1.0)
        if method == "btree":
            tree = trees[oid]
            pages = btree.pages(covered, tree.keys, tree.include, once=tree.once)
        elif method == "gin":
            pages = shapes[oid].pages if oid in shapes else _gin(covered, width)
        elif method == "brin":
            pages = 2 + ceil(table_pages.get(QualifiedName(of_schema, of), 0) / 128 * 32 / PAGE)
        else:
            pages = ceil(covered * (width + 16) / (PAGE * 0.7)) + 1
        found.append(New(QualifiedName(schema, name), pages, covered))
        oids.append(oid)
    ask(_TELL, [oids, [one.pages for one in found], [one.rows for one in found]])
    return found


def _share(ask: Ask, table: QualifiedName, predicate: str) -> float:
    """Return how many of the rows of a table a predicate is true for, as the planner estimates it."""
    ((plan,),) = ask(f"EXPLAIN (FORMAT JSON) SELECT 1 FROM {table.sql} WHERE {predicate}")
    ((whole,),) = ask(f"EXPLAIN (FORMAT JSON) SELECT 1 FROM {table.sql}")
    return min(float(_rows(plan)) / max(float(_rows(whole)), 1), 1.0)


def _rows(plan: Any) -> float:
    return float(plan[0]["Plan"]["Plan Rows"])


def _gin(rows: float, width: float) -> int:
    """Return a GIN of whose values nothing is known."""
    return 1 + ceil(rows * width / PAGE)


def shapes(ask: Ask) -> dict[int, Shape]:
    """Return what the values that the statistics hold tell of each GIN index on a text or a JSON document."""
    found = dict[int, Shape]()
    for oid, opclass, rows, pages, common, shares, bounds, distinct in ask(_GIN):
        rest = max(1 - sum(shares), 0) / max(len(bounds), 1)
        values = [*zip(common, shares, strict=False), *((bound, rest) for bound in bounds)]
        if "trgm" in opclass:
            keys = [row[0] for row in ask(_TRIGRAMS, [[value for value, _ in values]])]
        else:
            keys = [gin.of_json(value, paths="path" in opclass) for value, _ in values]
        of_values = [(own, share) for own, (_, share) in zip(keys, values, strict=True)]
        if any(keys):
            found[oid] = gin.shape(
                of_values, rows, -distinct * rows if distinct < 0 else distinct, rows / max(pages, 1)
            )
    return found
