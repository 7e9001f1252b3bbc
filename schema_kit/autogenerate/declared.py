"""What models declare of partitions, archives and expiring rows, compared with the database.

A policy that only the database has is kept, unless `schema_kit.declare.complete` says that the models have them all.
Tables that no model names, archives and views over both are never compared.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, ops
from alembic.util import DispatchPriority

from schema_kit.autogenerate.converted import conversion
from schema_kit.autogenerate.work import SENTENCES, Sentence
from schema_kit.autogenerate.written import Stage, pair_of, paired
from schema_kit.catalog import Catalog
from schema_kit.catalog.search_path import schema_of
from schema_kit.declare import INFO, declared
from schema_kit.declare.nouns import Archived, Expiring, Partitioned, given
from schema_kit.errors import PlanError
from schema_kit.model import ArchivePolicy, Partitioning, Strategy, Table, TimeToLive
from schema_kit.names import QualifiedName
from schema_kit.ops import classes
from schema_kit.tasks import policies

_LOGGER = logging.getLogger("schema_kit.autogenerate")

_POLICY = tuple(one.name for one in fields(Partitioning) if one.name not in ("parent", "template"))
_EXPIRY = tuple(one.name for one in fields(TimeToLive) if one.name not in ("table", "column"))
_OF_ARCHIVES = ("interval", "indexes", "archived_at", "tablespace", "compression", "view")
_MAY_BE_UNSAID = ("max_rows", "access_method", "cold_after")
_PLACE = ("archive_table_name", "archive_schema")


@comparators.dispatch_for("schema", priority=DispatchPriority.LAST, qualifier="postgresql")
def compare(context: AutogenContext, upgrade: ops.UpgradeOps, _: set[str | None]) -> None:
    """Add the operations that make the database what the models declare, behind those of Alembic."""
    tables = [one for one in context.sorted_tables if INFO in one.info or INFO in one.metadata.info]
    if context.connection is None or not tables:
        return
    found = _Found(context.connection, context.migration_context.opts)
    for table in tables:
        if _included(context, table):
            for operation in _table(found, table, upgrade):
                upgrade.ops.append(operation)


@dataclass
class _Found:
    """What the database has."""

    connection: sa.Connection
    options: dict[str, Any]
    archived: dict[QualifiedName, ArchivePolicy] = field(init=False)
    expiring: dict[QualifiedName, TimeToLive] = field(init=False)

    def __post_init__(self) -> None:
        self.catalog = Catalog(self.connection)
        self.archived = {policy.table: policy for policy in self.catalog.archive_policies()}
        self.expiring = {policy.table: policy for policy in self.catalog.ttl_policies()}

    def say(self, text: str) -> None:
        """Say what no operation can."""
        self.options.setdefault(SENTENCES, []).append(Sentence(text))
        _LOGGER.warning("%s", text)


def _included(context: AutogenContext, table: sa.Table) -> bool:
    """Return whether env.py's filters leave it."""
    names: Any = {"schema_name": table.schema}
    return context.run_name_filters(table.name, "table", names) and context.run_object_filters(
        table, table.name, "table", False, None
    )


def _table(found: _Found, table: sa.Table, upgrade: ops.UpgradeOps) -> Iterator[MigrateOperation]:
    partitioned, archived, expiring = declared(table, Partitioned), declared(table, Archived), declared(table, Expiring)
    created = next((one for one in upgrade.ops if isinstance(one, ops.CreateTableOp) and _same(one, table)), None)
    name = QualifiedName(table.schema or schema_of(found.connection, table.name), table.name)
    there = None if created else found.catalog.table(name)
    if created:
        created.info.pop(INFO, None)  # a migration has none
        if partitioned:
            words = {"control": partitioned.control, "interval": partitioned.interval, **given(partitioned)}
            upgrade.ops[upgrade.ops.index(created)] = _created(created, words)
    elif there is None:
        return  # it is in a schema that is not compared
    complete = INFO in table.metadata.info
    own, rest = list[MigrateOperation](), list[MigrateOperation]()
    if there and not there.partition_strategy and partitioned:
        own += conversion(found.catalog, there, table, partitioned, upgrade)
    elif there:
        own += _partitions(found, table, there, partitioned)
    if archived or complete:
        rest += _archive(found, table, name, archived)
    if expiring or complete:
        rest += _expiry(found, table, name, expiring)
    if there and not there.partition_strategy and partitioned:  # what converts it commits on its own
        for one in rest:
            pair = pair_of(one)
            paired(one, pair.back if pair else one.reverse(), stage=Stage.BEHIND)
    # What is archived or deleted by partition needs the policy of the table, in the downgrade as well.
    yield from (*own, *rest) if partitioned else (*rest, *own)


def _same(operation: ops.CreateTableOp, table: sa.Table) -> bool:
    return (operation.schema, operation.table_name) == (table.schema, table.name)


def recreated(
    created: ops.CreateTableOp, policy: Partitioning, *, default: bool
) -> tuple[MigrateOperation, MigrateOperation]:
    """Return what makes a partitioned table again that has a policy, and what sets that, where the table stays."""
    words = given(policy, *_POLICY)
    kept = classes.SetPartitionPolicyOp(created.table_name, **_in(created.schema), **words)
    return _created(created, words | ({"default_partition": True} if default else {})), kept


