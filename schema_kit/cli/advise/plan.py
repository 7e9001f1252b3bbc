"""schema_kit advise plan: what production would do with a statement."""

from __future__ import annotations

import click

from schema_kit.advise import constants, made, shown, statements
from schema_kit.advise.planner import Planner
from schema_kit.cli.advise.common import copy, of_production, say
from schema_kit.cli.output import echo_json, wrapped
from schema_kit.errors import DeclarationError, PlanError


@click.command("plan")
@click.argument("statement")
@click.option("--with", "more", multiple=True, metavar="CREATE INDEX", help="Plan with this index, too.")
@click.option("--without", multiple=True, metavar="INDEX", help="Plan without this index.")
@of_production
def plan(
    statement: str, more: tuple[str, ...], without: tuple[str, ...], url: str | None, source: str | None, form: str
) -> None:
    """Show the plan that production would choose, with and without an index.

    A statement may have parameters ($1, :name, %(name)s): it is planned with several values that the statistics hold,
    frequent and rare ones, and the dearest plan is shown, without conditions, since those hold values of rows.

    Example: schema_kit advise plan "SELECT * FROM orders WHERE note = $1" --with "CREATE INDEX ON orders (note)"
    """
    if not statements.asks(statement):
        raise DeclarationError(
            "this is not a statement that the planner plans: SELECT, INSERT, UPDATE, DELETE or MERGE."
        )
    for one in more:
        made.refuse_others(one)
    asked = statements.made(statement)
    with copy(url, source) as scratch:
        new = [made.create(scratch, one) for one in more]
        gone = [made.named(scratch, one) for one in without]
        scratch.stretch()
        texts, problem = constants.executable(scratch, asked, constants.statistics(scratch), constants.schema(scratch))
        if problem:
            raise PlanError(f"{problem}: {asked.shown}.")
        planner = Planner(scratch)
        planner.hide(new)
        before = planner.worst(texts)
        planner.hide(gone)
        after = planner.worst(texts)
        secret = bool(statements.parameters(asked.text))
        lines = shown.plan(after.tree) if secret else [row[0] for row in scratch.rows(f"EXPLAIN {texts[0]}")]
        sizes = {str(name): shown.pages_of(scratch, name) for name in new}
        notes = scratch.notes
    say(notes)
    if form == "json":
        echo_json(
            {
                "cost": after.cost,
                "cost_before": before.cost if more or without else None,
                "indexes": sorted(map(str, after.indexes)),
                "new": [{"index": name, "bytes": size} for name, size in sizes.items()],
                "plan": shown.document(after.tree),
                "notes": notes,
            }
        )
        return
    for line in lines:
        click.echo(wrapped(line))
    for name, size in sizes.items():
        used = "used" if name in map(str, after.indexes) else "not used"
        click.echo(f"index {name}: {used}; {shown.size(size)}", err=True)
    if more or without:
        click.echo(f"cost {shown.cost(before.cost)} -> {shown.cost(after.cost)}", err=True)
