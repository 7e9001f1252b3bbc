"""Plans as scripts that a person can read: ``GOLDEN=write pytest tests/pure/test_golden.py`` writes them anew."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from schema_kit.marks import BACK_TRIGGER
from schema_kit.model import (
    ArchiveFile,
    ArchivePolicy,
    Attaching,
    BaselineTable,
    Column,
    Conversion,
    CopyCount,
    Copying,
    CopyLimits,
    CopyRun,
    Cut,
    DeclaredArchive,
    Detaching,
    Emptied,
    ForeignKey,
    Grant,
    Index,
    IndexElement,
    KeyColumn,
    LeavingTable,
    Partition,
    Partitioning,
    Range,
    Relation,
    Stored,
    Table,
    TimeToLive,
    Told,
    Trigger,
    View,
)
from schema_kit.model.grid import grid
from schema_kit.names import QualifiedName
from schema_kit.plans import (
    adoption,
    archives,
    attachment,
    baseline,
    conversion,
    copied_table,
    copying,
    creation,
    indexes,
    move_partition,
    partitions,
    policies,
    retirement,
    rollback,
    rows,
    ttl,
    unpartition,
)
from schema_kit.plans.creation import DeclaredSet
from schema_kit.plans.files import register
from schema_kit.plans.rows import Leaving
from schema_kit.script import LockPolicy, write
from schema_kit.server import Server
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan
from schema_kit.steps.archives import KeepRestored, Route
from schema_kit.steps.conversion import BuildParent, Swap, fingerprint, key_index_name
from schema_kit.steps.copied_table import SwapTable
from schema_kit.steps.copy_swap import SwapCopy
from schema_kit.steps.copying import BeginCopy
from schema_kit.steps.files import AttachLoaded, DropLoaded, KeepLoaded, LoadFile, MergeFile, RecordRestored
from schema_kit.steps.indexes import RenameIndexes
from schema_kit.steps.rollback import BeginReturn, SwapBack
from schema_kit.steps.unpartition import Unswap
from schema_kit.storage import COPY_CHUNK, COPY_RUN, COPY_TARGET, RETIRED_PARTITION, SCRIPTS
from tests.support.shapes import (
    AWARE,
    CHAT_KEY,
    MESSAGES,
    NOW,
    REACTION_KEY,
    after_conversion_step,
    after_index_step,
    bound_check,
    index_declaration,
    name,
    referring,
    rich,
    simple,
    tree,
)

pytestmark = pytest.mark.steps

GOLDEN = Path(__file__).parents[1] / "golden"
CASES: dict[str, Callable[[], Plan]] = {}

MONTHLY = Partitioning(MESSAGES, "created_at", "1 month", "Asia/Bangkok", premake=2)
EVENTS = Partitioning(name("public.events"), "created_at", "1 month", premake=2)


def case(make: Callable[[], Plan]) -> Callable[[], Plan]:
    CASES[make.__name__] = make
    return make


# Indexes


@case
def index_fresh() -> Plan:
    """A new index."""
    return indexes.create_index(index_declaration(), [plain()])


@case
def index_with_every_clause() -> Plan:
    """All that an index can say."""
    declared = replace(
        index_declaration(),
        elements=(IndexElement('lower("text") COLLATE "C"'), IndexElement('"text"', '"public"."gin_trgm_ops"')),
        unique=True,
        using="gin",
        include=("Chat", "id"),
        nulls_not_distinct=True,
        with_=(("fillfactor", "90"), ("deduplicate_items", "off")),
        tablespace="fast disk",
        where="\"text\" <> ';'",
    )
    return indexes.create_index(declared, [plain()])


@case
def index_invalid_leftover() -> Plan:
    """A killed build has left an INVALID index."""
    return indexes.create_index(index_declaration(), [plain(Index("ix_messages_chat", "", valid=False))])


@case
def index_already_there() -> Plan:
    """Nothing to do."""
    return indexes.create_index(index_declaration(), [plain(Index("ix_messages_chat", ""))])


@case
def index_being_built_by_another() -> Plan:
    """It is waited for, and what is to be done is decided again."""
    return indexes.create_index(index_declaration(), [plain(Index("ix_messages_chat", "", valid=False, building=True))])


@case
def index_partitioned_fresh() -> Plan:
    """Partitions of partitions."""
    return indexes.create_index(index_declaration(), tree())


@case
def index_partitioned_half_done() -> Plan:
    """Killed while the second leaf was built."""
    relations = tree()
    for step in indexes.create_index(index_declaration(), relations).steps:
        relations = after_index_step(relations, step)
        if step.summary.endswith("messages_2025_b concurrently"):
            break
    killed = replace(relations[4], indexes=tuple(replace(index, valid=False) for index in relations[4].indexes))
    assert killed.indexes
    return indexes.create_index(index_declaration(), (*relations[:4], killed))


@case
def index_partitioned_children_attached_parent_invalid() -> Plan:
    """A child that was INVALID when it was attached was mended since."""
    relations = tree()
    for step in indexes.create_index(index_declaration(), relations).steps:
        relations = after_index_step(relations, step)
    root = relations[0]
    broken = replace(root, indexes=tuple(replace(index, valid=False) for index in root.indexes))
    return indexes.create_index(index_declaration(), (broken, *relations[1:]))


@case
def index_partitioned_attached_leaf_invalid() -> Plan:
    """PostgreSQL drops no attached index alone, so it is built again in its place."""
    relations = tree()
    for step in indexes.create_index(index_declaration(), relations).steps:
        relations = after_index_step(relations, step)
    broken = [replace(relations[2], indexes=tuple(replace(index, valid=False) for index in relations[2].indexes))]
    root = replace(relations[0], indexes=tuple(replace(index, valid=False) for index in relations[0].indexes))
    return indexes.create_index(index_declaration(), (root, relations[1], *broken, *relations[3:]))


@case
def index_partitioned_already_there() -> Plan:
    """Nothing to do."""
    relations = tree()
    for step in indexes.create_index(index_declaration(), relations).steps:
        relations = after_index_step(relations, step)
    return indexes.create_index(index_declaration(), relations)


@case
def drop_index_plain() -> Plan:
    """Concurrently."""
    return indexes.drop_index(name("bots.ix_messages_chat"), [plain(Index("ix_messages_chat", ""))])


@case
def drop_index_partitioned() -> Plan:
    """PostgreSQL knows no concurrent way."""
    return indexes.drop_index(name("bots.ix_messages_chat"), tree(Index("ix_messages_chat", "")))


@case
def drop_index_that_is_gone() -> Plan:
    """Nothing to do."""
    return indexes.drop_index(name("bots.ix_messages_chat"), [plain()])


@case
def replace_index_plain() -> Plan:
    """The index is there with one column; its comment goes over."""
    old = Index("ix_messages_chat", "btree (chat_id)", comment="the inbox")
    return indexes.replace_index(index_declaration(), [plain(old)], "btree (chat_id, created_at DESC)")


@case
def replace_index_partitioned() -> Plan:
    """The parts change names too, those that PostgreSQL has named itself as well."""
    relations = tree(Index("ix_messages_chat", "btree (chat_id)"))
    part = Index("messages_2026_chat_id_idx", "btree (chat_id)", parent=name("bots.ix_messages_chat"))
    relations = tuple(
        replace(one, indexes=(part,)) if one.name == name("bots.messages_2026") else one for one in relations
    )
    return indexes.replace_index(index_declaration(), relations, "btree (chat_id, created_at DESC)")


@case
def reindex_index_with_leftovers() -> Plan:
    """An earlier try was killed, and the index itself is INVALID."""
    found = [Index(f"ix_messages_chat{end}", "", valid=False) for end in ("", "_ccnew", "_ccold1")]
    return indexes.reindex_index(name("bots.ix_messages_chat"), [plain(*found)])


@case
def reindex_table_partitioned() -> Plan:
    """Each partition by itself; the TOAST table of one has a leftover."""
    toast = [(name("pg_toast.pg_toast_1_index_ccnew"), name("pg_toast.pg_toast_1"))]
    return indexes.reindex_table(MESSAGES, tree(), toast)


# Partitions kept ahead of the clock


@case
def next_nothing_there() -> Plan:
    """The current month and two ahead."""
    return partitions.create_next(EVENTS, partitioned(), NOW)


@case
def next_partly_there() -> Plan:
    """One is there under a name of its own: it is known by its bounds."""
    whatever = month("whatever", "2026-12-01", "2027-01-01")
    return partitions.create_next(EVENTS, replace(partitioned(), partitions=(whatever,)), NOW)


@case
def next_nothing_to_do() -> Plan:
    """One partition reaches over all that is asked for."""
    wide = Partition(name("public.events_before"), None, "2027-02-01 00:00:00+00")
    return partitions.create_next(EVENTS, replace(partitioned(), partitions=(wide,)), NOW)


@case
def next_empty_default() -> Plan:
    """The default partition is locked, since PostgreSQL looks through it."""
    default = Partition(name("public.events_default"), None, None, default=True)
    return partitions.create_next(replace(EVENTS, premake=1), replace(partitioned(), partitions=(default,)), NOW)


@case
def next_filled_default() -> Plan:
    """A validated CHECK spares the scan of the default partition under ACCESS EXCLUSIVE."""
    default = Partition(name("public.events_default"), None, None, default=True)
    table = replace(partitioned(), partitions=(default,))
    return partitions.create_next(replace(EVENTS, premake=1), table, NOW, simple("public.events_default"))


@case
def next_filled_default_half_done() -> Plan:
    """The first month's check is there and not validated, the second one's is validated."""
    default = Partition(name("public.events_default"), None, None, default=True)
    checks = (
        ("events_p20261101_not_here", "CHECK (...) NOT VALID", False),
        ("events_p20261201_not_here", "CHECK (...)", True),
    )
    return partitions.create_next(
        replace(EVENTS, premake=1),
        replace(partitioned(), partitions=(default,)),
        NOW,
        replace(simple("public.events_default"), checks=checks),
    )


@case
def next_bangkok_months() -> Plan:
    """Midnight in Bangkok; foreign keys, storage parameters and the owner as the table has them."""
    table = replace(rich(), partition_strategy="r", partitioned_by=("created_at",), primary_key=("id", "created_at"))
    return partitions.create_next(MONTHLY, table, NOW)


@case
def next_days_where_midnight_is_skipped() -> Plan:
    """Cairo, 24 April 2026: the day begins at one o'clock."""
    policy = replace(EVENTS, interval="1 day", timezone="Africa/Cairo")
    return partitions.create_next(policy, partitioned(), NOW.replace(month=4, day=23))


