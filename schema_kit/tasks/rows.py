"""Rows that go from one table to another: which there are, and what stands in their way."""

from schema_kit.catalog import Catalog
from schema_kit.steps.rows import RemoveRows, clashes_sql


def clashes(catalog: Catalog, step: RemoveRows) -> tuple[int, str]:
    """Return how many rows have the key of a row that would come back, and other values; and the first such key."""
    if step.archive is None or not step.archive.key:
        return 0, ""
    count, key = catalog.asked(clashes_sql(step))[0]
    return int(count), str(key)


def extremes(catalog: Catalog, step: RemoveRows, column: str) -> list[str]:
    """Return the least and the greatest value of a column among the rows that it would take; it reads all of them."""
    return [text for text in catalog.asked(step.ends_sql(column))[0] if text is not None]


def any_left(catalog: Catalog, step: RemoveRows) -> bool:
    """Return whether there are rows that it would take, locked ones included."""
    return bool(catalog.asked(step.left_sql)[0][0])
