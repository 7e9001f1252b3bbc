"""Rows that go from one table to another: which there are, and what stands in their way."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError
from schema_kit.model import Range
from schema_kit.model.grid import MOST_AHEAD, Grid
from schema_kit.names import QualifiedName
from schema_kit.steps.rows import RemoveRows, clashes_sql


def refuse_clashes(catalog: Catalog, step: RemoveRows, to: QualifiedName) -> None:
    """Refuse to bring rows back to where others have their keys.

    Raises:
        PlanError: there are such rows, with other values.
    """
    if step.archive is None or not step.archive.key:
        return
    count, key = catalog.asked(clashes_sql(step))[0]
    if count:
        raise PlanError(
            f"cannot restore rows of {step.table} to {to}: {count} of them exist with the same key and other values, "
            f"the first of them {key}. schema_kit archive restore --beside takes them elsewhere."
        )


def extremes(catalog: Catalog, step: RemoveRows, column: str) -> list[str]:
    """Return the least and the greatest value of a column among the rows that it would take; it reads all of them."""
    return [text for text in catalog.asked(step.ends_sql(column))[0] if text is not None]


def reached(lines: Grid, texts: Iterable[str], what: str, instead: str) -> list[Range]:
    """Return the ranges from the least to the greatest of some values of the control column.

    Args:
        lines: the boundaries.
        texts: the values.
        what: what would be done with the rows.
        instead: what to do where they are too many ranges.

    Raises:
        PlanError: they are more than MOST_AHEAD.
    """
    points = [point for point in map(lines.key.locate, texts) if point is not None]  # infinity lies in none
    upper = lines.window(max(points)).upper if points else None
    found = list(islice(lines.windows(min(points), upper), MOST_AHEAD + 1)) if points else []
    if len(found) > MOST_AHEAD:
        raise PlanError(
            f"cannot {what}: they lie in more than {MOST_AHEAD} of its ranges. Make the partitions that it should "
            f"have, or {instead}."
        )
    return found


def any_left(catalog: Catalog, step: RemoveRows) -> bool:
    """Return whether there are rows that it would take, locked ones included."""
    return bool(catalog.asked(step.left_sql)[0][0])