@case
def next_dates_by_week() -> Plan:
    """A date column."""
    return partitions.create_next(replace(EVENTS, interval="week"), partitioned("date"), NOW)


@case
def next_timestamps_by_quarter() -> Plan:
    """A column without a time zone holds Bangkok's wall clock."""
    policy = replace(EVENTS, interval="quarter", timezone="Asia/Bangkok", premake=1)
    return partitions.create_next(policy, partitioned("timestamp without time zone"), NOW)


# A plain table becomes partitioned


@case
def convert_simple() -> Plan:
    """Nothing belongs to it."""
    return conversion.convert(EVENTS, Conversion(simple(), NOW), "refuse")


@case
def convert_rich_composite() -> Plan:
    """Everything belongs to it, and another table refers to it."""
    return conversion.convert(MONTHLY, rich_seen(), "composite")


@case
def convert_rich_drop() -> Plan:
    """The foreign key of the other table goes."""
    return conversion.convert(MONTHLY, rich_seen(), "drop")


@case
def convert_names_that_need_quotes() -> Plan:
    """Capitals, spaces, quotes, Thai, a name as long as names can be."""
    own = QualifiedName('Chat "Bot"', "ข้อความ" + "x" * 42)
    table = replace(
        simple(),
        name=own,
        columns=(Column("Id", "bigint", not_null=True), Column("Created At", AWARE, not_null=True)),
        primary_key=("Id",),
        indexes=(Index("it's", 'btree ("Id")', ("Id",), unique=True, primary=True, constraint='PRIMARY KEY ("Id")'),),
        comment="it's a \\ comment",
    )
    policy = Partitioning(own, "Created At", "1 month", premake=1)
    return conversion.convert(policy, Conversion(table, NOW, has_config=Stored.CURRENT), "refuse")


