"""Operations on sets that are there: their policy, and their next partitions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alembic.operations import Operations

from schema_kit.errors import PlanError
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.ops.door import AnyCatalog, PlanOperation, register
from schema_kit.ops.naming import existing, translated
from schema_kit.ops.partitions import PART_CONFIG_SCRIPT
from schema_kit.ops.retirement import AttachPartitionConcurrentlyOp
from schema_kit.plans import partitions, policies, retention
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan
from schema_kit.steps.partitions import RegisterPolicy


def missing_config(catalog: AnyCatalog) -> tuple[str, ...]:
    """What makes part_config, or brings it up to date; nothing where it is."""
    return () if catalog.config_is_current() else load(PART_CONFIG_SCRIPT)


@register("set_partition_policy")
class SetPartitionPolicyOp(PlanOperation):
    """Register the policy of a table that is partitioned already, or change it."""

    shared = True

    def __init__(self, parent: QualifiedName, changes: dict[str, Any]) -> None:
        self.parent = parent
        self.changes = changes

    @classmethod
    def set_partition_policy(
        cls,
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
    ) -> None:
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
        operations.invoke(cls(existing(operations, table_name, schema), changes))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        registered = catalog.policy(self.parent)
        if registered is None and isinstance(catalog, EmptyDatabase) and not self.changes["interval"]:
            raise PlanError(
                f"--sql cannot know the policy of {self.parent}: it follows a database that was empty at base. Give "
                "control and interval too, write the script from base, or run this revision online."
            )
        policy = policies.changed(self.parent, registered, self.changes)
        if not isinstance(catalog, EmptyDatabase):
            catalog.refuse_others(self.parent)
        sets = [
            (one, policies.partitioned_already(one, table), catalog.here(one, table))
            for one, table in catalog.sets((policy,))
        ]
        lacking = catalog.lacking(register=True)
        return policies.set_policy(policy, registered, sets, missing_config(catalog), lacking)


@register("drop_partition_policy")
class DropPartitionPolicyOp(PlanOperation):
    """Forget the policy of a table."""

    shared = True

    def __init__(self, parent: QualifiedName) -> None:
        self.parent = parent

    @classmethod
    def drop_partition_policy(cls, operations: Operations, table_name: str, *, schema: str | None = None) -> None:
        """Forget a set's policy; its table and partitions stay. Nothing to do where there is none.

        Joins the migration's transaction; locks nothing but the policy's row. The way back is
        ``set_partition_policy``.

        Args:
            operations: given by Alembic.
            table_name: the table, whether it is there or not.
            schema: its schema; by schema_translate_map or search_path where it is left out.
        """
        operations.invoke(cls(existing(operations, table_name, schema)))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide; without a database nothing is taken to be done already."""
        registered = isinstance(catalog, EmptyDatabase) or catalog.policy(self.parent) is not None
        return policies.drop_policy(self.parent, registered)


@register("drop_retention")
class DropRetentionOp(PlanOperation):
    """Forget how long a set keeps its partitions."""

    def __init__(self, parent: QualifiedName) -> None:
        self.parent = parent

    @classmethod
    def drop_retention(cls, operations: Operations, table_name: str, *, schema: str | None = None) -> None:
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
        operations.invoke(cls(existing(operations, table_name, schema)))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        policy = catalog.policy(self.parent)
        kept = policy and replace(
            policy, retention=None, retention_keep_table=True, retention_schema=None, retention_grace="7 days"
        )
        plan = Plan(f"drop the retention of {self.parent}", (RegisterPolicy(kept),) if kept and kept != policy else ())
        for row in () if isinstance(catalog, EmptyDatabase) else catalog.retired():
            seen = catalog.detaching(self.parent, row.name) if row.by_policy and row.parent == self.parent else None
            if seen and (row.there or seen.attached_to == self.parent):
                plan += AttachPartitionConcurrentlyOp(self.parent, row.name, row.lower, row.upper).plan(catalog)
            elif seen and row.doubt:
                plan = replace(plan, notes=(*plan.notes, retention.doubtful(row)))
        return plan


@register("create_next_partitions")
class CreateNextPartitionsOp(PlanOperation):
    """Make the partitions of a set that are due."""

    def __init__(self, parent: QualifiedName, until: str | None) -> None:
        self.parent = parent
        self.until = until

    @classmethod
    def create_next_partitions(
        cls, operations: Operations, table_name: str, *, schema: str | None = None, until: str | None = None
    ) -> None:
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
        operations.invoke(cls(existing(operations, table_name, schema), until))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        policy = catalog.policy(self.parent)
        if policy is None:
            raise PlanError(
                f"{self.parent} has no policy in schema_kit.part_config. op.set_partition_policy registers one."
            )
        plan = Plan(f"create next partitions of {self.parent}")
        for one, found in catalog.sets((policy,)):
            table = catalog.table(one.parent) if found else None
            here = catalog.here(one, table)
            default, strays = catalog.filled_default(table), catalog.strays(one, table, self.until)
            plan += partitions.create_next(
                one, table, here, default, strays, self.until, catalog.rights_missing(one.parent)
            )
        return plan
