"""schema_kit status: one screen of what is wrong, what is due and what is in progress."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click

from schema_kit.catalog import Catalog
from schema_kit.catalog.status import batches_under_way
from schema_kit.cli.output import echo_json, wrapped
from schema_kit.cli.partitions.check import WORK_IS_DUE, looked
from schema_kit.cli.run import NOW, URL, Run, formats, runs
from schema_kit.health import checks, observe, snapshots
from schema_kit.names import QualifiedName
from schema_kit.plans.check import Severity

SHOWN = 3
"""Findings of each kind that are shown; the commands that the lines name show all."""


@click.command("status")
@URL
@NOW
@formats("text", "json")
@runs()
@click.pass_context
def status(context: click.Context, run: Run) -> None:
    """Show problems, due work and work in progress on one screen.

    It changes nothing. The worst findings are shown, and the command that shows all.

    Exit codes: 0 nothing to do, 4 something is due or broken; else those of every command.

    Example: schema_kit status
    """
    examined, partitions = looked(run.catalog, ())
    reasons = {one.key for one in run.catalog.ignored_findings()}
    now = run.catalog.now()
    seen = snapshots.windowed(run.connection, observe.read(run.connection, now), now)
    health = [one for one in checks.examine(seen) if one.key not in reasons]
    told = {
        "partitions": {"sets": len(examined), **_counted(one.severity for one in partitions)},
        "health": {"tables": len(seen.tables), **_counted(one.severity for one in health)},
        **_work(run.catalog, batches_under_way(run.connection)),
    }
    worst = [
        *_worst([(one.severity, f"{one.sentence} [{one.code}]") for one in partitions]),
        *_worst([(one.severity, f"{one.evidence} [{one.code}]") for one in health]),
    ]
    if run.form == "json":
        echo_json({"at": now.isoformat(), **told, "worst": worst})
    else:
        for name, value in told.items():
            click.echo(wrapped(f"{name:13}{_line(value)}"))
        for line in worst:
            click.echo(wrapped(f"  {line}"))
        if len(partitions) + len(health) > len(worst):
            click.echo("All of them: schema_kit partitions check; schema_kit health", err=True)
    severities = {*(one.severity for one in partitions), *(one.severity for one in health)}
    if severities - {Severity.NOTICE}:
        context.exit(WORK_IS_DUE)


def _counted(severities: Iterable[Severity]) -> dict[str, int]:
    counted = Counter(severities)
    return {str(severity): counted[severity] for severity in Severity}


def _work(catalog: Catalog, batches: Sequence[str]) -> dict[str, Any]:
    """Return what is in progress, and what policies there are."""
    left = catalog.leftovers()
    retired = [row for row in catalog.retired() if row.there]
    return {
        "copies": [f"{run.purpose} of {source}" for source, run in catalog.copy_runs()],
        "batches": list(batches),
        "archives": [f"{one.table} to {one.archive}" for one in catalog.archive_policies()],
        "time-to-live": [str(one.table) for one in catalog.ttl_policies()],
        "maintained": [f"{name} {_ago(at)}" for name, at in sorted(catalog.maintained().items(), key=_oldest)],
        "left over": [f"{one.kind}: {one.object}" for one in left],
        "retired": [str(row.name) for row in retired],
    }


def _oldest(one: tuple[QualifiedName, datetime | None]) -> tuple[bool, datetime | None, str]:
    name, at = one
    return at is not None, at, str(name)


def _ago(at: datetime | None) -> str:
    return f"at {at:%Y-%m-%d %H:%M %Z}".rstrip() if at else "never, as far as is known"


def _worst(found: Sequence[tuple[Severity, str]]) -> list[str]:
    order = list(Severity)
    return [f"{severity}: {said}" for severity, said in sorted(found, key=lambda one: order.index(one[0]))[:SHOWN]]


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count:,} {what}" for what, count in value.items())
    more = f" and {len(value) - SHOWN} more" if len(value) > SHOWN else ""
    return f"{', '.join(value[:SHOWN])}{more}" if value else "none"