@case
def convert_bound_too_near() -> Plan:
    """The check of an earlier try ends in less than a day: a later one takes its place, and the parent goes too."""
    daily = replace(EVENTS, interval="1 day")
    table = replace(simple(), checks=(bound_check(daily, simple(), "2026-11-23 00:00:00+00"),))
    built = replace(
        Table(name("public.events__new"), table.columns),
        partitioned_by=("created_at",),
        partition_strategy="r",
        comment=fingerprint(table),
        partitions=(month("events_p20261123", "2026-11-23", "2026-11-24"),),
    )
    return conversion.convert(daily, Conversion(table, NOW, built=built, has_config=Stored.CURRENT), "refuse")


@case
def convert_bound_of_another_interval() -> Plan:
    """The check of an earlier try is no boundary of a month."""
    table = replace(simple(), checks=(bound_check(EVENTS, simple(), "2026-12-07 00:00:00+00"),))
    return conversion.convert(EVENTS, Conversion(table, NOW, has_config=Stored.CURRENT), "refuse")


@case
def convert_bound_not_validated() -> Plan:
    """Killed before VALIDATE."""
    table = replace(simple(), checks=(bound_check(EVENTS, simple(), "2027-01-01 00:00:00+00", validated=False),))
    return conversion.convert(EVENTS, Conversion(table, NOW, has_config=Stored.CURRENT), "refuse")


@case
def convert_rows_ahead_of_the_clock() -> Plan:
    """The first partition ends after the greatest key."""
    seen = Conversion(simple(), NOW, latest=NOW + timedelta(days=30), has_config=Stored.CURRENT)
    return conversion.convert(EVENTS, seen, "refuse")


@case
def convert_built_from_an_older_shape() -> Plan:
    """The table got a column after its parent was built: the parent is dropped and built again."""
    seen = ready()
    table = replace(seen.table, columns=(*seen.table.columns, Column("mood", "text")))
    return conversion.convert(MONTHLY, replace(seen, table=table), "composite")


@case
def convert_built_by_another_key() -> Plan:
    """The parent of an earlier try is partitioned by another column."""
    table = simple()
    built = replace(
        Table(name("public.events__new"), table.columns),
        partitioned_by=("id",),
        partition_strategy="r",
        comment=fingerprint(table),
    )
    return conversion.convert(EVENTS, Conversion(table, NOW, built=built, has_config=Stored.CURRENT), "refuse")


@case
def convert_key_index_invalid() -> Plan:
    """Killed while the longer key's index was built."""
    table = simple()
    leftover = Index(
        key_index_name(table.name), "btree (id, created_at)", ("id", "created_at"), unique=True, valid=False
    )
    seen = Conversion(replace(table, indexes=(*table.indexes, leftover)), NOW, has_config=Stored.CURRENT)
    return conversion.convert(EVENTS, seen, "refuse")


@case
def convert_ready_to_swap() -> Plan:
    """Everything was prepared."""
    return conversion.convert(MONTHLY, ready(), "composite")


@case
def convert_already_done() -> Plan:
    """Nothing to do."""
    table = replace(simple(), partition_strategy="r", partitioned_by=("created_at",))
    return conversion.convert(EVENTS, Conversion(table, NOW, registered=EVENTS, has_config=Stored.CURRENT), "refuse")


@case
def convert_already_done_with_another_premake() -> Plan:
    """Nothing to do: a premake that somebody has changed since is theirs."""
    table = replace(simple(), partition_strategy="r", partitioned_by=("created_at",))
    seen = Conversion(table, NOW, registered=replace(EVENTS, premake=9), has_config=Stored.CURRENT)
    return conversion.convert(EVENTS, seen, "refuse")


@case
def convert_already_done_in_another_zone() -> Plan:
    """The policy's row is brought up to date, but for its premake."""
    table = replace(simple(), partition_strategy="r", partitioned_by=("created_at",))
    seen = Conversion(
        table, NOW, registered=replace(EVENTS, timezone="Asia/Bangkok", premake=9), has_config=Stored.CURRENT
    )
    return conversion.convert(EVENTS, seen, "refuse")


# And back


@case
def unpartition_rich() -> Plan:
    """The first partition becomes the table again; the other table goes back to the shorter key."""
    seen, heir = swapped()
    return unpartition.unpartition(MESSAGES, seen, heir, has_policy=True)


@case
def unpartition_key_index_there() -> Plan:
    """Killed after the shorter key's index was built."""
    seen, heir = swapped()
    index = Index(key_index_name(MESSAGES), "btree (id)", ("id",), unique=True)
    return unpartition.unpartition(MESSAGES, seen, replace(heir, indexes=(*heir.indexes, index)), has_policy=True)


@case
def unpartition_after_it_was_detached() -> Plan:
    """The first partition was out and came back: what proved its bounds goes, or no other row would fit."""
    seen, heir = swapped()
    check = "CHECK (((created_at IS NOT NULL) AND (created_at < '2026-12-01 00:00:00+00'::timestamp with time zone)))"
    checks = (("messages_created_at_check", check, True), ("messages__bounds", f"{check} NOT VALID", False))
    return unpartition.unpartition(MESSAGES, seen, replace(heir, checks=(*heir.checks, *checks)), has_policy=True)


@case
def unpartition_leaves_nothing_that_was_emptied() -> Plan:
    """Nobody sees rows any more in what held them."""
    emptied = Emptied((MESSAGES.sibling("messages_p20270101"),))
    return unpartition.unpartition(MESSAGES, Conversion(rich(), NOW, emptied=emptied), None, has_policy=False)


@case
def unpartition_already_done() -> Plan:
    """What an earlier try has left to do."""
    unproved = replace(REACTION_KEY, validated=False)
    seen = Conversion(replace(rich(), incoming=(unproved,)), NOW)
    return unpartition.unpartition(MESSAGES, seen, None, has_policy=True)


# What a pack stands on


@case
def baseline_missing() -> Plan:
    """Nothing is there."""
    declared = tables()
    return baseline.create_baseline(declared, dict.fromkeys(t.table.name for t in declared), ["public"], False)


@case
def baseline_partly_there() -> Plan:
    """One table is there in the same shape."""
    chats, messages = tables()
    seen = {chats.table.name: chats.table, messages.table.name: None}
    return baseline.create_baseline([chats, messages], seen, ["public", "bots"], True)


