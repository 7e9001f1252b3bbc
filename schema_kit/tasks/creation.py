"""Partitioned tables that are made."""

from schema_kit.plans import creation
from schema_kit.plans.creation import DeclaredSet
from schema_kit.steps import Plan
from schema_kit.tasks import Database


def create(database: Database, declared: DeclaredSet) -> Plan:
    """Make a partitioned table, its first partitions and its policy."""
    policy = declared.policy
    table = database.table(policy.parent)
    sets = {one.parent: found for one, found in database.sets((policy,)) if found} if table else {}
    return creation.create_set(
        declared,
        table,
        sets,
        database.now(),
        database.policy(policy.parent) is not None,
        database.config_is_current(),
        database.missing_rights(
            create_in=(policy.parent.schema,),
            refer_to={key.referenced for key in declared.table.foreign_keys} - {policy.parent},
            register=True,
        ),
    )
