"""At run time: a plain statement that would block or rewrite a large table is warned of before it is sent, or refused.

What is heavy says `heavy.py`: statements of a text one by one, those of DO blocks among them. Many that write a few
rows each are one transaction that writes many.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from traceback import walk_stack
from typing import Any, Literal, get_args

import sqlalchemy as sa

from schema_kit.catalog.session import autocommits
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.lint.facts import Statement
from schema_kit.lint.heavy import LOOKED_AT, Heavy, Written, parts
from schema_kit.lint.instead import call
from schema_kit.names import QualifiedName

Mode = Literal["warn", "refuse", "off"]
ROWS = 100_000
"""Tables below are worked on in a moment."""


@dataclass
class Guard:
    """What is said of statements that others would wait for.

    Args:
        mode: ``warn`` before it is sent, ``refuse`` it, or ``off``.
        rows: tables with fewer rows are left alone.

    Raises:
        DeclarationError: it has another form, or a negative number.
    """

    mode: Mode = "warn"
    rows: int = ROWS
    _busy: bool = field(default=False, repr=False)
    _known: dict[str, Written] = field(default_factory=dict, repr=False)
    _sums: Counter[QualifiedName] = field(default_factory=Counter, repr=False)
    _said: set[QualifiedName] = field(default_factory=set, repr=False)

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise DeclarationError(f"guard={self.mode!r}: write {', '.join(map(repr, get_args(Mode)))}")
        if self.rows < 0:
            raise DeclarationError(f"rows={self.rows}: write a number of rows, 0 for every table")

    @contextmanager
    def over(self, connection: sa.Connection) -> Iterator[None]:
        """Look at each statement of a connection in this block."""
        if self.mode == "off":
            yield
            return
        listeners: dict[str, Callable[..., None]] = {
            "before_cursor_execute": self._before,
            "after_cursor_execute": self._after,
            "commit": self._ended,
            "rollback": self._ended,
        }
        for event, listener in listeners.items():
            sa.event.listen(connection, event, listener)
        try:
            yield
        finally:
            for event, listener in listeners.items():
                with suppress(sa.exc.InvalidRequestError):  # the connection was lost with its listeners
                    sa.event.remove(connection, event, listener)

    def _ended(self, _: sa.Connection) -> None:
        self._sums.clear()
        self._said.clear()

    def _before(self, connection: sa.Connection, _: Any, sql: str, values: Any, *__: Any) -> None:
        if self._busy or not LOOKED_AT.search(sql) or ours():
            return
        self._busy = True
        try:
            heavy, pieces = Heavy(connection, self.rows), list(parts(sql))
            keys = [sql] if len(pieces) == 1 else [one for one, _ in pieces]
            found = [
                (one, danger)
                for key, (one, within) in zip(keys, pieces, strict=True)
                if (danger := self._danger(heavy, key, one, values, within=within))
            ]
        finally:
            self._busy = False
        for one, danger in found:
            text = f"{danger} Write {call('blocks', Statement(one, 0, 0), None)}."
            if self.mode == "refuse":
                raise PlanError(f"{text} It was not sent; environment.run(guard='warn') sends it.")
            logging.getLogger("schema_kit").warning("%s", text)

    def _after(self, connection: sa.Connection, cursor: Any, sql: str, *_: Any) -> None:
        known = self._known.get(sql)
        if known is None or self._busy or autocommits(connection):
            return
        self._sums.update(dict.fromkeys(known.tables, max(cursor.rowcount, 0)))

    def _danger(self, heavy: Heavy, key: str, sql: str, values: Any, *, within: bool) -> str | None:
        if danger := heavy.by_words(sql):
            return danger
        written = self._known.get(key)
        if written is None or not written.always:
            written = self._known[key] = heavy.written(sql, values, within=within) or Written({}, always=False)
        elif not any(self._sums[table] >= self.rows for table in written.tables):
            return None
        for table, count in written.tables.items():
            if (total := count + self._sums[table]) >= self.rows and (count >= self.rows or table not in self._said):
                self._said.add(table)
                return f"{table}: about {total:,} of its rows are written in one transaction."
            if danger := heavy.referring(sql, table, count):
                return danger
        return None


def ours() -> bool:
    """Return whether the executor sends it."""
    callers = walk_stack(sys._getframe(1))
    return any(frame.f_globals.get("__name__") in ("schema_kit.execute", "schema_kit.shared") for frame, _ in callers)