@case
def baseline_there() -> Plan:
    """A team has more columns and indexes: its own affair."""
    declared = tables()
    seen = {t.table.name: replace(t.table, columns=(*t.table.columns, Column("mine", "text"))) for t in declared}
    return baseline.create_baseline(declared, seen, ["bots"], True)


@case
def baseline_drop() -> Plan:
    """All of it was made here."""
    made = {
        "table": frozenset({"bots.chats", "bots.messages"}),
        "schema": frozenset({"bots"}),
        "extension": frozenset[str](),
    }
    return baseline.drop_baseline(tables(), made, (), {"bots": ()}, True, ledger_alone=True)


@case
def baseline_drop_only_what_was_made() -> Plan:
    """One table was there before; the schema holds it still, and an extension is left in the ledger."""
    made = {"table": frozenset({"bots.messages"}), "schema": frozenset({"bots"}), "extension": frozenset({"pg_trgm"})}
    return baseline.drop_baseline(tables(), made, (), {"bots": ()}, True, ledger_alone=True)


@case
def extension_missing() -> Plan:
    """With the list of what was made."""
    return baseline.create_extension("pg_trgm", installed=False, has_ledger=False)


@case
def extension_there() -> Plan:
    """Nothing to do."""
    return baseline.create_extension("pg_trgm", installed=True, has_ledger=False)


@case
def extension_drop() -> Plan:
    """Made here."""
    return baseline.drop_extension("pg_trgm", {"extension": frozenset({"pg_trgm"})}, ledger_alone=True)


@case
def extension_drop_of_another_s() -> Plan:
    """Nothing to do: it was there before."""
    return baseline.drop_extension("pg_trgm", {"extension": frozenset()}, ledger_alone=True)


# The shapes that these cases share

# Copies


@case
def drain_fresh() -> Plan:
    """Two windows, and the default partition made anew."""
    return copying.drain_default(EVENTS, copied(), CopyLimits())


@case
def drain_half_done() -> Plan:
    """Killed when one of the tables had its key: there is a lot in the log."""
    plan = copying.drain_default(EVENTS, copied(), CopyLimits())
    begun = next(step for step in plan.steps if isinstance(step, BeginCopy))
    targets = begun.copy.targets
    leaf = Relation(targets[0].built, tuple(index for index in partitioned().indexes if index.primary))
    run = CopyRun("drain", EVENTS.parent, "16400:16400:1", targets, cut=True)
    return copying.drain_default(
        EVENTS, replace(copied(), run=run, leaves=(leaf,), backlog=2001, has_tables=Stored.CURRENT), CopyLimits()
    )


@case
def drain_of_another_table() -> Plan:
    """The default partition was truncated meanwhile: all that was made goes, and it begins anew."""
    plan = copying.drain_default(EVENTS, copied(), CopyLimits())
    begun = next(step for step in plan.steps if isinstance(step, BeginCopy))
    run = CopyRun("drain", EVENTS.parent, "16400:16399:1", begun.copy.targets, cut=True)
    made = frozenset(target.built.name for target in begun.copy.targets)
    return copying.drain_default(
        EVENTS, replace(copied(), run=run, taken=made, has_tables=Stored.CURRENT), CopyLimits()
    )


@case
def drain_nothing_to_do() -> Plan:
    """No row in the default partition that has a window."""
    return copying.drain_default(EVENTS, replace(copied(), filled=()), CopyLimits())


@case
def convert_by_copy() -> Plan:
    """A rich table; what refers to it gets the key column."""
    seen, observed = plain_to_be_copied()
    return copied_table.convert(MONTHLY, seen, observed, "composite", CopyLimits(), keep_old=True)


@case
def convert_by_copy_and_feed_the_old_table() -> Plan:
    """So that there is a way back with all that was written since."""
    seen, observed = plain_to_be_copied()
    return copied_table.convert(MONTHLY, seen, observed, "drop", CopyLimits(), keep_old="fed")


@case
def way_back_to_the_plain_table() -> Plan:
    """A key that goes back to the id alone, a foreign key that the partitions have on their own still."""
    plain, seen, observed = copied_and_swapped()
    return rollback.roll_back(plain.name, seen, observed)


@case
def way_back_compared() -> Plan:
    """What is left when both were compared, with keys in the log."""
    plain, seen, observed = copied_and_swapped()
    assert observed.run is not None
    old = plain.name.sibling(f"{plain.name.name}__old")
    run = replace(observed.run, back_identity="1:2", counts=((old, CopyCount(5, "7", 5, "7")),))
    return rollback.roll_back(plain.name, seen, replace(observed, run=run, feed_backlog=2001))


@case
def way_back_given_up() -> Plan:
    """It was not fed before: what was begun goes."""
    _, seen, observed = copied_and_swapped()
    assert observed.run is not None
    return copied_table.abort(
        seen.table.name, seen, replace(observed, run=replace(observed.run, back_identity="1:2", fed=False))
    )


def two_months(policy: Partitioning) -> tuple[Range, ...]:
    return tuple(grid(policy, rich()).windows(NOW.replace(month=10), NOW))


def plain_to_be_copied() -> tuple[Conversion, Copying]:
    table = rich()
    observed = Copying(
        table,
        table,
        None,
        has_tables=Stored.CURRENT,
        key=(KeyColumn("id", "bigint"), KeyColumn("created_at", AWARE)),
        control=KeyColumn("created_at", AWARE),
        identity="16400:16400:1",
        filled=two_months(MONTHLY),
        server=Server(170000),
    )
    return Conversion(table, NOW, referring=(referring(REACTION_KEY),), has_config=Stored.CURRENT), observed


