"""Views over a table and its archive, as they stand in the way of a change of a column."""

from __future__ import annotations

import re

from schema_kit.marks import ARCHIVE_MARK
from schema_kit.model import Table
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.steps.archive_views import ArchiveView
from schema_kit.tasks import Database

_NAME = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
_COLUMN = re.compile(rf"(?:{_NAME}\.)*({_NAME})(?:,\s+|$)")
_SELECT = re.compile(rf"\s*SELECT (.+?)\s+FROM ({_NAME}\.{_NAME})(?: {_NAME})?\s*", re.DOTALL)


def showing(database: Database, table: Table | None, column: str) -> tuple[ArchiveView, ...]:
    """Return the views that show a column of a table and of its archive, and nothing that is not a column of both."""
    if table is None or isinstance(database, EmptyDatabase):
        return ()
    found = (database.view(one.name) for one in table.views if _is_of_archive(database, table, one.definition))
    return tuple(
        ArchiveView(view, shown_by(next(one.definition for one in table.views if one.name == view.name)))
        for view in found
        if view and view.column(column)
    )


def _is_of_archive(database: Database, table: Table, definition: str) -> bool:
    others = {name for name in shown_by(definition) if name != table.name}
    policies = [one for one in database.archive_policies() if table.name in (one.table, one.archive)]
    known = {name for one in policies for name in (one.table, one.archive)}
    known |= {one.cold for one in database.cold_archives() if one.archive in {table.name, *known}}
    left = [table if _is_archive(table) else database.table(name) for name in others - known]
    return bool(others) and all(map(_is_archive, left))


def _is_archive(table: Table | None) -> bool:
    return table is not None and (table.comment or "").startswith(ARCHIVE_MARK)


def shown_by(definition: str) -> tuple[QualifiedName, ...]:
    """Return the tables whose columns of the same names a view shows by UNION ALL; none if it does anything else."""
    selects = [_SELECT.fullmatch(part) for part in definition.split("UNION ALL")]
    columns = {tuple(_COLUMN.findall(one[1])) if _plain(one[1]) else None for one in selects if one}
    if None in selects or None in columns or len(columns) != 1:
        return ()
    return tuple(QualifiedName.parse(one[2]) for one in selects if one)


def _plain(columns: str) -> bool:
    return not _COLUMN.sub("", columns)
