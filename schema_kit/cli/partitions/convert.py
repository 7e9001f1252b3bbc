"""``schema_kit partitions convert``."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.jobs import Job, work
from schema_kit.cli.partitions.copy_options import copies
from schema_kit.cli.policies import policies
from schema_kit.cli.renamed import Renamed
from schema_kit.cli.run import YES, Run, acts
from schema_kit.errors import PlanError
from schema_kit.keys import ENCODINGS
from schema_kit.model import CopyLimits, Partitioning
from schema_kit.plans.conversion import IncomingForeignKeys
from schema_kit.plans.copied_table import KeepOld, Strategy
from schema_kit.steps import Plan
from schema_kit.tasks.conversion import Convert, give_up, roll_back


@click.command("convert", cls=Renamed, old={"--by": "--control", "--every": "--interval"})
@acts
@copies
@click.option("--control", help="The column that decides.")
@click.option("--interval", help="The width of a partition: '1 month', '7 days', or how many ids: 100000.")
@click.option("--timezone", default="UTC", show_default=True, help="Partitions follow its wall clock.")
@click.option("--premake", type=click.IntRange(1), default=4, show_default=True, help="Partitions to keep ahead.")
@click.option("--origin", help="Where some partition begins.")
@click.option("--encoding", default="", help=f"How a column of another type holds a time: {', '.join(ENCODINGS)}.")
@click.option("--strategy", type=click.Choice(["attach", "copy"]), help="Left out: by size and shape.")
@click.option(
    "--incoming-foreign-keys",
    "incoming",
    type=click.Choice(["refuse", "drop", "composite"]),
    default="refuse",
    show_default=True,
    help="What becomes of foreign keys to the table.",
)
@click.option("--no-default", is_flag=True, help="Make no default partition when rows are copied.")
@click.option("--abort", is_flag=True, help="Give it up before its swap: the table is as before.")
@click.option("--feed", is_flag=True, help="Of a copy: log what changes after the swap, for --rollback.")
@click.option("--rollback", is_flag=True, help="After a copy: the plain table takes its place again.")
@click.option("--finish", is_flag=True, help="After a copy: drop the plain table that was kept.")
@YES
def command(
    run: Run,
    control: str | None,
    interval: str | None,
    timezone: str,
    premake: int,
    origin: str | None,
    encoding: str,
    strategy: Strategy | None,
    workers: int,
    limits: CopyLimits,
    incoming: IncomingForeignKeys,
    no_default: bool,
    abort: bool,
    feed: bool,
    rollback: bool,
    finish: bool,
) -> None:
    """Turn a live table into a partitioned one: attach it, or copy its rows.

    By attaching, no row is copied: it becomes the first partition, in seconds. By copying, each range has a partition
    from the swap on. Without --strategy, a conversion that was begun continues; else a table of up to 1 GB whose rows
    lie in several ranges is copied, and a bigger one attached: which and why is said first. After a copy the plain
    table is kept, until --finish drops it or --rollback gives it its place again: with --feed, with whatever was
    written since; without, if nothing was. If it is interrupted, run it again: it resumes where it stopped. --abort
    undoes a conversion, or a rollback, at any moment before its swap.

    Example: schema_kit partitions convert rag_chat.messages --control created_at --interval '1 month' --strategy copy
    """
    if len(run.tables) != 1:
        raise click.UsageError("name one table")
    if abort + finish + rollback > 1:
        raise click.UsageError("--abort is before the swap, --finish or --rollback after it: one of them")
    if feed and (finish or rollback or abort or strategy == "attach"):
        raise click.UsageError("--feed is said when a table is converted by copy")
    parent = run.catalog.relation(run.tables[0])
    if abort or rollback:
        one = Partitioning(parent, "", "")
    elif finish:
        one = policies(run.catalog, Partitioning, [parent.sql])[0]
    elif control is None or interval is None:
        raise click.UsageError("--control COLUMN and --interval INTERVAL say how it is partitioned")
    else:
        one = Partitioning(parent, control, interval, timezone, premake, origin, encoding)
        one = replace(one, interval=one.cut.text)

    keep: KeepOld = "fed" if feed else not finish
    convert = Convert(one, incoming, strategy, not no_default, keep, limits)

    def decide(catalog: Catalog, one: Partitioning) -> Plan:
        if abort:
            return give_up(catalog, one.parent)
        return roll_back(catalog, one.parent) if rollback else convert.plan(catalog)

    plan = run.observed(partial(decide, run.catalog, one))
    if abort and not plan and run.catalog.table(parent) is None:
        raise PlanError(f"cannot abort the conversion of {parent}: there is no such table.")
    if plan and (finish or sys.stdin.isatty()):
        keys = f"this changes the primary key of {parent} and the foreign keys to it"
        run.confirm(f"this drops the plain table that {parent} was" if finish else keys)
    work(run, "convert", [Job("convert", decide)], [(one, None)], sessions=workers)
