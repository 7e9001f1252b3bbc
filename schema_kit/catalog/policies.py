"""Rows of part_config, ours or pg_partman's, as policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName

OURS = frozenset({"timezone", "origin", "encoding", "retention_grace", "detach"})
"""The columns that pg_partman has not."""


def read(row: Mapping[str, Any]) -> Partitioning:
    """A row as a policy; a column that an older version has not is at its default.

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
        inherit_privileges=bool(row.get("inherit_privileges")),
        retention=row.get("retention") or None,
        retention_keep_table=row.get("retention_keep_table") is not False,
        retention_schema=row.get("retention_schema"),
        retention_grace=row.get("retention_grace") or "7 days",
        detach=row.get("detach") or "auto",
        template=row.get("template_table"),
    )
