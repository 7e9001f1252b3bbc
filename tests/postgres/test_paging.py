"""Pages by key: each row once, whatever is written between them; what would skip rows is refused."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm

from schema_kit import bulk
from schema_kit.errors import DeclarationError
from tests.support.database import Database

pytestmark = pytest.mark.application


class Model(orm.DeclarativeBase):
    pass


class Message(Model):
    __tablename__ = "m"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    owner: orm.Mapped[int]
    at: orm.Mapped[int] = orm.mapped_column()
    other: orm.Mapped[int | None]
    free: orm.Mapped[int]
    __table_args__ = (
        sa.Index("m_owner", "owner", sa.text("at DESC"), "id"),
        sa.Index("m_desc", "owner", sa.desc("at"), sa.desc("id")),
        sa.Index("m_mixed", "at", sa.desc("id")),
        sa.Index("m_part", "free", "id", postgresql_where=sa.text("free > 1")),
    )


ORDERS: dict[str, Any] = {
    "by the primary key": sa.select(Message).order_by(Message.id),
    "back": sa.select(Message).order_by(Message.id.desc()),
    "within an owner": sa.select(Message).where(Message.owner == 1).order_by(Message.at, Message.id),
    "within an owner, back": sa.select(Message)
    .where(Message.owner == 1)
    .order_by(Message.at.desc(), Message.id.desc()),
    "in two directions": sa.select(Message).order_by(Message.at, Message.id.desc()),
    "the other two": sa.select(Message).order_by(Message.at.desc(), Message.id),
    "columns": sa.select(Message.at, Message.id).order_by(Message.id),
    "one column": sa.select(Message.at).order_by(Message.id),
}


@pytest.mark.parametrize("name", ORDERS)
def test_all_rows_once_in_their_order(database: Database, name: str) -> None:
    select = ORDERS[name]
    engine = sa.create_engine(sa.make_url(database.url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    Model.metadata.create_all(engine)
    rows = [{"id": n, "owner": n % 3, "at": n % 7, "other": None, "free": n} for n in range(100)]
    with orm.Session(engine) as session:
        bulk.copy_in(session, Message, rows)
        entity = len(select.selected_columns) != 2
        expected = session.scalars(select).all() if entity else session.execute(select).all()
        found, after, pages = list[Any](), None, 0
        while True:
            page = bulk.page(session, select, size=9, after=after)
            found += page.rows
            after, pages = page.after, pages + 1
            session.execute(sa.delete(Message).where(Message.id == -pages))
            bulk.copy_in(session, Message, [{"id": -pages - 1, "owner": 9, "at": 99, "other": None, "free": 0}])
            session.execute(sa.delete(Message).where(Message.id == -pages - 1))
            if after is None:
                break
        assert found == expected
        assert pages == -(-len(expected) // 9)
    engine.dispose()


@pytest.mark.parametrize(
    ("select", "why"),
    [
        (sa.select(Message), "no ORDER BY"),
        (sa.select(Message).order_by(Message.other, Message.id), "other can be NULL"),
        (sa.select(Message).order_by(Message.at), "is not unique"),
        (sa.select(Message).order_by(Message.free, Message.id), "No index"),
        (sa.select(Message).order_by(Message.at, Message.id), "No index"),
        (sa.select(Message).order_by(Message.id.nulls_last()), "NULLS FIRST"),
        (sa.select(Message).order_by(sa.func.abs(Message.id)), "pages go by columns"),
        (sa.select(Message).order_by(sa.text("id")), "pages go by columns"),
    ],
)
def test_what_would_skip_rows_or_sort_is_refused(select: Any, why: str) -> None:
    engine = sa.create_engine("postgresql+psycopg://")
    with pytest.raises(DeclarationError, match=why):
        bulk.page(sa.Connection.__new__(sa.Connection), select)
    engine.dispose()


@pytest.mark.parametrize("words", [{"size": 0}, {"size": -1}, {"size": "x"}, {"after": 5}, {"after": "x"}])
def test_wrong_pages_are_refused(words: dict[str, Any]) -> None:
    nowhere: Any = None
    with pytest.raises(DeclarationError, match=next(iter(words))):
        bulk.page(nowhere, sa.select(Message).order_by(Message.id), **words)
