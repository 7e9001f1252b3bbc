"""Operations that partition a table, and keep its policy."""

from __future__ import annotations

from dataclasses import replace

from alembic.operations import Operations

from schema_kit.catalog import Catalog
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.model import MAX_REPLICA_LAG, MAX_SLOT_BYTES, Conversion, Copying, CopyLimits, Partitioning
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.ops.copying import COPY_SCRIPT, limits_of
from schema_kit.ops.door import AnyCatalog, PlanOperation, register
from schema_kit.ops.naming import existing
from schema_kit.plans import conversion, copied_table, partitions, way_back
from schema_kit.plans.copied_table import Strategy
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan
from schema_kit.steps.conversion import BOUND_CHECK
from schema_kit.steps.partitions import PART_CONFIG, CreatePartConfig

PART_CONFIG_SCRIPT = "partman/tables/part_config.sql"


@register("create_part_config")
class CreatePartConfigOp(PlanOperation):
    """Make the table of partition policies."""

    shared = True

    @classmethod
    def create_part_config(cls, operations: Operations) -> None:
        """Make ``schema_kit.part_config``, where policies live, if it is missing. Joins the migration's transaction."""
        operations.invoke(cls())

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        if catalog.exists(PART_CONFIG):
            return Plan("create part_config")
        return Plan("create part_config", (CreatePartConfig(load(PART_CONFIG_SCRIPT)),))


@register("drop_part_config")
class DropPartConfigOp(PlanOperation):
    """Drop the table of partition policies."""

    shared = True

    @classmethod
    def drop_part_config(cls, operations: Operations) -> None:
        """Drop ``schema_kit.part_config``, once it holds no policy. Joins the migration's transaction.

        What remembers copies that are finished and partitions that were retired goes along, unless a copy is under way
        or a retired partition is there still.

        Raises:
            PlanError: it holds policies.
        """
        operations.invoke(cls())

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        exists = catalog.exists(PART_CONFIG)
        records = catalog.finished_records()
        alone = catalog.alone_in_config_schema(PART_CONFIG, *records)
        return partitions.drop_part_config(exists and catalog.has_rows(PART_CONFIG), exists, alone, records)


