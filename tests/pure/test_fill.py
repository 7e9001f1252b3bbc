"""The rows that tests and benchmarks are run on: always the same, always enough, of every language."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from functools import cache
from itertools import groupby

import pytest

from migrations.sample import words
from migrations.sample.numbers import NULL
from migrations.sample.rows import TABLES
from migrations.sample.sizes import FEWEST_ROWS, sizes
from migrations.sample.world import World

pytestmark = pytest.mark.pack

UNTIL = date(2026, 3, 31)
ROWS = 20_000

Record = dict[str, str]


def blocks(rows: int = ROWS, seed: int = 1) -> dict[str, bytes]:
    world = World(rows, UNTIL, seed=seed)
    return {table.name: b"".join(block for _, block in table.blocks(world)) for table in TABLES}


@cache
def tables() -> dict[str, list[Record]]:
    """Every table's rows, by the names of their columns."""
    found = blocks()
    return {
        table.name: [
            dict(zip(table.columns.replace('"', "").split(", "), line.split("\t"), strict=True))
            for line in found[table.name].decode().splitlines()
        ]
        for table in TABLES
    }


def values(table: str, column: str) -> list[str]:
    return [record[column] for record in tables()[table]]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("+00", "+00:00"))


def test_same_seed_same_bytes() -> None:
    assert blocks() == blocks()


def test_another_seed_makes_another_life() -> None:
    one, other = blocks(seed=1), blocks(seed=2)
    assert one["line_support.conversation"] != other["line_support.conversation"]
    assert one["rag_chat.messages"] != other["rag_chat.messages"]


@pytest.mark.parametrize("rows", [FEWEST_ROWS, 3_001, 5_000, 54_321, 1_000_000, 50_000_000])
def test_shares_add_up(rows: int) -> None:
    found = sizes(rows)
    assert sum(found.values()) == rows
    assert set(found) == {table.name for table in TABLES}
    assert min(found.values()) > 0


@pytest.mark.parametrize("rows", [FEWEST_ROWS, 3_001, 3_333, 5_000])
def test_every_table_gets_its_share(rows: int) -> None:
    world = World(rows, UNTIL)
    assert {t.name: sum(lines for lines, _ in t.blocks(world)) for t in TABLES} == world.sizes


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="need 3000 rows or more, not 2999"):
        sizes(2_999)


@pytest.mark.parametrize("table", [table.name for table in TABLES])
def test_ids_are_unique(table: str) -> None:
    ids = values(table, "id")
    assert len(set(ids)) == len(ids)
    if ids[0].isdigit():
        assert sorted(map(int, ids)) == list(range(1, len(ids) + 1))


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("line_support.users", "line_user_id"),
        ("whatsapp_agent.restaurants", "phone_number"),
        ("whatsapp_agent.customers", "restaurant_id, customer_number"),
        ("telegram_bots.bots", "username"),
        ("telegram_bots.chats", "telegram_chat_id"),
        ("telegram_bots.messages", "chat_db_id, telegram_message_id"),
        ("telegram_bots.bot_stances", "bot_id, topic"),
        ("telegram_bots.bot_holdings", "bot_id, symbol"),
        ("market_research.product_categories", "product_id, category"),
        ("market_research.product_search_results", "product_id, search_query_hash"),
        ("rag_chat.user_sessions", "session_id"),
    ],
)
def test_unique_together(table: str, columns: str) -> None:
    keys = list(zip(*(values(table, column) for column in columns.split(", ")), strict=True))
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("table", "column", "parents"),
    [
        ("line_support.conversation", "user_id", "line_support.users"),
        ("line_support.document", "user_id", "line_support.users"),
        ("whatsapp_agent.customers", "restaurant_id", "whatsapp_agent.restaurants"),
        ("whatsapp_agent.whatsapp_messages", "customer_id", "whatsapp_agent.customers"),
        ("whatsapp_agent.whatsapp_messages", "restaurant_id", "whatsapp_agent.restaurants"),
        ("whatsapp_agent.ai_interactions", "customer_id", "whatsapp_agent.customers"),
        ("telegram_bots.messages", "bot_id", "telegram_bots.bots"),
        ("telegram_bots.messages", "chat_db_id", "telegram_bots.chats"),
        ("telegram_bots.bot_stances", "bot_id", "telegram_bots.bots"),
        ("telegram_bots.bot_holdings", "bot_id", "telegram_bots.bots"),
        ("telegram_bots.bot_memories", "bot_id", "telegram_bots.bots"),
        ("market_research.product_categories", "product_id", "market_research.products"),
        ("market_research.product_search_results", "product_id", "market_research.products"),
        ("rag_chat.conversations", "user_session_id", "rag_chat.user_sessions"),
        ("rag_chat.messages", "conversation_id", "rag_chat.conversations"),
        ("rag_chat.citations", "message_id", "rag_chat.messages"),
    ],
)
def test_parents_exist_and_are_older(table: str, column: str, parents: str) -> None:
    born = {parent["id"]: parent.get("created_at") or parent["timestamp"] for parent in tables()[parents]}
    for record in tables()[table]:
        if record[column] != NULL:
            assert born[record[column]] <= (record.get("created_at") or record.get("timestamp") or "9")


