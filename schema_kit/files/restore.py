"""A file back into the database: checked, loaded into a table beside, compared, attached or merged."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv as csv
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.catalog.session import observing, rows, send
from schema_kit.errors import ExecutionError, PlanError
from schema_kit.execute import Emit, Noted
from schema_kit.files import manifest, table
from schema_kit.files.arrow import Misfit, readable
from schema_kit.files.export import Contents, columns_of, form_of, inspect
from schema_kit.files.formats import FORMATS, Arrays, Totals, join
from schema_kit.files.rows import WRITTEN_AS, ahead, snapshot
from schema_kit.files.store import Store
from schema_kit.files.table import Column, Source
from schema_kit.model import ArchiveFile
from schema_kit.names import QualifiedName, fit, ident, idents, literal
from schema_kit.script import LockPolicy
from schema_kit.steps import Plan
from schema_kit.steps.files import RecordRestored
from schema_kit.steps.step import Step

Attach = Callable[[QualifiedName, QualifiedName, str | None, str | None], Plan]
"""The plan that makes a table a partition of another, from one bound to the other."""

_MARK = "schema_kit: being restored from "
_NAMED = 5


@dataclass(frozen=True)
class _Import(Step):
    """What is told while rows come back; nothing is sent for it."""

    url: str
    into: QualifiedName

    @property
    def summary(self) -> str:
        return f"restore {self.url} to {self.into}"


@dataclass(frozen=True)
class Restored:
    """What became of a file's rows."""

    url: str
    into: QualifiedName
    rows: int
    how: str
    """attached, inserted or beside."""
    skipped: int = 0
    """Were there already, equal in every column."""


def checked(file: ArchiveFile | None, store: Store, name: str) -> Contents:
    """Read a whole file, and hold it against the manifest and against itself.

    Raises:
        PlanError: it is not what was written.
    """
    url = store.url(name)
    if file:
        size, sha256 = store.digest(name)
        if (size, sha256) != (file.bytes, file.sha256):
            how = "truncated" if size < file.bytes else "changed"
            raise PlanError(
                f"{url} was {how}: {size:,} bytes with SHA-256 {sha256}, where schema_kit.archive_file has "
                f"{file.bytes:,} with {file.sha256}. Nothing was changed; bring back the file that was written."
            )
    contents = inspect(store, name, form_of(name))
    if wrong := contents.totals.unlike(contents.described):
        raise PlanError(f"{url} was changed: it has {wrong}. Nothing was changed in the database.")
    if file:
        told = {"rows": file.rows, "checksums": {column[0]: column[3] for column in file.columns}}
        if wrong := contents.totals.unlike(told):
            raise PlanError(f"{url} is not what schema_kit.archive_file knows: it has {wrong}. Nothing was changed.")
    return contents


