"""Revisions behind one another: what commits on its own, what shares a transaction, and what waits for a deploy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from alembic import util
from alembic.operations import MigrateOperation, ops
from alembic.runtime.migration import MigrationContext

from schema_kit.autogenerate.work import SENTENCES, Sentence, grouped
from schema_kit.autogenerate.written import SAID, Stage, pair_of
from schema_kit.ops.operation import PlanOperation, Several

Directives = Callable[[Any, Any, list[ops.MigrationScript]], None]

_OWN, _SHARED = "own", "shared"

_SHARES = "These operations share one transaction"
_COMMITS = "Each of these operations commits on its own, so that no session waits for long"
_DEPLOY = "Run it when no application uses what is dropped: deploy the code without it first."


Kind = tuple[Stage, str, str]
"""What is in one revision: the stage, and how its operations and those of its downgrade commit."""


def _reason(kind: Kind) -> str:
    stage, up, down = kind
    if stage is Stage.LATER:
        return _DEPLOY
    first = _SHARES if up == _SHARED else _COMMITS
    if up == down:
        return f"{first}."
    second = "share one transaction" if down == _SHARED else "commit on their own"
    return f"{first}; those of the downgrade {second}."


def install(context: MigrationContext) -> None:
    """Have revisions split behind env.py's own ``process_revision_directives``."""
    theirs: Directives | None = context.opts.get("process_revision_directives")
    if getattr(theirs, "splits", False):
        return

    def process(migration: Any, revision: Any, directives: list[ops.MigrationScript]) -> None:
        _together(directives)
        if theirs:
            theirs(migration, revision, directives)
        for script in list(directives):
            place = next(n for n, one in enumerate(directives) if one is script)
            directives[place : place + 1] = _split(script, context.opts.get(SENTENCES, ()))

    process.splits = True  # type: ignore[attr-defined]
    context.opts["process_revision_directives"] = process


def _together(directives: list[ops.MigrationScript]) -> None:
    """Undo the split for the database before: Alembic adds those of another one to the last revision."""
    whole: _Whole | None = getattr(directives[-1], "schema_kit_whole", None) if directives else None
    if whole is None:
        return
    script, parts = whole
    script._upgrade_ops += directives[-1].upgrade_ops_list[len(script.upgrade_ops_list) :]
    script._downgrade_ops += directives[-1].downgrade_ops_list[len(script.downgrade_ops_list) :]
    directives[:] = [script, *(one for one in directives if not any(one is part for part in parts))]


_Whole = tuple[ops.MigrationScript, list[ops.MigrationScript]]
"""A revision, and those that it was split into."""


class _Last(ops.UpgradeOps):
    """The end of a chain: ``alembic check`` looks at the last revision alone, and reads here what all of them do."""

    whole: ops.UpgradeOps

    def as_diffs(self) -> Any:
        """Return those of the whole chain."""
        return self.whole.as_diffs()


@dataclass
class _Part:
    """What is in one revision, for each database."""

    up: defaultdict[int, list[MigrateOperation]] = field(default_factory=lambda: defaultdict(list))
    down: defaultdict[int, list[MigrateOperation]] = field(default_factory=lambda: defaultdict(list))


def _split(script: ops.MigrationScript, sentences: Iterable[Sentence]) -> list[ops.MigrationScript]:
    parts: defaultdict[Kind, _Part] = defaultdict(_Part)
    said = dict.fromkeys(one.text for one in sentences if one.difference)
    for database, (upgrade, downgrade) in enumerate(
        zip(script.upgrade_ops_list, script.downgrade_ops_list, strict=True)
    ):
        for operation in _flat(upgrade):
            parts[_kind(operation, *_sides(operation))].up[database].append(operation)
            said |= {operation.info[SAID]: None} if SAID in operation.info else {}
        for operation in _flat(downgrade):
            down, up = _sides(operation)
            parts[_kind(operation, up, down)].down[database].append(operation)
    known = vars(script).setdefault("schema_kit_said", (script.message, dict[str, None]()))
    known[1].update(said)  # of each of several databases
    message = "\n\n".join(filter(None, (known[0], *map(_in_docstring, known[1]))))
    if len(parts) < 2:
        script.message = message or script.message
        if len(parts) == 1 and next(iter(parts))[0] is Stage.LATER:
            script.message = _message(message, "", _DEPLOY)
        return [script]
    made = _chained(script, message, [(parts[kind], _reason(kind)) for kind in sorted(parts, key=_place)])
    vars(made[-1])["schema_kit_whole"] = script, made
    return made


