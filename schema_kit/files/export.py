"""Export a table to a file: write, sync, read back, compare, rename, register; then drop it, if asked to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.catalog.advisory import held
from schema_kit.catalog.blockers import blockers
from schema_kit.catalog.privileges import KEEPS, OWNER, Right
from schema_kit.catalog.rights import missing_rights
from schema_kit.catalog.session import observing, rows, send
from schema_kit.errors import ExecutionError, PlanError, changed, refuse_for
from schema_kit.execute import LOCK_STATES, Emit, Noted, StepDone, StepProgress, StepStarted
from schema_kit.files import manifest, own, table
from schema_kit.files.arrow import Misfit
from schema_kit.files.formats import FORMATS, Totals
from schema_kit.files.rows import Snapshot, ahead, snapshot
from schema_kit.files.store import Store, file_name
from schema_kit.files.table import TEXT, Column, Source
from schema_kit.model import ArchiveFile
from schema_kit.names import QualifiedName, ident, within
from schema_kit.plans.files import register
from schema_kit.plans.retirement import drop as dropping
from schema_kit.plans.retirement import known_again
from schema_kit.script import LockPolicy
from schema_kit.shared import run_shared
from schema_kit.sizes import pretty
from schema_kit.steps.step import Lock, LockMode, Plan, Step
from schema_kit.storage import ARCHIVE_FILE
from schema_kit.waiting import wait


@dataclass(frozen=True)
class Cut:
    """The rows of a range."""

    control: str
    lower: str | None
    upper: str | None


@dataclass(frozen=True)
class Export(Step):
    """What is reported while a file is written; what is sent for it is not a step's."""

    says: ClassVar[str] = "write {self.source} to {self.url}"

    source: QualifiedName
    url: str
    drops: bool = False
    form: str = "parquet"
    cut: Cut | None = None
    """The rows that are written alone."""

    @property
    def file(self) -> str:
        """The name of the file."""
        return _file(self.source, self.form, self.cut)

    @property
    def where(self) -> str:
        """For the SELECT."""
        cut = self.cut
        return f" WHERE {within(ident(cut.control), cut.lower, cut.upper)}" if cut else ""

    def stored(self, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        """Return the columns as a file of its form holds them."""
        return columns if self.form == "parquet" else tuple(replace(c, stored=TEXT) for c in columns)

    def recorded(self, source: Source, contents: Contents | None = None) -> ArchiveFile:
        """Return the manifest's row; without contents, of a file that does not exist yet."""
        part, totals = self.cut or source, contents.totals if contents else Totals(())
        counted = (totals.rows, contents.bytes, contents.sha256) if contents else (-1, -1, "")
        columns = tuple((c.name, c.type, c.stored, totals.checksums[c.name]) for c in totals.columns)
        at = (part.control, part.lower, part.upper)
        return ArchiveFile(self.url, source.name, source.oid, source.parent, *at, self.form, *counted, columns)

    def lock_sql(self, budget: int) -> str:
        """Return what locks the table, in one message; *budget* in milliseconds."""
        mode = self.locks[0].mode.value
        return f"SET LOCAL lock_timeout = '{budget}ms'; LOCK TABLE {self.source.sql} IN {mode} MODE"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Writers go on; where the table is dropped, they wait."""
        return (Lock(LockMode.SHARE_ROW_EXCLUSIVE if self.drops else LockMode.ACCESS_SHARE, self.source),)


@dataclass(frozen=True)
class _Compare(Step):
    """What is reported while a file and a table are compared; nothing is sent for it."""

    says: ClassVar[str] = "read {self.url} and {self.table}, and compare them"

    url: str
    table: QualifiedName


@dataclass(frozen=True)
class Contents:
    """What a file holds, every row of it read."""

    described: dict[str, Any]
    totals: Totals
    bytes: int
    sha256: str


def export(
    connection: Connection,
    name: QualifiedName,
    store: Store,
    form: str,
    policy: LockPolicy,
    emit: Emit,
    *,
    cut: Cut | None = None,
    drop: bool = False,
) -> ArchiveFile:
    """Write one table to one file.

    Reads under one REPEATABLE READ snapshot. Locks: ACCESS SHARE on the table; with *drop* SHARE ROW EXCLUSIVE, which
    keeps writers of the detached table out until it is gone, and a second run, then ACCESS EXCLUSIVE briefly.

    Args:
        connection: whose database it is; in autocommit.
        name: the table.
        store: where the file goes.
        form: parquet or copy.
        policy: the lock policy.
        emit: callback that receives events.
        cut: write these rows alone.
        drop: drop the table in the commit that registers the file. It must not be attached.

    Returns:
        The manifest's row.

    Raises:
        PlanError: there is no such table, it cannot be read, or a file of that name holds something else.
        ExecutionError: the file could not be written or is not what was written; the table is as it was.
        LockNotAvailable: others held a lock through every try.
    """
    step = refuse(connection, store, name, form, cut, drop=drop)
    with alone(connection, step.url), _prepared(connection, step, policy, emit) as taken:
        source = _checked(table.read(taken.held, name), name, drop)
        if drop and source.parent:  # refused now, not after hours
            dropping(source.parent, name, Catalog(connection).detaching(source.parent, name))
            if has := own.of(taken.held, source):
                emit(Noted(step, own.note(step.url, name, has)))
        contents = _write(taken, source, store, step, emit)
        file = step.recorded(source, contents)
        if drop:
            own.refuse_untold(step.url, name, own.of(taken.held, source), contents.described)
            _dropped(connection, taken.held, source, file, policy, emit)
    if not drop:
        execute.run(connection, lambda: register(file), policy, emit)
    return file


@contextmanager
def _prepared(connection: Connection, step: Export, policy: LockPolicy, emit: Emit) -> Iterator[Snapshot]:
    """The snapshot, when there is a manifest; what can be refused beforehand is, before that is made."""
    with observing(connection):
        _checked(table.read(connection, step.source), step.source, step.drops)
    execute.run(connection, lambda: manifest.creation(connection), policy, emit)
    if step.drops:
        execute.run(connection, lambda: _known_again(connection, step.source), policy, emit)
    with _locked(connection, step, policy, emit) as taken:
        yield taken


def _known_again(connection: Connection, name: QualifiedName) -> Plan:
    with observing(connection):
        source = table.read(connection, name)
    parent = source.parent if source and source.retired else None
    seen = Catalog(connection).detaching(parent, name) if parent else None
    steps = known_again(seen) if seen else ()
    return Plan(f"know {name} again", tuple(steps))


def comparing(url: str, name: QualifiedName) -> Step:
    """Report while a file and a table are compared."""
    return _Compare(url, name)


def inspect(store: Store, name: str, form: str) -> Contents:
    """Read a whole file.

    Raises:
        PlanError: it is damaged.
        ExecutionError: it is gone, or cannot be read.
    """
    size, sha256 = store.digest(name)
    described = FORMATS[form].description(store, name)
    return Contents(described, _totals(store, name, form, columns_of(described)), size, sha256)


def _totals(store: Store, name: str, form: str, columns: Sequence[Column]) -> Totals:
    totals = Totals(columns)
    for arrays in FORMATS[form].batches(store, name, columns):
        totals.add(arrays)
    return totals


def columns_of(described: dict[str, Any]) -> tuple[Column, ...]:
    """Return the columns as a file describes them."""
    names = ("name", "type", "stored", "not_null", "generated", "identity")
    return tuple(Column(**{name: column[name] for name in names}) for column in described["columns"])


def finished(connection: Connection, name: QualifiedName, store: Store, form: str) -> ArchiveFile | None:
    """Return what an earlier run has written of a table, and dropped; None where it has not."""
    url = store.url(_file(name, form, None))
    return next((file for file in manifest.read(connection, [name]) if file.url == url and file.alone), None)


def form_of(name: str) -> str:
    """Parquet or COPY text, by the end of a file's name.

    Raises:
        PlanError: neither.
    """
    found = next((form for form, kind in FORMATS.items() if name.endswith(kind.suffix)), None)
    if found is None:
        endings = ", ".join(kind.suffix for kind in FORMATS.values())
        raise PlanError(f"{name} is not a file of an archive: its name ends in none of {endings}.")
    return found


def _file(name: QualifiedName, form: str, cut: Cut | None) -> str:
    parts = [file_name(part).replace(".", "%2E") for part in (name.schema, name.name)]
    if cut:
        ends = f"{cut.lower or 'MINVALUE'}_{cut.upper or 'MAXVALUE'}"
        parts.append(file_name(ends.replace(":", "").replace(" ", "T")))
    return ".".join(parts) + FORMATS[form].suffix


def _checked(source: Source | None, name: QualifiedName, drop: bool) -> Source:
    """Raises PlanError where it cannot be written, or not be dropped."""
    if source is None:
        raise PlanError(f"there is no table {name}.")
    obstacles = [source.hidden] if source.hidden else []
    if not source.columns:
        obstacles.append("it has no columns")
    if drop and source.attached:
        obstacles.append(f"it is attached to {source.parent}, and what is dropped is detached before it is written")
    if drop and not source.attached and not source.retired:
        obstacles.append("schema_kit.retired_partition does not know it as one that was detached")
    refuse_for(f"cannot write {name} to a file", obstacles)
    return source


def refuse(
    connection: Connection, store: Store, name: QualifiedName, form: str, cut: Cut | None, *, drop: bool
) -> Export:
    """Before anything is begun: rights that are missing, and another file that has the name; what is to be done.

    Raises:
        PlanError: there is one of them.
    """
    final = _file(name, form, cut)
    needed = [Right(name, "SELECT"), *(Right(ARCHIVE_FILE, what) for what in KEEPS)]
    needed += [Right(name, OWNER)] if drop else []
    refuse_for(f"cannot write {name} to a file", missing_rights(connection, needed))
    if store.exists(final) and (told := FORMATS[form].description(store, final)["table"]) != str(name):
        raise PlanError(f"{store.url(final)} exists already and holds {told}, not {name}. Name another destination.")
    return Export(name, store.url(final), drop, form, cut)


@contextmanager
def reported(step: Step, emit: Emit) -> Iterator[None]:
    """Report that a step that sends nothing has begun, and that it is done."""
    emit(StepStarted(step))
    began = time.monotonic()
    yield
    emit(StepDone(step, time.monotonic() - began))


def _write(taken: Snapshot, source: Source, store: Store, step: Export, emit: Emit) -> Contents:
    """Under a temporary name, then read back; a file of the same rows that exists already is kept."""
    with store.claimed(step.file) as temporary:
        with reported(step, emit):
            totals, text = _written(taken, source, store, temporary, step, emit)
        with reported(comparing(step.url, source.name), emit):
            return _compared(source, store, temporary, step, totals, text)


def _compared(source: Source, store: Store, temporary: str, step: Export, totals: Totals, text: str) -> Contents:
    size, sha256 = store.digest(temporary)
    back = _totals(store, temporary, step.form, totals.columns)
    if wrong := back.unlike(totals):
        raise ExecutionError(
            f"{step.url} is not what was written: read back, it has {wrong}. It was taken away, and "
            f"{source.name} is as it was; look after the disk, then run again."
        )
    if store.exists(step.file):
        return _kept(store, step, back)
    _name(store, temporary, step, text, (size, sha256))
    changed(step.summary)
    described = FORMATS[step.form].description(store, step.file)
    if wrong := back.unlike(described):
        raise ExecutionError(
            f"{step.url} describes itself as another: it has {wrong}. {source.name} is as it was; take the file away, "
            "then run again."
        )
    return Contents(described, back, size, sha256)


def _written(
    taken: Snapshot, source: Source, store: Store, temporary: str, step: Export, emit: Emit
) -> tuple[Totals, str]:
    """Return what was written, and what describes it."""
    columns = step.stored(source.columns)
    reader = taken.arrow if step.form == "parquet" else taken.text
    while True:
        totals = Totals(columns)
        try:
            with store.writing(temporary) as sink, FORMATS[step.form].writer(sink, columns) as writer:
                for arrays in ahead(reader(source.name, columns, step.where)):
                    totals.add(arrays)
                    writer.write(arrays)
                    emit(_progress(step, source, totals.rows, writer.bytes))
                text = _description(taken, source, totals, step)
                writer.describe(text)
            return totals, text
        except Misfit as misfit:
            columns = tuple(replace(c, stored=TEXT) if c.name == misfit.column else c for c in columns)


def _name(store: Store, temporary: str, step: Export, text: str, digest: tuple[int, str]) -> None:
    """The description comes first, so that no file ever lacks it; one without a file means nothing."""
    final, beside = step.file, FORMATS[step.form].beside
    try:
        if beside:
            with store.writing(final + beside) as sink:
                sink.write(text.encode())
        store.publish(temporary, final, digest)
    except BaseException:
        with suppress(ExecutionError):  # the store may be gone itself
            if beside and not store.exists(final):
                store.remove(final + beside)
        raise


def _kept(store: Store, step: Export, written: Totals) -> Contents:
    there = inspect(store, step.file, step.form)
    if wrong := there.totals.unlike(written):
        raise PlanError(
            f"{step.url} exists already and has {wrong}. It was left as it is, and so was the table; name "
            "another destination, or take the file away."
        )
    for name in dict.fromkeys((step.file, step.file + FORMATS[step.form].beside)):
        store.sync(name)  # what gave it its name may have been killed right then
    return there


def _progress(step: Step, source: Source, count: int, size: int) -> StepProgress:
    share = min(count / source.rows, 1.0) if source.rows > 0 else None
    return StepProgress(step, f"{count:,} rows, {pretty(size)}", share)


def _description(taken: Snapshot, source: Source, totals: Totals, step: Export) -> str:
    part = step.cut or source
    version, moment = rows(taken.held, "SELECT current_setting('server_version'), now()::text")[0]
    lines = [f"    {column.definition}" for column in source.columns]
    lines += [f"    {line}" for line in source.declared if line.startswith("CONSTRAINT")]
    indexes = [f";\n{line}" for line in source.declared if not line.startswith("CONSTRAINT")]
    definition = f"CREATE TABLE {source.name.sql} (\n" + ",\n".join(lines) + "\n)" + "".join(indexes)
    names = ("name", "type", "stored", "not_null", "default", "generated", "identity")
    return json.dumps(
        {
            "table": str(source.name),
            "oid": source.oid,
            "parent": str(source.parent) if source.parent else None,
            "bounds": source.bounds,
            "cut": step.cut is not None,
            "control": part.control,
            "lower": part.lower,
            "upper": part.upper,
            "definition": definition,
            "columns": [{name: getattr(column, name) for name in names} for column in totals.columns],
            "properties": [] if step.cut else own.described(taken.held, source),
            "format": step.form,
            "rows": totals.rows,
            "checksums": totals.checksums,
            "snapshot": moment,
            "server_version": version,
        },
        ensure_ascii=False,
        indent=1,
    )


@contextmanager
def alone(connection: Connection, what: str) -> Iterator[None]:
    """Two at the same file, or the same table, would only take it from each other.

    Raises:
        PlanError: another run is at it.
    """
    with held(connection, f"schema_kit: file {what}") as free:
        if not free:
            raise PlanError(f"another run is at {what}. It is left to that one.")
        yield


@contextmanager
def _locked(connection: Connection, step: Export, policy: LockPolicy, emit: Emit) -> Iterator[Snapshot]:
    """The snapshot, under its lock: tried as any other step's."""
    for attempt in range(1, policy.attempts + 1):
        with ExitStack() as opened:
            try:
                taken = opened.enter_context(snapshot(connection, step.lock_sql(policy.budget(attempt))))
            except DBAPIError as error:
                state = getattr(error.orig, "sqlstate", None)
                if state == "42P01":
                    raise PlanError(f"there is no table {step.source}.") from error
                if state not in LOCK_STATES:
                    raise execute.not_observed(error, connection) from error
                _wait(connection, step, policy, attempt, emit, error)
            else:
                yield taken
                return


def _wait(
    connection: Connection, step: Step, policy: LockPolicy, attempt: int, emit: Emit, error: Exception | None
) -> None:
    who = tuple(blocker.text for blocker in blockers(connection, step.locks))
    why = f"its locks could not be taken in {attempt} tries of up to {policy.longest} ms. "
    wait(step, policy, attempt, who, emit, f"{why}No row was dropped; run again when the way is free.", error)


def _dropped(
    connection: Connection, held: Connection, source: Source, file: ArchiveFile, policy: LockPolicy, emit: Emit
) -> None:
    """In the transaction that has kept writers out since before the snapshot: registered and dropped in one commit."""
    assert source.parent is not None  # retired_partition knows whose it was
    seen = Catalog(connection).detaching(source.parent, source.name)
    plan = register(file, seen)
    there = rows(held, f"SELECT count(*) FROM {source.name.sql}")[0][0]
    if there != file.rows:
        raise ExecutionError(
            f"{source.name} holds {there:,} rows, and {file.url} has {file.rows:,} of them. Nothing was dropped; take "
            "the file away, then run again."
        )
    for attempt in range(1, policy.attempts + 1):
        send(held, "SAVEPOINT dropping")
        try:
            run_shared(held, lambda: plan, policy, emit)
            send(held, "COMMIT")
            changed(plan.title)
        except ExecutionError as error:
            if error.sqlstate not in LOCK_STATES:
                raise
            send(held, "ROLLBACK TO SAVEPOINT dropping")
            _wait(connection, plan.steps[-1], policy, attempt, emit, error)
        except DBAPIError as error:
            raise ExecutionError(
                f"the connection was lost when {source.name} was to be dropped: whether it was is unknown. Its rows "
                f"are in {file.url}, complete; run again, and the manifest says so."
            ) from error
        else:
            return
