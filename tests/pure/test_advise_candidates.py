"""Candidates: what a statement compares, joins and orders, and the indexes that might serve it."""

from __future__ import annotations

import pytest

from schema_kit.advise.candidates import Candidate, common, new, of
from schema_kit.advise.constants import Values
from schema_kit.advise.usage import Kind, uses
from schema_kit.health.definition import parse
from schema_kit.names import QualifiedName

pytestmark = pytest.mark.health

T, R = QualifiedName("public", "t"), QualifiedName("s", "R")
COLUMNS = {
    "id": "bigint",
    "a": "integer",
    "b": "integer",
    "at": "timestamp with time zone",
    "note": "text",
    "data": "jsonb",
    "tags": "text[]",
    "done": "boolean",
    "state": "text",
}
SCHEMA = {T: COLUMNS, R: {"id": "bigint", "t_id": "bigint", "w": "integer"}}
KNOWN = {
    (T, "a"): Values([], [], [], 0, 1000, 4, 0),
    (T, "b"): Values([], [], [], 0.9, 10, 4, 0),
    (T, "at"): Values([], [], [], 0, -1, 8, 0.99),
    (T, "done"): Values(["t", "f"], [0.99, 0.01], [], 0, 2, 1, 0),
    (T, "state"): Values(["sent", "new"], [0.95, 0.05], [], 0, 2, 5, 0),
}


def wanted(sql: str, pages: int = 10_000) -> set[str]:
    """The candidates of a statement, as SQL without its beginning."""
    found = of(uses(sql, SCHEMA), SCHEMA, KNOWN, {T: pages})
    return {one.sql("x").split(" ON ", 1)[1].replace('"', "") for one in found}


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        ("SELECT * FROM t WHERE a = 1 ORDER BY at DESC LIMIT 9", "public.t USING btree (a, at)"),
        ("SELECT * FROM t WHERE a = $1 AND at > $2", "public.t USING btree (a, at)"),
        ("SELECT * FROM t x WHERE x.a IN (1, 2) AND b = ANY ($1)", "public.t USING btree (b, a)"),
        ("SELECT * FROM t ORDER BY a DESC, at ASC", "public.t USING btree (a DESC, at)"),
        ("SELECT * FROM t ORDER BY a NULLS FIRST", "public.t USING btree (a NULLS FIRST)"),
        ("SELECT * FROM t ORDER BY at DESC, id DESC", "public.t USING btree (at, id)"),
        ("SELECT at FROM t WHERE a = 1", "public.t USING btree (a) INCLUDE (at)"),
        ("SELECT * FROM t WHERE NOT done AND at < now()", "public.t USING btree (at) WHERE NOT done"),
        ("SELECT count(*) FROM t WHERE done = false", "public.t USING btree (id) WHERE NOT done"),
        ("SELECT * FROM t WHERE b = 3", "public.t USING btree (b) WHERE b IS NOT NULL"),
        ("SELECT * FROM t WHERE state = 'new' AND at > $1", "public.t USING btree (at) WHERE state = 'new'"),
        ("SELECT * FROM t WHERE lower(note) = $1", "public.t USING btree ((LOWER(note)))"),
        ("SELECT * FROM t WHERE data ->> 'k' = $1", "public.t USING btree ((data ->> 'k'))"),
        ("SELECT * FROM t WHERE note ILIKE $1", "public.t USING gin (note gin_trgm_ops)"),
        ("SELECT * FROM t WHERE data @> $1", "public.t USING gin (data jsonb_path_ops)"),
        ("SELECT * FROM t WHERE data ? 'k'", "public.t USING gin (data jsonb_ops)"),
        ("SELECT * FROM t WHERE tags && '{x}'", "public.t USING gin (tags)"),
        ("SELECT * FROM t WHERE at BETWEEN $1 AND $2", "public.t USING brin (at)"),
        ("SELECT * FROM t WHERE (at, id) < ($1, $2) ORDER BY at DESC, id DESC", "public.t USING btree (at, id)"),
        ("SELECT * FROM t WHERE a = 1 OR b = 2", "public.t USING btree (b)"),
        ('SELECT * FROM t JOIN s."R" r ON r.t_id = t.id WHERE r.w > 1', "s.R USING btree (t_id, w)"),
        ('SELECT * FROM t WHERE EXISTS (SELECT FROM s."R" r WHERE r.t_id = t.id)', "s.R USING btree (t_id)"),
        ('DELETE FROM t USING s."R" WHERE t.id = t_id AND a = 5', "public.t USING btree (a)"),
        ("UPDATE t SET b = 1 WHERE at < $1", "public.t USING btree (at)"),
        ('INSERT INTO s."R" SELECT id FROM t WHERE a = 1', "public.t USING btree (a)"),
        ("WITH x AS (SELECT * FROM t WHERE a = 1) SELECT * FROM x", "public.t USING btree (a)"),
        ("SELECT a AS x, count(*) FROM t GROUP BY x", "public.t USING btree (a)"),
    ],
)
def test_a_statement_of_each_kind_has_its_index_among_its_candidates(sql: str, index: str) -> None:
    assert index in wanted(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM t",
        "SELECT * FROM unknown WHERE a = 1",
        "SELECT this is no SQL",
        "SELECT * FROM t WHERE a = b",
        "SELECT * FROM R WHERE id = 1",  # not quoted, it is another table
        "SELECT * FROM t WHERE random() < 0.5",
    ],
)
def test_what_no_index_helps_has_no_candidate(sql: str) -> None:
    assert wanted(sql) == set()


def test_a_frequent_value_and_a_small_table_want_no_index_of_their_own() -> None:
    assert not any("state =" in one for one in wanted("SELECT * FROM t WHERE state = 'sent' AND at > $1"))
    assert not any("brin" in one for one in wanted("SELECT * FROM t WHERE at > $1", pages=10))


def test_an_index_for_one_value_is_wanted_where_each_call_has_that_value() -> None:
    texts = [f"SELECT * FROM t WHERE a = {n} AND state = '{state}'" for n, state in ((1, "new"), (2, "new"), (3, "x"))]
    found = [of(uses(text, SCHEMA), SCHEMA, KNOWN, {}) for text in texts]
    assert any("state" in one.predicate for one in common(found[:2]))
    assert not any("state" in one.predicate for one in common(found))


def test_what_an_index_says_already_is_not_said_again() -> None:
    there = {
        T: [
            (parse("CREATE UNIQUE INDEX p ON public.t USING btree (id)"), True),
            (parse("CREATE INDEX i ON public.t USING btree (a, at) INCLUDE (b)"), False),
            (parse("CREATE INDEX w ON public.t USING btree (at) WHERE (NOT done)"), False),
        ]
    }
    known = [
        Candidate(T, ('"id"',)),
        Candidate(T, ('"id"', '"at"')),
        Candidate(T, ('"a"',)),
        Candidate(T, ('"a"', '"at"'), ('"b"',)),
        Candidate(T, ('"at"',), predicate='NOT "done"'),
    ]
    other = [
        Candidate(T, ('"at"',)),
        Candidate(T, ('"a"', '"at"'), ('"note"',)),
        Candidate(T, ('"id"',), predicate='NOT "done"'),
        Candidate(T, ('"a"',), method="brin"),
    ]
    assert new([*known, *other, *other], there) == other


def test_names_are_read_as_postgresql_reads_them() -> None:
    (use,) = uses('SELECT X."at" FROM Public.T AS x WHERE X.A = $1', {T: COLUMNS} | {R: {}})
    assert (use.table, [one.kind for one in use.conditions]) == (T, [Kind.EQUAL])