def copied_and_swapped() -> tuple[Table, Conversion, Copying]:
    """The rich table behind its swap: plain as it is kept, partitioned as it is seen."""
    seen, observed = plain_to_be_copied()
    plain = replace(seen.table, incoming=())
    plan = copied_table.convert(MONTHLY, seen, observed, "composite", CopyLimits(), keep_old="fed")
    begun = next(step for step in plan.steps if isinstance(step, BeginCopy))
    key = ("id", "created_at")
    longer = replace(REACTION_KEY, columns=(*REACTION_KEY.columns, "message_created_at"), referenced_columns=key)
    parent = replace(
        plain,
        partitioned_by=("created_at",),
        partition_strategy="r",
        primary_key=key,
        foreign_keys=(),
        incoming=(longer,),
        triggers=(*plain.triggers, Trigger(BACK_TRIGGER, "CREATE TRIGGER ...", "A")),
    )
    kept = replace(
        plain,
        name=plain.name.sibling(f"{plain.name.name}__old"),
        indexes=tuple(replace(index, name=f"{index.name}__old") for index in plain.indexes),
    )
    targets = begun.copy.targets
    leaves = (Relation(target.name, foreign_keys=plain.foreign_keys) for target in targets)
    run = CopyRun("convert", plain.name, "1:1", targets, cut=True, settled=True, swapped=True, fed=True)
    behind = replace(
        observed,
        parent=parent,
        source=parent,
        run=run,
        tree=(Relation(plain.name, partitioned=True), *leaves),
        kept=kept,
        taken=frozenset({f"{plain.name.name}__back"}),
        feeding=True,
        tree_identity="1:2",
    )
    other = replace(referring(REACTION_KEY), key=longer, column="message_created_at", has_column=True)
    return plain, replace(seen, table=parent, referring=(other,)), behind


@case
def split_beside_a_default() -> Plan:
    """A partition without a beginning, foreign keys both ways, up to PostgreSQL 17."""
    likes = ForeignKey(
        "likes_event_fkey",
        name("public.likes"),
        ("event", "at"),
        EVENTS.parent,
        ("id", "created_at"),
        "FOREIGN KEY (event, at) REFERENCES events(id, created_at)",
    )
    place = ForeignKey(
        "events_place_fkey",
        EVENTS.parent,
        ("place",),
        name("public.places"),
        ("id",),
        "FOREIGN KEY (place) REFERENCES places(id)",
    )
    before = Partition(name("public.events_before"), None, "2026-12-01 00:00:00+00")
    default = Partition(name("public.events_default"), None, None, default=True)
    parent = replace(
        partitioned(), partitions=(before, default), incoming=(likes,), foreign_keys=(place,), primary_key=("id",)
    )
    seen = replace(
        copied(),
        parent=parent,
        source=simple("public.events_before"),
        filled=two_months(EVENTS),
        has_tables=Stored.CURRENT,
        server=Server(170000),
    )
    return copying.split(EVENTS, before.name, seen, CopyLimits())


def copied() -> Copying:
    default = Partition(name("public.events_default"), None, None, default=True)
    indexes = tuple(
        replace(index, constraint="PRIMARY KEY (id, created_at)", columns=("id", "created_at"))
        if index.primary
        else index
        for index in partitioned().indexes
    )
    parent = replace(partitioned(), partitions=(default,), primary_key=("id", "created_at"), indexes=indexes)
    month = NOW.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Copying(
        parent,
        simple("public.events_default"),
        None,
        has_tables=Stored.MISSING,
        key=(KeyColumn("id", "bigint"), KeyColumn("created_at", AWARE)),
        control=KeyColumn("created_at", AWARE),
        identity="16400:16400:1",
        logging=True,
        filled=(Range(month.replace(month=9), month.replace(month=10)), Range(month, month.replace(month=12))),
    )


# Rows that leave


def _chat() -> dict[QualifiedName, LeavingTable]:
    """Sessions, threads and messages, the messages in partitions."""
    own = KeyColumn("id", "bigint")
    at = KeyColumn("at", AWARE, moment=True)
    sessions, threads, messages = (name(f"chat.{table}") for table in ("sessions", "threads", "Messages"))
    to_session = ForeignKey("threads_fkey", threads, ("session_id",), sessions, ("id",), "", on_delete="c")
    to_thread = ForeignKey("messages_fkey", messages, ("thread_id",), threads, ("id",), "", on_delete="r")
    return {
        sessions: LeavingTable(
            sessions,
            ("id", "expires_at"),
            (own,),
            ((own,), (KeyColumn("expires_at", AWARE, moment=True),)),
            incoming=(to_session,),
        ),
        threads: LeavingTable(
            threads, ("id", "session_id"), (own,), ((KeyColumn("session_id", "bigint"),),), incoming=(to_thread,)
        ),
        messages: LeavingTable(
            messages,
            ("id", "at", "thread_id"),
            (own, at),
            ((own, at), (KeyColumn("thread_id", "bigint"),)),
            generated=("words",),
            partitioned=True,
        ),
    }


@case
def rows_expire_with_their_tree() -> Plan:
    """Sessions have expired: messages go first, by the key of their partitioned table."""
    policy = TimeToLive(name("chat.sessions"), "expires_at", tree={"threads": {"Messages": {}}})
    return rows.remove(ttl.leaving(policy, _chat(), NOW, {}), _chat())


@case
def rows_are_archived_by_a_condition() -> Plan:
    """In the order of the primary key, and stamped."""
    messages, archive = name("chat.Messages"), name("old.messages")
    there = {**_chat(), archive: LeavingTable(archive, ("id", "at", "thread_id", "words", "archived_at"))}
    return rows.remove(Leaving(messages, "words > 0 -- told", archives={messages: archive}), there)


@case
def rows_come_back_with_their_tree() -> Plan:
    """Sessions first, then what hung on those that are there, from archives of their own."""
    goes = {table: table.sibling(f"{table.name}_archive") for table in _chat()}
    there = dict(_chat())
    there |= {archive: replace(there[table], name=archive, incoming=()) for table, archive in goes.items()}
    policy = ArchivePolicy(name("chat.sessions"), goes[name("chat.sessions")], "90 days", "rows", "expires_at")
    policy = replace(policy, tree='{"threads": {"Messages": {}}}')
    typed = replace(there[policy.table], types=(("id", "bigint"), ("expires_at", AWARE)))
    which = ("2026-01-01", "2026-02-01"), "id <> 7 -- told"
    one = ttl.restoring(policy, there | {policy.table: typed}, goes, *which)
    return Plan(one.title, (KeepRestored(policy.table, one.where), *rows.back(one, there)))


@case
def time_to_live_first() -> Plan:
    """A policy, and the table that holds it."""
    policy = TimeToLive(
        name("chat.sessions"), "expires_at", "90 days", "Asia/Bangkok", tree={"threads": {"Messages": {}}}
    )
    return ttl.set_policy(policy, None, _chat(), NOW)


