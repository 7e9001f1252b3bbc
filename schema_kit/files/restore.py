"""Load a file into the database: check it, load it into a second table, compare, attach or merge."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit import execute
from schema_kit.catalog.keys import primary_key
from schema_kit.catalog.session import ON_CITUS, has_citus, note_citus, observing, rows
from schema_kit.errors import ExecutionError, PlanError, refuse_for
from schema_kit.execute import Emit, Noted, StepDone, StepStarted
from schema_kit.files import manifest, own, table
from schema_kit.files.arrow import Misfit, readable
from schema_kit.files.export import Contents, alone, columns_of, comparing, form_of, inspect
from schema_kit.files.formats import FORMATS, Arrays, Totals, join
from schema_kit.files.rows import ahead, snapshot
from schema_kit.files.store import Store
from schema_kit.files.table import Column, Source
from schema_kit.marks import BEING_RESTORED
from schema_kit.model import ArchiveFile, Property
from schema_kit.names import QualifiedName, fit, ident, within
from schema_kit.script import LockPolicy
from schema_kit.steps import Plan
from schema_kit.steps.files import AttachLoaded, DropLoaded, KeepLoaded, LoadFile, MergeFile, RecordRestored
from schema_kit.steps.partitions import for_values

Attach = Callable[[QualifiedName, QualifiedName, str | None, str | None], Plan]
"""The plan that makes a table a partition of another, from one bound to the other."""


@dataclass(frozen=True)
class Restored:
    """What became of a file's rows."""

    url: str
    into: QualifiedName
    rows: int
    how: str
    """attached, inserted or the option's name."""
    skipped: int = 0
    """Were there already, equal in every column."""
    lacks: tuple[Property, ...] = ()
    """What the partition that they were had of its own, and what they are in has not."""


def checked(file: ArchiveFile | None, store: Store, name: str, *, read: bool = True) -> Contents:
    """Hold a file against the manifest and against itself.

    Args:
        file: what the manifest has of it.
        store: where it lies.
        name: its name there.
        read: read its rows, even where its SHA-256 says that they are what was read back when they were written.

    Raises:
        PlanError: it is not what was written.
    """
    url = store.url(name)
    if file is None:
        contents = inspect(store, name, form_of(name))
    else:
        size, sha256 = store.digest(name)
        if (size, sha256) != (file.bytes, file.sha256):
            how = "truncated" if size < file.bytes else "changed"
            raise PlanError(
                f"{url} was {how}: {size:,} bytes with SHA-256 {sha256}, where schema_kit.archive_file has "
                f"{file.bytes:,} with {file.sha256}. Bring back the file that was written."
            )
        described = FORMATS[form_of(name)].description(store, name)
        columns = columns_of(described)
        if [(c.name, c.type, c.stored) for c in columns] != [column[:3] for column in file.columns]:
            raise PlanError(f"{url} describes other columns than schema_kit.archive_file knows.")
        known = Totals(columns, file.rows, [int(column[3], 16) for column in file.columns])
        contents = inspect(store, name, form_of(name)) if read else Contents(described, known, size, sha256)
        if wrong := contents.totals.unlike(known):
            raise PlanError(f"{url} is not what schema_kit.archive_file knows: it has {wrong}.")
    if wrong := contents.totals.unlike(contents.described):
        raise PlanError(f"{url} was changed: it has {wrong}.")
    return contents


