"""What a plan needs before its first step is sent: names that are free, rights, budgets that hold on all nodes."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

from sqlalchemy import Connection

from schema_kit.catalog import citus
from schema_kit.catalog.direct import READ_ONLY
from schema_kit.catalog.privileges import missing, needed
from schema_kit.catalog.session import ON_CITUS, has_citus, note_citus, observing, rows, send
from schema_kit.errors import PlanError, refuse_for
from schema_kit.script import HERE_AGAIN, LockPolicy, OnCitus
from schema_kit.steps import Plan
from schema_kit.steps.claims import claims

# What belongs to a table that goes, or to an index, has its name no longer than that.
_TAKEN = """
WITH wanted AS (
  SELECT w.place, n.oid AS schema, w.name, w.kind
  FROM unnest(%(schemas)s::text[], %(names)s::text[], %(kinds)s::text[]) WITH ORDINALITY w (schema, name, kind, place)
  JOIN pg_namespace n ON n.nspname = w.schema
), tree AS (
  SELECT coalesce(p.relid, to_regclass(s.name)) AS oid FROM unnest(%(shed)s::text[]) s (name)
  LEFT JOIN LATERAL pg_partition_tree(to_regclass(s.name)) p ON true
), gone AS (
  SELECT oid FROM tree UNION SELECT x.indexrelid FROM tree t JOIN pg_index x ON x.indrelid = t.oid
  UNION SELECT d.objid FROM tree t JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    AND d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
)
SELECT w.place, pg_describe_object('pg_class'::regclass, c.oid, 0)
FROM wanted w JOIN pg_class c ON c.relnamespace = w.schema AND c.relname = w.name
WHERE w.kind <> 'function' AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.oid = c.oid)
UNION ALL SELECT w.place, pg_describe_object('pg_type'::regclass, t.oid, 0)
FROM wanted w JOIN pg_type t ON t.typnamespace = w.schema AND t.typname = w.name AND t.typrelid = 0
WHERE w.kind = 'relation' AND NOT EXISTS (SELECT 1 FROM pg_type e WHERE e.typarray = t.oid)
UNION ALL SELECT w.place, pg_describe_object('pg_proc'::regclass, p.oid, 0)
FROM wanted w JOIN pg_proc p ON p.pronamespace = w.schema AND p.proname = w.name AND p.pronargs = 0
WHERE w.kind = 'function'
ORDER BY 1 LIMIT 1
"""


def free(connection: Connection, plan: Plan) -> Plan:
    """Return the plan, if every name that its steps take is free.

    Raises:
        PlanError: one is taken; what has it, and what needs it, are named.
    """
    wanted = claims(plan.steps)
    if not wanted.needed:
        return plan
    values = {
        "schemas": [claim.name.schema for claim in wanted.needed],
        "names": [claim.name.name for claim in wanted.needed],
        "kinds": [claim.kind for claim in wanted.needed],
        "shed": [name.sql for name in wanted.shed],
    }
    with observing(connection):
        found = rows(connection, _TAKEN, values)
    for place, what in found:
        step = wanted.needed[place - 1].step
        raise PlanError(f"cannot {step.summary}: {what} has a name that it needs. Rename that.")
    return plan


def permitted(connection: Connection, plan: Plan) -> Plan:
    """Return the plan, if the role has the rights that its statements need, as far as their words say it.

    Raises:
        PlanError: some are missing; each is named, with what grants it.
    """
    statements = [statement for step in plan.steps for statement in step.sql()]
    if statements:
        with observing(connection):
            lacks = missing(partial(rows, connection), needed(statements), whole=False)
        refuse_for(f"cannot {plan.title}", lacks)
    return plan


def held_here(connection: Connection, policy: LockPolicy) -> LockPolicy:
    """The policy as it has to hold on the server that was looked at: on the workers of Citus, too, if it has any.

    Raises:
        PlanError: it is such a worker.
    """
    citus.refuse_worker(connection)
    return OnCitus(**asdict(policy)) if has_citus(connection) else policy


def held_in(connection: Connection, policy: LockPolicy, plan: Plan) -> tuple[str, LockPolicy]:
    """lock_timeout as the transaction that is open has it, and the policy as it has to hold in it.

    Raises:
        PlanError: nothing can be written here, or the connection is one to a worker of Citus.
    """
    before, there, why = rows(connection, f"SELECT current_setting('lock_timeout'), {ON_CITUS}, {READ_ONLY}")[0]
    if plan and why:
        raise PlanError(f"cannot {plan.title}: {why}.")
    note_citus(connection, there)
    return str(before), held_here(connection, policy)


def on_workers(connection: Connection, statements: tuple[str, ...]) -> tuple[str, ...]:
    """What is left to send when the workers of Citus have their settings: they are handed whole messages, not parts."""
    if HERE_AGAIN not in statements:
        return statements
    end = statements.index(HERE_AGAIN) + 1
    for statement in statements[:end]:
        send(connection, statement)
    return statements[end:]
