"""Reads go to the replica, but never in a transaction that wrote, nor right after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from migrations.application.replicas import ReplicaSession
from schema_kit import bulk
from tests.support.application import engine
from tests.support.database import Database

pytestmark = [pytest.mark.application, pytest.mark.majors]


class Model(DeclarativeBase):
    """Of these tests."""


class Note(Model):
    """A row."""

    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str]


@pytest.fixture
def both(database: Database) -> tuple[sa.Engine, sa.Engine]:
    """Two engines on one database, the second as a standby is: it refuses to write, and has a name."""
    primary, replica = engine(database), engine(database)

    @sa.event.listens_for(replica, "connect")
    def read_only(connection: Any, record: Any) -> None:
        connection.execute("SET default_transaction_read_only = on")
        connection.execute("SET application_name = 'replica'")
        connection.commit()

    Model.metadata.create_all(primary)
    with Session(primary) as session:
        session.add_all([Note(id=n, word="old") for n in (1, 2)])
        session.commit()
    return primary, replica


WHERE = sa.select(sa.func.current_setting("application_name"))
SELECT = sa.select(Note.id)


def on_replica(session: ReplicaSession) -> bool:
    return session.scalar(WHERE) == "replica"


def flushed(session: ReplicaSession) -> None:
    session.add(Note(id=3, word="new"))
    session.flush()


def changed(session: ReplicaSession) -> None:
    session.get_one(Note, 1).word = "new"
    session.scalars(SELECT).all()


def deleted(session: ReplicaSession) -> None:
    session.delete(session.get_one(Note, 2))
    session.flush()


WRITES: dict[str, Callable[[ReplicaSession], object]] = {
    "flush of a new row": flushed,
    "autoflush before a select": changed,
    "delete of a row": deleted,
    "INSERT": lambda s: s.execute(sa.insert(Note).values(id=99, word="new")),
    "UPDATE": lambda s: s.execute(sa.update(Note).values(word="new")),
    "DELETE": lambda s: s.execute(sa.delete(Note)),
    "text": lambda s: s.execute(sa.text("UPDATE note SET word = 'new'")),
    "FOR UPDATE": lambda s: s.scalars(sa.select(Note).with_for_update()).all(),
    "get with a lock": lambda s: s.get(Note, 1, with_for_update=True),
    "FOR UPDATE in a subquery": lambda s: s.execute(sa.select(sa.select(Note.id).with_for_update().subquery())).all(),
    "CTE that writes": lambda s: s.execute(
        sa.select(sa.update(Note).values(word="new").returning(Note.id).cte("changed"))
    ).all(),
    "CTE beside": lambda s: s.execute(
        sa.select(Note.id).add_cte(sa.update(Note).values(word="new").returning(Note.id).cte("changed"))
    ).all(),
    "a connection": lambda s: s.connection().execute(sa.text("UPDATE note SET word = 'new'")),
    "copy_in": lambda s: bulk.copy_in(s, Note, [{"id": 50, "word": "new"}]),
    "a savepoint": lambda s: (s.begin_nested(), s.execute(sa.update(Note).values(word="new"))),
}


@pytest.mark.parametrize("write", WRITES)
def test_after_a_write_reads_see_it(both: tuple[sa.Engine, sa.Engine], write: str) -> None:
    with ReplicaSession(primary=both[0], replica=both[1], sticky=0) as session:
        assert on_replica(session)
        WRITES[write](session)
        assert not on_replica(session)
        session.rollback()
        assert on_replica(session)


READS: dict[str, Callable[[ReplicaSession], object]] = {
    "select": lambda s: s.scalars(SELECT).all(),
    "get": lambda s: s.get(Note, 1),
    "refresh": lambda s: s.refresh(s.get_one(Note, 1)),
    "CTE": lambda s: s.execute(sa.select(SELECT.cte("a"))).all(),
    "exists": lambda s: s.scalar(sa.select(sa.exists().where(Note.id == 1))),
    "legacy": lambda s: s.query(Note).filter_by(id=1).count(),
}


@pytest.mark.parametrize("read", READS)
def test_reads_stay_on_the_replica(both: tuple[sa.Engine, sa.Engine], read: str) -> None:
    with ReplicaSession(primary=both[0], replica=both[1], sticky=0) as session:
        READS[read](session)
        assert on_replica(session)
        assert both[0].pool.checkedout() == 0  # type: ignore[attr-defined]


def test_after_a_commit_reads_stay_for_a_while(both: tuple[sa.Engine, sa.Engine]) -> None:
    with ReplicaSession(primary=both[0], replica=both[1], sticky=60) as session:
        assert on_replica(session)
        session.commit()
        assert on_replica(session)
        session.execute(sa.update(Note).values(word="new"))
        session.commit()
        assert not on_replica(session)
        session.rollback()
        assert not on_replica(session)
        session._sticks_until = 0
        session.rollback()
        assert on_replica(session)


def test_a_savepoint_that_ends_does_not_end_it(both: tuple[sa.Engine, sa.Engine]) -> None:
    with ReplicaSession(primary=both[0], replica=both[1], sticky=0) as session:
        with session.begin_nested():
            session.execute(sa.update(Note).values(word="new"))
        assert not on_replica(session)


def test_on_primary_and_without_a_replica(both: tuple[sa.Engine, sa.Engine]) -> None:
    with ReplicaSession(primary=both[0], replica=both[1]) as session:
        with session.on_primary():
            assert not on_replica(session)
        assert on_replica(session)
    with ReplicaSession(primary=both[0]) as session:
        assert not on_replica(session)