def restore(
    connection: Connection,
    store: Store,
    name: str,
    policy: LockPolicy,
    emit: Emit,
    attach: Attach,
    *,
    into: QualifiedName | None = None,
    beside: QualifiedName | None = None,
) -> Restored:
    """Bring the rows of a file back; again, and nothing changes.

    They are loaded into a table beside, which is compared with the file and becomes a partition where its range is
    free. Else its rows are inserted in one transaction: rows that are there already, equal in every column, are passed
    over; where one of the same key differs, nothing is inserted. Locks: those of attach_partition_concurrently, or ROW
    EXCLUSIVE.

    Args:
        connection: whose database it is; in autocommit.
        store: where the file lies.
        name: its name there.
        policy: the lock policy.
        emit: is told what happens.
        attach: makes the plan that attaches.
        into: the table that gets the rows; the one they were of, where it is left out.
        beside: make a table of this name with the columns that the file has, and leave it at that.

    Raises:
        PlanError: the file was tampered with, the table has changed its columns, or rows of the same key differ.
        ExecutionError: PostgreSQL refused rows, or the file cannot be read.
    """
    url = store.url(name)
    file = next((one for one in manifest.read(connection) if one.url == url), None)
    contents = checked(file, store, name)
    described = _known(contents, file)
    own = QualifiedName.parse(described["table"])
    parent = QualifiedName.parse(described["parent"]) if described["parent"] else None
    target = into or parent or own
    there = None if beside else _look(connection, target)
    if there is None and not beside:
        raise PlanError(
            f"cannot restore {url}: there is no table {target}. Nothing was changed; --into names another, --beside "
            "makes one."
        )
    if there is not None:
        _refuse_drift(url, columns_of(described), there)
    emit(execute.StepStarted(_Import(url, beside or target)))
    staging = beside or _beside(connection, own, target, described["cut"])
    loaded = _loaded(connection, contents, store, name, staging, target, there)
    done = Restored(url, loaded, contents.totals.rows, "beside")
    if not beside:
        assert there is not None  # refused above
        if _attachable(connection, there, loaded, described):
            plan: Callable[[], Plan] = lambda: attach(target, loaded, described["lower"], described["upper"])  # noqa: E731
            execute.run(connection, plan, policy, emit)
            done = replace(done, into=target, how="attached")
        else:
            inserted = _merged(connection, there, loaded, described, url)
            done = Restored(url, target, inserted, "inserted", contents.totals.rows - inserted)
    if file and file.dropped:
        to = loaded if done.how != "inserted" else target
        execute.run(connection, lambda: Plan(url, (RecordRestored(url, to),)), policy, emit)
    if not file:
        emit(Noted(_Import(url, target), f"{url} is in no manifest here: it was held against itself alone"))
    return done


def _known(contents: Contents, file: ArchiveFile | None) -> dict[str, Any]:
    """What the file says of itself; of where its rows were, the manifest was told last."""
    if file is None:
        return contents.described
    where = {"control": file.control, "lower": file.lower, "upper": file.upper}
    return {**contents.described, **where, "parent": str(file.parent) if file.parent else None}


def _look(connection: Connection, name: QualifiedName) -> Source | None:
    with observing(connection):
        return table.read(connection, name)


def _refuse_drift(url: str, columns: Sequence[Column], there: Source) -> None:
    theirs = {column.name: column.type for column in there.columns}
    mine = {column.name: column.type for column in columns}
    wrong = [f"{name} ({type_}) is in the file alone" for name, type_ in mine.items() if name not in theirs]
    wrong += [f"{name} ({type_}) is in the table alone" for name, type_ in theirs.items() if name not in mine]
    wrong += [
        f"{name} is {mine[name]} in the file and {theirs[name]} in the table"
        for name in mine
        if name in theirs and mine[name] != theirs[name]
    ]
    if wrong:
        raise PlanError(
            f"cannot restore {url}: {there.name} has changed since: {'; '.join(wrong)}. Nothing was changed; --beside "
            "makes a table as it was."
        )


def _beside(connection: Connection, own: QualifiedName, target: QualifiedName, cut: bool) -> QualifiedName:
    """The name that the table had, where it is free or waits to be attached; else one beside the target."""
    if own == target:
        return target.sibling(fit(target.name, "__restored"))
    there = _look(connection, own)
    if not cut and (there is None or not there.attached):
        return own
    return target.sibling(fit(own.name, "__restored"))


def _loaded(
    connection: Connection,
    contents: Contents,
    store: Store,
    file: str,
    name: QualifiedName,
    target: QualifiedName,
    there: Source | None,
) -> QualifiedName:
    """The table beside, with the file's rows and nothing else. One that is there is compared, never overwritten."""
    url = store.url(file)
    before = _look(connection, name)
    if before is not None and _marked(connection, name):
        _dropped(connection, name)
        before = None
    if before is None:
        with _transaction(connection) as own:
            for statement in _creation(name, target, there, columns_of(contents.described), url):
                send(own, statement)
            _copy(own, contents, store, file, name, there)
    try:
        wrong = _totals(connection, name, contents).unlike(contents.totals)
    except Misfit as misfit:
        wrong = f"other values in {misfit.column}"
    if wrong and before is not None:
        raise PlanError(
            f"cannot restore {url}: {name} is there already, and has {wrong}. It was left as it is; name another by "
            "--beside."
        )
    if wrong:
        _dropped(connection, name)
        raise ExecutionError(
            f"cannot restore {url}: loaded into {name}, it has {wrong}. What was loaded was dropped again, nothing "
            "else was changed; a default, a generated column or a trigger may have been changed since."
        )
    send(connection, f"COMMENT ON TABLE {name.sql} IS NULL")
    return name


