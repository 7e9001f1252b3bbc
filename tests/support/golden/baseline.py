"""What a pack stands on: tables, schemas, extensions."""

from __future__ import annotations

from dataclasses import replace

from schema_kit.model import BaselineTable, Column, Table
from schema_kit.plans import baseline
from schema_kit.steps import Plan
from tests.support.golden.cases import case
from tests.support.shapes import CHAT_KEY, MESSAGES, name


@case
def baseline_missing() -> Plan:
    """Nothing exists."""
    declared = tables()
    return baseline.create_baseline(declared, dict.fromkeys(t.table.name for t in declared), ["public"], False)


@case
def baseline_partly_there() -> Plan:
    """One table exists in the same shape."""
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
    """One table existed before; the schema holds it still, and an extension is left in the ledger."""
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
    """Nothing to do: it existed before."""
    return baseline.drop_extension("pg_trgm", {"extension": frozenset()}, ledger_alone=True)


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
