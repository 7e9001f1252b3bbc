"""Facts -> findings: one small function for each kind, pure. None makes a finding without evidence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from schema_kit.lint.facts import Change, Held, Observation, Statement, Table, Written
from schema_kit.lint.finding import Finding, folded
from schema_kit.lint.instead import call
from schema_kit.lint.promises import OF_A_TABLE, Promise, grouped, without_implied
from schema_kit.lint.sizes import Sizes
from schema_kit.steps.step import LockMode

_MODES = list(LockMode)
_READERS_TOO = LockMode.ACCESS_EXCLUSIVE
Rule = Callable[[Observation, Sizes], Iterator[Finding]]


def judge(seen: Observation, sizes: Sizes | None = None) -> tuple[Finding, ...]:
    """Return all findings of one revision, folded, the worst first."""
    return folded((finding for rule in RULES for finding in rule(seen, sizes or Sizes())), seen.roots)


def _finding(
    kind: str, seen: Observation, statement: Statement, table: Table | None, evidence: str, instead: str
) -> Finding:
    return Finding(kind, seen.revision, seen.path, statement.line, statement.transaction, table, evidence, instead)


def transactions(seen: Observation) -> Iterator[list[Statement]]:
    """Yield the statements of each transaction, in order."""
    for _, group in groupby(seen.statements, lambda one: one.transaction):
        yield list(group)


def fails(seen: Observation, _: Sizes) -> Iterator[Finding]:
    """PostgreSQL has refused a statement, or the revision has raised."""
    if seen.name_limit:
        text = f"its identifier has {len(seen.revision)} letters; Alembic's table of versions takes {seen.name_limit}"
        yield replace(_of_all("fails", seen, "", text), instead="a shorter identifier")
    if seen.failure is None:
        return
    at = next((one for one in reversed(seen.statements) if one.failure), None)
    where = at or Statement("", 0, 0)
    code = f" ({seen.failure.sqlstate})" if seen.failure.sqlstate else ""
    what = f"{_at(where)}: {where.sql}: " if at else ""
    yield _finding("fails", seen, where, None, f"{what}{seen.failure.message}{code}", call("fails", where, None))


def blocks(seen: Observation, sizes: Sizes) -> Iterator[Finding]:
    """A lock that makes others wait is held while a whole table is read or written."""
    for statements in transactions(seen):
        for place, statement in enumerate(statements):
            for held in _strongest(statement.locks):
                work = [(one, table) for one in statements[place:] for table in one.works]
                if work:
                    last, table = work[-1]
                    until = "" if _at(last) == _at(statement) else f", from there until {_at(last)}"
                    text = f"{_at(statement)}: {_who(held.mode)} of {held.table} wait ({held.mode.value}){until} "
                    text += f"while {_doing(last, table, sizes)}"
                    yield _finding("blocks", seen, last, held.table, text, call("blocks", last, held.table))
                elif _by_hand(statement) and not _belongs(held.table, rest := statements[place + 1 :]):
                    text = f"{_at(statement)}: {_who(held.mode)} of {held.table} wait ({held.mode.value}) until "
                    text += f"{_at(rest[-1])}: it is locked by hand, and no later statement requires it"
                    yield _finding("blocks", seen, statement, held.table, text, call("locked", statement, held.table))


_BY_HAND = re.compile(r"\bLOCK\s+(TABLE\b|(?!AND\b|OR\b)[\w\".]+\s*(;|,|\bIN\b|$))", re.IGNORECASE)


def _by_hand(statement: Statement) -> bool:
    return not statement.ours and bool(_BY_HAND.search(statement.sql))


def _belongs(table: Table, later: Sequence[Statement]) -> bool:
    """Return whether a table is locked for a change of its own that follows, or for nothing but brief changes."""
    return all(_verb(one) in _DEFINES for one in later) or any(
        _verb(one) in _DEFINES and re.search(rf"\b{re.escape(table.name)}\b", one.sql) for one in later
    )


_DEFINES = ("ALTER", "CREATE", "DROP", "TRUNCATE", "REINDEX", "CLUSTER", "DO")


def whole_table(seen: Observation, sizes: Sizes) -> Iterator[Finding]:
    """One statement, or one transaction, writes every row of a table."""
    for statements in transactions(seen):
        tables = dict.fromkeys(one.table for statement in statements for one in statement.written if one.changed)
        tables |= dict.fromkeys(table for one in statements for table in one.scanned if _reads_to_write(one, table))
        tables |= dict.fromkeys(table for one in statements for table, _ in one.unbounded)
        for table in tables:
            if found := _whole(statements, table):
                last, what = found
                text = f"{_at(last)}: {what}{sizes.long(table, 'write')}; row locks, and dead rows, stay until its end"
                yield _finding("whole_table", seen, last, table, text, call("whole_table", last, table))


def _whole(statements: Sequence[Statement], table: Table) -> tuple[Statement, str] | None:
    for one in statements:
        if table in one.scanned and _reads_to_write(one, table):
            what = "" if _unbounded(one, table) or _verb(one) != "SELECT" else "locks every row that it finds: it"
            return one, " ".join(filter(None, (_verb(one), what, f"reads {table} from end to end in one transaction")))
        for condition in (text for of, text in one.unbounded if of == table):
            found = f"by {condition}" if condition else "by rows of another one"
            here = next((f", {row.changed:,} of {row.there:,} here" for row in one.written if _counted(row, table)), "")
            return one, f"{_verb(one)} finds rows of {table} {found}, which nothing limits in number{here}"
    written = [(one, row) for one in statements if not one.commits for row in one.written if row.table == table]
    changed = sum(row.changed for _, row in written)
    there = max((row.there or 0 for _, row in written), default=0)
    if (sum(one.times for one, _ in written) > 1 or _runs_others(written)) and there >= _FEW and changed * 2 >= there:
        return written[-1][0], f"{changed:,} of {there:,} rows of {table} are written in one transaction"
    return None


def _runs_others(written: Sequence[tuple[Statement, Written]]) -> bool:
    """Whether it is one statement in which others are: a block, a procedure, a function."""
    return bool(written) and _verb(written[0][0]) in _RUN_OTHERS


_RUN_OTHERS = ("DO", "CALL", "SELECT", "EXECUTE", "EXPLAIN")


def _counted(row: Written, table: Table) -> bool:
    return row.table == table and bool(row.there)


_FEW = 4
"""Of so few rows, half says nothing."""


def _verb(statement: Statement) -> str:
    return statement.sql.split(" ", 1)[0].upper()


def _unbounded(statement: Statement, table: Table) -> bool:
    return any(of == table for of, _ in statement.unbounded)


def _reads_to_write(statement: Statement, table: Table) -> bool:
    """Return whether a statement updates or deletes what it finds in a table by reading it."""
    if _unbounded(statement, table):
        return True
    if _verb(statement) == "SELECT":  # FOR UPDATE
        return any(held.table == table and held.mode is LockMode.ROW_SHARE for held in statement.locks)
    if _verb(statement) not in ("UPDATE", "DELETE", "MERGE", "WITH"):
        return False
    locked = any(held.table == table and held.mode is LockMode.ROW_EXCLUSIVE for held in statement.locks)
    written = any(row.table == table for row in statement.written)
    named = re.search(rf"(?<!\w){re.escape(table.name)}(?!\w)", statement.sql.split(" WHERE ", 1)[0])
    return locked or written or named is not None


def rows_gone(seen: Observation, sizes: Sizes) -> Iterator[Finding]:
    """A table is dropped or emptied."""
    for statement, change in _lasting(seen, rows=True):
        if change.kind == "emptied" or (change.kind == "dropped" and change.detail == "table"):
            text = f"{_at(statement)}: {change.table} is {change.kind}{sizes.told(change.table)}"
            yield _finding("rows_gone", seen, statement, change.table, text, call("rows_gone", statement, change.table))


def code_breaks(seen: Observation, _: Sizes) -> Iterator[Finding]:
    """A name, or another promise, is gone on which the running code relies; or something new is in its way."""
    changes = [one for statement in seen.statements for one in statement.changes]
    added = {(one.table, one.name) for one in changes if one.kind == "column_added"}
    for statement, change in _lasting(seen):
        if change.kind == "column_not_null" and (change.table, change.name) in added:
            change = replace(change, kind="column_required")
        told = _BREAKS.get((change.kind, change.detail)) or _BREAKS.get((change.kind, ""))
        if told is None or (change.kind == "dropped" and change.detail == "table"):
            continue
        name = f"{change.table}.{change.name}" if change.name else str(change.table)
        models = " (the models still have it)" if _still(seen, change) else ""
        text = f"{_at(statement)}: {name} {told.format(change=change)}{models}"
        yield _finding("code_breaks", seen, statement, change.table, text, call(change.kind, statement, change.table))
    for statement, one in _broken(seen):
        text = f"{_at(statement)}: {_PROMISES[one.kind].format(of=_named(one), detail=_told(one.detail))}"
        table = one.of if one.kind in OF_A_TABLE else None
        yield _finding("code_breaks", seen, statement, table, text, call(one.kind, statement, table))
    for statement in seen.statements:
        if statement.along:
            taken = ", ".join(f"the {one.kind} {one.detail} of {one.of}" for one in statement.along)
            text = f"{_at(statement)}: CASCADE also drops {taken}"
            yield _finding("code_breaks", seen, statement, None, text, call("along", statement, None))


_PROMISES = {
    "schema": "the schema {of} is gone, and the code that runs uses the name",
    "extension": "the extension {of} is gone, and so are its functions, types and operators",
    "function": "{of}{detail} is gone, and the code that runs calls it",
    "type": "the type {of} is gone, and the code that runs uses the name",
    "label": "the label {detail} of {of} is gone, and the code that runs uses it",
    "sequence": "the sequence {of} is gone, and the code that runs takes numbers from it",
    "unique": "{of} has no unique index on {detail} any more: INSERT ... ON CONFLICT fails, and duplicates come in",
    "default": "{of}.{detail} has no default any more and is NOT NULL: INSERT without it fails",
    "computed": "{of}.{detail} is not computed any more for rows that the code that runs writes",
    "inherits": "{of} does not show the rows of a table any more that inherits from it",
    "right": "{of}: the right is revoked: {detail}",
    "right_on_schema": "the schema {of}: the right is revoked: {detail}",
    "right_on_function": "{of}: the right to call it is revoked: {detail}",
    "hidden": "{of} has row level security, and no permissive policy for {detail}: only its owner works on rows",
    "hidden_from_owner": "{of} has row level security, and no permissive policy for {detail}, forced on its owner, too",
    "disabled": "{detail} of {of} is disabled for what the code that runs writes",
    "always": "{of}.{detail} is GENERATED ALWAYS: INSERT with a value for it fails",
    "instead": "{of} has a rule by which {detail} does something else instead",
    "published": "{of} is not in the publication {detail} any more: subscribers do not receive its rows",
    "unidentified": "{of} is published and has no replica identity: UPDATE and DELETE fail",
}


def _told(detail: str) -> str:
    """Return a detail with words in place of the digest of an index's expressions and condition."""
    return re.sub(r"(?:, )*\b[0-9a-f]{32}\b", " (an expression, or for some rows)", detail).strip()