def _dropped(connection: Connection, name: QualifiedName) -> None:
    with _transaction(connection) as own:
        send(own, f"DROP TABLE {name.sql}")


def _marked(connection: Connection, name: QualifiedName) -> bool:
    """Whether an earlier run has left it half-way."""
    with observing(connection):
        found = rows(connection, "SELECT obj_description(to_regclass(%(n)s), 'pg_class')", {"n": name.sql})
    return str(found[0][0] or "").startswith(_MARK)


def _creation(
    name: QualifiedName, target: QualifiedName, there: Source | None, columns: Sequence[Column], url: str
) -> Iterator[str]:
    if there is not None:
        like = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMPRESSION"
        yield f"CREATE TABLE {name.sql} (LIKE {target.sql} {like})"
    else:
        # What a column is generated from may not be there any more; its values are, and are compared.
        plain = ", ".join(replace(column, generated=False).definition for column in columns)
        yield f"CREATE TABLE {name.sql} ({plain})"
    yield f"COMMENT ON TABLE {name.sql} IS {literal(_MARK + url)}"


@contextmanager
def _transaction(connection: Connection) -> Iterator[Connection]:
    """On a connection of its own; what PostgreSQL refuses is told, and undone."""
    with connection.engine.connect() as own:
        send(own, "BEGIN")
        try:
            for statement in WRITTEN_AS:
                send(own, statement)
            yield own
            send(own, "COMMIT")
        except (DBAPIError, psycopg.Error) as error:
            cause: Any = getattr(error, "orig", error)
            state = getattr(cause, "sqlstate", None)
            said = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause).strip()
            raise ExecutionError(
                f"PostgreSQL refused the rows: {said} [{state or 'connection lost'}]. Nothing of this was committed.",
                sqlstate=state,
            ) from error
        finally:
            raw: Any = own.connection.dbapi_connection
            if raw is not None and not raw.closed and raw.pgconn.transaction_status:
                send(own, "ROLLBACK")


def _copy(
    own: Connection, contents: Contents, store: Store, file: str, name: QualifiedName, there: Source | None
) -> None:
    """COPY ... FROM; what the table generates is compared afterwards, not inserted."""
    form = form_of(file)
    columns = columns_of(contents.described)
    generated = {column.name for column in there.columns if column.generated} if there else set()
    wanted = [place for place, column in enumerate(columns) if column.name not in generated]
    into = idents(tuple(columns[place].name for place in wanted))
    how = " (FORMAT csv)" if form == "parquet" else ""
    raw: Any = own.connection.dbapi_connection
    with raw.cursor().copy(f"COPY {name.sql} ({into}) FROM STDIN{how}".encode()) as copy:
        for text in ahead(_texts(FORMATS[form].batches(store, file, columns), columns, wanted, form)):
            copy.write(text)


def _texts(batches: Iterator[Arrays], columns: Sequence[Column], wanted: Sequence[int], form: str) -> Iterator[bytes]:
    """What COPY reads, a row group at a time."""
    for arrays in batches:
        if form == "parquet":
            yield _csv([readable(arrays[place], columns[place].stored) for place in wanted])
        else:
            yield join([arrays[place] for place in wanted])


def _csv(arrays: Sequence[Any]) -> bytes:
    out = io.BytesIO()
    batch = pa.RecordBatch.from_arrays(list(arrays), [str(place) for place in range(len(arrays))])
    csv.write_csv(batch, out, csv.WriteOptions(include_header=False))
    return out.getvalue()