@case
def time_to_live_there() -> Plan:
    """The policy is that already."""
    policy = TimeToLive(name("chat.sessions"), "expires_at", tree={"threads": {"Messages": {}}})
    return ttl.set_policy(policy, policy, _chat(), NOW)


@case
def time_to_live_dropped() -> Plan:
    """The last one goes with its table."""
    one, other = name("chat.sessions"), name("chat.threads")
    return ttl.drop_policy(one, [one, other]) + ttl.drop_policy(other, [other])


def plain(*own: Index) -> Relation:
    return Relation(MESSAGES, own)


def partitioned(kind: str = AWARE) -> Table:
    return replace(
        simple(kind=kind),
        partition_strategy="r",
        partitioned_by=("created_at",),
        primary_key=("id", "created_at"),
    )


def month(table: str, first: str, last: str) -> Partition:
    return Partition(QualifiedName("public", table), f"{first} 00:00:00+00", f"{last} 00:00:00+00")


def rich_seen() -> Conversion:
    return Conversion(rich(), NOW, referring=(referring(REACTION_KEY),))


def ready() -> Conversion:
    """Everything but the swap was done."""
    seen = rich_seen()
    for step in conversion.convert(MONTHLY, seen, "composite").steps:
        if isinstance(step, Swap):
            return seen
        seen = after_conversion_step(seen, step, MONTHLY)
    raise AssertionError


def swapped() -> tuple[Conversion, Table]:
    """What a conversion has left, and its first partition."""
    seen = rich_seen()
    for step in conversion.convert(MONTHLY, seen, "composite").steps:
        seen = after_conversion_step(seen, step, MONTHLY)
    first, *others = (partition.name for partition in seen.table.partitions)
    seen = replace(
        seen,
        table=replace(seen.table, incoming=tuple(other.key for other in seen.referring)),
        leaves=tuple((name, MESSAGES) for name in (first, *others)),
    )
    heir = replace(
        rich(),
        name=first,
        is_partition=True,
        triggers=(),
        incoming=(),
        views=(),
        policies=(),
        row_security=False,
        indexes=tuple(
            replace(index, name=f"{index.name}_before_20270101", parent=MESSAGES.sibling(index.name))
            for index in rich().indexes
        ),
    )
    return seen, heir


LOGINS = replace(
    simple("shop.logins"),
    name=name("shop.logins"),
    partition_strategy="r",
    partitioned_by=("created_at",),
    partitions=(),
)
HALVES = Cut("id", "HASH", tuple((f"_h{n}", f"FOR VALUES WITH (MODULUS 2, REMAINDER {n})") for n in range(2)))
NEW = DeclaredSet(
    LOGINS, ("CREATE TABLE shop.logins (...)",), Partitioning(LOGINS.name, "created_at", "1 mon", premake=1)
)
REGIONS = Cut("body", "LIST", (("_eu", "FOR VALUES IN ('de', 'fr')"), ("_default", "DEFAULT")))
BY_REGION = replace(LOGINS, partition_strategy="l", partitioned_by=("body",))


@case
def set_nothing_there() -> Plan:
    """The table alone; what comes next is decided once it is there."""
    return creation.create_set(NEW, None, {}, NOW, False, Stored.MISSING)


@case
def set_table_there() -> Plan:
    """Its partitions, cut by hash, a default one, the policy."""
    declared = replace(NEW, below=HALVES, default=True, options=("fillfactor=90",))
    return creation.create_set(declared, LOGINS, {}, NOW, False, Stored.CURRENT)


@case
def set_of_regions_half_done() -> Plan:
    """Ranges under a list: one part is there with its first partition."""
    declared = replace(NEW, table=BY_REGION, above=REGIONS)
    part = LOGINS.name.sibling("logins_eu")
    made = Partition(part.sibling("x"), "2026-11-01 00:00:00+00", "2026-12-01 00:00:00+00")
    there = {part: replace(LOGINS, name=part, partitions=(made,))}
    return creation.create_set(declared, BY_REGION, there, NOW, False, Stored.CURRENT)


@case
def set_already_there() -> Plan:
    """Nothing is missing, and the policy that was changed since stays."""
    made = tuple(
        Partition(name(f"shop.x{n}"), f"2026-{n}-01 00:00:00+00", "2026-12-01 00:00:00+00" if n == 11 else None)
        for n in (11, 12)
    )
    return creation.create_set(NEW, replace(LOGINS, partitions=made), {}, NOW, True, Stored.CURRENT)


@case
def policy_first() -> Plan:
    """No part_config yet; a partition of another width is past."""
    odd = Partition(name("shop.odd"), "2026-01-07 00:00:00+00", "2026-03-04 00:00:00+00")
    policy = policies.changed(LOGINS.name, None, {"control": "created_at", "interval": "month", "premake": None})
    return policies.set_policy(policy, None, ((policy, replace(LOGINS, partitions=(odd,)), NOW),), Stored.MISSING)


@case
def policy_changed() -> Plan:
    """Only what is given changes."""
    was = Partitioning(LOGINS.name, "created_at", "1 mon", "Asia/Bangkok", premake=9, origin="2026-02-05")
    policy = policies.changed(LOGINS.name, was, {"premake": 2, "origin": "", "encoding": None})
    return policies.set_policy(policy, was, ((policy, LOGINS, NOW),), Stored.CURRENT)


@case
def policy_there() -> Plan:
    """It is registered so."""
    was = Partitioning(LOGINS.name, "created_at", "1 mon")
    return policies.set_policy(policies.changed(LOGINS.name, was, {"interval": "1 month"}), was, (), Stored.CURRENT)


@case
def adopted_from_pg_partman() -> Plan:
    """A past partition lies on no grid; pg_partman's maintenance goes off."""
    odd = Partition(name("shop.odd"), "2026-01-07 00:00:00+00", "2026-03-04 00:00:00+00")
    month = Partition(name("shop.month"), "2026-11-01 00:00:00+00", "2026-12-01 00:00:00+00")
    table = replace(LOGINS, partitions=(odd, month))
    told = (Told(Partitioning(LOGINS.name, "created_at", "1 mon", premake=3), "it", name("partman.part_config"), True),)
    seen = adoption.read_bounds(LOGINS.name, "created_at", [table], {}, told, [("Etc/UTC", "the database's")])
    sets = [(seen.policy, table, NOW)]
    return adoption.adopt(seen, None, sets, Stored.CURRENT, (), told, take_over=True, leave_irregular=True)


