"""Findings, from nouns alone; a healthy set has none."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from schema_kit.cli.partitions import COMMANDS
from schema_kit.errors import PlanError
from schema_kit.model import (
    ArchivePolicy,
    Column,
    DefaultRows,
    Drift,
    Leftover,
    Partition,
    Partitioning,
    Range,
    Retired,
    ShardDifference,
    Stray,
    Table,
    Watched,
)
from schema_kit.names import QualifiedName, literal
from schema_kit.ops.operation import OPERATIONS
from schema_kit.plans.check import CODES, Finding, Severity, examine, no_policy
from schema_kit.plans.leftovers import finding
from schema_kit.plans.metrics import HELP, metrics
from schema_kit.server import Server
from tests.support.shapes import AWARE, NOW, name

pytestmark = pytest.mark.partitions

EVENTS = name("public.events")
POLICY = Partitioning(EVENTS, "created_at", "1 month", premake=2)
MONTHS = [f"2026-{month:02}-01" for month in range(6, 13)] + ["2027-01-01", "2027-02-01"]
HERE = NOW.replace(tzinfo=UTC)


def month(number: int) -> Partition:
    own = name(f"public.events_{MONTHS[number][:7].replace('-', '')}")
    return Partition(own, f"{MONTHS[number]} 00:00:00+00", f"{MONTHS[number + 1]} 00:00:00+00")


DEFAULT = Partition(name("public.events_default"), None, None, default=True)
TABLE = Table(
    EVENTS,
    (Column("created_at", AWARE, not_null=True),),
    partitioned_by=("created_at",),
    partition_strategy="r",
    partitions=tuple(month(number) for number in range(8)),
)
HEALTHY = Watched(POLICY, EVENTS, TABLE, HERE)


def without(*numbers: int) -> Table:
    return replace(TABLE, partitions=tuple(month(number) for number in range(8) if number not in numbers))


def drift(kind: str, object_: str = "thing", detail: str = "", parent: QualifiedName | None = EVENTS) -> Watched:
    return replace(HEALTHY, drift=(Drift(kind, month(0).name, object_, parent, detail),))


def window(low: str, high: str) -> Any:
    return Range(datetime.fromisoformat(low + "T00:00:00+00:00"), datetime.fromisoformat(high + "T00:00:00+00:00"))


FILLED = replace(HEALTHY, table=replace(TABLE, partitions=(*TABLE.partitions, DEFAULT)))
SICK: dict[str, list[Watched]] = {
    "unseen": [replace(HEALTHY, unseen=("somebody holds it",)), Watched(POLICY, EVENTS, unseen=("no right",))],
    "policy_unreadable": [
        replace(HEALTHY, policy=replace(POLICY, interval="fortnight")),
        replace(HEALTHY, policy=replace(POLICY, timezone="Mars/Base")),
        replace(HEALTHY, policy=replace(POLICY, premake=10**6)),
        replace(HEALTHY, table=replace(TABLE, columns=(Column("created_at", "jsonb", True),))),
    ],
    "table_missing": [replace(HEALTHY, table=None, here=None)],
    "key_differs": [
        replace(HEALTHY, table=replace(TABLE, partitioned_by=("id",))),
        replace(HEALTHY, table=replace(TABLE, partitioned_by=("created_at", "id"))),
        replace(HEALTHY, table=replace(TABLE, partition_strategy="h")),
        replace(HEALTHY, table=replace(TABLE, partition_strategy="", partitioned_by=(), partitions=())),
    ],
    "current_missing": [replace(HEALTHY, table=without(5)), replace(HEALTHY, table=without(5, 6, 7))],
    "ahead_missing": [replace(HEALTHY, table=without(7)), replace(HEALTHY, table=replace(TABLE, partitions=()))],
    "gap": [replace(HEALTHY, table=without(2, 3)), replace(HEALTHY, table=without(1, 4))],
    "off_grid": [
        replace(
            HEALTHY,
            table=replace(
                TABLE,
                partitions=(
                    Partition(name("public.odd"), "2026-01-05 00:00:00+00", "2026-01-20 00:00:00+00"),
                    *(month(number) for number in range(8)),
                ),
            ),
        )
    ],
    "off_grid_ahead": [replace(HEALTHY, policy=replace(POLICY, timezone="Asia/Bangkok"))],
    "interval_differs": [
        replace(
            HEALTHY,
            table=replace(
                without(6, 7),
                partitions=(
                    *without(6, 7).partitions,
                    Partition(name("public.wide"), "2026-12-01 00:00:00+00", "2027-03-01 00:00:00+00"),
                ),
            ),
        )
    ],
    "retired_due": [
        replace(
            HEALTHY,
            policy=replace(POLICY, retention_keep_table=False),
            retired=(Retired(name("public.events_old"), EVENTS, True, HERE.replace(month=1)),),
            now=HERE,
        ),
        replace(
            HEALTHY,
            policy=replace(POLICY, retention_schema="archive"),
            retired=(Retired(name("public.events_old"), EVENTS, True, HERE),),
            now=HERE,
        ),
    ],
    "retired_unlike": [
        replace(
            HEALTHY,
            retired=(
                Retired(
                    name("public.events_old"), EVENTS, True, HERE, there=False, doubt="it holds rows outside of it"
                ),
            ),
        )
    ],
    "control_nullable": [replace(HEALTHY, table=replace(TABLE, columns=(Column("created_at", AWARE),)))],
    "default_rows": [
        replace(FILLED, default=DefaultRows(True, (window("2020-01-01", "2020-02-01"),), estimate=7)),
        replace(FILLED, default=DefaultRows(True, (), more=True)),
    ],
    "default_strays": [
        replace(
            FILLED, default=DefaultRows(True, (), strays=(Stray(1, "2099-01-01", "2099-01-01", ">= '2027-02-01'"),))
        )
    ],
    "gap_wide": [
        replace(
            FILLED,
            default=DefaultRows(False),
            table=replace(
                TABLE,
                partitions=(
                    Partition(name("public.early"), None, "2020-01-01 00:00:00+00"),
                    *TABLE.partitions,
                    DEFAULT,
                ),
            ),
        )
    ],
    "default_unseen": [replace(FILLED, default=DefaultRows(None, estimate=9))],
    "detach_pending": [
        replace(
            HEALTHY,
            table=replace(TABLE, partitions=(replace(month(0), detach_pending=True), *TABLE.partitions[1:])),
        )
    ],
    "retention_overdue": [
        replace(HEALTHY, policy=replace(POLICY, retention="3 months")),
        replace(HEALTHY, policy=replace(POLICY, retention="31 days")),
    ],
    "archive_overdue": [
        replace(HEALTHY, archive=ArchivePolicy(EVENTS, name("public.old_events"), "31 days", "partition")),
    ],
    "archive_restored": [
        replace(
            HEALTHY,
            archive=ArchivePolicy(EVENTS, name("public.old_events"), "31 days", "partition"),
            restored=tuple(month(number).name for number in range(8)),
        ),
    ],
    "statistics_stale": [
        replace(HEALTHY, table=replace(TABLE, rows=160_000, held=17_458)),
        replace(HEALTHY, table=replace(TABLE, held=17_458), server=Server(150000)),
    ],
    "shard_differs": [
        replace(HEALTHY, shards=(ShardDifference(month(0).name, 102008, "worker:5432", ("index (body)",)),)),
        replace(HEALTHY, shards=(ShardDifference(month(0).name, 102008, "worker:5432", (), ("check",)),)),
    ],
    "index_missing": [drift("index missing", detail="btree (body)")],
    "index_invalid": [drift("index invalid", detail="its_own"), drift("index not whole", parent=None)],
    "index_leftover": [drift("index leftover", parent=None)],
    "constraint_missing": [drift("constraint missing")],
    "constraint_not_valid": [drift("constraint not valid", parent=None)],
    "not_null_missing": [drift("not null")],
    "trigger_differs": [drift("trigger", detail="OD"), drift("trigger", detail="O"), drift("trigger", detail="AO")],
    "default_differs": [drift("default", detail="now()"), drift("default")],
    "generated_differs": [drift("generated", detail="(n * 2)")],
}


LEFT = {
    "bound_left": [Leftover("bound", EVENTS, EVENTS)],
    "cold_unfinished": [Leftover("cold", month(0).name, EVENTS)],
    "archive_missing": [Leftover("archive", name("public.gone"), EVENTS)],
    "copy_unfinished": [
        *(Leftover(kind, month(0).name, EVENTS, bytes=2**31) for kind in ("drain", "split", "convert")),
        Leftover("drain", DEFAULT.name, EVENTS, swapped=True),
    ],
    "emptied_left": [Leftover("emptied", month(0).name, EVENTS, children=(month(0).name, month(1).name))],
    "published_by_leaf": [Leftover("published", EVENTS, EVENTS, "p", 3, "public.events_202606", with_root=True)],
    "old_kept": [Leftover("kept", name("public.events__old"), EVENTS, bytes=2**31)],
}
"""What is found whatever sets there are."""


def test_a_healthy_set_has_no_findings() -> None:
    for healthy in (HEALTHY, replace(FILLED, default=DefaultRows(False)), replace(HEALTHY, here=HERE.replace(month=6))):
        examined = examine(healthy)
        assert examined.findings == ()
        assert (examined.missing, examined.gaps) == ((), ())
    backwards = (*TABLE.partitions[:0:-1], replace(month(0), lower=None))
    assert examine(replace(HEALTHY, table=replace(TABLE, partitions=backwards))).findings == ()


def examined(code: str) -> list[list[Finding]]:
    """The findings of each table that has one of that code."""
    return [[finding(one)] for one in LEFT.get(code, ())] + [
        list(examine(sick).findings) for sick in SICK.get(code, ())
    ]


@pytest.mark.parametrize("code", CODES)
def test_each_finding(code: str) -> None:
    assert examined(code)
    for findings in examined(code):
        found = {one.code: one for one in findings}
        assert code in found, list(found)
        sentence = found[code].sentence
        assert "events" in sentence or code.startswith("policy")
        assert "Nothing was changed" not in sentence
        assert found[code].severity is CODES[code]
        alone = {"current_missing", "off_grid_ahead", "ahead_missing", "unseen", "off_grid"}
        assert len(found) == 1 or code in alone, list(found)


@pytest.mark.parametrize("code", [code for code in CODES if CODES[code] is not Severity.NOTICE and code != "unseen"])
def test_what_is_due_comes_with_its_command(code: str) -> None:
    for findings in examined(code):
        (sentence,) = {one.sentence for one in findings if one.code == code}
        command = r"schema_kit [a-z]+ [a-z-]+ |(ALTER|ANALYZE|CREATE|DROP|UPDATE|DELETE) [^;]*;|op\.\w+\("
        assert re.search(command, sentence)


def test_commands_that_are_named_exist() -> None:
    named = set()
    for one in (one for code in CODES for findings in examined(code) for one in findings):
        named |= set(re.findall(r"schema_kit partitions ([a-z-]+)", one.sentence))
        for operation in re.findall(r"op\.(\w+)\(", one.sentence):
            assert operation in OPERATIONS
    used = {"convert", "create-next", "drain-default", "fill-gaps", "maintain", "retire", "split", "undo"}
    assert named == used <= set(COMMANDS)


def test_a_table_that_the_role_cannot_read_keeps_what_the_catalogs_say() -> None:
    blind = replace(HEALTHY, here=None, unseen=("no right",), table=without(2))
    assert [one.code for one in examine(blind).findings] == ["unseen", "gap"]


def test_what_was_retired_is_not_a_gap() -> None:
    policy = replace(POLICY, retention="3 months")
    first = replace(month(0), name=month(0).name.sibling("kept"))
    left = replace(TABLE, partitions=(first, *(month(number) for number in range(2, 8))))
    assert [one.code for one in examine(replace(HEALTHY, policy=policy, table=left)).findings] == ["retention_overdue"]
    gone = replace(left, partitions=(first, *left.partitions[2:]))
    assert [one.code for one in examine(replace(HEALTHY, table=gone)).findings] == ["gap"]


def test_narrower_partitions_that_hold_the_ranges_ahead_together_are_in_no_way() -> None:
    halves = [
        Partition(name(f"public.half{number}"), f"{low} 00:00:00+00", f"{high} 00:00:00+00")
        for number, (low, high) in enumerate([("2026-12-01", "2026-12-16"), ("2026-12-16", "2027-01-01")])
    ]
    whole = replace(TABLE, partitions=(*without(6).partitions, *halves))
    assert [one.code for one in examine(replace(HEALTHY, table=whole)).findings] == ["off_grid"]
    half = replace(whole, partitions=whole.partitions[:-1])
    assert [one.code for one in examine(replace(HEALTHY, table=half)).findings] == ["off_grid_ahead"]


def test_retention() -> None:
    policy = replace(POLICY, retention="3 months")
    (found,) = examine(replace(HEALTHY, policy=policy)).findings
    assert "2 partitions have outlived the retention of public.events (3 months), up to 2026-08-01: " in found.sentence
    assert (
        "public.events_202606, public.events_202607. Run schema_kit partitions retire public.events" in found.sentence
    )
    assert examine(replace(HEALTHY, policy=policy, table=without(0, 1))).findings == ()
    holes = replace(HEALTHY, policy=policy, table=without(1))
    assert [one.code for one in examine(holes).findings] == ["retention_overdue"], "what would go at once is no gap"
    (found,) = examine(replace(HEALTHY, policy=replace(POLICY, retention="3 days"))).findings
    assert (found.code, "shorter than a partition" in found.sentence) == ("policy_unreadable", True)


def test_retired_partitions_that_are_none_of_the_check_s_business() -> None:
    old = Retired(name("public.events_old"), EVENTS, True, HERE.replace(month=1))
    drop = replace(POLICY, retention_keep_table=False)
    for policy, retired in (
        (POLICY, old),
        (drop, replace(old, by_policy=False)),
        (drop, replace(old, there=False)),
        (drop, replace(old, since=HERE)),
        (replace(drop, retention_schema="public"), old),
    ):
        assert examine(replace(HEALTHY, policy=policy, retired=(retired,), now=HERE)).findings == ()


def test_the_gap_is_named_and_counted() -> None:
    (found,) = examine(replace(HEALTHY, table=without(1, 3, 4))).findings
    assert "3 ranges" in found.sentence
    assert "(2026-07-01 to 2026-08-01, 2026-09-01 to 2026-11-01)" in found.sentence
    far = Partition(name("public.far"), "0001-01-01 00:00:00+00", "0001-02-01 00:00:00+00")
    (found,) = examine(replace(HEALTHY, table=replace(TABLE, partitions=(far, *TABLE.partitions)))).findings
    assert "more than 1000 ranges" in found.sentence


def test_gaps_reach_to_the_current_range() -> None:
    stale = replace(HEALTHY, table=without(4, 5, 6, 7))
    assert [one.code for one in examine(stale).findings] == ["current_missing", "ahead_missing", "gap"]
    assert examine(stale).gaps == (window("2026-10-01", "2026-11-01"),)


def test_an_index_that_is_not_whole_because_a_partition_lacks_it_is_said_once() -> None:
    whole = Drift("index not whole", EVENTS, "thing")
    lacks = Drift("index missing", month(0).name, "thing", EVENTS, "btree (body)")
    assert [one.code for one in examine(replace(HEALTHY, drift=(whole, lacks))).findings] == ["index_missing"]


def test_names_are_quoted_for_the_shell_and_for_sql() -> None:
    odd = QualifiedName("My Schema", 'it\'s "x"')
    sick = replace(HEALTHY, policy=replace(POLICY, parent=odd), registered=odd, table=replace(without(7), name=odd))
    (found,) = examine(sick).findings
    assert shlex.split(found.sentence.rpartition("Run ")[2])[-2:] == ["create-next", str(odd)]
    (found,) = examine(replace(sick, table=None)).findings
    assert found.sentence.endswith(f"WHERE parent_table = {literal(str(odd))};")


# Metrics


def parsed(text: str) -> dict[str, dict[str, float]]:
    """As promtool reads it: the format's own rules, line by line."""
    label = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
    assert text.endswith("\n")
    families: dict[str, dict[str, float]] = {}
    helped, current = set(), ""
    for line in text.removesuffix("\n").split("\n"):
        if match := re.fullmatch(r"# HELP ([a-z_:][a-z0-9_:]*) [^\n]+", line):
            assert match[1] not in helped, "HELP once, before the samples"
            helped.add(match[1])
            current = ""
        elif match := re.fullmatch(r"# TYPE ([a-z_:][a-z0-9_:]*) gauge", line):
            assert match[1] in helped
            assert match[1] not in families
            current, families[match[1]] = match[1], {}
        else:
            number = r"-?[0-9.]+(?:e[+-]?[0-9]+)?"
            match = re.fullmatch(rf"([a-z_:][a-z0-9_:]*)(?:\{{({label}(?:,{label})*)\}})? ({number})", line)
            assert match, line
            assert match[1] == current, "the samples of a family stand together"
            assert match[2] not in families[current], "each once"
            families[current][match[2] or ""] = float(match[3])
    assert all(families.values())
    return families


