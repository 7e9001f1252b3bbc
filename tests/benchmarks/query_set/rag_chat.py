"""What the chat over documents asks."""

from __future__ import annotations

from tests.benchmarks.query_set.query import Query

RAG_CHAT = (
    Query(
        "rag_chat",
        "session of a visit",
        500,
        "SELECT id, user_id, expires_at FROM rag_chat.user_sessions WHERE session_id = %(session_id)s",
        "SELECT session_id FROM rag_chat.user_sessions ORDER BY session_id LIMIT %(wanted)s",
    ),
    Query(
        "rag_chat",
        "conversations of a session",
        500,
        """
        SELECT id, title, created_at FROM rag_chat.conversations
        WHERE user_session_id = %(session)s ORDER BY created_at DESC
        """,
        """
        SELECT user_session_id AS session FROM rag_chat.conversations ORDER BY hashint8(id) LIMIT %(wanted)s
        """,
    ),
    Query(
        "rag_chat",
        "a page of history",
        500,
        """
        SELECT id, role, content, "timestamp" FROM rag_chat.messages
        WHERE conversation_id = %(conversation)s AND ("timestamp", id) < (%(seen_at)s, %(seen_id)s)
        ORDER BY "timestamp" DESC, id DESC LIMIT 20
        """,
        """
        SELECT conversation_id AS conversation, "timestamp" AS seen_at, id AS seen_id
        FROM rag_chat.messages ORDER BY hashint8(id) LIMIT %(wanted)s
        """,
    ),
    Query(
        "rag_chat",
        "citations of an answer",
        500,
        """
        SELECT id, document_name, page_number, excerpt, relevance_score FROM rag_chat.citations
        WHERE message_id = %(message)s ORDER BY id
        """,
        "SELECT message_id AS message FROM rag_chat.citations ORDER BY hashint8(id) LIMIT %(wanted)s",
    ),
    *(
        Query(
            "rag_chat",
            f"1000 expired {table.replace('user_', '')}",
            500,
            f"""
            SELECT id FROM rag_chat.{table} WHERE expires_at < %(now)s ORDER BY expires_at, id LIMIT 1000
            """,
            f"""
            SELECT min(expires_at) + nth * interval '1 day' AS now
            FROM rag_chat.{table}, generate_series(1, %(wanted)s) AS nth GROUP BY nth ORDER BY nth
            """,
        )
        for table in ("messages", "conversations", "user_sessions")
    ),
    Query(
        "rag_chat",
        "sessions of a user",
        500,
        "SELECT session_id, expires_at FROM rag_chat.user_sessions WHERE user_id = %(user_id)s ORDER BY expires_at, id",
        "SELECT user_id FROM rag_chat.user_sessions ORDER BY session_id LIMIT %(wanted)s",
    ),
    Query(
        "rag_chat",
        "conversations that began last",
        500,
        "SELECT id, title, created_at FROM rag_chat.conversations ORDER BY created_at DESC, id LIMIT 20",
    ),
    Query(
        "rag_chat",
        "messages of an hour",
        500,
        """
        SELECT role, count(*) FROM rag_chat.messages
        WHERE "timestamp" >= %(since)s AND "timestamp" < %(since)s + interval '1 hour' GROUP BY role ORDER BY role
        """,
        """
        SELECT date_trunc('hour', "timestamp") AS since FROM rag_chat.messages ORDER BY hashint8(id) LIMIT %(wanted)s
        """,
    ),
)