def _in_docstring(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', '""\\"')


def _place(kind: Kind) -> tuple[Stage, bool, bool]:
    stage, up, down = kind
    return stage, up == _OWN, (down == _OWN) == (up == _SHARED)


def _chained(script: ops.MigrationScript, message: str, parts: list[tuple[_Part, str]]) -> list[ops.MigrationScript]:
    made, head = list[ops.MigrationScript](), script.head
    for number, (part, reason) in enumerate(parts, 1):
        last = number == len(parts)
        upgrades = [
            (_Last if last else ops.UpgradeOps)(_nested(part.up[database]), upgrade_token=whole.upgrade_token)
            for database, whole in enumerate(script.upgrade_ops_list)
        ]
        for upgrade, whole in zip(upgrades, script.upgrade_ops_list, strict=True):
            if isinstance(upgrade, _Last):
                upgrade.whole = whole
        downgrades = [
            ops.DowngradeOps(_nested(part.down[database]), downgrade_token=whole.downgrade_token)
            for database, whole in enumerate(script.downgrade_ops_list)
        ]
        one = ops.MigrationScript(
            script.rev_id if last else util.rev_id(),
            upgrades,  # type: ignore[arg-type]
            downgrades,  # type: ignore[arg-type]
            message=_message(message, f"part {number} of {len(parts)}", reason),
            imports=set(script.imports),
            head=head,
            splice=script.splice if number == 1 else None,
            branch_label=script.branch_label if number == 1 else None,
            version_path=script.version_path,
            depends_on=script.depends_on if number == 1 else None,
        )
        made.append(one)
        head = one.rev_id
    return made


def _message(message: str | None, part: str, reason: str) -> str:
    first, _, rest = (message or "").partition("\n\n")
    return "\n\n".join(filter(None, (", ".join(filter(None, (first, part))), rest, reason)))


def _kind(operation: MigrateOperation, up: str | None, down: str | None) -> Kind:
    pair = pair_of(operation)
    up, down = up or down or _SHARED, down or up or _SHARED
    if pair and (up == _OWN or pair.stage is Stage.BEHIND):
        return pair.stage, up, down
    return (Stage.OTHERS if up == _OWN else Stage.SHARED), up, down


def _sides(operation: MigrateOperation) -> tuple[str | None, str | None]:
    """Return how it commits, and how what takes it back does; None for what does nothing."""
    own, pair = _commits(operation), pair_of(operation)
    return own, _commits(pair.back) if pair else own


def _commits(operation: MigrateOperation) -> str | None:
    if isinstance(operation, ops.ModifyTableOps) and not operation.ops:
        return None
    if isinstance(operation, Several) and operation.ops:
        return _OWN if all(_commits(one) == _OWN for one in operation.ops) else _SHARED
    return _OWN if isinstance(operation, PlanOperation) and not operation.shared else _SHARED


def _flat(container: ops.OpContainer) -> list[MigrateOperation]:
    flat: list[MigrateOperation] = []
    for operation in container.ops:
        nested = isinstance(operation, ops.ModifyTableOps) and operation.ops
        flat += operation.ops if nested else [operation]  # type: ignore[attr-defined]
    return flat


def _nested(operations: list[MigrateOperation]) -> list[MigrateOperation]:
    def table_of(operation: MigrateOperation) -> tuple[str | None, str] | None:
        name = getattr(operation, "table_name", None) or getattr(operation, "source_table", None)
        schema = getattr(operation, "schema", None) or getattr(operation, "kw", {}).get("source_schema")
        return (schema, name) if name else None

    return grouped(operations, table_of)
