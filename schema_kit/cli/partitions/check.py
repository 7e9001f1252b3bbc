"""``schema_kit partitions check``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.cli.output import OUTPUT, as_json, deliver, wrapped
from schema_kit.cli.policies import policies
from schema_kit.cli.run import Run, looks
from schema_kit.errors import SchemaKitError
from schema_kit.model import Partitioning
from schema_kit.plans import check, leftovers
from schema_kit.plans.check import Examined, Finding, Severity
from schema_kit.plans.metrics import metrics
from schema_kit.tasks.retirement import archives_of

WORK_IS_DUE = 4


@click.command("check")
@looks("text", "json", "metrics")
@OUTPUT
@click.pass_context
def command(context: click.Context, run: Run, output: Path | None) -> None:
    """Report problems and due work, each with the command that fixes it.

    Gaps, missing partitions ahead, rows in the default partition, interrupted detaches, indexes, constraints and
    triggers that a partition has otherwise than its parent, policies that do not fit their table, stale statistics,
    copies and conversions that are not over, tables that they keep, publications of single partitions. Without TABLE
    also what the archives of sets have to let go of by a retention of their own, and what tables without a policy have
    left. It changes nothing, reads catalogs and
    single rows, and sends a few queries however many sets there are. --format metrics --output
    /var/lib/node_exporter/schema_kit.prom is for Prometheus' textfile collector.

    Exit codes: 0 nothing to do, 4 something is due or broken; else those of every command.

    Example: schema_kit partitions check --format json
    """
    examined, findings = looked(run.catalog, run.tables)
    moment = run.catalog.now()
    if run.form == "metrics":
        text = metrics(examined, findings, moment)
    elif run.form == "json":
        told = [
            {"severity": str(f.severity), "code": f.code, "set": f.set, "object": f.object, "sentence": f.sentence}
            for f in findings
        ]
        document = {"at": moment.isoformat(), "sets": len(examined), "findings": told}
        text = as_json(document, output)
    else:
        text = _text(findings, whole=bool(output))
    deliver(text, output)
    if run.form == "text":
        click.echo(_summary(len(examined), findings), err=True)
    if any(finding.severity is not Severity.NOTICE for finding in findings):
        context.exit(WORK_IS_DUE)


def looked(catalog: Catalog, tables: Sequence[str]) -> tuple[list[Examined], list[Finding]]:
    """Return the partitioned tables of the tables that were named, or all, and the findings.

    Raises:
        PlanError: a table has no policy.
    """
    findings = list[Finding]()

    def no_policy(parent: str, error: SchemaKitError) -> None:
        findings.append(check.no_policy(parent, error))

    wanted = policies(catalog, Partitioning, tables, None if tables else no_policy)
    examined = [check.examine(seen) for seen in catalog.watched(wanted, execute.not_observed)]
    archives = [] if tables else catalog.watched(archives_of(catalog, *wanted), execute.not_observed)
    left = [leftovers.finding(one) for one in catalog.leftovers()]
    findings += [finding for one in examined for finding in one.findings]
    of_archives = (finding for one in map(check.examine, archives) for finding in one.findings)
    findings += [finding for finding in of_archives if finding.code in check.LEAVING]
    named = {name for one in examined for name in (str(one.seen.registered), str(one.seen.policy.parent))}
    findings += [finding for finding in left if not tables or finding.set in named]
    return examined, findings


def _text(findings: Sequence[Finding], whole: bool) -> str:
    lines, last = [], None
    for finding in findings:
        lines += [] if finding.set == last else [finding.set]
        last = finding.set
        said = f"  {finding.severity}: {finding.sentence} [{finding.code}]"
        lines.append(said if whole else wrapped(said))
    return "".join(f"{line}\n" for line in lines)


def _summary(sets: int, findings: Sequence[Finding]) -> str:
    sets_ = "1 set" if sets == 1 else f"{sets} sets"
    counted = Counter(finding.severity for finding in findings)
    found = ", ".join(f"{counted[severity]} {severity}" for severity in Severity if counted[severity])
    return f"{sets_} looked at: {found or 'nothing to do'}"
