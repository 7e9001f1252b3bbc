"""Operations on time-to-live: when rows of a table expire."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.model import TimeToLive, Tree
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.ops.door import AnyCatalog, PlanOperation, register
from schema_kit.ops.naming import existing
from schema_kit.plans import ttl
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan
from schema_kit.steps.rows import UnregisterTtl

TTL_POLICY_SCRIPT = "tables/ttl_policy.sql"


@register("set_ttl_policy")
class SetTtlPolicyOp(PlanOperation):
    """Say when rows of a table expire."""

    shared = True

    def __init__(self, policy: TimeToLive) -> None:
        self.policy = policy

    @classmethod
    def set_ttl_policy(
        cls,
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
    ) -> None:
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
        operations.invoke(cls(ttl.checked(policy)))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide; without a database everything is taken to be as it should."""
        policy, script = self.policy, load(TTL_POLICY_SCRIPT)
        if isinstance(catalog, EmptyDatabase):
            return ttl.set_policy(policy, None, None, catalog.now(), script)
        registered = next((one for one in catalog.ttl_policies() if one.table == policy.table), None)
        return ttl.set_policy(policy, registered, catalog.leaving(policy.table), catalog.now(), script)


@register("drop_ttl_policy")
class DropTtlPolicyOp(PlanOperation):
    """Forget when rows of a table expire."""

    shared = True

    def __init__(self, table: QualifiedName) -> None:
        self.table = table

    @classmethod
    def drop_ttl_policy(cls, operations: Operations, table_name: str, *, schema: str | None = None) -> None:
        """Forget when rows of a table expire; the rows stay. Nothing to do where there is no policy.

        With the last policy ttl_policy goes as well. Joins the migration's transaction; locks nothing but the policy's
        row, or ttl_policy. The way back is ``set_ttl_policy``.

        Args:
            operations: given by Alembic.
            table_name: the table, whether it is there or not.
            schema: its schema; by schema_translate_map or search_path where it is left out.
        """
        operations.invoke(cls(existing(operations, table_name, schema)))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide; without a database nothing is taken to be done already."""
        if isinstance(catalog, EmptyDatabase):
            return Plan(f"drop the time-to-live of {self.table}", (UnregisterTtl(self.table),))
        return ttl.drop_policy(self.table, [policy.table for policy in catalog.ttl_policies()])
