"""Operations on time-to-live: when rows of a table expire."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.model import TimeToLive, Tree
from schema_kit.ops.naming import existing
from schema_kit.ops.operation import Task, operation, task
from schema_kit.plans.ttl import checked
from schema_kit.tasks import ttl


@operation(shared=True, reversed_by="drop_ttl_policy")
def set_ttl_policy(
    operations: Operations,
    table_name: str,
    column: str,
    *,
    schema: str | None = None,
    age: str | None = None,
    timezone: str = "UTC",
    encoding: str = "",
    tree: Tree | None = None,
    archive_first: bool = False,
    batch_size: int = 1000,
    target_seconds: float = 0.5,
    max_replica_lag: float | None = 10.0,
    max_dead_share: float | None = 0.2,
) -> Task:
    """Say in ``schema_kit.ttl_policy`` when rows of a table expire; ``schema_kit ttl run`` removes them then.

    Rows whose column is NULL never expire. What refers to an expired row goes before it, whether it has expired
    itself or not: `tree` names the tables, each with those that hang on it::

        op.set_ttl_policy(
            "sessions", "expires_at", tree={"conversations": {"messages": {"citations": {}}}}
        )

    Where no tree is given, the foreign keys that say ON DELETE CASCADE are it, as they are when the rows are
    removed. A foreign key that says SET NULL or SET DEFAULT needs no mention: its rows stay.

    What is there has to agree: an index on the column and on the columns of each foreign key, and no foreign key
    left whose rows would be in the way. A policy that is there is replaced as a whole. Joins the migration's
    transaction; locks nothing but the policy's row. The way back is ``drop_ttl_policy``, or the same with the
    values of before.

    Args:
        operations: given by Alembic.
        table_name: the table; a partitioned one is looked after as a whole.
        column: the column that says when a row expires; with `age`, from when on it ages. A date expires when
            its day begins.
        schema: its schema; by schema_translate_map or search_path where it is left out.
        age: how old a row becomes: ``90 days``, ``18 months``.
        timezone: an IANA name, by whose wall clock ages are counted and columns without a zone are read.
        encoding: how a column that is no date or time holds a moment: ``seconds``, ``milliseconds``, ``uuidv7``,
            ``ulid``, ``snowflake``, ...
        tree: the tables whose rows go along; names without a schema are of the schema of what they hang on.
        archive_first: rows move to their tables' archives instead of being deleted; each table of the tree needs
            one then, by op.set_archive_policy.
        batch_size: rows of the first batch, from 1 to 100000; the next ones become smaller or larger, from 10 to
            100000, by a factor of 2 at most.
        target_seconds: how long a batch should take.
        max_replica_lag: pause while a physical replica is more seconds than that behind; None: never.
        max_dead_share: pause while more than this share of a table's rows (0 to 1) is dead and a vacuum of it is
            running; None: never.

    Raises:
        DeclarationError: a number out of its range, an age or time zone that cannot be read, a tree that is none.
        PlanError: no such table or column, an index that is missing, a column that holds no moments, a table that
            refers to one whose rows go and is not in the tree, or rights that are missing.
    """
    policy = TimeToLive(
        existing(operations, table_name, schema),
        column,
        age,
        timezone,
        encoding,
        tree,
        archive_first,
        batch_size,
        target_seconds,
        max_replica_lag,
        max_dead_share,
    )
    return task(ttl.set_policy, checked(policy))


@operation(shared=True)
def drop_ttl_policy(operations: Operations, table_name: str, *, schema: str | None = None) -> Task:
    """Forget when rows of a table expire; the rows stay. Nothing to do where there is no policy.

    With the last policy ttl_policy goes as well. Joins the migration's transaction; locks nothing but the policy's
    row, or ttl_policy. The way back is ``set_ttl_policy``.

    Args:
        operations: given by Alembic.
        table_name: the table, whether it is there or not.
        schema: its schema; by schema_translate_map or search_path where it is left out.
    """
    return task(ttl.drop_policy, existing(operations, table_name, schema))
