"""What apply and remove have in common."""

from __future__ import annotations

import sqlalchemy as sa

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.cli.options import telling
from schema_kit.cli.work import show
from schema_kit.errors import PlanError
from schema_kit.script import LockPolicy
from schema_kit.steps import Plan


def sent(
    decide: execute.Decide, connection: sa.Connection, catalog: Catalog, policy: LockPolicy, form: str, dry_run: bool
) -> None:
    """Decide and send, or print it.

    Raises:
        PlanError: nothing can be written here, though there is something to do.
    """
    plan = decide()
    if plan and not dry_run and (why := catalog.read_only()):
        raise PlanError(f"cannot {plan.title}: {why}.")
    if not dry_run:
        with telling(form) as emit:
            steps = execute.run(connection, decide, policy, emit)
        plan = Plan(plan.title, steps)
    show(plan, "sql" if dry_run and form == "text" else form, policy)