@case
def policy_dropped() -> Plan:
    """The row goes."""
    return policies.drop_policy(LOGINS.name, registered=True)


def tables() -> tuple[BaselineTable, BaselineTable]:
    chats = Table(
        name("bots.chats"), (Column("id", "bigint", not_null=True), Column("title", "text")), primary_key=("id",)
    )
    messages = Table(
        MESSAGES,
        (Column("id", "bigint", not_null=True), Column("chat_id", "bigint", not_null=True)),
        primary_key=("id",),
        foreign_keys=(CHAT_KEY,),
    )
    return (
        BaselineTable(chats, ("CREATE TABLE bots.chats (id bigint PRIMARY KEY, title text)",)),
        BaselineTable(
            messages, ("CREATE TABLE bots.messages (id bigint PRIMARY KEY, chat_id bigint REFERENCES bots.chats)",)
        ),
    )


# The tests


def script(make: Callable[[], Plan]) -> str:
    plan = make()
    body = write(plan, LockPolicy()) or "-- nothing to do\n"
    for own in SCRIPTS.values():  # one line shows a table of schema_kit's own
        body = body.replace("".join(f"{statement};\n" for statement in load(own)), f"-- all of sql/{own}\n")
    return f"-- {plan.title}\n-- {make.__doc__}\n\n{body}"


# Out of a set, and into one

LEAVING = Detaching(
    MESSAGES,
    name("bots.messages_p20261001"),
    16400,
    MESSAGES,
    bounds="FOR VALUES FROM ('2026-09-30 17:00:00+00') TO ('2026-10-31 17:00:00+00')",
    referenced=(name("bots.chats"),),
    incoming=(name("bots.reactions"),),
    attached_by="733",
)


@case
def detach_with_foreign_keys() -> Plan:
    """Its locks have a share of the budget each."""
    return retirement.detach(MESSAGES, LEAVING.name, LEAVING)


@case
def detach_beside_a_default() -> Plan:
    """The blocking way, all locks at once."""
    beside = replace(LEAVING, default=name("bots.messages_default"), has_record=Stored.CURRENT)
    return retirement.detach(MESSAGES, LEAVING.name, beside)


@case
def drop_partition_that_is_detach_pending() -> Plan:
    """An earlier run was cut off between the two transactions of the detach."""
    pending = replace(LEAVING, pending=True, recorded=True, has_record=Stored.CURRENT)
    return retirement.drop(MESSAGES, LEAVING.name, pending)


@case
def drop_partition_that_is_detached() -> Plan:
    """Only the drop is left."""
    out = replace(LEAVING, attached_to=None, bounds="", recorded=True, has_record=Stored.CURRENT)
    return retirement.drop(MESSAGES, LEAVING.name, out)


@case
def drop_partition_that_is_gone() -> Plan:
    """Nothing to do."""
    return retirement.drop(MESSAGES, LEAVING.name, None)


@case
def file_registered_and_its_table_dropped() -> Plan:
    """Both in one commit, when they are sent."""
    out = replace(LEAVING, attached_to=None, bounds="", recorded=True, has_record=Stored.CURRENT)
    columns = (("id", "bigint", "int64", "00d1a1c0ffee0000"), ("body", "text", "text", "5c17a3d20e6f48b1"))
    bounds = "created_at", "2026-09-01 00:00:00+00", "2026-10-01 00:00:00+00"
    url, digest = "file:///srv/archive/it's.parquet", "9f" * 32
    file = ArchiveFile(url, out.name, 16400, MESSAGES, *bounds, "parquet", 31, 4299, digest, columns)
    return register(file, out)


@case
def attach_beside_a_filled_default() -> Plan:
    """Both are proved first."""
    default = simple("bots.messages_default")
    seen = Detaching(MESSAGES, name("bots.imported"), 16500, default=default.name)
    proof = '"created_at" IS NOT NULL AND "created_at" < \'2026-09-30 17:00:00+00\''
    wanted = Attaching(seen, "created_at", None, "2026-09-30 17:00:00+00", proof)
    parent = Relation(MESSAGES, (Index("messages_created_at_idx", "btree (created_at)", ("created_at",)),))
    return attachment.attach(wanted, [parent], [Relation(seen.name)], (), f"CHECK ({proof})", default)


# Archives

HOT = replace(LOGINS, grants=(Grant("SELECT", "reader"), Grant("INSERT", "writer")), default_grantees=("PUBLIC",))
OLD = HOT.name.sibling("logins_archive")
ARCHIVE = replace(HOT, name=OLD)
LOGINS_BY_MONTH = Partitioning(HOT.name, "created_at", "1 mon")
BY_PARTITION = ArchivePolicy(HOT.name, OLD, "90 days", "partition")


@case
def archive_nothing_there() -> Plan:
    """The archive, its row of part_config, and the view."""
    declared = DeclaredArchive(HOT.name, OLD, view=HOT.name.sibling("all_logins"), tablespace="slow", compression="lz4")
    return archives.create(declared, HOT, None, LOGINS_BY_MONTH, Stored.CURRENT)


@case
def archive_with_an_index_of_the_table_and_a_moment() -> Plan:
    """The primary key and one index."""
    index = Index("ix", "btree (body)", ("body",))
    table = replace(HOT, indexes=(index, *HOT.indexes))
    declared = DeclaredArchive(HOT.name, OLD, interval="1 year", indexes=("ix",), archived_at=True)
    return archives.create(declared, table, None, LOGINS_BY_MONTH, Stored.MISSING)


@case
def archive_there() -> Plan:
    """Nothing to do."""
    view = View(HOT.name.sibling("all_logins"), "me", "")
    hot, old = replace(HOT, views=(view,)), replace(ARCHIVE, views=(view,))
    return archives.create(DeclaredArchive(HOT.name, OLD, view=view.name), hot, old, LOGINS_BY_MONTH, Stored.CURRENT)


@case
def archive_dropped() -> Plan:
    """With its view and an empty partition."""
    tree = [Relation(OLD), Relation(OLD.sibling("old"))]
    return archives.drop(OLD, ARCHIVE, tree, (), False, (), View(HOT.name.sibling("all_logins"), "me", ""))


