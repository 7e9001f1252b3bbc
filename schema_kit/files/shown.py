"""What an export sends, for a dry run: the statements that `export` sends, made by what makes them there."""

from __future__ import annotations

from collections.abc import Iterator

from schema_kit import script
from schema_kit.files.export import Export
from schema_kit.files.rows import copy_sql, joining, opening, select_sql
from schema_kit.files.table import Source
from schema_kit.model import Detaching
from schema_kit.names import literal
from schema_kit.plans.files import register
from schema_kit.script import LockPolicy, remark
from schema_kit.steps import Plan
from schema_kit.steps.files import RecordFile

_SNAPSHOT = "<what pg_export_snapshot() gave>"


def written(step: Export, source: Source, seen: Detaching | None, policy: LockPolicy) -> str:
    """Return the transaction that reads a table for a file, and what registers the file.

    Args:
        step: what is written where.
        source: the table.
        seen: the table that is dropped in the same transaction, as it is once it is detached.
        policy: the lock policy.
    """
    file = step.recorded(source)
    recording = register(file, seen)
    steps = (RecordFile(file, drops=seen is not None, known=False), *recording.steps[1:])
    lines = [remark(step.summary), *(remark(f"locks: {lock.mode.value} on {lock.table}") for lock in step.locks)]
    lines += [f"{one};" for one in opening(step.lock_sql(policy.longest))]
    lines += _read(source, step)
    lines.append(remark(f"the file is read back and compared, then named {step.url}"))
    if not seen:
        lines.append("ROLLBACK;\n")
        return "\n".join(lines) + "\n" + script.write(Plan(recording.title, steps), policy)
    lines += [f"SELECT count(*) FROM {source.name.sql};", "SAVEPOINT dropping;"]
    for one in steps:
        lines += [remark(one.summary), *(remark(f"locks: {lock.mode.value} on {lock.table}") for lock in one.locks)]
        lines += [f"{sent};" for sent in script.render_shared(one, policy, f"{policy.longest}ms")]
    return "\n".join([*lines, "COMMIT;\n"])


def _read(source: Source, step: Export) -> Iterator[str]:
    columns = step.stored(source.columns)
    if step.form != "parquet":
        yield f"{copy_sql(source.name, columns, step.where)};"
        return
    yield remark("another session reads in the same snapshot")
    for sent in (*joining(literal(_SNAPSHOT)), select_sql(source.name, columns, step.where)):
        yield remark(f"{sent};")
