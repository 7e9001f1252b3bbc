"""Operations on sets that are there: their policy, and their next partitions."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.ops.naming import existing, translated
from schema_kit.ops.operation import Task, operation, task
from schema_kit.tasks import partitions, policies


@operation(shared=True, reversed_by="drop_partition_policy")
def set_partition_policy(
    operations: Operations,
    table_name: str,
    *,
    schema: str | None = None,
    control: str | None = None,
    interval: str | None = None,
    timezone: str | None = None,
    premake: int | None = None,
    origin: str | None = None,
    encoding: str | None = None,
    inherit_privileges: bool | None = None,
    retention: str | None = None,
    retention_keep_table: bool | None = None,
    retention_schema: str | None = None,
    retention_grace: str | None = None,
    detach: str | None = None,
) -> Task:
    """Register how a partitioned table is kept in ``schema_kit.part_config``, or change that.

    Only what is given changes; a first registration needs `control` and `interval`. What is there has to agree:
    no partition may lie across a window from the current one on. Past partitions of other widths stay as they
    are. Joins the migration's transaction; locks nothing but the policy's row. The way back is
    ``drop_partition_policy``, or the same with the values of before.

    Args:
        operations: given by Alembic.
        table_name: the table, partitioned by RANGE; or by LIST or HASH into tables that are, each of them a set.
        schema: its schema; by schema_translate_map or search_path where it is left out.
        control: the column that decides.
        interval: the width of a partition: ``1 month``, ``7 days``, ``15 minutes``; of plain numbers how many.
        timezone: an IANA name, whose wall clock partitions follow; UTC at first.
        premake: how many partitions are kept ahead of the current one; 4 at first.
        origin: where some partition begins, on that clock or among the ids; an empty text takes it back.
        encoding: how a column that is no date or time holds a moment: ``seconds``, ``milliseconds``, ``uuidv7``,
            ``ulid``, ``snowflake``, ...; an empty text takes it back.
        inherit_privileges: whether new partitions get the grants of their parent.
        retention: how far behind the present a partition has to end for ``partitions retire`` to take it out:
            ``18 months``, or so many ids; an empty text takes it back.
        retention_keep_table: whether it stays as a table of its own; true at first.
        retention_schema: the schema that it moves to instead; an empty text takes it back.
        retention_grace: how long one that is not kept is out before it is dropped; ``7 days`` at first.
        detach: ``auto`` at first, or ``concurrently`` or ``blocking`` and nothing else.

    Raises:
        DeclarationError: an unknown interval or time zone, premake below 1, or a grace period that is none.
        PlanError: not partitioned by that column, one that may be NULL, partitions across the windows, or a
            retention shorter than a partition.
    """
    changes = {
        "control": control,
        "interval": interval,
        "timezone": timezone,
        "premake": premake,
        "origin": origin,
        "encoding": encoding,
        "inherit_privileges": inherit_privileges,
        "retention": retention,
        "retention_keep_table": retention_keep_table,
        "retention_schema": translated(operations, retention_schema),
        "retention_grace": retention_grace,
        "detach": detach,
    }
    return task(policies.set_policy, existing(operations, table_name, schema), changes)


@operation(shared=True)
def drop_partition_policy(operations: Operations, table_name: str, *, schema: str | None = None) -> Task:
    """Forget a set's policy; its table and partitions stay. Nothing to do where there is none.

    Joins the migration's transaction; locks nothing but the policy's row. The way back is
    ``set_partition_policy``.

    Args:
        operations: given by Alembic.
        table_name: the table, whether it is there or not.
        schema: its schema; by schema_translate_map or search_path where it is left out.
    """
    return task(policies.drop_policy, existing(operations, table_name, schema))


@operation()
def drop_retention(operations: Operations, table_name: str, *, schema: str | None = None) -> Task:
    """Forget a set's retention, and put back the partitions that it has retired and that are not dropped yet.

    The way back of ``set_partition_policy(retention=...)``: nothing is retired or dropped any more from the first
    commit on, then each partition that ``schema_kit.retired_partition`` names as retired by the policy comes back,
    wherever it lies by now. Locks: as ``attach_partition_concurrently``. Run again, it goes on.

    Args:
        operations: given by Alembic.
        table_name: the partitioned table.
        schema: its schema; by schema_translate_map or search_path where it is left out.

    Raises:
        PlanError: a partition cannot come back: its range was taken meanwhile, or its shape differs. Nothing was
            changed.
        LockNotAvailable: the locks were not to be had; who holds them is named.
    """
    return task(policies.drop_retention, existing(operations, table_name, schema))


@operation()
def create_next_partitions(
    operations: Operations, table_name: str, *, schema: str | None = None, until: str | None = None
) -> Task:
    """Make the current partition and the premade ones ahead of it, where they are missing.

    What ``schema_kit partitions create-next`` does, in a migration. Each partition is a commit of its own under
    SHARE UPDATE EXCLUSIVE on the table, beside its writers; see the command.

    Args:
        operations: given by Alembic.
        table_name: a table with a policy in part_config.
        schema: its schema; by schema_translate_map or search_path where it is left out.
        until: make all that are missing from the present to there, instead of the policy's premake:
            ``2027-12-31``, or an id.

    Raises:
        DeclarationError: *until* cannot be read.
        PlanError: no policy, or partitions that do not agree with it.
        LockNotAvailable: the locks were not to be had; who holds them is named.
    """
    return task(partitions.create_next_of, existing(operations, table_name, schema), until)