@dataclass(frozen=True)
class _Wanted:
    """What is to become of a file, as far as that is known before it is loaded."""

    contents: Contents
    described: dict[str, Any]
    load: LoadFile
    target: QualifiedName
    there: Source | None
    """The target, as observed; None where the rows stay in a table of their own."""
    moved: bool
    """Its rows are nowhere else, as the manifest says."""
    bounds: str
    """FOR VALUES ... of the partition of the target that it was; empty where only the file itself says so."""


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

    They are loaded into a new table, which is compared with the file and becomes a partition where its range is
    free. Else its rows are inserted in one transaction: rows that exist already, equal in every column, are passed
    over; where one of the same key differs, nothing is inserted. Locks: those of attach_partition_concurrently, or ROW
    EXCLUSIVE.

    Args:
        connection: whose database it is; in autocommit.
        store: where the file lies.
        name: its name there.
        policy: the lock policy.
        emit: receives what happens.
        attach: makes the plan that attaches.
        into: the table that gets the rows; the one they were of, where it is left out.
        beside: make a table of this name with the columns that the file has, and leave it at that.

    Raises:
        PlanError: the file was tampered with, or the table has changed its columns.
        ExecutionError: PostgreSQL refused rows, rows of the same key differ, or the file cannot be read.
        LockNotAvailable: the locks were not available; who holds them is named.
    """
    url = store.url(name)
    inserted = []

    def tell(event: execute.Event) -> None:
        if isinstance(event, StepDone) and isinstance(event.step, MergeFile):
            inserted.append(event.rows)
        emit(event)

    with alone(connection, url):
        wanted = _wanted(connection, store, name, tell, into, beside)
        with alone(connection, str(wanted.load.name)):
            _loaded(connection, wanted, policy, tell)
            steps = execute.run(connection, lambda: _rest(connection, wanted, attach), policy, tell)
    count = wanted.contents.totals.rows
    if beside:
        return Restored(url, beside, count, "beside")
    if not inserted and not steps:
        raise ExecutionError(f"cannot restore {url}: {wanted.load.name} was dropped by another session. Run again.")
    lacks = _lost(connection, wanted, attached=not inserted)
    if inserted:
        return Restored(url, wanted.target, inserted[-1], "inserted", count - inserted[-1], lacks)
    return Restored(url, wanted.target, count, "attached", lacks=lacks)


def _lost(connection: Connection, wanted: _Wanted, *, attached: bool) -> tuple[Property, ...]:
    """Of a partition that was dropped for its file; another one has what it had still."""
    if not wanted.moved:
        return ()
    name = wanted.load.name if attached else QualifiedName.parse(wanted.described["table"])
    return own.lost(connection, wanted.described, wanted.target, name)


def planned(
    connection: Connection,
    store: Store,
    name: str,
    emit: Emit,
    attach: Attach,
    *,
    into: QualifiedName | None = None,
    beside: QualifiedName | None = None,
) -> Plan:
    """Return what restore would send; the file is read and checked for it, and nothing is written.

    What attaches a table depends on what it has by then: its statements are made when the table exists.
    """
    wanted = _wanted(connection, store, name, emit, into, beside)
    loading = _loading(connection, wanted)
    if not loading:
        return _rest(connection, wanted, attach)
    own = wanted.load.name
    if beside:
        return loading + Plan("", (KeepLoaded(own),))
    if _attachable(connection, wanted):
        ends = for_values(wanted.described["lower"], wanted.described["upper"])
        note = f"then {own} is compared with the file, gets what it lacks, and is attached to {wanted.target} {ends}"
        return replace(loading, notes=(note,))
    if _open(connection, wanted, None):
        return loading + Plan("", (KeepLoaded(own), AttachLoaded(wanted.target, own, wanted.bounds)))
    return loading + Plan("", (_merge(connection, wanted),))


def _wanted(
    connection: Connection,
    store: Store,
    name: str,
    emit: Emit,
    into: QualifiedName | None,
    beside: QualifiedName | None,
) -> _Wanted:
    """Return the file checked, the target looked at; everything that can be refused is refused here."""
    url = store.url(name)
    file = next((one for one in manifest.read(connection) if one.url == url), None)
    contents = checked(file, store, name, read=False)
    described = _known(contents, file)
    own = QualifiedName.parse(described["table"])
    parent = QualifiedName.parse(described["parent"]) if described["parent"] else None
    target = into or parent or own
    there = None if beside else _look(connection, target)
    columns = columns_of(described)
    if there is None and not beside:
        raise PlanError(f"cannot restore {url}: there is no table {target}. --into names another, --beside makes one.")
    if there is not None and there.hidden:
        raise PlanError(f"cannot restore {url}: {there.hidden}.")
    if there is not None:
        _refuse_drift(url, columns, there)
    else:
        _refuse_types(connection, url, columns)
    near = there or (_look(connection, target) if has_citus(connection) else None)
    spread = near.distribution if near and near.distribution and near.distribution.spread else None
    staging = beside or _beside(connection, own, target, described["cut"])
    generated = {column.name for column in there.columns if column.generated} if there else set()
    copied = [place for place, column in enumerate(columns) if column.name not in generated]
    form = form_of(name)
    load = LoadFile(
        url,
        staging,
        # What a column is generated from may be gone; its values exist, and are compared.
        tuple(replace(column, generated=False).definition for column in columns),
        target if there else None,
        tuple(columns[place].name for place in copied),
        form,
        lambda: ahead(_texts(FORMATS[form].batches(store, name, columns), columns, copied, form)),
        (spread, target) if spread and spread.column in (None, *(column.name for column in columns)) else None,
    )
    if not file:
        emit(Noted(load, f"{url} is in no manifest here: it was held against itself alone"))
    vouched = file and form == "parquet" and not described["cut"] and target == parent  # the SHA-256 is of that, too
    bounds = described["bounds"] if vouched else ""
    return _Wanted(contents, described, load, target, there, bool(file and file.dropped), bounds)


def _known(contents: Contents, file: ArchiveFile | None) -> dict[str, Any]:
    """Return what the file says of itself; of where its rows were, the manifest says the latest."""
    if file is None:
        return contents.described
    where = {"table": str(file.table), "control": file.control, "lower": file.lower, "upper": file.upper}
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
    what = f"cannot restore {url}: {there.name} has changed since"
    refuse_for(what, wrong, then=" --beside makes a table as it was.")


def _beside(connection: Connection, own: QualifiedName, target: QualifiedName, cut: bool) -> QualifiedName:
    """Return the name that the table had, where it is free or waits to be attached; else one next to the target."""
    if own == target:
        return target.sibling(fit(target.name, "__restored"))
    there = _look(connection, own)
    if not cut and (there is None or not there.attached):
        return own
    return target.sibling(fit(own.name, "__restored"))


def _refuse_types(connection: Connection, url: str, columns: Sequence[Column]) -> None:
    """They become part of a statement, and the file says them."""
    try:
        with observing(connection):
            sql = (
                "SELECT t FROM unnest(%(types)s::text[]) t WHERE to_regtype(t) IS NULL "
                f"UNION ALL SELECT NULL WHERE {ON_CITUS}"
            )
            found = [row[0] for row in rows(connection, sql, {"types": [column.type for column in columns]})]
        note_citus(connection, None in found)
        unknown = [type_ for type_ in found if type_ is not None]
    except DBAPIError as error:
        origin: Any = error.orig
        if origin.sqlstate is None:
            raise
        unknown = [origin.diag.message_primary]  # until 15, an unknown type
    if unknown:
        raise PlanError(f"cannot restore {url}: no such type here: {', '.join(unknown)}.")


def _loading(connection: Connection, wanted: _Wanted) -> Plan:
    """Load it, where that is still to be done."""
    title = f"restore {wanted.load.url}"
    return Plan(title) if _look(connection, wanted.load.name) else Plan(title, (wanted.load,))


def _loaded(connection: Connection, wanted: _Wanted, policy: LockPolicy, emit: Emit) -> None:
    """The loaded table, with the file's rows and nothing else. One that exists is compared, never overwritten."""
    url, name = wanted.load.url, wanted.load.name
    while True:
        loaded = execute.run(connection, lambda: _loading(connection, wanted), policy, emit)
        wrong = _unlike(connection, wanted, emit)
        if not wrong:
            return
        if not _marked(connection, name):
            raise PlanError(
                f"cannot restore {url}: {name} exists already and has {wrong}. It was left as it is; name another "
                "by --beside."
            )
        execute.run(connection, lambda: _dropping(connection, name), policy, emit)
        if loaded:
            raise ExecutionError(
                f"cannot restore {url}: loaded into {name}, it has {wrong}. What was loaded was dropped "
                "again, the rest is as it was; a default, a generated column or a trigger may have been changed since."
            )