def _named(one: Promise) -> str:
    return one.of.name if one.kind == "extension" else one.of.schema if not one.of.name else str(one.of)


def _broken(seen: Observation) -> Iterator[tuple[Statement, Promise]]:
    """Yield promises that are still broken when their transaction ends."""
    for statements in transactions(seen):
        broken = dict[Promise, Statement]()
        for statement in statements:
            for one in statement.kept:
                broken.pop(one, None)
            broken |= dict.fromkeys(statement.broken, statement)
        lasting = without_implied(frozenset(broken))
        for statement in statements:
            for one in grouped(one for one in lasting if broken[one] is statement):
                yield statement, one


_BREAKS = {
    ("dropped", "view"): "is dropped, and the code that runs reads it",
    ("renamed", ""): "is renamed to {change.detail}, and the code that runs uses the old name",
    ("column_dropped", ""): "is dropped, and the code that runs still selects it",
    ("column_renamed", ""): "is renamed to {change.detail}, and the code that runs uses the old name",
    ("column_required", ""): "is NOT NULL without a default, and the code that runs inserts rows without it",
    (
        "type_differs",
        "",
    ): "is another type now ({change.detail}) than that of the values which the code that runs sends",
    ("restarted", ""): "begins again at its first number: INSERT fails where rows have it, or takes it twice",
}