@register("convert_to_partitioned")
class ConvertToPartitionedOp(PlanOperation):
    """Partition a table that is in use."""

    def __init__(
        self,
        policy: Partitioning,
        incoming: conversion.IncomingForeignKeys,
        strategy: Strategy | None = None,
        workers: int = 1,
        default_partition: bool = True,
        keep_old: copied_table.KeepOld = False,
        limits: CopyLimits | None = None,
    ) -> None:
        if keep_old not in (True, False, "fed"):
            raise DeclarationError(f"keep_old is True, False or 'fed', not {keep_old!r}")
        if strategy not in (None, "attach", "copy"):
            raise DeclarationError(f"strategy is 'attach' or 'copy', not {strategy!r}")
        if workers < 1:
            raise DeclarationError(f"workers is 1 or more, not {workers}")
        self.policy = policy
        self.incoming = incoming
        self.strategy = strategy
        self.workers = workers
        self.default_partition = default_partition
        self.keep_old = keep_old
        self.limits = limits or CopyLimits()
        self._chosen: tuple[Strategy, str] | None = None

    @classmethod
    def convert_to_partitioned(
        cls,
        operations: Operations,
        table_name: str,
        control: str,
        interval: str,
        *,
        schema: str | None = None,
        timezone: str = "UTC",
        premake: int = 4,
        origin: str | None = None,
        encoding: str = "",
        incoming_foreign_keys: conversion.IncomingForeignKeys = "refuse",
        strategy: Strategy | None = None,
        workers: int = 1,
        default_partition: bool = True,
        keep_old: copied_table.KeepOld = False,
        max_replica_lag: float | None = MAX_REPLICA_LAG,
        max_slot_bytes: int | None = MAX_SLOT_BYTES,
    ) -> None:
        """Partition a populated table by range, without copying a row: it becomes the first partition.

        With ``strategy="copy"`` its rows are copied instead, into a partition for each window, and the table stays as
        it is until one short commit swaps; it is the machinery of ``drain_default_concurrently``, and has its locks.

        Its primary key gets the control column as its last, if it is not in it. What belongs to the table comes
        along: identity and sequences, defaults, checks, indexes, foreign keys, triggers, row security, grants,
        comments, views. The policy is registered in part_config. Locks: ACCESS EXCLUSIVE for an instant to add a
        check, then for the one short commit of the swap (milliseconds, whatever the size), each under the lock
        budget; scans and index builds run beside writers.

        That check refuses rows at or past its bound, two weeks ahead at least, until the swap. A conversion that has
        stopped is either run again before that moment, or given up: ``unpartition`` drops what it has left.

        Args:
            operations: given by Alembic.
            table_name: the table.
            control: the column that decides: timestamptz, timestamp, date, a whole number, or what holds a moment in
                an encoding.
            interval: the width of a partition: ``1 month``, ``7 days``, ``1 hour``; of plain numbers how many
                (``"100000"``).
            schema: its schema; by schema_translate_map or search_path where it is left out.
            timezone: an IANA name; partitions follow its wall clock.
            premake: how many partitions are kept ahead of the current one; one that was changed in part_config
                after the swap stays.
            origin: where some partition begins: ``2000-01-02`` makes weeks begin on Sundays.
            encoding: how a column that is no date or time holds a moment: ``seconds``, ``milliseconds``,
                ``microseconds``, ``nanoseconds``, ``uuidv7``, ``ulid``, ``snowflake``, ``snowflake:1420070400000``.
            incoming_foreign_keys: ``refuse``, ``drop``, or ``composite``: the referring table gets the key column
                too, and a trigger that fills it. Those that hold the control column already come along by themselves.
            strategy: ``attach``: seconds, whatever the size, and the first partition holds all rows (it can be split
                later). ``copy``: takes as long as copying takes and the space of the table once more, and rows may lie
                as far ahead as they like. Left out: what is begun already; else copy, where rows lie in several windows
                and the table has 1 GB at most, or its rows lie too far ahead to be attached; else attach. Which, and
                why, is what a run says first. Say it in a migration that has to do the same on a small database and on
                a big one. With --sql always attach.
            workers: how many sessions copy, build indexes and compare side by side; of ``copy``.
            default_partition: whether a default partition takes what lies beyond the others; of ``copy``.
            keep_old: whether the plain table stays as it was at the swap, under its name and ``__old``; of ``copy``.
                ``fed``: a trigger logs the keys of rows that change from the swap on (12 to 16 us a row), so that it
                can take its place again with all that was written: ``unpartition``, or ``partitions convert
                --rollback``. The log grows by a key a change; running this again replays it.
            max_replica_lag: pause while a physical replica is more seconds than that behind, but for a chunk a minute;
                None: never; of ``copy``.
            max_slot_bytes: pause while a replication slot holds back more bytes of WAL than that, or a physical replica
                is as far behind; None: never; of ``copy``.

        Raises:
            DeclarationError: an unknown strategy, less than one worker, or a limit that is none.
            PlanError: something belongs to the table or depends on it that cannot move with it; it is named.
            LockNotAvailable: the locks were not to be had; who holds them is named.
        """
        parent = existing(operations, table_name, schema)
        policy = Partitioning(parent, control, interval, timezone, premake, origin, encoding)
        policy = replace(policy, interval=policy.cut.text)
        limits = limits_of(max_replica_lag, max_slot_bytes)
        operations.invoke(cls(policy, incoming_foreign_keys, strategy, workers, default_partition, keep_old, limits))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        seen = catalog.conversion(self.policy, self.incoming == "composite")
        config = load(PART_CONFIG_SCRIPT)
        if isinstance(catalog, EmptyDatabase) or seen is None:
            return conversion.convert(self.policy, seen, self.incoming, config)
        strategy, why = self._strategy(catalog, seen)
        if strategy == "attach":
            plan = conversion.convert(self.policy, seen, self.incoming, config)
        else:
            copied = catalog.copying(self.policy.parent, seen.table, self.policy, "convert")
            scripts = (config, load(COPY_SCRIPT))
            plan = copied_table.convert(
                self.policy,
                seen,
                copied,
                self.incoming,
                scripts,
                self.limits,
                default=self.default_partition,
                keep_old=self.keep_old,
            )
        return replace(plan, notes=(f"strategy {strategy}: {why}", *plan.notes)) if why and plan else plan

    def _strategy(self, catalog: Catalog, seen: Conversion) -> tuple[Strategy, str]:
        """As it was said, or as it is chosen, once for the whole run; with the reason where there was a choice."""
        run = catalog.copy_run(self.policy.parent)
        copies = run is not None and run.purpose == "convert" and not run.finished
        attaches = any(name == BOUND_CHECK for name, _, _ in seen.table.checks)
        if (copies and self.strategy == "attach") or (attaches and self.strategy == "copy"):
            other = "copy" if copies else "attach"
            raise PlanError(
                f"{self.policy.parent} is being converted by strategy {other}. Go on with strategy='{other}', or give "
                "that up first: schema_kit partitions convert --abort"
            )
        if self.strategy or copies or seen.table.partition_strategy:
            return self.strategy or ("copy" if copies else "attach"), ""
        if self._chosen is None and self.keep_old == "fed" and not attaches:
            self._chosen = "copy", "keep_old='fed' keeps what was copied"
        if self._chosen is None and seen.unseen:
            self._chosen = "attach", "a copy would have to read every row"
        if self._chosen is None:
            small = seen.bytes <= copied_table.COPIED_UNASKED and seen.table.column(self.policy.control)
            asked = self.policy if small else None  # rows are not looked for all over a big table
            copied = catalog.copying(self.policy.parent, seen.table, asked, "convert")
            self._chosen = copied_table.choose(self.policy, seen, copied)
        return self._chosen


