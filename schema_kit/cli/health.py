"""schema_kit health: what is wrong with a database, and what repairs it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from schema_kit import execute
from schema_kit.cli.output import OUTPUT, as_json, deliver, wrapped
from schema_kit.cli.partitions.check import WORK_IS_DUE
from schema_kit.cli.project import project
from schema_kit.cli.run import Run, database, looks
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.health import checks, observe, report, revision, snapshots, window
from schema_kit.health.facts import Observed
from schema_kit.health.finding import CODES, Finding
from schema_kit.health.window import Counted
from schema_kit.names import QualifiedName
from schema_kit.plans.check import Severity
from schema_kit.steps import Plan


@click.command("health")
@looks("text", "json", "metrics")
@click.option("--write", is_flag=True, help="Write a revision of the repairs that block no other session.")
@click.option("--remember", is_flag=True, help="Keep counters and sizes: for a later run and `report`.")
@click.option("--replica", multiple=True, metavar="URL", help="Count the scans of this server, too.")
@click.option("--ignored", is_flag=True, help="Show, too, what is left out by op.ignore_health_finding, and why.")
@click.option("--ignore", multiple=True, metavar="CODE", help="Leave findings of this code out, in this run.")
@OUTPUT
@click.pass_context
def health(
    context: click.Context,
    run: Run,
    write: bool,
    remember: bool,
    replica: tuple[str, ...],
    ignored: bool,
    ignore: tuple[str, ...],
    output: Path | None,
) -> None:
    """Report problems of a database, each with the operation that repairs it.

    Indexes that are invalid, twice, redundant or unused; foreign keys without an index; constraints that are not valid;
    disabled triggers; missing statistics; sequences near their end; dead rows; sessions, slots and settings. A
    partitioned table is one finding, not one for each partition. It reads the catalog and statistics, no row of a
    table, and changes nothing, but for --remember, which keeps counters and sizes. Membership in pg_monitor is all that
    it needs, and without that it says what it could not see.

    What op.ignore_health_finding has left out, with a reason, is counted; --ignored shows it.

    Exit codes: 0 nothing to do, 4 something is due or broken; else those of every command.

    Example: schema_kit health --format json
    """
    if unknown := sorted(set(ignore) - CODES.keys()):
        raise DeclarationError(f"no finding has the code {', '.join(unknown)}. There are: {', '.join(CODES)}.")
    run.acts = remember
    moment = run.catalog.now()
    seen = observe.read(run.connection, moment)
    replicas = [*map(_replica, replica)]
    if remember:
        _remember(run, seen, [window.own(seen), *replicas])
    seen = snapshots.windowed(run.connection, seen, moment, replicas)
    only = _roots(run.names(), seen)
    reasons = {one.key: reason for one, reason in run.catalog.ignored_findings().items()}
    found = [one for one in checks.examine(seen, only) if one.code not in ignore]
    findings = [one for one in found if one.key not in reasons]
    left = {one: reasons[one.key] for one in found if one.key in reasons}
    since = seen.server.since
    counters = f"{since:%Y-%m-%d %H:%M}" if since else ""
    if run.form == "metrics":
        text = report.metrics(findings, len(left), moment)
    elif run.form == "json":
        told = report.document(findings, left, seen.notes, moment, since.isoformat() if since else "")
        text = as_json(told, output)
    else:
        lines = (report.text(findings) + (report.reasons(left) if ignored else "")).splitlines()
        text = "".join(f"{line if output else wrapped(line)}\n" for line in lines)
    deliver(text, output)
    if run.form == "text":
        for note in seen.notes:
            click.echo(note, err=True)
        said = f"counters count since {counters}" if counters else "since when counters count is not known"
        click.echo(f"{report.summary(findings, len(only or seen.tables), len(left))}; {said}", err=True)
    if write:
        _write(findings)
    if any(one.severity is not Severity.NOTICE for one in findings):
        context.exit(WORK_IS_DUE)


def _replica(url: str) -> Counted:
    with database(url, None) as (connection, _):
        return snapshots.of_replica(connection)


def _remember(run: Run, seen: Observed, counted: Sequence[Counted]) -> None:
    def decide() -> Plan:
        tables = snapshots.measured(run.connection)
        there, keep = snapshots.current(run.connection), snapshots.kept(run.connection)
        return snapshots.plan(seen, counted, tables, there=there, keep=keep)

    execute.run(run.connection, decide, run.policy, lambda _: None)


def _write(findings: Sequence[Finding]) -> None:
    """Write the revision, and say where it is.

    Raises:
        PlanError: there is no project here, or Alembic cannot write it.
    """
    repaired = [one for one in findings if revision.writable(one)]
    if not repaired:
        click.echo("no revision was written: no repair is an operation that needs no decision", err=True)
        return
    config = project(otherwise="no revision was written: ")
    path = revision.write(repaired, config)
    click.echo(f"{len(repaired)} repairs of {len(findings)} findings: {path}", err=True)


def _roots(names: Sequence[QualifiedName], seen: Observed) -> list[QualifiedName]:
    """Return the tables that were named; of a partition its root.

    Raises:
        PlanError: there is no such table.
    """
    if lacking := [str(name) for name in names if name not in seen.by_name]:
        notes = "".join(f" {note}" for note in seen.notes)
        raise PlanError(f"{', '.join(lacking)}: no table of that name was seen.{notes}")
    return list(dict.fromkeys(seen.by_name[name].root for name in names))
