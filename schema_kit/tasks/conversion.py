"""A plain table becomes partitioned, and plain again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from schema_kit.catalog import Catalog
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.marks import BOUND_CHECK, being_built
from schema_kit.model import Conversion, Copying, CopyLimits, Partitioning
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import conversion, copied_table, rollback
from schema_kit.plans import unpartition as plain
from schema_kit.plans.conversion import IncomingForeignKeys
from schema_kit.plans.copied_table import KeepOld, Strategy
from schema_kit.plans.distribution import refuse_moving
from schema_kit.steps import Plan
from schema_kit.tasks import Database


@dataclass
class Convert:
    """Partition a table that is in use. Where no strategy is given, one is chosen, once for the whole run.

    Args:
        policy: how it is to be partitioned.
        incoming: what becomes of foreign keys to it.
        strategy: attach or copy.
        default_partition: of a copy, whether a default partition takes what lies beyond the others.
        keep_old: of a copy, whether the plain table is kept, and fed.
        limits: when a copy pauses.

    Raises:
        DeclarationError: the strategy or keep_old is unknown.
    """

    policy: Partitioning
    incoming: IncomingForeignKeys
    strategy: Strategy | None = None
    default_partition: bool = True
    keep_old: KeepOld = False
    limits: CopyLimits = field(default_factory=CopyLimits)
    _chosen: tuple[Strategy, str] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.keep_old not in (True, False, "fed"):
            raise DeclarationError(f"keep_old is True, False or 'fed', not {self.keep_old!r}")
        if self.strategy not in (None, "attach", "copy"):
            raise DeclarationError(f"strategy is 'attach' or 'copy', not {self.strategy!r}")

    def plan(self, database: Database) -> Plan:
        """Return what it needs now."""
        seen = database.conversion(self.policy, self.incoming == "composite")
        if isinstance(database, EmptyDatabase) or seen is None:
            return conversion.convert(self.policy, seen, self.incoming)
        if not seen.table.partition_strategy:
            refuse_moving(conversion.titled(self.policy), seen.table.name, seen.table.distribution)
        strategy, why = self._strategy(database, seen)
        if strategy == "attach":
            plan = conversion.convert(self.policy, seen, self.incoming)
        else:
            plan = copied_table.convert(
                self.policy,
                seen,
                database.copying(self.policy.parent, seen.table, self.policy, "convert"),
                self.incoming,
                self.limits,
                default=self.default_partition,
                keep_old=self.keep_old,
            )
        if plan:
            refuse_moving(conversion.titled(self.policy), seen.table.name, seen.table.distribution)
        return replace(plan, notes=(f"strategy {strategy}: {why}", *plan.notes)) if why and plan else plan

    def _strategy(self, catalog: Catalog, seen: Conversion) -> tuple[Strategy, str]:
        """As it was said, or as it is chosen; with the reason where there was a choice."""
        run = catalog.copy_run(self.policy.parent)
        copies = run is not None and run.purpose == "convert" and not run.finished
        attaches = any(name == BOUND_CHECK for name, _, _ in seen.table.checks)
        if (copies and self.strategy == "attach") or (attaches and self.strategy == "copy"):
            other = "copy" if copies else "attach"
            raise PlanError(
                f"{self.policy.parent} is being converted by strategy {other}. Go on with "
                f"strategy='{other}', or give that up first: schema_kit partitions convert --abort"
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
    """Return what a conversion's plain table needs now to take its place again."""
    seen, copied = _kept(catalog, parent, parent)
    return rollback.roll_back(parent, seen, copied)


def give_up(catalog: Catalog, parent: QualifiedName) -> Plan:
    """Return what a conversion, or the rollback of one, needs now to be canceled before its swap."""
    source = catalog.copy_source(parent)
    seen, copied = _kept(catalog, parent, source)
    renamed = source != parent or seen is None
    built = catalog.table(source.sibling(being_built(source.name))) if renamed else None
    return copied_table.abort(source, seen, copied, built)


def _kept(catalog: Catalog, parent: QualifiedName, source: QualifiedName) -> tuple[Conversion | None, Copying]:
    table = catalog.table(parent)
    partitioned = next(iter(table.partitioned_by), "") if table else ""
    control = partitioned or (plain.given_up_key(table) if table else "")
    policy = catalog.policy(parent) if partitioned else None
    policy = policy or Partitioning(parent, control, "1 month")
    seen = catalog.conversion(policy, composite=bool(control))
    return seen, catalog.copying(source, table, policy if partitioned else None, "convert")


def unpartition(database: Database, parent: QualifiedName, keep_primary_key: bool = False) -> Plan:
    """Make a partitioned table plain again, or cancel a conversion that never came to its swap."""
    if isinstance(database, EmptyDatabase):
        raise PlanError(f"--sql cannot write the rollback of {parent}: it depends on what exists. Run it online.")
    run = database.copy_run(parent)
    if run and run.purpose == "convert" and run.swapped and not run.finished:
        if run.fed or run.back_identity or run.returned:
            return roll_back(database, parent)
        raise PlanError(
            f"cannot make {parent} plain again: the plain table of before its conversion is kept next to it, but not "
            "kept in sync. Drop that first: schema_kit partitions convert --finish. Or, if nothing was "
            "written since, it takes its place again: --rollback."
        )
    table = database.table(parent)
    if table and table.partition_strategy:
        refuse_moving(f"make {parent} plain again", parent, table.distribution)
    control = next(iter(table.partitioned_by), "") or plain.given_up_key(table) if table else ""
    policy = database.policy(parent)
    seen = database.conversion(Partitioning(parent, control, "1 month"), composite=bool(control))
    first = next((p.name for p in table.partitions if not p.default), None) if table else None
    heir = database.table(first) if first else None
    return plain.unpartition(parent, seen, heir, policy is not None, keep_primary_key)
