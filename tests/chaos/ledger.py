"""What was committed, row by row, as those who wrote it know it; and whether the database holds exactly that."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.chaos.tables import SHARED, SPAN, STILL, Shape

Row = tuple[int | None, int, int, str]
"""The moment (None: it may be any), who wrote it, how often, and words."""
WRITERS, EACH = 12, 60
"""Writers that there may be, and rows that each has in the beginning."""
_FIRST_STILL, _FIRST_SHARED = 9_000_000, 8_000_000


@dataclass
class Ledger:
    """The content that a table has to have: key -> row."""

    shape: Shape
    rows: dict[str, Row] = field(default_factory=dict)
    optional: set[str] = field(default_factory=set)
    """Keys of rows that may be gone."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fill(self, connection: psycopg.Connection[Any]) -> None:
        """The rows of the beginning, in the table and here."""
        numbers = [(_FIRST_STILL + i, 0, "still") for i in range(STILL)]
        numbers += [(_FIRST_SHARED + i, -1, "shared") for i in range(SHARED)]
        numbers += [(i * WRITERS + who - 1, who, "first") for who in range(1, WRITERS + 1) for i in range(EACH)]
        sql = f"COPY {self.shape.table} (id, at, who, n, body) FROM STDIN"
        with connection.cursor() as cursor, cursor.copy(sql.encode()) as copy:
            for number, who, body in numbers:
                text, at = self.shape.at(self.began(number, who))
                copy.write_row((self.shape.id(number), text, who, 0, body))
                self.rows[self.shape.id(number)] = (None if who == -1 else at, who, 0, body)

    @staticmethod
    def began(number: int, who: int) -> int:
        """When a row of the beginning is: those that stay lie everywhere, all others in the last days."""
        return number * 104_729 % SPAN if who == 0 else SPAN - number * 7919 % (20 * 86_400)

    @property
    def shared(self) -> list[str]:
        """The keys of rows that many count up."""
        return [self.shape.id(_FIRST_SHARED + i) for i in range(SHARED)]

    def commit(self, changes: Sequence[tuple[str, Row | None]], counted: Sequence[str] = ()) -> None:
        """Take down what a transaction has changed: rows (None: deleted), and shared rows that it counted up."""
        with self.lock:
            for key, row in changes:
                if row is None:
                    del self.rows[key]
                else:
                    self.rows[key] = row
            for key in counted:
                at, who, n, body = self.rows[key]
                self.rows[key] = (at, who, n + 1, body)

    def differences(self, connection: psycopg.Connection[Any], places: Sequence[str]) -> list[str]:
        """What the relations together hold otherwise than they should: lost, twice, or with another content."""
        found: dict[str, list[Row]] = {}
        for place in places:
            for key, *row in connection.execute(f"SELECT {self.shape.canonical} FROM {place}".encode()):
                found.setdefault(key, []).append(tuple(row))
        said = Counter[str]()
        examples: dict[str, str] = {}
        for key in {*found, *self.rows} - self.optional:
            have, want = found.get(key, []), self.rows.get(key)
            if want and want[0] is None:
                have = [(None, *row[1:]) for row in have]
            if have != ([want] if want else []):
                kind = "lost" if not have else "twice" if len(have) > 1 else "unknown" if not want else "different"
                said[kind] += 1
                examples.setdefault(kind, f"{key}: {want} expected, {have} found")
        wrong = [f"{count} rows {kind}, such as {examples[kind]}" for kind, count in said.items()]
        for place in places:
            sql = f"SELECT count(*) FROM {place} WHERE NOT ({self.shape.holds})"
            if broken := connection.execute(sql.encode()).fetchall()[0][0]:
                wrong.append(f"{broken} rows of {place} of which ({self.shape.holds}) is not true")
        return wrong
