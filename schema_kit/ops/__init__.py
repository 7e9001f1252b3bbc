"""Alembic operations as functions, each with a class of inert data, and the conversion of each into a plan.

Importing this package registers them with ``alembic.op``; `schema_kit.op` is the same, typed.
"""

from schema_kit import autogenerate as autogenerate  # registers what autogenerate compares, in every env.py
from schema_kit.ops import rendering as rendering  # registers how they are written
from schema_kit.ops import runs as runs  # registers what is looked at before each run of Alembic's
from schema_kit.ops.classes import *  # noqa: F403 - written by tools/write_operations.py
from schema_kit.ops.invoke import Settings, lock_policy, operations, written
from schema_kit.ops.operation import PlanOperation
from schema_kit.plans.cuts import by_hash, by_list

__all__ = ["PlanOperation", "Settings", "by_hash", "by_list", "lock_policy", "operations", "written"]
