"""What the error that ends a run says: what failed, who or what is in the way, what is committed, how to go on."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit.catalog.blockers import holders
from schema_kit.catalog.drivers import diagnosis, sqlstate
from schema_kit.catalog.session import DENIED, missing_right, observing, rows
from schema_kit.errors import ExecutionError, LockNotAvailable, PlanError, Refusal, SchemaKitError
from schema_kit.fingerprints.stamps import OVERTAKEN_STATES
from schema_kit.steps import Plan, Step
from schema_kit.steps.partitions import Analyze

_SHOWN = 6
"""Steps that are named; of more, the first and the last."""


class Committed:
    """The steps that a run has committed, and the plan that it was at.

    Args:
        changes: receives each change, for those who say whether there was one.
    """

    def __init__(self, changes: list[str]) -> None:
        self._steps: list[Step] = []
        self._left = ""
        self._changes = changes
        self.plan = Plan("")

    def note(self, step: Step) -> None:
        """Remember a step that is committed, or one of whose repetitions is."""
        if step not in self._steps:
            self._steps.append(step)
            if not isinstance(step, Analyze):
                self._changes.append(step.summary)

    def note_left(self, step: Step) -> None:
        """Remember what a step has left that was interrupted outside of a transaction."""
        if step.left_behind != Step.left_behind:
            self._left = f"It was interrupted when it was to {step.summary}. {step.left_behind}"
            self._changes.append(step.left_behind)

    def told(self, error: SchemaKitError) -> SchemaKitError:
        """Return the error, with what is committed, what that leaves behind, and how to go on or to cancel.

        Where nothing was changed, a refusal stays what it is. After a commit it becomes an ExecutionError.
        """
        refused = isinstance(error, ExecutionError)
        if not self._steps:
            if isinstance(error, Refusal) and self._left:
                return ExecutionError(f"{error.reason}\n{self._left}")
            if refused:
                error.args = (f"{error}\nNo other step of this run is committed; run it again when that is seen to.",)
            return error
        said = f"{error.reason}\n{self._so_far()}"
        if not refused:
            return ExecutionError(said)
        error.args = (said,)
        return error

    def _so_far(self) -> str:
        names = [step.summary for step in self._steps]
        count = "1 step of this run is" if len(names) == 1 else f"{len(names)} steps of this run are"
        if len(names) > _SHOWN:
            names[3:-2] = [f"{len(names) - 5} more"]
        # What a swap, or giving up, takes along is not there any more.
        since = 1 + max((place for place, step in enumerate(self._steps) if step.clears), default=-1)
        left = [step.lingers for step in self._steps[since:] if step.lingers]
        abort = "" if since else self.plan.abort
        return (
            f"{count} committed: {'; '.join(names)}. "
            + (f"Until it resumes or is aborted, {'; '.join(left)}. " if left else "")
            + "When that is repaired, run it again: it resumes there"
            + (f"; or abort it: {abort}." if abort else ".")
        )


def overtaken(error: DBAPIError) -> bool:
    """Return whether another session was faster."""
    return sqlstate(error) in OVERTAKEN_STATES or made_at_once(error)


def made_at_once(error: BaseException | None) -> bool:
    """Return whether two sessions made the same at once; a duplicate among a user's rows is another matter.

    IF NOT EXISTS does not help then, and the step may be the right one still: the schema of two different tables.
    """
    return sqlstate(error) == "23505" and diagnosis(error, "schema_name") == "pg_catalog"


def not_observed(error: DBAPIError, connection: Connection | None = None) -> SchemaKitError:
    """What PostgreSQL said when it was only looked at; with *connection*, which right is missing, or who blocks."""
    state = sqlstate(error)
    if state == DENIED and connection is not None:
        return PlanError(f"{missing_right(connection, error)}.")
    if state == "55P03" and connection is not None:
        why = "reading the catalog failed: another session held an ACCESS EXCLUSIVE lock for 5 s. Run again."
        return LockNotAvailable(why, blockers=holders(connection), sqlstate=state)
    return ExecutionError(
        f"reading the catalog failed: {message(error)} [{state or 'connection lost'}].", sqlstate=state
    )


def in_vain(connection: Connection, step: Step, times: int, who: Sequence[str]) -> ExecutionError:
    """Return the same is asked for again though it was committed: others hold what is left, or it never can be."""
    lines = [f"held by {text}" for text in who] or _diagnosed(connection, step)
    why = "" if lines else ", no session is seen that holds what is left, so something undoes it: an event trigger, say"
    return ExecutionError(
        f"cannot {step.summary}: it was committed {times} times, and the database still asks for it{why}."
        + "".join(f"\n  {line}" for line in lines)
    )


_NOT_UTF8 = "22021"


def message(error: BaseException | None) -> str:
    """Return what PostgreSQL said first."""
    said = (diagnosis(error, "message_primary") or str(getattr(error, "orig", error))).strip()
    if sqlstate(error) != _NOT_UTF8:
        return said
    return (
        f"{said}: the encoding of this database is SQL_ASCII, and a name or a text in it is not UTF-8. Rename or "
        "correct it in psql, where SET client_encoding = 'SQL_ASCII' shows it"
    )


def refused(connection: Connection | None, step: Step, error: BaseException | None, total: int = 0) -> SchemaKitError:
    """PostgreSQL refused a step, of whose rows *total* were committed before: a PlanError, where a right is missing."""
    state, detail = sqlstate(error), diagnosis(error, "message_detail")
    left = f"{total:,} rows of this step are committed." if total else step.left_behind
    if state is None:
        left = "Whether this step was committed is unknown; the next run checks."
    culprits = _diagnosed(connection, step) if connection is not None and str(state).startswith("23") else []
    said = message(error)
    if connection is not None and isinstance(error, DBAPIError) and state == DENIED:
        said = missing_right(connection, error)
        if not total and step.left_behind == Step.left_behind:
            return PlanError(f"cannot {step.summary}: {said}.")
    return ExecutionError(
        f"cannot {step.summary}: {said}{f' ({detail})' if detail else ''} "
        f"[{state or 'connection lost'}]. {left}" + "".join(f"\n  {line}" for line in culprits),
        sqlstate=state,
    )


def _diagnosed(connection: Connection, step: Step) -> list[str]:
    """What stands in the way: looked for only now that PostgreSQL refused or the step was in vain, never up front."""
    if step.diagnosis is None:
        return []
    try:
        with observing(connection):
            return [str(row[0]) for row in rows(connection, step.diagnosis)]
    except (DBAPIError, PlanError):
        return []