@pytest.mark.parametrize("column", ["created_at", "received_at", "search_timestamp", "timestamp", "updated_at"])
def test_everything_happened_in_the_eighteen_months(column: str) -> None:
    found = [moment(record[column]) for rows in tables().values() for record in rows if column in record]
    assert min(found) >= datetime(2024, 9, 28, tzinfo=UTC)
    assert max(found) < datetime(2026, 3, 31, tzinfo=UTC)
    assert max(found) > datetime(2026, 3, 24, tzinfo=UTC)


def test_there_is_more_of_everything_every_quarter() -> None:
    months = [(at := moment(text)).year * 12 + at.month for text in values("line_support.webhook_event", "received_at")]
    quarters = [len(list(group)) for _, group in groupby(months, key=lambda month: month // 3)][1:-1]
    assert quarters == sorted(quarters)


def test_eleven_languages_thai_first() -> None:
    found = Counter(values("line_support.conversation", "language"))
    assert set(found) == set(words.LANGUAGES)
    assert len(found) == 11
    assert 0.5 < found["th"] / found.total() < 0.75


def test_thai_words_run_together() -> None:
    thai = [r["message"] for r in tables()["line_support.conversation"] if r["language"] == "th"]
    assert any("ข้าวมันไก่" in message and not message.startswith("ข้าวมันไก่") for message in thai)
    assert sum(message.count(" ") for message in thai) / len(thai) < 1


@pytest.mark.parametrize("code", words.LANGUAGES)
@pytest.mark.parametrize("kind", words.SENTENCES)
def test_sentences_go_into_copy_and_json_as_they_are(code: str, kind: str) -> None:
    for sentence in words.sentences(code, kind):
        assert not set(sentence) & set('"\\\t\n\r{}'), sentence


def test_a_few_users_write_much() -> None:
    found = Counter(values("line_support.conversation", "user_id"))
    busiest = sum(count for _, count in found.most_common(len(found) // 10))
    assert 0.25 < busiest / found.total() < 0.75


def test_hot_bots() -> None:
    found = Counter(values("telegram_bots.messages", "bot_id"))
    del found[NULL]
    assert found["1"] > 4 * found.total() / len(values("telegram_bots.bots", "id"))


def test_most_webhooks_are_processed() -> None:
    found = Counter(values("line_support.webhook_event", "processed"))
    assert 0.9 < found["t"] / found.total() < 0.99
    assert all((r["processed_at"] == NULL) == (r["processed"] == "f") for r in tables()["line_support.webhook_event"])


def test_json_is_json() -> None:
    for table, column in (
        ("line_support.webhook_event", "payload"),
        ("line_support.system_log", "context"),
        ("line_support.document", "metadata"),
        ("market_research.product_searches", "filters"),
        ("market_research.market_analyses", "product_keywords"),
        ("market_research.market_analyses", "results"),
        ("telegram_bots.bots", "persona"),
        ("telegram_bots.settings", "value"),
    ):
        for text in values(table, column):
            assert text == NULL or json.loads(text) is not None


def test_some_customers_are_deleted() -> None:
    found = Counter(values("whatsapp_agent.customers", "is_deleted"))
    assert 0.02 < found["t"] / found.total() < 0.09


def test_sessions_have_expired_and_have_not() -> None:
    for table in ("rag_chat.user_sessions", "rag_chat.conversations", "rag_chat.messages"):
        expired = sum(moment(text) < datetime(2026, 3, 31, tzinfo=UTC) for text in values(table, "expires_at"))
        assert 0 < expired < len(values(table, "expires_at"))


def test_messages_expire_no_later_than_what_they_are_part_of() -> None:
    for table, column, parents in (
        ("rag_chat.conversations", "user_session_id", "rag_chat.user_sessions"),
        ("rag_chat.messages", "conversation_id", "rag_chat.conversations"),
    ):
        ends = dict(zip(values(parents, "id"), values(parents, "expires_at"), strict=True))
        assert all(record["expires_at"] <= ends[record[column]] for record in tables()[table])


def test_answers_are_cited() -> None:
    roles = dict(zip(values("rag_chat.messages", "id"), values("rag_chat.messages", "role"), strict=True))
    cited = Counter(values("rag_chat.citations", "message_id"))
    assert {roles[message] for message in cited} == {"assistant"}
    assert len(set(cited.values())) > 2


def test_replies_are_to_earlier_messages_of_the_chat() -> None:
    replies = [r for r in tables()["telegram_bots.messages"] if r["reply_to_message_id"] != NULL]
    assert len(replies) > len(tables()["telegram_bots.messages"]) / 5
    assert all(0 < int(r["reply_to_message_id"]) < int(r["telegram_message_id"]) for r in replies)