def _totals(connection: Connection, name: QualifiedName, contents: Contents) -> Totals:
    """What is in the table, as the file would have it."""
    with snapshot(connection, f"LOCK TABLE {name.sql} IN ACCESS SHARE MODE") as taken:
        there = table.read(taken.held, name)
        assert there is not None  # it is locked
        known = {column.name: column for column in there.columns}
        described = columns_of(contents.described)
        if set(known) != {column.name for column in described}:
            raise PlanError(f"{name} is there already, with other columns. It was left as it is.")
        columns = [replace(known[column.name], stored=column.stored) for column in described]
        totals = Totals(columns)
        reader = taken.arrow if contents.described["format"] == "parquet" else taken.text
        for arrays in ahead(reader(name, columns)):
            totals.add(arrays)
    return totals


def _attachable(connection: Connection, target: Source, loaded: QualifiedName, described: dict[str, Any]) -> bool:
    lower, upper = described["lower"], described["upper"]
    if described["cut"] or target.kind != "p" or (lower is None and upper is None):
        return False
    with observing(connection):
        if table.control(connection, target.name) != described["control"]:
            return False
    wanted = Catalog(connection).attaching(target.name, loaded, lower, upper)
    return not wanted.overlapping and not wanted.in_default


def _merged(connection: Connection, target: Source, loaded: QualifiedName, described: dict[str, Any], url: str) -> int:
    """Insert what is missing, in one transaction with the end of the table beside; how many rows that were."""
    into = idents(tuple(column.name for column in target.columns if not column.generated))
    relation = Catalog(connection).tree(target.name)[0]
    key = next((index.columns for index in relation.indexes if index.primary and index.valid), ())
    with _transaction(connection) as own:
        if not key and _without_key(own, target, loaded, described, url):
            inserted = 0
        else:
            inserted = send(
                own,
                f"INSERT INTO {target.name.sql} ({into}) OVERRIDING SYSTEM VALUE SELECT {into} FROM {loaded.sql} "
                "ON CONFLICT DO NOTHING",
            ).rowcount
        if key and (found := _different(own, target, loaded, key)):
            raise PlanError(
                f"cannot restore {url}: rows of the same key differ in {target.name}, or another unique index has "
                f"taken their values: {', '.join(found)}. Nothing was inserted; {loaded} has the file's rows."
            )
        send(own, f"DROP TABLE {loaded.sql}")
    return int(inserted)


def _row(alias: str, target: Source) -> str:
    return "ROW(" + ", ".join(f"{alias}.{ident(column.name)}" for column in target.columns) + ")::text"


def _different(own: Connection, target: Source, loaded: QualifiedName, key: Sequence[str]) -> list[str]:
    same = " AND ".join(f"t.{ident(name)} = l.{ident(name)}" for name in key)
    named = ", ".join(f"l.{ident(name)}" for name in key)
    found = rows(
        own,
        f"SELECT concat_ws(', ', {named}) FROM {loaded.sql} l WHERE NOT EXISTS (SELECT FROM {target.name.sql} t "
        f"WHERE {same} AND {_row('t', target)} = {_row('l', target)}) LIMIT {_NAMED + 1}",
    )
    names = [f"({', '.join(key)}) = ({row[0]})" for row in found]
    return [*names[:_NAMED], "and more"] if len(names) > _NAMED else names


def _without_key(own: Connection, target: Source, loaded: QualifiedName, described: dict[str, Any], url: str) -> bool:
    """Whether all rows are there already; without a key, some of them cannot be told from others."""
    control, lower, upper = described["control"], described["lower"], described["upper"]
    ends = [f"t.{ident(control)} >= {literal(lower)}"] if control and lower is not None else []
    ends += [f"t.{ident(control)} < {literal(upper)}"] if control and upper is not None else []
    of_range = f" WHERE {' AND '.join(ends)}" if ends else ""
    there = f"SELECT {_row('t', target)} FROM {target.name.sql} t{of_range}"
    if not rows(own, f"SELECT EXISTS ({there})")[0][0]:
        return False
    missing = f"SELECT {_row('l', target)} FROM {loaded.sql} l EXCEPT ALL {there}"
    if rows(own, f"SELECT EXISTS ({missing})")[0][0]:
        raise PlanError(
            f"cannot restore {url}: {target.name} has no primary key, and rows of that range that are not the file's. "
            f"Nothing was inserted; {loaded} has the file's rows."
        )
    return True
