"""What the restaurants' agent asks."""

from __future__ import annotations

from tests.benchmarks.query_set.query import Query

A_CUSTOMER = "SELECT customer_id FROM whatsapp_agent.whatsapp_messages ORDER BY id LIMIT %(wanted)s"
"""Of the messages' customers: those who write much come more often."""

WHATSAPP_AGENT = (
    Query(
        "whatsapp_agent",
        "customer by phone and restaurant",
        100,
        """
        SELECT id, customer_number, name, status, rating FROM whatsapp_agent.customers
        WHERE phone_number = %(phone)s AND restaurant_id = %(restaurant_id)s AND NOT is_deleted
        """,
        """
        SELECT phone_number AS phone, restaurant_id FROM whatsapp_agent.customers
        WHERE NOT is_deleted ORDER BY id LIMIT %(wanted)s
        """,
    ),
    Query(
        "whatsapp_agent",
        "last 50 messages of a customer",
        100,
        """
        SELECT id, direction, status, content, created_at FROM whatsapp_agent.whatsapp_messages
        WHERE customer_id = %(customer_id)s ORDER BY created_at DESC LIMIT 50
        """,
        A_CUSTOMER,
    ),
    Query(
        "whatsapp_agent",
        "customers of a restaurant with message counts",
        100,
        """
        SELECT c.id, c.name, c.status, c.created_at, count(m.id), max(m.created_at)
        FROM (
            SELECT id, name, status, created_at FROM whatsapp_agent.customers
            WHERE restaurant_id = %(restaurant_id)s AND NOT is_deleted ORDER BY created_at DESC LIMIT 50
        ) AS c LEFT JOIN whatsapp_agent.whatsapp_messages AS m ON m.customer_id = c.id
        GROUP BY c.id, c.name, c.status, c.created_at ORDER BY c.created_at DESC
        """,
        "SELECT restaurant_id FROM whatsapp_agent.customers ORDER BY id LIMIT %(wanted)s",
    ),
    Query(
        "whatsapp_agent",
        "one customer: the customer",
        100,
        """
        SELECT id, customer_number, phone_number, restaurant_id, name, status, rating, created_at
        FROM whatsapp_agent.customers WHERE id = %(customer_id)s AND NOT is_deleted
        """,
        A_CUSTOMER,
    ),
    Query(
        "whatsapp_agent",
        "one customer: the whole conversation",
        100,
        """
        SELECT id, direction, status, content, created_at FROM whatsapp_agent.whatsapp_messages
        WHERE customer_id = %(customer_id)s ORDER BY created_at
        """,
        A_CUSTOMER,
    ),
    Query(
        "whatsapp_agent",
        "analytics of a restaurant, 30 days",
        100,
        """
        SELECT m.total, m.inbound, m.outbound, round(m.outbound::numeric / nullif(m.inbound, 0), 4) AS response_rate,
               c.total AS customers, c.new, c.rating
        FROM (
            SELECT count(*) AS total,
                   count(*) FILTER (WHERE direction = 'inbound') AS inbound,
                   count(*) FILTER (WHERE direction = 'outbound') AS outbound
            FROM whatsapp_agent.whatsapp_messages
            WHERE restaurant_id = %(restaurant_id)s AND created_at >= %(since)s
        ) AS m, (
            SELECT count(*) AS total, count(*) FILTER (WHERE created_at >= %(since)s) AS new, avg(rating) AS rating
            FROM whatsapp_agent.customers WHERE restaurant_id = %(restaurant_id)s AND NOT is_deleted
        ) AS c
        """,
        """
        SELECT restaurant_id, (SELECT max(created_at) FROM whatsapp_agent.whatsapp_messages) - interval '30 days'
            AS since
        FROM whatsapp_agent.customers ORDER BY id LIMIT %(wanted)s
        """,
    ),
    Query(
        "whatsapp_agent",
        "blocked customers of a restaurant",
        100,
        """
        SELECT id, name, phone_number FROM whatsapp_agent.customers
        WHERE restaurant_id = %(restaurant_id)s AND status = 'blocked' AND NOT is_deleted ORDER BY id
        """,
        "SELECT restaurant_id FROM whatsapp_agent.customers ORDER BY id LIMIT %(wanted)s",
    ),
    Query(
        "whatsapp_agent",
        "messages that failed, to be sent again",
        100,
        """
        SELECT count(*), min(created_at) FROM whatsapp_agent.whatsapp_messages
        WHERE direction = 'outbound' AND status = 'failed' AND created_at >= %(since)s
        """,
        """
        SELECT max(created_at) - interval '14 days' - nth * interval '1 hour' AS since
        FROM whatsapp_agent.whatsapp_messages, generate_series(0, %(wanted)s - 1) AS nth GROUP BY nth ORDER BY nth
        """,
    ),
    Query(
        "whatsapp_agent",
        "last answers of the model to a customer",
        100,
        """
        SELECT id, prompt, response, created_at FROM whatsapp_agent.ai_interactions
        WHERE customer_id = %(customer_id)s ORDER BY created_at DESC LIMIT 10
        """,
        A_CUSTOMER,
    ),
)