def _still(seen: Observation, change: Change) -> bool:
    if change.kind == "column_required":
        return False
    return seen.models.has(change.table, change.name)


def several_tables(seen: Observation, _: Sizes) -> Iterator[Finding]:
    """Tables are locked one after the other: who locks them the other way round deadlocks, all others wait for both."""
    for statements in transactions(seen):
        last = statements[-1]
        kept = statements if last.works else statements[:-1]
        taking = [(one, held) for one in kept for held in _strongest(one.locks)]
        tables = list(dict.fromkeys(held.table for _, held in taking))
        if len({id(one) for one, _ in taking}) > 1 and len(tables) > 1:
            statement, held = taking[-1]
            tops = dict.fromkeys(seen.roots.get(one, one) for one in tables)
            shown = map(str, tops if len(tops) > 1 else tables)
            text = f"locks of {', '.join(shown)}, one after the other, are held together until {_at(last)}"
            yield _finding("several_tables", seen, statement, held.table, text, call("several_tables", last, None))


def locks_another(seen: Observation, _: Sizes) -> Iterator[Finding]:
    """A new table takes a lock of one that is in use, and waits for it without a limit."""
    for statement in seen.statements:
        if (
            statement.made
            and statement.lock_timeout == "0"
            and not any(change.kind == "partition_made" for change in statement.changes)
        ):
            for held in _strongest(statement.locks):
                text = f"{_at(statement)}: making {statement.made[0]} locks {held.table} ({held.mode.value}): "
                text += f"{_who(held.mode)} of it wait until the transaction ends"
                instead = call("locks_another", statement, held.table)
                yield _finding("locks_another", seen, statement, held.table, text, instead)


