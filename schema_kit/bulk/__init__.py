"""Write many rows by COPY and read many by pages, on the connections and models that an application has.

    from schema_kit import bulk

    bulk.copy_in(session, Citation, [{"message_id": 1, "url": "..."}, ...])
    page = bulk.page(session, sa.select(Message).order_by(Message.timestamp.desc(), Message.id.desc()), size=50)

https://www.postgresql.org/docs/current/populate.html
"""

from __future__ import annotations

from schema_kit.bulk.copying import async_copy_in, copy_in
from schema_kit.bulk.paging import Page, async_page, page

__all__ = ["Page", "async_copy_in", "async_page", "copy_in", "page"]