def roll_back(catalog: Catalog, parent: QualifiedName) -> Plan:
    """What a conversion's plain table needs now to take its place again."""
    seen, copied = _kept(catalog, parent)
    return way_back.roll_back(parent, seen, copied, load(COPY_SCRIPT))


def give_up(catalog: Catalog, parent: QualifiedName) -> Plan:
    """What a conversion, or the way back of one, needs now to be given up before its swap."""
    return copied_table.abort(*_kept(catalog, parent))


def _kept(catalog: Catalog, parent: QualifiedName) -> tuple[Conversion | None, Copying]:
    table = catalog.table(parent)
    partitioned = next(iter(table.partitioned_by), "") if table else ""
    control = partitioned or (conversion.given_up_key(table) if table else "")
    policy = catalog.policy(parent) if partitioned else None
    policy = policy or Partitioning(parent, control, "1 month")
    seen = catalog.conversion(policy, composite=bool(control))
    return seen, catalog.copying(parent, table, policy if partitioned else None, "convert")


@register("unpartition")
class UnpartitionOp(PlanOperation):
    """Make a partitioned table plain again."""

    def __init__(self, parent: QualifiedName, keep_primary_key: bool = False) -> None:
        self.parent = parent
        self.keep_primary_key = keep_primary_key

    @classmethod
    def unpartition(
        cls,
        operations: Operations,
        table_name: str,
        *,
        schema: str | None = None,
        keep_primary_key: bool = False,
    ) -> None:
        """Make a partitioned table plain again: its first partition takes in the rows of the others.

        It blocks: ACCESS EXCLUSIVE on the table and its partitions for as long as those rows need to move (those of
        the first partition do not move). The primary key loses the control column; policies, key columns and triggers
        that the conversion made go.

        It is also how a conversion is given up that never came to its swap: of a table that is plain still, it drops
        the check of the bound, the empty parent beside it, the index over the longer key, and the key columns,
        triggers and foreign keys that tables which refer to it were given. Nothing blocks for longer than an instant.

        And where a conversion by copy has kept the plain table with ``keep_old="fed"``, that table takes its place
        again: what was written since is replayed into it beside writers, both are compared, and one short commit
        swaps (ACCESS EXCLUSIVE on the table and its partitions, the longer the more of them there are to drop).

        Args:
            operations: given by Alembic.
            table_name: the table.
            schema: its schema; by schema_translate_map or search_path where it is left out.
            keep_primary_key: whether the primary key keeps the control column, which was in it before the table was
                partitioned; foreign keys to it then come back as they are.

        Raises:
            PlanError: something depends on it that cannot move with it; it is named.
        """
        operations.invoke(cls(existing(operations, table_name, schema), keep_primary_key))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        if isinstance(catalog, EmptyDatabase):
            raise PlanError(
                f"--sql cannot write the way back of {self.parent}: it depends on what is there. Run it online."
            )
        run = catalog.copy_run(self.parent)
        if run and run.purpose == "convert" and run.swapped and not run.finished:
            if run.fed or run.back_identity or run.returned:
                return roll_back(catalog, self.parent)
            raise PlanError(
                f"cannot make {self.parent} plain again: the plain table of before its conversion is kept beside it, "
                "but not fed. Drop that first: schema_kit partitions convert --finish. Or, if nothing was written "
                "since, it takes its place again: --rollback."
            )
        table = catalog.table(self.parent)
        control = next(iter(table.partitioned_by), "") or conversion.given_up_key(table) if table else ""
        policy = catalog.policy(self.parent)
        seen = catalog.conversion(Partitioning(self.parent, control, "1 month"), composite=bool(control))
        first = next((p.name for p in table.partitions if not p.default), None) if table else None
        heir = catalog.table(first) if first else None
        return conversion.unpartition(self.parent, seen, heir, policy is not None, self.keep_primary_key)
