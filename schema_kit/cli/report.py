"""schema_kit report: how a database does, as one page of HTML."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from schema_kit.cli.output import write_whole
from schema_kit.cli.partitions.check import looked
from schema_kit.cli.partitions.copy_options import as_bytes
from schema_kit.cli.run import NOW, URL, Run, runs
from schema_kit.pages import observe
from schema_kit.pages.document import document
from schema_kit.pages.facts import PERIODS


@click.command("report")
@click.option("--daily", "period", flag_value="daily", help="Compare the last 24 hours; a forecast of 30 days.")
@click.option("--weekly", "period", flag_value="weekly", default=True, help="The last 7 days; 91 days. The default.")
@click.option("--monthly", "period", flag_value="monthly", help="The last 30 days; a year.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write there, all at once; - is stdout.")
@click.option("--disk", callback=as_bytes, default="0", metavar="SIZE", help="The size of the server's disk: 500GB.")
@URL
@NOW
@runs()
def report(run: Run, period: str, out: Path | None, disk: int) -> None:
    """Write a report as one HTML file: growth, forecast, partitions, statements, findings.

    It has pictures, needs no network and no script, and can be printed. Without --out it goes to stdout where that is
    a file or a pipe, else to schema_kit-report-DATE.html here. It reads the catalog, statistics and the tables of
    schema_kit, each statement for 30 seconds at most, works on a standby, and changes nothing. Membership in
    pg_monitor is all that it needs, and SELECT on the tables of schema_kit; the report says what it could not see.

    The disk is looked at where the server is on this machine and the role reads its settings; else --disk says how big
    it is. Plain tables have a forecast once `schema_kit health --remember` has run for some days.

    Example: schema_kit report --weekly --out report.html
    """
    seen = observe.read(run.connection, run.catalog, PERIODS[period], lambda: looked(run.catalog, ()), disk)
    page = document(seen)
    if (out is None and not sys.stdout.isatty()) or str(out) == "-":
        click.echo(page.encode(), nl=False)
        return
    path = out or Path(f"schema_kit-report-{seen.at:%Y-%m-%d}.html")
    write_whole(path, page)
    click.echo(f"{path}: {len(page.encode()):,} bytes", err=True)
