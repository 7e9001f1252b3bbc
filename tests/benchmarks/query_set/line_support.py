"""What the support chatbot asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from migrations.sample.thai import THAI
from migrations.sample.words import LANGUAGES
from tests.benchmarks.query_set.query import Parameters, Query


def _patterns(words: Sequence[str]) -> list[Parameters]:
    return [{"pattern": f"%{word}%"} for word in words]


THAI_WORDS = (*THAI.items[10:], *(item[2:] for item in THAI.items[::-1] if len(item) > 8))
"""Dishes, from those that many ask for to those that few do, and dishes split in the middle."""

OTHER_WORDS = tuple(
    item
    for rank in (4, 7, 9)
    for language in LANGUAGES.values()
    if language is not THAI and len(item := language.items[rank]) > 2
)

LAST_MESSAGES = Query(
    "line_support",
    "last 10 messages of a user",
    100,
    """
    SELECT id, role, message, created_at FROM line_support.conversation
    WHERE user_id = %(user_id)s ORDER BY created_at DESC LIMIT 10
    """,
    "SELECT user_id FROM line_support.conversation ORDER BY hashint8(id) LIMIT %(wanted)s",
    concurrent=True,
)
"""Sent as text it is planned each time, over every month; prepared, it is planned once a connection."""

LINE_SUPPORT = (
    replace(LAST_MESSAGES, name=f"{LAST_MESSAGES.name}, prepared", prepared=True),
    replace(LAST_MESSAGES, name=f"{LAST_MESSAGES.name}, planned each time", target_ms=None),
    Query(
        "line_support",
        "unprocessed webhook events",
        None,
        "SELECT count(*) FROM line_support.webhook_event WHERE processed = false",
    ),
    Query(
        "line_support",
        "messages per language",
        2000,
        "SELECT language, count(*) FROM line_support.conversation GROUP BY language ORDER BY language",
    ),
    Query(
        "line_support",
        "dashboard: messages and users per day, 30 days",
        2000,
        """
        SELECT date_trunc('day', created_at, 'Asia/Bangkok') AS day, count(*), count(DISTINCT user_id)
        FROM line_support.conversation WHERE created_at >= %(since)s GROUP BY day ORDER BY day
        """,
        """
        SELECT max(created_at) - interval '30 days' - nth * interval '1 day' AS since
        FROM line_support.conversation, generate_series(0, %(wanted)s - 1) AS nth GROUP BY nth ORDER BY nth
        """,
    ),
    Query(
        "line_support",
        "dashboard: webhook events by type",
        2000,
        """
        SELECT event_type, count(*), count(*) FILTER (WHERE NOT processed), max(received_at)
        FROM line_support.webhook_event GROUP BY event_type ORDER BY event_type
        """,
    ),
    Query(
        "line_support",
        "substring of Thai messages",
        None,
        """
        SELECT id, user_id, message, created_at FROM line_support.conversation
        WHERE message LIKE %(pattern)s ORDER BY created_at DESC LIMIT 20
        """,
        _patterns(THAI_WORDS),
    ),
    Query(
        "line_support",
        "substring of messages, ten other languages",
        None,
        """
        SELECT id, user_id, message, created_at FROM line_support.conversation
        WHERE message ILIKE %(pattern)s ORDER BY created_at DESC LIMIT 20
        """,
        _patterns(OTHER_WORDS),
    ),
    Query(
        "line_support",
        "substring of documents",
        None,
        """
        SELECT id, filename FROM line_support.document
        WHERE extracted_text ILIKE %(pattern)s ORDER BY created_at DESC LIMIT 20
        """,
        _patterns([topic for language in LANGUAGES.values() for topic in language.topics if len(topic) > 2]),
    ),
    Query(
        "line_support",
        "recent errors",
        None,
        """
        SELECT id, message, context, created_at FROM line_support.system_log
        WHERE level = %(level)s ORDER BY created_at DESC LIMIT 50
        """,
        [{"level": "ERROR"}, {"level": "CRITICAL"}],
    ),
    Query(
        "line_support",
        "latest documents of a user",
        None,
        """
        SELECT id, filename, created_at FROM line_support.document
        WHERE user_id = %(user_id)s ORDER BY created_at DESC LIMIT 10
        """,
        "SELECT user_id FROM line_support.document ORDER BY hashint8(id) LIMIT %(wanted)s",
    ),
)
