"""How large indexes that were made on the scratch would be in production, and what ANALYZE would find in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import sqlglot
from sqlglot import exp

from schema_kit.advise import btree
from schema_kit.advise.btree import PAGE
from schema_kit.advise.stretch import Tree
from schema_kit.names import QualifiedName

Ask = Callable[..., list[Any]]

NEW = """
SELECT i.oid::bigint, n.nspname, i.relname, x.indrelid::bigint, a.amname, greatest(t.reltuples, 0)::float8,
       t.relname, pg_get_expr(x.indpred, x.indrelid), tn.nspname,
       coalesce((SELECT sum(coalesce(s.stawidth, 32)) FROM unnest(x.indkey::int2[]) k LEFT JOIN pg_statistic s
                 ON s.starelid = x.indrelid AND s.staattnum = k AND NOT s.stainherit), 32)::float8,
       (SELECT o.opcname FROM pg_opclass o WHERE o.oid = x.indclass[0]),
       coalesce((SELECT CASE WHEN s.stadistinct < 0 THEN -s.stadistinct * t.reltuples ELSE s.stadistinct END
                 FROM pg_statistic s WHERE s.starelid = x.indrelid AND s.staattnum = x.indkey[0] AND NOT s.stainherit),
                t.reltuples)::float8
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

_COPY_STATISTICS = """
SELECT pg_restore_attribute_stats('version', 180000, 'schemaname', %(schema)s::text, 'relname', %(index)s::text,
  'attnum', %(place)s::smallint, 'inherited', false, 'null_frac', s.stanullfrac,
  'avg_width', coalesce(%(width)s::int, s.stawidth), 'n_distinct', s.stadistinct)
FROM pg_statistic s JOIN pg_attribute a ON a.attrelid = s.starelid AND a.attnum = s.staattnum
WHERE s.starelid = %(table)s::oid AND a.attname = %(column)s AND NOT s.stainherit
"""

_TELL = """
UPDATE pg_class c SET relpages = u.pages, reltuples = u.rows
FROM unnest(%s::oid[], %s::int[], %s::real[]) u (oid, pages, rows) WHERE c.oid = u.oid
"""

_WIDTHS = {"md5": 33, "date_trunc": 8, "length": 4, "char_length": 4}


@dataclass(frozen=True, slots=True)
class New:
    """An index that production does not have."""

    name: QualifiedName
    pages: int
    rows: float


def expressions(ask: Ask, new: list[int]) -> None:
    """Give expressions of one column the statistics of it: how many values there are, at most, and how many NULLs."""
    for schema, index, place, text, table in ask(_EXPRESSIONS, [new]):
        parsed = sqlglot.parse_one(text, read="postgres")
        columns = {column.name for column in parsed.find_all(exp.Column)}
        if len(columns) == 1:
            width = _WIDTHS.get(text.partition("(")[0].lower())
            values = {"schema": schema, "index": index, "place": place, "table": table, "column": columns.pop()}
            ask(_COPY_STATISTICS, {**values, "width": width})


def sizes(ask: Ask, new: list[int], trees: Mapping[int, Tree], table_pages: Mapping[QualifiedName, int]) -> list[New]:
    """How large new indexes are; the catalog is told, too.

    Args:
        ask: a query of the scratch, whose tables have their lengths already.
        new: oids of indexes, or of partitioned ones.
        trees: B-trees, by oid.
        table_pages: how long tables are.
    """
    shares = dict[tuple[int, str], float]()
    found, oids = list[New](), list[int]()
    for oid, schema, name, table, method, rows, of, predicate, of_schema, width, opclass, distinct in ask(NEW, [new]):
        if predicate and (table, predicate) not in shares:
            shares[table, predicate] = _share(ask, QualifiedName(of_schema, of), predicate)
        covered = rows * shares.get((table, predicate), 1.0)
        if method == "btree":
            tree = trees[oid]
            pages = btree.pages(covered, tree.keys, tree.include, once=tree.once)
        elif method == "gin":
            pages = _gin(covered, width, opclass, min(distinct, covered))
        elif method == "brin":
            pages = 2 + ceil(table_pages.get(QualifiedName(of_schema, of), 0) / 128 * 32 / PAGE)
        else:
            pages = ceil(covered * (width + 16) / (PAGE * 0.7)) + 1
        found.append(New(QualifiedName(schema, name), pages, covered))
        oids.append(oid)
    ask(_TELL, [oids, [one.pages for one in found], [one.rows for one in found]])
    return found


def _share(ask: Ask, table: QualifiedName, predicate: str) -> float:
    """How many of the rows of a table a predicate is true for, as the planner estimates it."""
    (plan,), = ask(f"EXPLAIN (FORMAT JSON) SELECT FROM {table.sql} WHERE {predicate}")
    (whole,), = ask(f"EXPLAIN (FORMAT JSON) SELECT FROM {table.sql}")
    return min(float(_rows(plan)) / max(float(_rows(whole)), 1), 1.0)


def _rows(plan: Any) -> float:
    return float(plan[0]["Plan"]["Plan Rows"])


def _gin(rows: float, width: float, opclass: str, distinct: float) -> int:
    """A GIN: each row once for each of its keys, and each key once.

    A text has nearly as many trigrams as letters; a JSON document a key for each 16 bytes or so.
    """
    if "trgm" in opclass:
        return 1 + ceil(rows * width * 1.2 / PAGE)
    return 1 + ceil((rows * max(width / 16, 1) * 2 + distinct * 8) / PAGE)


def each(found: list[New]) -> Iterator[tuple[QualifiedName, int]]:
    """Names with pages."""
    return ((one.name, one.pages) for one in found)