def lighter_way(seen: Observation, _: Sizes) -> Iterator[Finding]:
    """Find a brief, but exclusive, statement for which there is one that lets others work."""
    for statement in seen.statements:
        exclusive = {held.table for held in statement.locks if held.mode is _READERS_TOO}
        for change in statement.changes:
            told = _LIGHTER.get(change.kind)
            if told and change.table in exclusive:
                text = f"{_at(statement)}: {told.format(change=change)}: every session on {change.table} waits "
                text += f"({_READERS_TOO.value})"
                instead = call(change.kind, statement, change.table)
                yield _finding("lighter_way", seen, statement, change.table, text, instead)


_LIGHTER = {
    "index_dropped": "the index {change.name} is dropped",
    "detached": "the partition {change.name} is detached",
    "partition_made": "the partition {change.name} is made",
}


def type_trap(seen: Observation, _: Sizes) -> Iterator[Finding]:
    """Yield a column of the type json: it has no equality."""
    for statement in seen.statements:
        for change in statement.changes:
            if change.kind in ("column_added", "column_required") and change.detail == "json":
                text = f"{_at(statement)}: {change.table}.{change.name} is json, which has no equality: "
                text += "SELECT DISTINCT, GROUP BY and UNION that the code has on this table fail"
                yield _finding("type_trap", seen, statement, change.table, text, call("json", statement, change.table))


_CUT = {"cancelled": "cancelled in", "killed": "killed after"}


