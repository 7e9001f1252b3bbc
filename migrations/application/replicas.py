"""A session that sends reads to a replica, until its transaction has written.

    Session = sessionmaker(class_=ReplicaSession, primary=engine(url), replica=engine(replica_url))

Several replicas are one URL: `postgresql+psycopg://a,b/app?target_session_attrs=prefer-standby&load_balance_hosts=random`;
libpq takes another one when one is down. https://www.postgresql.org/docs/current/libpq-connect.html
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.sql import visitors


class ReplicaSession(Session):
    """A Session with two engines.

    SELECTs go to the replica. All others go to the primary, and so does each SELECT after them in the same transaction:
    it sees what was written. After a transaction that wrote, SELECTs stay on the primary for *sticky* seconds more,
    because a replica may not have it yet. SQL in text, FOR UPDATE, CTEs that write, a connection that is handed out
    (`session.connection()`, `bulk.copy_in`) and a UNION, of which SQLAlchemy does not say here what it is, count as
    writes. A SELECT of a function that writes does not: the replica refuses it (SQLSTATE 25006), and `on_primary` is
    for that.

    Args:
        primary: where writes go.
        replica: where reads go; None for the primary, in development.
        sticky: seconds, at least the replicas' usual lag.

    Under REPEATABLE READ and SERIALIZABLE the two sides have a snapshot each: use `on_primary` for all of such a
    transaction. An AsyncSession takes it as `sync_session_class`, with the engines' `sync_engine`.
    """

    def __init__(
        self, *, primary: sa.Engine, replica: sa.Engine | None = None, sticky: float = 1.0, **options: Any
    ) -> None:
        super().__init__(bind=primary, **options)
        self._primary, self._replica, self._sticky = primary, replica or primary, sticky
        self._wrote = self._forced = False
        self._sticks_until = 0.0
        event.listen(self, "after_transaction_end", self._ended)

    @contextmanager
    def on_primary(self) -> Iterator[None]:
        """Read from the primary, whatever was written.

        Example: `with session.on_primary(): session.scalar(sa.select(sa.func.nextval("seq")))`
        """
        before, self._forced = self._forced, True
        try:
            yield
        finally:
            self._forced = before

    def get_bind(self, mapper: Any = None, *, clause: Any = None, **arguments: Any) -> sa.Engine | sa.Connection:
        """The engine of a statement, as SQLAlchemy asks for it."""
        if self._flushing or not _reads(clause):
            self._wrote = True
        sticks = time.monotonic() < self._sticks_until
        return self._primary if self._wrote or self._forced or sticks else self._replica

    def _ended(self, session: Session, transaction: SessionTransaction) -> None:
        if transaction.parent is None:
            if self._wrote:
                self._sticks_until = time.monotonic() + self._sticky
            self._wrote = False


def _reads(clause: Any) -> bool:
    """Whether a statement is a SELECT no part of which locks rows or writes."""
    if not isinstance(clause, sa.Select):
        return False
    return not any(
        getattr(part, "is_dml", False) or getattr(part, "_for_update_arg", None) is not None
        for element in visitors.iterate(clause)
        for part in (element, *getattr(element, "_independent_ctes", ()))
        for part in visitors.iterate(part)
    )
