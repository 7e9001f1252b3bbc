"""Indexes are created, replaced, rebuilt and dropped."""

from __future__ import annotations

from dataclasses import replace

from schema_kit.model import Index, IndexElement
from schema_kit.plans import indexes
from schema_kit.steps import Plan
from tests.support.golden.cases import case
from tests.support.golden.tables import plain
from tests.support.shapes import MESSAGES, after_index_step, index_declaration, name, tree


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
    """The index exists with one column; its comment goes over."""
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
