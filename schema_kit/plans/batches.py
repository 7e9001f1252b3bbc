"""Updating a big table a batch at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from schema_kit.errors import PlanError
from schema_kit.model import BatchRun, BatchTarget
from schema_kit.names import ended, literal
from schema_kit.steps import Plan
from schema_kit.steps.batches import Change, EndPass, FindBatches, StartBatches, UpdateBatch
from schema_kit.steps.storage import ensure
from schema_kit.storage import BATCH_PROGRESS


def run_name(change: Change) -> str:
    """Return the default name of an update: the same table, values and WHERE, the same name."""
    text = repr((str(change.table), sorted(change.assignments), change.where))
    return f"{change.table} {hashlib.sha256(text.encode()).hexdigest()[:12]}"


def update_in_batches(batch: UpdateBatch, batch_size: int, observed: BatchTarget | None) -> Plan:
    """Go on with an update where it stopped, begin it, or leave it where it is finished.

    Args:
        batch: the update; its key is taken from what is observed.
        batch_size: rows of the first batch.
        observed: the table, and how far the update has come; None where there is no such table.

    Raises:
        PlanError: no such table or column, no primary key, a column of it would be updated, or the row of that name
            in batch_progress belongs to something else.
    """
    change, title = batch.change, batch.summary
    if observed is None:
        raise PlanError(f"cannot {title}: there is no such table.")
    if not observed.key:
        raise PlanError(
            f"cannot {title}: {change.table} has no primary key to page through. Give it one "
            "(op.create_primary_key_concurrently), or update it in one statement if it is small."
        )
    key = tuple(column.name for column in observed.key)
    numbers = dict(observed.numbers)
    for column, _ in change.assignments:
        if column not in numbers:
            raise PlanError(
                f"cannot {title}: {change.table} has no column {column} that can be written. It has "
                f"{', '.join(numbers)}."
            )
        if column in key:
            raise PlanError(
                f"cannot {title}: {column} belongs to the primary key, and a row that moves along it could be met "
                "twice."
            )
    target = f"{observed.oid}:{','.join(str(numbers[column]) for column, _ in change.assignments)}"
    spread = bool(observed.distribution and observed.distribution.spread)
    batch = replace(batch, key=observed.key, spread=spread)
    start = StartBatches(batch.name, change, observed.key, target, batch_size)
    run = observed.run
    create = ensure(BATCH_PROGRESS, observed.has_progress)
    if run is None:
        return Plan(title, (*create, start, batch))
    if (run.table, run.change) != (str(change.table), str(change)):
        raise PlanError(
            f"cannot {title}: {BATCH_PROGRESS} has {batch.name!r} for another update, of {run.table}: {run.change}. "
            "Give this one another name, or delete that row if it is of no use any more."
        )
    if run.finished:
        if run.target == target:
            return Plan(title)
        anew = _made_anew(title, batch, run, target)
        return Plan(title, (*create, *((start, batch) if anew else (FindBatches(batch.name, target),))))
    if run.key != key:
        raise PlanError(
            f"cannot {title}: it began in the order of ({', '.join(run.key)}), and the primary key is "
            f"({', '.join(key)}) now. Delete the row {batch.name!r} of {BATCH_PROGRESS} to start again, if rows may be "
            "updated twice."
        )
    if not run.ended:
        return Plan(title, (*create, batch))
    condition = _missed(change, run, dict(observed.types))
    said = (
        f"{run.missed:,} rows of {change.table} were gone, or had another key, when a batch came to them; those that "
        "are still there may have their old values"
    )
    notes = (said,) if run.missed and not condition else ()
    return Plan(title, (EndPass(batch.name, change.table, condition),), notes)


def _missed(change: Change, run: BatchRun, types: Mapping[str, str]) -> str:
    """Return SQL for whether a row was missed; empty where that is unknown.

    A row that is updated must not meet it any more, or it would be updated twice.
    """
    if change.where and not run.stays:
        return change.where
    if run.missed and change.constant:
        return f"({change.unmet(types)})" + (f" AND ({ended(change.where)})" if change.where else "")
    return ""


def _made_anew(title: str, batch: UpdateBatch, run: BatchRun, target: str) -> bool:
    """Whether the table or its columns are others than those that were updated; else oids are others, after a restore.

    Raises:
        PlanError: that is unknown.
    """
    (was, numbers), (now, numbers_now) = run.target.split(":"), target.split(":")
    if run.here or was == now:
        return True
    if run.here is False and numbers == numbers_now:
        return False
    where = f"WHERE name = {literal(batch.name)};"
    raise PlanError(
        f"cannot {title}: {BATCH_PROGRESS} says that it is finished, and of a table with another oid. If the database "
        f"was dumped and restored since, it is finished here, too: UPDATE {BATCH_PROGRESS.sql} SET target = "
        f"{literal(target)} {where} If the table or the column was made again, it runs again after: DELETE FROM "
        f"{BATCH_PROGRESS.sql} {where}"
    )
