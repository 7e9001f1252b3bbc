"""The checks of health over placeholder facts: what each must find, and what it must not blame."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schema_kit.health import report
from schema_kit.health.checks import examine
from schema_kit.health.definition import Definition, column_of, index_call, parse
from schema_kit.health.facts import Column, ForeignKey, Index, NotValid, Numbers, Observed, Relation, Server, Session
from schema_kit.health.finding import CODES
from schema_kit.names import QualifiedName

pytestmark = pytest.mark.health

T, ROOM = QualifiedName("s", "t"), QualifiedName("s", "room")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
LONG_AGO = Server(now=NOW, since=NOW - timedelta(days=40))
BIG = 1 << 20


def index(name: str, columns: str, **more: Any) -> Index:
    table = more.pop("table", T)
    unique = "UNIQUE " if more.get("unique") else ""
    text = f"CREATE {unique}INDEX {name} ON {table.sql} USING btree ({columns}){more.pop('tail', '')}"
    return Index(table.sibling(name), table, more.pop("root", T), text, **{"bytes": BIG, **more})


def said(*indexes: Index, **more: Any) -> list[tuple[str, str]]:
    relations = more.pop("relations", [Relation(T, T)])
    return [(one.code, one.object) for one in examine(Observed(relations, indexes, **more))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE INDEX i ON s.t USING btree (a)", Definition("btree", ("a",))),
        (
            'CREATE UNIQUE INDEX "x USING y (" ON ONLY s."t, (" USING gin (lower((a)::text) gin_trgm_ops, "B,c" DESC) '
            "INCLUDE (\"d WHERE \", e) NULLS NOT DISTINCT WITH (fillfactor='70') WHERE (a = ' WHERE )'::text)",
            Definition(
                "gin",
                ("lower((a)::text) gin_trgm_ops", '"B,c" DESC'),
                ('"d WHERE "', "e"),
                True,
                "(a = ' WHERE )'::text)",
                "WITH (fillfactor='70')",
            ),
        ),
    ],
)
def test_a_definition_is_taken_apart(text: str, expected: Definition) -> None:
    assert parse(text) == expected


def test_columns_and_expressions_are_distinguished() -> None:
    assert [column_of(key) for key in ("a", '"A ""b" DESC', 'a COLLATE "C"', "lower(a)", "(a + 1)", '"f"(x)')] == [
        *("a", 'A "b', "a", None, None, None)
    ]


def test_the_call_of_an_index_is_literal() -> None:
    one = parse("CREATE INDEX i ON s.t USING btree (\"A'b\", lower(c) DESC) INCLUDE (d) WHERE (e = ':x'::text)")
    call = index_call("create_index_concurrently", "i'x", QualifiedName("s'", "t"), one, unique=True)
    assert call == (
        "op.create_index_concurrently(\"i'x\", 't', [\"A'b\", sa.text('lower(c) DESC')], schema=\"s'\", unique=True, "
        "postgresql_include=['d'], postgresql_where=sa.text(\"(e = '\\\\:x'::text)\"))"
    )


def test_of_two_alike_the_one_that_more_than_queries_needs_stays() -> None:
    for more in ({"constraint": True, "unique": True}, {"unique": True}, {"replica_identity": True}):
        assert said(index("a", "x"), index("b", "x", **more)) == [("index_duplicate", "a")], more
    both = index("a", "x", unique=True, constraint=True), index("b", "x", unique=True, constraint=True)
    assert said(*both) == []
    assert said(index("a", "x"), index("b", "x DESC"), index("c", "x", tail=" WHERE (x > 0)")) == []
    assert said(index("a", 'x COLLATE "C"'), index("b", "x text_pattern_ops"), index("c", "x")) == []


def test_what_another_one_begins_with_is_redundant_unless_it_is_needed() -> None:
    longer = index("b", "x, y")
    assert said(index("a", "x"), longer) == [("index_redundant", "a")]
    for kept in ({"unique": True}, {"constraint": True}, {"replica_identity": True}, {"tail": " WHERE (y > 0)"}):
        assert said(index("a", "x", **kept), longer) == [], kept
    assert said(index("a", "x", tail=" INCLUDE (z)"), longer) == []
    assert said(index("a", "x", tail=" INCLUDE (y)"), longer) == [("index_redundant", "a")]
    assert said(index("a", "x"), index("b", "y, x")) == []


def test_unused_speaks_of_what_only_queries_need_and_of_a_window() -> None:
    old = {"remembered": True}
    assert said(index("a", "x", **old), server=LONG_AGO) == [("index_unused", "a")]
    assert said(index("a", "x"), server=LONG_AGO) == [("index_perhaps_unused", "a")], "it may be new"
    assert said(index("a", "x", **old), server=replace(LONG_AGO, standbys=1)) == [("index_perhaps_unused", "a")]
    assert said(index("a", "x", **old), server=replace(LONG_AGO, standbys=1), replicas=1) == [("index_unused", "a")]
    assert said(index("a", "x", **old), server=Server(now=NOW)) == [], "since when counters count is not known"
    assert said(index("a", "x", **old), server=replace(LONG_AGO, since=NOW - timedelta(days=3))) == []
    for kept in ("unique", "constraint", "referenced", "replica_identity", "clustered"):
        assert said(index("a", "x", **{kept: True}), server=LONG_AGO) == [], kept
    assert said(index("a", "x", scans=1), server=LONG_AGO) == []
    assert said(index("a", "x", bytes=8192), server=LONG_AGO) == []


def test_an_index_that_serves_a_foreign_key_is_not_unused() -> None:
    key = ForeignKey("k", T, ("room",), ROOM, ("id",), ("bigint",), ("bigint",))
    assert said(index("a", "room, at"), server=LONG_AGO, foreign_keys=[key]) == []


def test_the_index_that_takes_over_from_a_redundant_one_is_not_unused() -> None:
    both = index("a", "x", scans=9), index("b", "x, y")
    assert said(*both, server=LONG_AGO) == [("index_redundant", "a")]


def test_partitions_are_folded_to_their_root() -> None:
    leaves = [T.sibling(f"t_{n}") for n in range(700)]
    relations = [Relation(T, T, "p"), *(Relation(leaf, T) for leaf in leaves)]
    top = index("a", "x", kind="I", bytes=0, remembered=True)
    parts = [index(f"a_{n}", "x", table=leaf, parent=top.name, bytes=BIG // 100) for n, leaf in enumerate(leaves)]
    assert said(top, *parts, server=LONG_AGO, relations=relations) == [("index_unused", "a")]
    used = [*parts[:-1], replace(parts[-1], scans=1)]
    assert said(top, *used, server=LONG_AGO, relations=relations) == [], "one partition's use is the table's"
    broken = replace(top, valid=False), *parts[:-1], replace(parts[-1], valid=False)
    assert said(*broken, relations=relations) == [("index_invalid", "a")]
    building = replace(top, valid=False), *parts[:-1], replace(parts[-1], valid=False, building=True)
    assert said(*building, relations=relations) == [], "a build that goes on is not a failed one"
    own = [index(f"o_{n}", "y", table=leaf) for n, leaf in enumerate(leaves[:3])]
    assert said(top, *parts, *own, relations=relations) == [("index_on_partitions", "o_0")]


def test_foreign_keys_are_served_by_a_prefix_in_any_order_or_a_selective_first_column() -> None:
    key = ForeignKey("k", T, ("a", "b"), ROOM, ("x", "y"), ("int", "int"), ("int", "int"))
    lacking = [("foreign_key_unindexed", "k")]
    few, many = Column(0.0, 3.0), Column(0.0, -0.5)
    relations = [Relation(T, T, rows=10_000)]
    for columns, known, expected in (
        ("b, a, c", None, []),
        ("c, a, b", many, lacking),
        ("a", None, []),
        ("a", few, lacking),
        ("a", many, []),
    ):
        stats = {(T, "a"): known} if known else {}
        found = said(index("i", columns), foreign_keys=[key], relations=relations, columns=stats)
        assert found == expected, columns
    one = replace(key, columns=("a",), referenced_columns=("x",), types=("int",), referenced_types=("int",))
    assert said(index("i", "a", tail=" WHERE (a IS NOT NULL)"), foreign_keys=[one]) == []
    assert said(index("i", "a", tail=" WHERE (a > 5)"), foreign_keys=[one]) == lacking
    assert said(index("i", "a", valid=False), foreign_keys=[one])[-1:] == lacking


def test_what_partitions_have_of_their_own_is_one_thing_to_act_on() -> None:
    leaves = [T.sibling(f"t_{n}") for n in range(50)]
    relations = [Relation(T, T, "p"), *(Relation(leaf, T) for leaf in leaves)]
    top = index("i", "room", kind="I")
    parts = [index(f"i_{n}", "room", table=leaf, parent=top.name) for n, leaf in enumerate(leaves)]
    of = ("room",), ROOM, ("id",), ("bigint",), ("bigint",)
    keys = [ForeignKey("k", leaf, *of) for leaf in leaves]
    assert said(relations=relations, foreign_keys=keys) == [("foreign_key_unindexed", "k")]
    assert said(top, *parts, relations=relations, foreign_keys=keys, server=LONG_AGO) == []
    checks = [NotValid("c", leaf, "c") for leaf in leaves]
    (finding,) = examine(Observed(relations, not_valid=checks))
    assert (finding.table, finding.repair.call.count("op.validate_constraint(")) == (T, 50)
    own = [index(f"o_{n}", "room", table=leaf) for n, leaf in enumerate(leaves)]
    (finding,) = examine(Observed(relations, [top, *parts, *own], foreign_keys=keys))
    assert (finding.code, finding.repair.call.count("op.drop_index_concurrently(")) == ("index_duplicate", 50)


def test_what_concerns_the_server() -> None:
    server = Server(
        sessions=(
            Session(1, "idle in transaction", 700, "app"),
            Session(2, "waiting", 61, "app", (1,)),
            Session(3, "query", 3601, "report"),
            Session(4, "query", 10, "app"),
            Session(5, "waiting", 3, "app", (1,)),
        ),
        prepared=(("g'id", 4000.0), ("young", 3.0)),
        slots=(("lost", "lost", 0), ("kept", "reserved", 1 << 30), ("new", "reserved", 5)),
        settings=(("autovacuum", "off", "configuration file"),),
        extensions=(("pg_trgm", "1.3", "1.6"),),
        connections=95,
    )
    found = examine(Observed(server=server))
    assert {(one.code, one.object) for one in found} == {
        ("session_waits", "1"),
        ("query_long", "3"),
        ("transaction_prepared", "g'id"),
        ("slot_lost", "lost"),
        ("slot_unused", "kept"),
        ("setting_unsafe", "autovacuum"),
        ("extension_old", "pg_trgm"),
        ("connections_near_limit", "max_connections"),
    }
    assert "ROLLBACK PREPARED 'g''id';" in report.text(found)
    assert examine(Observed([Relation(T, T)], server=server), [T]) == [], "who names tables asks of those"


def test_numbers_that_end_and_rows_that_are_not_frozen() -> None:
    numbers = [
        Numbers(T.sibling("small"), 1_900_000_000, 2**31 - 1, 2**63 - 1, T, "id", "integer"),
        Numbers(T.sibling("young"), 1_000_000_000, 2**31 - 1, 2**31 - 1, T, "id", "integer"),
        Numbers(T.sibling("big"), 1_900_000_000, 2**63 - 1, 2**63 - 1, T, "id", "bigint"),
    ]
    assert said(sequences=numbers) == [("sequence_near_end", "small")]
    part = T.sibling("t_1")
    old = [Relation(T, T, "p"), Relation(part, T, xid_age=300_000_000), Relation(T.sibling("t_2"), T, xid_age=100)]
    assert said(relations=old) == [("freeze_behind", "")]
    assert said(relations=[replace(old[1], root=part, xid_age=1_600_000_000)]) == [("wraparound", "")]
    assert said(relations=[Relation(T, T, xid_age=200_000_001)]) == [], "that is autovacuum's to do"


def test_a_partitioned_table_is_compared_with_its_partitions() -> None:
    def of(known: float, *leaves: float) -> list[tuple[str, str]]:
        relations = [Relation(T, T, "p", known, analyzed=known >= 0)]
        return said(relations=relations + [Relation(T.sibling(f"t{n}"), T, "r", n) for n in leaves])

    assert of(-1, 2000) == [("statistics_missing", "")]
    assert of(1000, 3000) == [("statistics_stale", "")]
    assert of(1500, 2000) == of(-1, 10) == of(3000, 1400, 1500) == []


def test_labels_of_prometheus_are_bounded_by_the_codes() -> None:
    found = examine(Observed([Relation(T, T)], [index("a", "x"), index("b", "x")]))
    written = report.metrics(found, 0, NOW)
    samples = [line for line in written.splitlines() if line.startswith("schema_kit_health_findings{")]
    assert len(samples) == len(CODES)
    assert 'schema_kit_health_findings{code="index_duplicate",severity="due"} 1' in samples
