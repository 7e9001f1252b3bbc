"""Two looks -> what the statement between them has done: pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from schema_kit.lint.facts import Change, Held, Statement, Table, Written
from schema_kit.lint.look import Relation, Seen
from schema_kit.lint.promises import IN_THE_WAY, OF_A_TABLE, Promise, broken
from schema_kit.names import QualifiedName
from schema_kit.steps.step import LockMode

_MODES = list(LockMode)
_TABLES = {"r", "p", "m", "f"}
_INDEXES = {"i", "I"}
_BY_QUERY = re.compile(r"\s*(SELECT|WITH|DO|UPDATE|DELETE|INSERT|MERGE)\b", re.IGNORECASE)
_LIMITED = re.compile(r"\bLIMIT\b", re.IGNORECASE)
_EMPTIES = re.compile(r"\bTRUNCATE\b", re.IGNORECASE)
_RESTARTS = re.compile(r"\bRESTART\b", re.IGNORECASE)
_MOVED = re.compile(r"\b(TABLESPACE|CLUSTER|VACUUM|ACCESS\s+METHOD)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Between:
    """The statement between two looks.

    Args:
        before: the look before it.
        after: the look after it.
        sql: the statement.
        old: tables that others use: there before the revision.
        left_out: tables that are not the user's: Alembic's, schema_kit's.
        names: those that others know, each with its columns and what they hold: there before the revision.
        relied: promises that were there before the revision.
        dependents: what CASCADE could take along, before and after.
        unbounded: tables that it writes without a bound, as they are called now.
    """

    before: Seen
    after: Seen
    sql: str
    old: frozenset[int]
    left_out: Callable[[QualifiedName], bool]
    names: Mapping[QualifiedName, Mapping[str, str]]
    relied: frozenset[Promise] = frozenset()
    dependents: tuple[frozenset[Promise], frozenset[Promise]] = (frozenset(), frozenset())
    unbounded: Mapping[Table, str] = field(default_factory=dict)

    def statement(
        self,
        line: int,
        transaction: int,
        *,
        there: Callable[[Table], int],
        begins: Callable[[QualifiedName], bool],
    ) -> Statement:
        """Return what it has done.

        Args:
            line: of the revision's file.
            transaction: its number.
            there: how many rows a table has.
            begins: whether a sequence gives its first number next.
        """
        return Statement(
            self.sql,
            line,
            transaction,
            lock_timeout=self.after.lock_timeout,
            locks=tuple(sorted(self._locks(), key=lambda one: (one.table, one.mode.value))),
            scanned=tuple(sorted(self._read())),
            rewritten=tuple(sorted({name for name, _ in self._new_files() if not self._emptied(name)})),
            built=tuple(sorted(self._built())),
            written=tuple(sorted(self._written(there), key=lambda one: one.table)),
            changes=tuple(sorted(self._changes(begins), key=lambda one: (one.table, one.kind, one.name))),
            unbounded=tuple(sorted(self._unbounded())),
            broken=frozenset(self._broken()),
            kept=broken(self.after.promises, self.before.promises),
            along=tuple(sorted(self._along())),
            made=tuple(sorted(self._made())),
        )

    def _users(self, relation: Relation) -> bool:
        return not self.left_out(relation.name)

    def _old(self, oid: int, kinds: set[str]) -> Relation | None:
        """Return a relation that existed, whatever it is called now."""
        relation = self.before.relations.get(oid)
        if relation is None or oid not in self.old or relation.kind not in kinds or not self._users(relation):
            return None
        return relation

    def _locks(self) -> Iterator[Held]:
        held = dict[int, int]()
        for oid, mode in self.before.locks:
            held[oid] = max(held.get(oid, 0), _MODES.index(mode))
        for oid, mode in self.after.locks - self.before.locks:
            if held.get(oid, -1) >= _MODES.index(mode):
                continue
            relation = self._old(oid, _TABLES | {"v"})
            if relation and (relation.kind not in "vm" or mode is LockMode.ACCESS_EXCLUSIVE):  # it is not written to
                yield Held(relation.name, mode)

    def _scanned(self) -> set[Table]:
        if _BY_QUERY.match(self.sql) and _LIMITED.search(self.sql):  # it stops at the first rows
            return set()
        found = set()
        for oid, (scans, _, _) in self.after.counts.items():
            if scans > self.before.counts.get(oid, (0, 0, 0))[0] and (relation := self._old(oid, _TABLES)):
                found.add(relation.name)
        return found

    def _read(self) -> set[Table]:
        """Return what was read from end to end; not what TRUNCATE has emptied, whose indexes it builds again."""
        return {table for table in self._scanned() if not self._emptied(table)}

    def _new_files(self) -> Iterator[tuple[Table, Relation]]:
        for oid, now in self.after.relations.items():
            was = self._old(oid, _TABLES)
            if was and was.file and now.file and was.file != now.file:
                yield was.name, was

    def _emptied(self, table: Table) -> bool:
        """A rewrite reads every row first, TRUNCATE what is left to index. A materialized view is filled otherwise."""
        if not _EMPTIES.search(self.sql) and (table in self._scanned() or _MOVED.search(self.sql)):
            return False
        return any(name == table and was.kind == "r" for name, was in self._new_files())

    def _built(self) -> Iterator[tuple[str, Table]]:
        files = {one.file for one in self.before.relations.values() if one.kind == "i"}
        rewritten = {oid for oid in self.after.relations if self._rewritten(oid)}
        for now in self.after.relations.values():
            if now.kind == "i" and now.file not in files and now.table not in rewritten:
                table = self._old(now.table, _TABLES)
                if table and not self._emptied(table.name):
                    yield now.name.name, table.name

    def _rewritten(self, oid: int) -> bool:
        was, now = self.before.relations.get(oid), self.after.relations[oid]
        return bool(was and was.kind in _TABLES and was.file != now.file)

    def _written(self, there: Callable[[Table], int]) -> Iterator[Written]:
        for oid, (_, inserted, changed) in self.after.counts.items():
            _, inserted_before, changed_before = self.before.counts.get(oid, (0, 0, 0))
            more, other = inserted - inserted_before, changed - changed_before
            relation = self._old(oid, {"r"})
            if relation is None or not (more or other):
                continue
            now = self.after.relations.get(oid)
            yield Written(relation.name, other, there(now.name) if now and other else None)

    def _made(self) -> Iterator[Table]:
        for oid, now in self.after.relations.items():
            was = self.before.relations.get(oid)
            is_new = was is None or (oid not in self.old and was.name != now.name)
            if is_new and now.kind in _TABLES | {"v"} and self._users(now):
                yield now.name

    def _unbounded(self) -> Iterator[tuple[Table, str]]:
        for oid, was in self.before.relations.items():
            if was.name in self.unbounded and self._old(oid, _TABLES):
                yield was.name, self.unbounded[was.name]

    def _broken(self) -> Iterator[Promise]:
        """Yield promises that are broken though the table, and the columns, that they are about are still there."""
        tables = {one.name: {two.name: two for two in one.columns.values()} for one in self.after.relations.values()}
        views = {two.name for two in self.after.relations.values() if two.kind == "v"}
        parts = {two.name for two in self.after.relations.values() if two.partition}
        renewed, known = self._renewed(), OF_A_TABLE - IN_THE_WAY
        old = renewed | {two.name for oid, two in self.after.relations.items() if oid in self.old}
        taken = {one for one in self.relied - self.after.promises if one.kind in known and one.of in renewed}
        for one in broken(self.before.promises, self.after.promises) | taken:
            if one.kind in IN_THE_WAY:
                if one.of in self.names and one.of in old and set(one.columns) <= self.names[one.of].keys():
                    yield one
                continue
            columns = tables.get(one.of)
            if one not in self.relied or (
                one.kind in OF_A_TABLE and (columns is None or set(one.columns) - set(columns))
            ):
                continue
            if one.kind == "default" and columns and not columns[one.detail].not_null:
                continue
            if one.kind == "unique" and one.of in parts:  # its index goes on as a part of the parent's
                continue
            if one.kind in known - {"right"} and one.of in views:  # the table behind it has the others
                continue
            if one.kind == "sequence" and one.of in tables:  # it belongs to a column now
                continue
            if one.kind == "inherits" and int(one.detail) not in self.after.relations:
                continue
            yield one

    def _renewed(self) -> set[Table]:
        """Return names that another table has from now on."""
        before = {one.name: oid for oid, one in self.before.relations.items()}
        return {one.name for oid, one in self.after.relations.items() if before.get(one.name) != oid}

    def _along(self) -> Iterator[Promise]:
        tables = {one.name: {two.name for two in one.columns.values()} for one in self.after.relations.values()}
        before, after = self.dependents
        for one in before - after:
            stays = one.of in tables and set(one.columns) <= tables[one.of]
            if stays and one in before and not re.search(rf"\b{re.escape(one.detail)}\b", self.sql):
                yield one

    def _changes(self, begins: Callable[[QualifiedName], bool]) -> Iterator[Change]:
        moved = {one.of.schema for one in broken(self.before.promises, self.after.promises) if one.kind == "schema"}
        for oid, was in self.before.relations.items():
            if oid in self.old and self._users(was):
                now = self.after.relations.get(oid)
                yield from self._change(oid, was, now, moved=was.name.schema in moved)
                if was.kind == "S" and now and was.file != now.file and _RESTARTS.search(self.sql) and begins(now.name):
                    yield Change("restarted", was.name)
        for oid, now in self.after.relations.items():
            is_new = oid not in self.before.relations and now.partition and now.kind in _TABLES
            if is_new and (parent := self._old(now.parent, {"p"})):
                yield Change("partition_made", parent.name, now.name.name)
            earlier = self.before.relations.get(oid)
            if earlier and earlier.name != now.name and now.kind in _TABLES | {"v"}:
                yield Change("named", now.name)
        for table, _ in self._new_files():
            if self._emptied(table):
                yield Change("emptied", table)
        yield from self._narrower()

    def _narrower(self) -> Iterator[Change]:
        """Columns that others know, and that what has their table's or view's name does not have, or no more."""
        for oid, now in self.after.relations.items():
            was = self.before.relations.get(oid)
            if now.kind not in _TABLES | {"v"} or not self._users(now):
                continue
            known, has = set(self.names.get(now.name, ())), {column.name for column in now.columns.values()}
            if was and was.name == now.name:  # a table that took the name before
                known &= set() if oid in self.old else {column.name for column in was.columns.values()}
            for gone in sorted(known - has):
                yield Change("column_dropped", now.name, gone)

    def _change(self, oid: int, was: Relation, now: Relation | None, *, moved: bool) -> Iterator[Change]:
        if was.kind in _INDEXES:
            yield from self._index(was, now)
        elif was.kind not in _TABLES | {"v"}:
            return
        elif now is None:
            if not any(one.name == was.name for one in self.after.relations.values()):
                yield Change("dropped", was.name, detail="view" if was.kind in "vm" else "table")
        else:
            if was.name != now.name and was.name in self.names and not moved:
                yield Change("renamed", was.name, detail=str(now.name))
            if was.partition and not now.partition and (parent := self.before.relations.get(was.parent)):
                yield Change("detached", parent.name, was.name.name)
            yield from _columns(was, now, self.names.get(was.name, {}), is_table=was.kind in "rp")

    def _index(self, was: Relation, now: Relation | None) -> Iterator[Change]:
        table = self.before.relations.get(was.table)
        if now is not None or table is None or was.backs or was.table not in self.after.relations:
            return
        if not any(one.name == was.name for one in self.after.relations.values()):
            yield Change("index_dropped", table.name, was.name.name)


def _columns(was: Relation, now: Relation, known: Mapping[str, str], *, is_table: bool) -> Iterator[Change]:
    for number, column in was.columns.items():
        other = now.columns.get(number)
        if other is None:
            yield Change("column_dropped", was.name, column.name)
            continue
        if other.name != column.name:
            yield Change("column_renamed", was.name, column.name, other.name)
        if other.type != column.type:
            kind = "type_differs" if known.get(column.name, other.like) != other.like else "type_changed"
            yield Change(kind, was.name, column.name, f"{column.type} to {other.type}")
    if not is_table:
        return
    for number, column in now.columns.items():
        if number not in was.columns:
            kind = "column_required" if column.not_null and not column.filled else "column_added"
            yield Change(kind, was.name, column.name, column.type)
            continue
        if column.not_null and not column.filled and not was.columns[number].not_null:
            yield Change("column_not_null", was.name, column.name, column.type)
        if column.type == "json" != was.columns[number].type:
            yield Change("column_added", was.name, column.name, "json")