def _dropping(connection: Connection, name: QualifiedName) -> Plan:
    return Plan(f"drop {name}", (DropLoaded(name),) if _marked(connection, name) else ())


def _rest(connection: Connection, wanted: _Wanted, attach: Attach) -> Plan:
    """Return what is left to be done when the loaded table holds what the file does."""
    url, name = wanted.load.url, wanted.load.name
    title = f"restore {url}"
    now = _look(connection, name)
    keep = Plan(title, (KeepLoaded(name),) if _marked(connection, name) else ())
    if now is None:
        return Plan(title)
    if wanted.there is None:
        to, rest = name, keep
    elif now.attached:
        to, rest = name, Plan(title)
    elif _attachable(connection, wanted):
        to, rest = name, keep + attach(wanted.target, name, wanted.described["lower"], wanted.described["upper"])
    elif _open(connection, wanted, now):
        to, rest = name, keep + Plan(title, (AttachLoaded(wanted.target, name, wanted.bounds),))
    else:
        return Plan(title, (_merge(connection, wanted),))
    return rest + Plan(title, (RecordRestored(url, to),) if wanted.moved else ())


def _merge(connection: Connection, wanted: _Wanted) -> MergeFile:
    target = wanted.there
    assert target is not None  # or it would stay as it is
    with observing(connection):
        key = primary_key(connection, target.name)
    control, lower, upper = (wanted.described[key] for key in ("control", "lower", "upper"))
    bounded = control and (lower, upper) != (None, None)
    return MergeFile(
        wanted.load.url,
        wanted.load.name,
        target.name,
        tuple(column.name for column in target.columns),
        tuple(column.name for column in target.columns if column.generated),
        key,
        within(f"t.{ident(control)}", lower, upper) if bounded else "",
        wanted.moved,
    )


