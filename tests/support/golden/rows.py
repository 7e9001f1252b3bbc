"""Rows leave, and come back."""

from __future__ import annotations

from dataclasses import replace

from schema_kit.model import ArchivePolicy, ForeignKey, KeyColumn, LeavingTable, TimeToLive
from schema_kit.names import QualifiedName
from schema_kit.plans import rows, ttl
from schema_kit.plans.rows import Leaving
from schema_kit.steps import Plan
from schema_kit.steps.archives import KeepRestored
from tests.support.golden.cases import case
from tests.support.shapes import AWARE, NOW, name


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
    """Sessions first, then what hung on those that exist, from archives of their own."""
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
