"""``schema_kit archive export``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa

from schema_kit import execute, script
from schema_kit.catalog.session import observing
from schema_kit.cli.archive.common import bounds_of, needed, older_than
from schema_kit.cli.jobs import fail
from schema_kit.cli.output import echo_json, echo_sql, wrapped
from schema_kit.cli.renamed import Renamed
from schema_kit.cli.run import LOCK_TIMEOUT, NOW, URL, YES, Run, formats, runs
from schema_kit.errors import DeclarationError, PlanError, SchemaKitError
from schema_kit.model import ArchiveFile, Stored
from schema_kit.names import QualifiedName
from schema_kit.plans.retirement import detach
from schema_kit.plans.retirement import drop as dropping
from schema_kit.prerequisites import held_here
from schema_kit.sizes import pretty
from schema_kit.steps import Plan
from schema_kit.steps.files import RecordDue

if TYPE_CHECKING:
    from schema_kit.files.export import Cut
    from schema_kit.files.store import Store


OLD = {
    "--from": "--since",
    "--to-bound": "--until",
    "--output": "--format",
    "--format parquet": "--as",
    "--format copy": "--as",
}


@dataclass(frozen=True)
class _Wanted:
    """A table that is one file; `cut`, where only some of its rows are."""

    name: QualifiedName
    parent: QualifiedName | None
    attached: bool
    cut: Cut | None = None
    default: bool = False


@click.command("export", cls=Renamed, old=OLD)
@click.argument("tables", nargs=-1, required=True, metavar="TABLE|PARTITION...")
@click.option("--to", "destination", required=True, help="A folder, or a URL that fsspec knows: s3://bucket/archive.")
@click.option("--as", "kind", type=click.Choice(("parquet", "copy")), default="parquet", show_default=True)
@click.option("--since", help="Only rows from here on, by the column by which TABLE is partitioned: 2026-01-01, an id.")
@click.option("--until", help="Only rows before this.")
@click.option(
    "--older-than",
    "age",
    help="Only partitions that ended so long ago, in the table's time zone: '90 days', ids.",
)
@click.option("--drop", is_flag=True, help="Then drop each partition; one that is attached is detached first.")
@YES
@click.option("--dry-run", is_flag=True, help="Say which files would be written, and print the SQL; write none.")
@NOW
@LOCK_TIMEOUT
@URL
@formats("text", "json")
@runs()
def command(
    run: Run, destination: str, kind: str, since: str | None, until: str | None, age: str | None, drop: bool
) -> None:
    """Write partitions to files and verify the files; with --drop, drop the partitions afterwards.

    Files are Parquet (zstd), or the text of COPY. A partitioned table is a file for each of its partitions; with
    --older-than for each that ended so long ago. Dates are read in the time zone of the table's policy; in UTC, where
    TABLE has no policy in part_config. Each file is written from one snapshot under a temporary name, synced, read back
    and compared (rows, and a checksum of each column); then it gets its name and its row in schema_kit.archive_file.
    With --drop the table is dropped in that same commit. What cannot be read back leaves everything as it was, and
    running again goes on.

    Example: schema_kit archive export telegram_bots.messages --to /srv/archive --until 2026-01-01
    """
    if age and (since or until):
        raise DeclarationError("--older-than stands for --since and --until: name one.")
    needed()
    from schema_kit.files.export import finished
    from schema_kit.files.store import Store

    store = Store(destination)
    done, failed, wanted = list[ArchiveFile](), list[SchemaKitError](), list[_Wanted]()
    for name in map(run.catalog.relation, run.tables):
        if drop and (file := finished(run.connection, name, store, kind)) and not run.catalog.exists(name):
            done.append(file)  # an earlier run's, which was interrupted before it could say so
        else:
            wanted += _chosen(run, name, since, until, age, drop)
    if drop:
        _agree(run, wanted)
    if run.dry_run:
        _dry(run, store, kind, wanted, drop)
        return
    if not store.local:
        click.echo(f"{destination}: a file gets its name there by a copy, no atomic step", err=True)
    with run.telling() as tell:
        emit = _noting_once(tell)
        for one in wanted:
            try:
                done.append(_exported(run, store, kind, one, drop, emit))
            except SchemaKitError as error:
                failed.append(error)
            except sa.exc.DBAPIError as error:
                failed.append(execute.not_observed(error, run.connection))
    _tell(done, drop, run.form)
    fail(failed, done, "the other files are")


def _exported(run: Run, store: Store, kind: str, one: _Wanted, drop: bool, emit: execute.Emit) -> ArchiveFile:
    """Detach, write and drop one table; another run keeps out of all of that, and finds it done."""
    from schema_kit.files.export import alone, export, finished, refuse

    step = refuse(run.connection, store, one.name, kind, one.cut, drop=drop)
    with alone(run.connection, step.url):
        if drop and not run.catalog.exists(one.name) and (file := finished(run.connection, one.name, store, kind)):
            return file
        if drop and one.attached and one.parent:
            _detach(run, one.parent, one.name, emit)
        return export(run.connection, one.name, store, kind, run.policy, emit, cut=one.cut, drop=drop)


def _noting_once(emit: execute.Emit) -> execute.Emit:
    """Each partition is detached by a plan of its own, and what one notes, the others do."""
    said = set[str]()

    def tell(event: execute.Event) -> None:
        if isinstance(event, execute.Noted):
            if event.text in said:
                return
            said.add(event.text)
        emit(event)

    return tell


def _chosen(
    run: Run, name: QualifiedName, lower: str | None, upper: str | None, age: str | None, drop: bool
) -> Iterator[_Wanted]:
    if age is None:
        read = bounds_of(run.catalog, name)
        yield from _wanted(run.connection, name, read(lower), read(upper), drop)
    else:
        yield from (_Wanted(part, name, attached=True) for part in older_than(run.catalog, name, age))
        yield from (_Wanted(part, name, attached=False) for part in _due(run.connection, name, drop))


def _dry(run: Run, store: Store, kind: str, wanted: list[_Wanted], drop: bool) -> None:
    """Which files would be written, refused as they would be; and the SQL, in the order in which it is sent."""
    from schema_kit.files import manifest

    told, texts, failed = list[dict[str, Any]](), list[str](), list[SchemaKitError]()
    for one in wanted:
        try:
            file, plans, reading = _shown(run, store, kind, one, drop, later=bool(told))
        except SchemaKitError as error:
            failed.append(error)
            continue
        count = "rows" if file["rows"] is None else f"about {file['rows']:,} rows"
        size, gone = pretty(file["bytes"]), f"; then {file['table']} is dropped" if drop else ""
        texts.append(wrapped(f"-- would write {file['url']}: {count} of {file['table']}, {size} there{gone}", "--   "))
        first = () if told else (manifest.creation(run.connection),)
        policy = held_here(run.connection, run.policy)
        texts += [script.write(plan, policy) for plan in (*first, *plans) if plan]
        texts.append(reading)
        told.append(file)
    if run.form == "json":
        echo_json({"files": told})
    for text in texts if run.form == "text" else ():
        echo_sql(text)
    if not wanted:
        click.echo("nothing to do", err=True)
    fail(failed, told)


def _shown(
    run: Run, store: Store, kind: str, one: _Wanted, drop: bool, *, later: bool
) -> tuple[dict[str, Any], list[Plan], str]:
    """Return a file, what goes before it, and what is sent for it; *later*, once what the first one makes exists.

    Raises:
        PlanError: it would be refused.
    """
    from schema_kit.files import own, table
    from schema_kit.files.export import refuse
    from schema_kit.files.shown import written

    step = refuse(run.connection, store, one.name, kind, one.cut, drop=drop)
    with observing(run.connection):
        source = table.read(run.connection, one.name)
        assert source is not None  # or it would not be wanted
        has = own.of(run.connection, source) if drop else ()
    plans, seen = list[Plan](), None
    if drop and one.parent:
        seen = run.catalog.detaching(one.parent, one.name)
        dropping(one.parent, one.name, seen)
        if one.attached:
            seen = replace(seen, has_record=Stored.CURRENT if later else seen.has_record) if seen else None
            plans = [_recording_due(one.parent, one.name), detach(one.parent, one.name, seen)]
            seen = replace(seen, attached_to=None, recorded=True, has_record=Stored.CURRENT) if seen else None
    rows = None if one.cut or source.rows < 0 else round(source.rows)
    part, url = one.cut or source, step.url
    file = {"url": url, "table": str(one.name), "rows": rows, "bytes": source.bytes, "drop": drop}
    file |= {"from": part.lower, "to": part.upper}
    reading = written(step, source, seen, run.policy)
    return file, plans, (script.remark(own.note(url, one.name, has)) + "\n" if has else "") + reading


def _recording_due(parent: QualifiedName, name: QualifiedName) -> Plan:
    due = RecordDue(parent, name)
    return Plan(due.summary, (due,))


def _due(connection: sa.Connection, name: QualifiedName, drop: bool) -> tuple[QualifiedName, ...]:
    """Return what an earlier run has detached from a table, to drop it."""
    from schema_kit.files import manifest

    return manifest.due(connection, name) if drop else ()


def _tell(done: list[ArchiveFile], drop: bool, form: str) -> None:
    if form == "json":
        files = [
            {"url": f.url, "table": str(f.table), "rows": f.rows, "bytes": f.bytes, "sha256": f.sha256} for f in done
        ]
        echo_json({"files": files})
    else:
        for file in done:
            gone = "; the table is dropped" if drop else ""
            click.echo(wrapped(f"{file.url}: {file.rows:,} rows of {file.table}, {pretty(file.bytes)}{gone}"))


def _wanted(
    connection: sa.Connection, name: QualifiedName, lower: str | None, upper: str | None, drop: bool
) -> Iterator[_Wanted]:
    """Yield each table that is a file; what an earlier run has detached, to drop it, is one of them."""
    from schema_kit.files import table
    from schema_kit.files.export import Cut

    detached = _due(connection, name, drop)
    with observing(connection):
        source = table.read(connection, name)
        if source is None:
            raise PlanError(f"there is no table {name}.")
        whole = lower is None and upper is None
        if whole and (source.kind != "p" or source.attached or source.retired):
            yield _Wanted(name, source.parent, source.attached)
        elif whole:
            for part in table.partitions(connection, name):
                yield _Wanted(part, name, attached=True)
            for part in detached:
                yield _Wanted(part, name, attached=False)
        else:
            for own, low, high, all_of_it in table.overlapping(connection, source, lower, upper, detached):
                by = table.control(connection, name)
                assert by is not None  # or it would have been refused
                cut = None if all_of_it else Cut(by, low, high)
                yield _Wanted(own.name, name, own.attached, cut, own.bounds == "DEFAULT")


def _agree(run: Run, wanted: list[_Wanted]) -> None:
    for one in wanted:
        if one.cut and one.default:
            raise PlanError(
                f"{one.name}, the default partition of {one.parent}, holds rows of the range, and --drop takes whole "
                "partitions. Give them partitions first: schema_kit partitions drain-default "
                f"{shlex.quote(str(one.parent))}"
            )
    if cut := [str(one.name) for one in wanted if one.cut]:
        raise PlanError(
            f"{', '.join(cut)}: only a part of its rows is in the range, and --drop takes whole partitions. Choose "
            "bounds of partitions."
        )
    if names := ", ".join(str(one.name) for one in wanted):
        run.confirm(f"this drops {names}, when they are written and compared")


def _detach(run: Run, parent: QualifiedName, name: QualifiedName, emit: execute.Emit) -> None:
    from schema_kit.files import manifest

    # what stands in its way is said before it is detached
    dropping(parent, name, run.catalog.detaching(parent, name))
    execute.run(run.connection, lambda: manifest.creation(run.connection), run.policy, emit)
    execute.run(run.connection, lambda: _recording_due(parent, name), run.policy, emit)
    execute.run(run.connection, lambda: detach(parent, name, run.catalog.detaching(parent, name)), run.policy, emit)
