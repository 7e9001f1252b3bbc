"""Ten habits: what each does in one transaction, and what it takes down of it."""

from __future__ import annotations

import time

from tests.chaos.sessions import Connection
from tests.chaos.writers import Habit, Writer


def single(writer: Writer, connection: Connection) -> None:
    what = writer.random.randrange(4)
    if what == 0:
        writer.insert(connection, writer.fresh())
    elif what == 1 and len(writer.mine) > 20:
        writer.delete(connection, writer.some())
    elif what == 2:
        writer.count_up(connection)
    else:
        writer.update(connection, writer.some())


def savepoints(writer: Writer, connection: Connection) -> None:
    writer.update(connection, writer.some())
    mine, changes = set(writer.mine), list(writer.changes)
    connection.execute("SAVEPOINT here")
    writer.delete(connection, writer.some())
    writer.insert(connection, writer.fresh())
    connection.execute("ROLLBACK TO SAVEPOINT here")
    writer.mine, writer.changes = mine, changes
    writer.insert(connection, writer.fresh())


def for_update(writer: Writer, connection: Connection) -> None:
    number = writer.some()
    writer.send(connection, "SELECT 1 FROM {t} WHERE id = {id} FOR UPDATE", writer.shape.id(number))
    if writer.random.random() < 0.1:
        time.sleep(0.3)
    writer.update(connection, number)


def copy(writer: Writer, connection: Connection) -> None:
    rows = [(writer.fresh(), *writer.moment()) for _ in range(3)]
    sql = f"COPY {writer.table} (id, at, who, n, body) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(sql.encode()) as stream:
        for number, text, _ in rows:
            stream.write_row((writer.shape.id(number), text, writer.number, 1, "copied"))
    for number, _, at in rows:
        writer.wrote(number, (at, writer.number, 1, "copied"))


def upsert(writer: Writer, connection: Connection) -> None:
    number = writer.some() if writer.random.random() < 0.6 else writer.fresh()
    (text, at), before = writer.moment(), None
    if number in writer.mine:
        before = writer.row(number)
        assert before[0] is not None
        text, at = _text(writer, before[0]), before[0]
    sql = (
        "INSERT INTO {t} AS x (id, at, who, n, body) VALUES ({id}, {at}, %s, 1, 'upserted') "
        "ON CONFLICT (id, at) DO UPDATE SET n = x.n + 1, body = excluded.body"
    )
    writer.send(connection, sql, writer.shape.id(number), text, writer.number)
    writer.wrote(number, (at, writer.number, before[2] + 1 if before else 1, "upserted"))


def merge(writer: Writer, connection: Connection) -> None:
    number = writer.some() if writer.random.random() < 0.6 else writer.fresh()
    before, (text, at) = writer.row(number) if number in writer.mine else None, writer.moment()
    sql = (
        "MERGE INTO {t} AS x USING (SELECT {id} AS id) AS y ON x.id = y.id "
        "WHEN MATCHED THEN UPDATE SET n = x.n + 1, body = 'merged' "
        "WHEN NOT MATCHED THEN INSERT (id, at, who, n, body) VALUES (y.id, {at}, %s, 1, 'merged')"
    )
    writer.send(connection, sql, writer.shape.id(number), text, writer.number)
    writer.wrote(number, (before[0] if before else at, writer.number, before[2] + 1 if before else 1, "merged"))


def serializable(writer: Writer, connection: Connection) -> None:
    number = writer.some()
    if writer.random.random() < 0.2:
        time.sleep(0.2)
    writer.send(connection, "SELECT n FROM {t} WHERE id = {id}", writer.shape.id(number))
    writer.update(connection, number)
    writer.count_up(connection)


def prepared(writer: Writer, connection: Connection) -> None:
    for _ in range(2):
        writer.update(connection, writer.some(), prepare=True)


def two_phase(writer: Writer, connection: Connection) -> None:
    writer.update(connection, writer.some())
    writer.insert(connection, writer.fresh())


def key_moves(writer: Writer, connection: Connection) -> None:
    number = writer.some()
    _, who, n, body = writer.row(number)
    text, at = writer.moment()
    writer.send(connection, "UPDATE {t} SET at = {at} WHERE id = {id}", text, writer.shape.id(number))
    writer.wrote(number, (at, who, n, body))
    if writer.random.random() < 0.3:
        new = writer.fresh()
        writer.send(connection, "UPDATE {t} SET id = {id} WHERE id = {id}", *map(writer.shape.id, (new, number)))
        writer.wrote(number, None)
        writer.wrote(new, (at, who, n, body))
    if writer.random.random() < 0.2:
        key = writer.random.choice(writer.ledger.shared)
        writer.send(connection, "UPDATE {t} SET at = {at} WHERE id = {id}", writer.moment()[0], key)


def _text(writer: Writer, at: int) -> str:
    return writer.shape.at(at - writer.shape.at(0)[1])[0]


HABITS = {
    "single statements": Habit(single),
    "savepoints": Habit(savepoints),
    "select for update": Habit(for_update),
    "copy": Habit(copy),
    "upsert": Habit(upsert),
    "merge": Habit(merge, since=15),
    "serializable": Habit(serializable, isolation="SERIALIZABLE"),
    "prepared statements": Habit(prepared),
    "two-phase commit": Habit(two_phase, two_phase=True),
    "key moves": Habit(key_moves),
}