def test_metrics_are_what_the_textfile_collector_reads() -> None:
    odd = QualifiedName("a\\b", 'say "hi"')
    sets = [HEALTHY, FILLED, *(sick for several in SICK.values() for sick in several)]
    sets = [
        replace(one, policy=replace(one.policy, parent=odd if not number else name(f"public.t{number}")))
        for number, one in enumerate(sets)
    ]
    examined = [examine(one) for one in sets]
    findings = [finding for one in examined for finding in one.findings]
    text = metrics(examined, findings, NOW)
    families = parsed(text)
    assert text == metrics(examined, findings, NOW)
    assert set(families) <= set(HELP)
    assert families["schema_kit_check_timestamp_seconds"] == {"": NOW.timestamp()}
    assert families["schema_kit_check_sets"] == {"": len(sets)}
    healthy = 'set="\\"a\\\\b\\".\\"say \\"\\"hi\\"\\"\\""'
    assert families["schema_kit_partitions_present"][healthy] == 8
    assert families["schema_kit_partitions_premade"][healthy] == 2
    assert families["schema_kit_partitions_missing"][healthy] == 0
    assert families["schema_kit_partitions_current"][healthy] == 1
    assert families["schema_kit_partitions_work_due"][healthy] == 0
    span = window("2026-06-01", "2027-02-01")
    assert families["schema_kit_partitions_oldest_bound_timestamp_seconds"][healthy] == span.lower.timestamp()
    assert families["schema_kit_partitions_newest_bound_timestamp_seconds"][healthy] == span.upper.timestamp()
    assert sum(families["schema_kit_partitions_findings"].values()) == len(findings)


