"""``alembic.op`` with schema_kit's operations in it, typed: ``from schema_kit import op`` in a migration."""

from __future__ import annotations

from typing import Any

import alembic.op

from schema_kit.ops import by_hash, by_list, lock_policy  # this import registers the operations, too

__all__ = ["by_hash", "by_list", "lock_policy"]


def __getattr__(name: str) -> Any:
    return getattr(alembic.op, name)
