"""Which schemas autogenerate compares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

Included = Callable[[str | None, str, Any], bool]


def several(metadata: sa.MetaData | Sequence[sa.MetaData] | None) -> Sequence[sa.MetaData]:
    """Return what env.py gives as target_metadata, as a list."""
    return [metadata] if isinstance(metadata, sa.MetaData) else metadata or ()


def of_the_models(models: Iterable[sa.MetaData], options: Mapping[str, Any]) -> Included:
    """Return the schemas that the models name, unless env.py chooses them; and what its own ``include_name`` leaves."""
    schemas = {table.schema for metadata in models for table in metadata.tables.values()}
    theirs: Included | None = options.get("include_name")
    chosen = theirs is not None and "include_schemas" in options

    def included(name: str | None, type_: str, parents: Any) -> bool:
        if type_ == "schema" and not chosen and name not in schemas:
            return False
        return theirs is None or theirs(name, type_, parents)

    return included