def unfinished(seen: Observation, _: Sizes) -> Iterator[Finding]:
    """An index stays INVALID: after the revision, or after it was cancelled and run again."""
    said = set[tuple[str, ...]]()
    for again in seen.again:
        if again.how in _CUT and again.invalid and again.invalid not in said:
            said.add(again.invalid)
            how = f"{_CUT[again.how]} {again.at!r} and run again"
            text = f"{how}, it succeeds, and {', '.join(again.invalid)} stays INVALID"
            yield _of_all("unfinished", seen, again.at, text)
    if seen.invalid:
        yield _of_all("unfinished", seen, "", f"{', '.join(seen.invalid)} is INVALID when the revision has ended")


def differs_again(seen: Observation, _: Sizes) -> Iterator[Finding]:
    """The catalog, or how many rows there are, ends differently the second time."""
    said: set[tuple[str, ...]] = {()}
    for again in seen.again:
        if again.how != "back" and again.failure is None and again.differs not in said and not again.invalid:
            said.add(again.differs)
            cut = f"{_CUT[again.how]} {again.at!r} and run again" if again.how in _CUT else ""
            how = cut or "run again after its downgrade"
            yield _of_all("differs_again", seen, again.at, f"{how}, it ends differently: {_some(again.differs)}")


def no_way_back(seen: Observation, _: Sizes) -> Iterator[Finding]:
    """A downgrade that does something fails, or the upgrade fails after it."""
    for again in seen.again:
        if again.how == "back" and again.failure:
            yield _of_all("no_way_back", seen, "", f"its downgrade fails: {again.failure.message}")
        elif again.how == "again" and again.failure:
            yield _of_all("no_way_back", seen, "", f"after its downgrade it fails: {again.failure.message}")


def _of_all(kind: str, seen: Observation, sql: str, evidence: str) -> Finding:
    """Return a finding of the revision as a whole, at the statement that was cancelled."""
    at = next((one for one in seen.statements if sql and one.sql == sql), Statement(sql, 0, 0))
    return _finding(kind, seen, at, None, evidence, call(kind, at, None))


RULES: tuple[Rule, ...] = (
    fails, rows_gone, blocks, unfinished, whole_table, code_breaks, several_tables, locks_another, lighter_way,
    type_trap, differs_again, no_way_back,
)  # fmt: skip


def _lasting(seen: Observation, *, rows: bool = False) -> Iterator[tuple[Statement, Change]]:
    """Changes of names that are still so when their transaction ends: a swap brings the old name back.

    With *rows* a table must have been filled before, so that its rows can be those of the old one: it is renamed.
    """
    for statements in transactions(seen):
        for place, statement in enumerate(statements):
            later = statements[place + 1 :]
            back = {change.table for one in later for change in one.changes if change.kind == "named"} | {
                change.detail for one in (statement, *later) for change in one.changes if change.kind == "renamed"
            }
            if not rows:
                back |= {table for one in later for table in one.made}
            for change in statement.changes:
                if change.kind not in ("dropped", "renamed") or not ({change.table, str(change.table)} & back):
                    yield statement, change


def _strongest(locks: Sequence[Held]) -> list[Held]:
    found = dict[Table, Held]()
    for one in locks:
        if one.mode.blocks_writes:
            found[one.table] = max(one, found.get(one.table, one), key=lambda held: _MODES.index(held.mode))
    return list(found.values())


def _who(mode: LockMode) -> str:
    return "readers and writers" if mode is _READERS_TOO else "writers"


def _doing(statement: Statement, table: Table, sizes: Sizes) -> str:
    built = [name for name, of in statement.built if of == table]
    if table in statement.rewritten:
        return f"{table} is rewritten{sizes.long(table, 'rewrite')}"
    if built:
        return f"{', '.join(built)} is built on {table}{sizes.long(table, 'build')}"
    return f"{table} is read from end to end{sizes.long(table, 'scan')}"


def _at(statement: Statement) -> str:
    return f"line {statement.line}" if statement.line else f"{statement.sql[:60]!r}"


def _some(lines: Sequence[str]) -> str:
    more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
    return "; ".join(lines[:3]) + more