def _marked(connection: Connection, name: QualifiedName) -> bool:
    """Return whether a run has made it, and it was not compared yet."""
    with observing(connection):
        found = rows(connection, "SELECT obj_description(to_regclass(%(n)s), 'pg_class')", {"n": name.sql})
    return str(found[0][0] or "").startswith(BEING_RESTORED)


def _texts(batches: Iterator[Arrays], columns: Sequence[Column], wanted: Sequence[int], form: str) -> Iterator[bytes]:
    """Yield what COPY reads, a row group at a time."""
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


def _unlike(connection: Connection, wanted: _Wanted, emit: Emit) -> str:
    """In what the loaded table differs from the file; empty where it holds the same."""
    name, described = wanted.load.name, wanted.described
    step = comparing(wanted.load.url, name)
    emit(StepStarted(step))
    began = time.monotonic()
    try:
        with snapshot(connection, f"LOCK TABLE {name.sql} IN ACCESS SHARE MODE") as taken:
            there = table.read(taken.held, name)
            assert there is not None  # it is locked
            known = {column.name: column for column in there.columns}
            if set(known) != {column.name for column in columns_of(described)}:
                return "other columns"
            columns = [replace(known[column.name], stored=column.stored) for column in columns_of(described)]
            totals = Totals(columns)
            reader = taken.arrow if wanted.load.form == "parquet" else taken.text
            for arrays in ahead(reader(name, columns)):
                totals.add(arrays)
    except Misfit as misfit:
        return f"other values in {misfit.column}"
    except DBAPIError as error:
        raise execute.not_observed(error) from error
    emit(StepDone(step, time.monotonic() - began))
    return totals.unlike(wanted.contents.totals)


def _attachable(connection: Connection, wanted: _Wanted) -> bool:
    target, described = wanted.there, wanted.described
    lower, upper = described["lower"], described["upper"]
    if target is None or described["cut"] or target.kind != "p" or (lower is None and upper is None):
        return False
    with observing(connection):
        same = table.control(connection, target.name) == described["control"]
        return same and table.free(connection, target, lower, upper)


def _open(connection: Connection, wanted: _Wanted, own: Source | None) -> bool:
    if wanted.there is None or wanted.there.kind != "p":
        return False
    with observing(connection):
        return table.open_to(connection, wanted.target, wanted.bounds, own)
