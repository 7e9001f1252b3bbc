"""Names and comments that schema_kit gives to tables while it works on them."""

from __future__ import annotations

from schema_kit.model import ForeignKey
from schema_kit.names import QualifiedName, fit

LOG_TRIGGER = "schema_kit_copy_log"

BACK_TRIGGER = "schema_kit_copy_back"
"""It logs the keys of the rows that change after the swap, for the plain table that was kept."""

BOUND_CHECK = "schema_kit_bound"
"""The CHECK that says where the first partition ends: the conversion's only memory, besides what it has built."""


BUILT_MARK = "schema_kit:"
"""What the comment of a parent that is being built begins with; no other table is taken for one."""

EMPTIED_MARK = "schema_kit: its rows moved to "
"""What the comment of such a table begins with; then the table's name, the transaction and the moment."""

ARCHIVE_MARK = "Rows that left "
"""What the comment of an archive begins with: it may have no policy yet, or any more."""

BEING_RESTORED = "schema_kit: being restored from "
"""What the comment of a table begins with that holds a file's rows until they have been compared."""


def being_built(name: str) -> str:
    """Return what a table, index or sequence is called until the swap gives it its name."""
    return fit(name, "__new")


def built_name(name: QualifiedName) -> QualifiedName:
    """Return the same, in its schema."""
    return name.sibling(being_built(name.name))


def log_name(source: QualifiedName) -> QualifiedName:
    """Return where the keys of rows that change are written."""
    return source.sibling(fit(source.name, "__log"))


def staging_name(source: QualifiedName) -> QualifiedName:
    """Return what the targets are partitions of until the swap."""
    return source.sibling(fit(source.name, "__staging"))


def old_name(source: QualifiedName) -> QualifiedName:
    """Return what the source is called after the swap."""
    return source.sibling(fit(source.name, "__old"))


def back_name(source: QualifiedName) -> QualifiedName:
    """Return where the keys of rows that change after the swap are written, for the table that was kept."""
    return source.sibling(fit(source.name, "__back"))


def composite_column(key_column: str, control: str) -> str:
    """Return what the key column is called in the referring table: message_id and timestamp give message_timestamp."""
    return fit(f"{key_column.removesuffix('_id')}_{control}")


def fill_index_name(table: QualifiedName, column: str) -> str:
    """Return the partial index that finds the rows whose key column is still empty."""
    return fit(f"{table.name}_{column}", "__fill")


def fill_function(key: ForeignKey, column: str) -> QualifiedName:
    """Return the function that fills a key column, and its trigger's name."""
    return key.table.sibling(fit(f"{key.table.name}_{column}", "_fill"))