def test_figures_of_tables_by_ids_and_by_a_wall_clock() -> None:
    ids = Watched(
        Partitioning(EVENTS, "id", "1000", premake=1),
        EVENTS,
        Table(
            EVENTS,
            (Column("id", "bigint", True),),
            ("id",),
            "r",
            partitions=(Partition(name("public.p0"), "0", "1000"), Partition(name("public.p1"), "1000", "2000")),
        ),
        here=5,
    )
    families = parsed(metrics([examine(ids)], [], NOW))
    assert families["schema_kit_partitions_oldest_bound_id"] == {'set="public.events"': 0}
    assert families["schema_kit_partitions_newest_bound_id"] == {'set="public.events"': 2000}
    dates = replace(
        HEALTHY,
        policy=replace(POLICY, timezone="Asia/Bangkok"),
        table=replace(
            TABLE,
            columns=(Column("created_at", "date", True),),
            partitions=(Partition(name("public.d"), "2026-11-01", "2026-12-01"),),
        ),
    )
    newest = parsed(metrics([examine(dates)], [], NOW))["schema_kit_partitions_newest_bound_timestamp_seconds"]
    assert newest == {'set="public.events"': datetime(2026, 11, 30, 17, tzinfo=UTC).timestamp()}, "midnight in Bangkok"


def test_a_row_that_is_not_a_policy() -> None:
    finding = no_policy("a.b.c", PlanError("it's odd."))
    assert isinstance(finding, Finding)
    assert (finding.code, finding.severity) == ("policy_unreadable", Severity.BROKEN)
    assert "WHERE parent_table = 'a.b.c';" in finding.sentence