def _created(created: ops.CreateTableOp, words: dict[str, Any]) -> MigrateOperation:
    """Return a new table with its partitions; its indexes follow, as they do behind Alembic's."""
    made = created.to_table()
    keys = sorted(made.constraints, key=lambda constraint: (type(constraint).__name__, str(constraint.name)))
    options = {name: value for name, value in created.kw.items() if name != "postgresql_partition_by"}
    return classes.CreatePartitionedTableOp(
        created.table_name,
        *made.columns,
        *keys,
        **_in(created.schema),
        **words,
        **({"comment": made.comment} if made.comment else {}),
        **options,
    )


# Partitions


def _partitions(found: _Found, table: sa.Table, there: Table, one: Partitioned | None) -> Iterator[MigrateOperation]:
    registered = found.catalog.policy(there.name)
    if one is None:
        if registered and INFO in table.metadata.info:
            drop = classes.DropPartitionPolicyOp(table.name, **_in(table.schema))
            yield paired(drop, _set_policy(table, given(registered, *_POLICY)))
        return
    strategy, column = one.key
    if (there.partition_strategy, there.partitioned_by) != (strategy[0].lower(), (column,)):
        by = Strategy(there.partition_strategy).name
        found.say(
            f"{there.name} is partitioned by {by} ({', '.join(there.partitioned_by)}), and its model declares "
            f"{strategy} ({column}). No operation changes a partition key: op.unpartition, and "
            "op.convert_to_partitioned in the revision after it."
        )
        return
    policy = one.policy(there.name)
    if registered is None:
        values = {"control": one.control, "interval": one.interval, **given(one, *_POLICY)}
        if _disagrees(found, there, values):
            return
        yield _set_policy(table, values)
        return
    changed = [name for name in _POLICY if getattr(policy, name) != getattr(registered, name)]
    if changed:
        after, before = ({name: _told(getattr(of, name)) for name in changed} for of in (policy, registered))
        if "interval" in after:
            after["interval"] = one.interval
        if not _GRID.isdisjoint(after) and _disagrees(found, there, after):
            return
        yield paired(_set_policy(table, after), _set_policy(table, before))


_GRID = {"interval", "timezone", "origin", "encoding"}
"""What says where partitions begin and end."""


def _disagrees(found: _Found, there: Table, values: dict[str, Any]) -> bool:
    """Return whether existing partitions lie across those of a policy, and say so."""
    try:
        policies.refuse_disagreeing(found.catalog, there.name, values)
    except PlanError as error:
        words = ", ".join(f"{name}={value!r}" for name, value in values.items())
        found.say(f"{there.name} is declared with {words}, which op.set_partition_policy refuses: {error}")
        return True
    return False


def _set_policy(table: sa.Table, values: dict[str, Any]) -> classes.SetPartitionPolicyOp:
    return classes.SetPartitionPolicyOp(table.name, **_in(table.schema), **values)


def _told(value: Any) -> Any:
    """Return what sets a value: an empty text takes one back."""
    return "" if value is None else value


# Archives


def _archive(found: _Found, table: sa.Table, name: QualifiedName, one: Archived | None) -> Iterator[MigrateOperation]:
    registered = found.archived.get(name)
    if one is None:
        if registered:
            drop = classes.DropArchivePolicyOp(table.name, **_in(table.schema))
            yield paired(drop, _set_archive(table, registered))
        return
    policy = one.policy(name)
    if registered and registered.way == policy.way:  # what no declaration says stays as it is
        unsaid = [key for key in _MAY_BE_UNSAID if getattr(policy, key) is None]
        policy = replace(policy, **{key: getattr(registered, key) for key in unsaid})
    if registered == policy:
        return
    if not found.catalog.exists(policy.archive):
        options = given(one, *_PLACE, *_OF_ARCHIVES) | ({"control": one.control} if one.interval else {})
        yield classes.CreateArchiveTableOp(table.name, **_in(table.schema), **options)
    operation = _set_archive(table, policy)
    yield paired(operation, _set_archive(table, registered)) if registered else operation


def _set_archive(table: sa.Table, policy: ArchivePolicy) -> classes.SetArchivePolicyOp:
    usual = QualifiedName(policy.table.schema, Archived().archive(policy.table).name)
    options: dict[str, Any] = {
        "archive_table_name": None if policy.archive.name == usual.name else policy.archive.name,
        "archive_schema": None if policy.archive.schema == usual.schema else policy.archive.schema,
        "condition": policy.condition,
        "way": None if policy.way == "partition" else policy.way,
        "control": policy.control,
        "archived_at": policy.archived_at,
        "tree": None if policy.tree is None else json.loads(policy.tree),
        **{key: getattr(policy, key) for key in _MAY_BE_UNSAID},
    }
    words = {key: value for key, value in options.items() if value is not None}
    return classes.SetArchivePolicyOp(table.name, policy.archive_after, **_in(table.schema), **words)


# Expiring rows


def _expiry(found: _Found, table: sa.Table, name: QualifiedName, one: Expiring | None) -> Iterator[MigrateOperation]:
    registered = found.expiring.get(name)
    if one is None:
        if registered:
            drop = classes.DropTtlPolicyOp(table.name, **_in(table.schema))
            yield paired(drop, _set_expiry(table, registered))
        return
    policy = one.policy(name)
    if registered != policy:
        operation = _set_expiry(table, policy)
        yield paired(operation, _set_expiry(table, registered)) if registered else operation


def _set_expiry(table: sa.Table, policy: TimeToLive) -> classes.SetTtlPolicyOp:
    words = given(policy, *_EXPIRY)
    return classes.SetTtlPolicyOp(table.name, policy.column, **_in(table.schema), **words)


def _in(schema: str | None) -> dict[str, str]:
    return {} if schema is None else {"schema": schema}
