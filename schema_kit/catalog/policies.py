"""Rows of part_config, ours or pg_partman's, as policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName


def read(row: Mapping[str, Any]) -> Partitioning:
    """Return a row as a policy; a column that an older version has not is at its default.

    Raises:
        DeclarationError: its table has no name of two parts.
    """
    epoch = row.get("epoch") or "none"
    return Partitioning(
        QualifiedName.parse(row["parent_table"]),
        row["control"],
        row["partition_interval"],
        row.get("timezone") or "UTC",
        row["premake"],
        origin=row.get("origin"),
        encoding=row.get("encoding") or ("" if epoch == "none" else epoch),
        template=row.get("template_table"),
        **{name: row[name] for name in Partitioning.kept() if row.get(name) not in (None, "")},
    )