@case
def archive_dropped_with_the_last_that_is_known_of_archives() -> Plan:
    """Partitions that came and went are forgotten."""
    return archives.drop(OLD, ARCHIVE, [Relation(OLD)], (), False, (), None, remembered=True, last=True)


@case
def part_config_dropped_with_what_is_finished() -> Plan:
    """No copy is under way, and no partition is out."""
    records = (RETIRED_PARTITION, COPY_RUN, COPY_TARGET, COPY_CHUNK)
    return partitions.drop_part_config(False, exists=True, alone=True, records=records)


@case
def archive_policy_first() -> Plan:
    """No archive_policy yet."""
    return archives.set_policy(BY_PARTITION, None, HOT, ARCHIVE, LOGINS_BY_MONTH, NOW, Stored.MISSING)


@case
def archive_policy_there() -> Plan:
    """It is registered so."""
    return archives.set_policy(BY_PARTITION, BY_PARTITION, HOT, ARCHIVE, LOGINS_BY_MONTH, NOW, Stored.CURRENT)


@case
def archive_policy_dropped() -> Plan:
    """Its row goes."""
    return archives.drop_policy(HOT.name, True)


def moving(attached: bool = True, default: QualifiedName | None = None, views: tuple[View, ...] = ()) -> Plan:
    part = HOT.name.sibling("logins_p20260801")
    ends = "2026-08-01 00:00:00+00", "2026-09-01 00:00:00+00"
    at = HOT.name if attached else None
    seen = Detaching(HOT.name, part, 16600, at, bounds="FOR VALUES ...", default=default, attached_by="734")
    proof = f'"created_at" IS NOT NULL AND "created_at" >= \'{ends[0]}\' AND "created_at" < \'{ends[1]}\''
    wanted = Attaching(replace(seen, parent=OLD, default=None), "created_at", *ends, proof)
    one = move_partition.Transfer(seen, wanted, (Relation(part),), Relation(OLD), f"CHECK ({proof})")
    route = Route(HOT.name, OLD, OLD)
    steps = move_partition.transfer(route, one, views, "auto", has_record=Stored.MISSING)
    return Plan("archive", tuple(steps))


@case
def archive_partition() -> Plan:
    """Detached concurrently, then attached."""
    return moving()


@case
def archive_partition_that_is_detached() -> Plan:
    """A run was killed in between; the CHECK is proved again where it is not found."""
    return moving(attached=False)


@case
def archive_partition_under_a_view() -> Plan:
    """Both in one commit."""
    return moving(views=(View(HOT.name.sibling("all_logins"), "me", ""),))


@case
def archive_partition_beside_a_default() -> Plan:
    """Likewise."""
    return moving(default=HOT.name.sibling("logins_default"))


LOAD = LoadFile("file:///srv/a.parquet", name("s.t__restored"), (), name("s.t"), ("id", 'n"'), "parquet")
MERGE = MergeFile(
    LOAD.url, LOAD.name, name("s.t"), ("id", 'n"', "twice"), ("twice",), (KeyColumn("id", "bigint"),), "", moved=True
)


@case
def file_loaded_and_merged() -> Plan:
    """The key tells what is there already; the manifest says in the same commit that the rows are back."""
    return Plan("import", (LOAD, MERGE))


@case
def file_loaded_and_merged_without_a_key() -> Plan:
    """All of the range is the file's, or there is nothing of it."""
    load = replace(LOAD, columns=('"id" bigint NOT NULL',), like=None, copied=("id",), form="copy")
    return Plan("import", (load, replace(MERGE, key=(), within="t.\"id\" >= '7'", moved=False)))


@case
def file_loaded_and_attached_by_list() -> Plan:
    """Its bounds are what PostgreSQL has printed when it was written."""
    attach = AttachLoaded(name("s.t"), LOAD.name, "FOR VALUES IN ('a''b', NULL)")
    return Plan("import", (LOAD, KeepLoaded(LOAD.name), attach, RecordRestored(LOAD.url, LOAD.name)))


@case
def file_loaded_beside() -> Plan:
    """It stays there; what an earlier run has left is dropped first."""
    return Plan("import", (DropLoaded(LOAD.name), LOAD, KeepLoaded(LOAD.name), RecordRestored(LOAD.url, LOAD.name)))


@pytest.mark.parametrize("case_name", CASES)
def test_the_plan_is_the_golden_one(case_name: str) -> None:
    path, found = GOLDEN / f"{case_name}.sql", script(CASES[case_name])
    if os.environ.get("GOLDEN") == "write":
        path.write_text(found, encoding="utf-8")
    golden = path.read_text(encoding="utf-8") if path.exists() else ""
    difference = difflib.unified_diff(
        golden.splitlines(), found.splitlines(), f"golden/{path.name}", "this plan", lineterm=""
    )
    assert golden == found, "\n" + "\n".join(difference) + "\nGOLDEN=write takes the plan over, if it is right."


def test_no_golden_file_is_left_over() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.sql")) == sorted(CASES)


NOTHING_TO_DO = {
    "archive_policy_there",
    "archive_there",
    "drop_partition_that_is_gone",
    "baseline_there",
    "convert_already_done",
    "convert_already_done_with_another_premake",
    "drain_nothing_to_do",
    "drop_index_that_is_gone",
    "extension_drop_of_another_s",
    "extension_there",
    "index_already_there",
    "index_partitioned_already_there",
    "next_nothing_to_do",
    "policy_there",
    "set_already_there",
    "time_to_live_there",
}


@pytest.mark.parametrize("case_name", CASES)
def test_a_plan_is_empty_where_there_is_nothing_to_do_and_only_there(case_name: str) -> None:
    assert bool(CASES[case_name]()) != (case_name in NOTHING_TO_DO)


@pytest.mark.parametrize("case_name", CASES)
def test_a_step_that_carries_what_was_seen_is_decided_again_before_it_is_sent(case_name: str) -> None:
    carriers = (BeginCopy, BeginReturn, BuildParent, RenameIndexes, Swap, SwapBack, SwapCopy, SwapTable, Unswap)
    assert all(step.fresh == isinstance(step, carriers) for step in CASES[case_name]().steps)
