"""Commits that turn a plain table into a partitioned one, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from schema_kit.model import ForeignKey, Partitioning, Sequence, Table, View
from schema_kit.names import QualifiedName, fit, ident, idents, literal
from schema_kit.steps.constraints import AddCheck
from schema_kit.steps.partitions import for_values, register_sql, unregister_sql
from schema_kit.steps.step import Lock, LockMode, Step

BOUND_CHECK = "schema_kit_bound"
"""The CHECK that says where the first partition ends: the conversion's only memory, besides what it has built."""


BUILT_MARK = "schema_kit:"
"""What the comment of a parent that is being built begins with; no other table is taken for one."""


def being_built(name: str) -> str:
    """What a table, index or sequence is called until the swap gives it its name."""
    return fit(name, "__new")


def key_index_name(table: QualifiedName) -> str:
    """The unique index over the longer key, until it becomes the first partition's primary key."""
    return fit(table.name, "__key")


def longer_key(table: Table, control: str) -> tuple[str, ...]:
    """The primary key of the partitioned table: it holds the control column, as its last where it did not."""
    return table.primary_key if control in table.primary_key else (*table.primary_key, control)


def fingerprint(table: Table) -> str:
    """What the parent was built from: a table that changes before the swap has its parent built again."""
    indexes = [(i.name, i.tail, i.unique, i.constraint) for i in table.indexes if i.name != key_index_name(table.name)]
    checks = [check[:2] for check in table.checks if check[0] != BOUND_CHECK]
    fields = (
        *(table.columns, indexes, table.foreign_keys, checks, table.sequences),
        *(table.statistics, table.policies, table.row_security, table.force_row_security, table.grants, table.owner),
    )
    return BUILT_MARK + hashlib.sha256(repr(fields).encode()).hexdigest()[:16]


def _view_lock(view: View) -> Lock:
    # LOCK TABLE would lock the view's other tables too; a change of owner to the same owner takes just this lock.
    return Lock(LockMode.ACCESS_EXCLUSIVE, view.name, f"ALTER VIEW {view.name.sql} OWNER TO {ident(view.owner)}")


def _view_sql(view: View) -> str:
    # Options have to be said again: CREATE OR REPLACE VIEW silently drops security_invoker.
    options = f" WITH ({', '.join(view.options)})" if view.options else ""
    return f"CREATE OR REPLACE VIEW {view.name.sql}{options} AS {view.definition}"


def _trigger_sql(table: Table) -> list[str]:
    statements = []
    states = {"A": "ENABLE ALWAYS", "R": "ENABLE REPLICA", "D": "DISABLE"}
    for trigger in table.triggers:
        statements.append(trigger.definition)
        if trigger.enabled in states:
            statements.append(f"ALTER TABLE {table.name.sql} {states[trigger.enabled]} TRIGGER {ident(trigger.name)}")
    return statements


def _access_sql(table: Table, on: QualifiedName) -> list[str]:
    statements = [f"GRANT {what} ON {on.sql} TO {whom}" for what, whom in table.grants]
    statements += [f"CREATE POLICY {ident(name)} ON {on.sql} {rest}" for name, rest in table.policies]
    if table.row_security:
        statements.append(f"ALTER TABLE {on.sql} ENABLE ROW LEVEL SECURITY")
    if table.force_row_security:
        statements.append(f"ALTER TABLE {on.sql} FORCE ROW LEVEL SECURITY")
    return statements


def _identity_sql(table: QualifiedName, kind: str, sequence: Sequence, name: QualifiedName) -> str:
    always = "ALWAYS" if kind == "a" else "BY DEFAULT"
    return (
        f"ALTER TABLE {table.sql} ALTER COLUMN {ident(sequence.column)} ADD GENERATED {always} AS IDENTITY "
        f"(SEQUENCE NAME {name.sql} {sequence.options})"
    )


def _sequence_access_sql(table: Table, sequence: Sequence, name: QualifiedName) -> Iterable[str]:
    """A sequence that takes another's place has its grants and its comment, and nothing by default privileges."""
    yield from (f"REVOKE ALL ON SEQUENCE {name.sql} FROM {grantee}" for grantee in table.default_sequence_grantees)
    yield from (f"GRANT {what} ON SEQUENCE {name.sql} TO {whom}" for what, whom in sequence.grants)
    if sequence.comment is not None:
        yield _comment_sql("SEQUENCE", name.sql, sequence.comment)


def _position_sql(new: QualifiedName, old: QualifiedName) -> str:
    return f"SELECT pg_catalog.setval({literal(new.sql)}, last_value, is_called) FROM {old.sql}"


def _comment_sql(kind: str, name: str, comment: str | None) -> str:
    return f"COMMENT ON {kind} {name} IS {literal(comment) if comment is not None else 'NULL'}"


def _comments_sql(table: Table) -> Iterable[str]:
    for kind, name, text in table.comments:
        yield _comment_sql(kind, f"{ident(name)} ON {table.name.sql}", text)


def _referenced(table: Table) -> tuple[QualifiedName, ...]:
    return table.with_partitions(key.referenced for key in table.foreign_keys)


def _exclusive(tables: Iterable[QualifiedName]) -> tuple[Lock, ...]:
    return tuple(Lock(LockMode.ACCESS_EXCLUSIVE, table) for table in dict.fromkeys(tables))


@dataclass(frozen=True)
class AddBound(AddCheck):
    """The check that proves where the first partition ends; until the swap, it refuses rows past that."""

    control: str = ""
    upper: str = ""

    @property
    def summary(self) -> str:
        """Says what it means for writers."""
        return (
            f"add check {self.name} to {self.table}, not validated: "
            f"rows whose {self.control} is {self.upper} or later are refused until the swap"
        )


@dataclass(frozen=True)
class DropBound(Step):
    """The bound's check goes: the conversion is given up."""

    table: QualifiedName

    @property
    def summary(self) -> str:
        """Names the table."""
        return f"drop check {BOUND_CHECK} of {self.table}, which a conversion has left"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Everybody waits, for an instant."""
        return _exclusive((self.table,))

    def sql(self) -> tuple[str, ...]:
        """One statement."""
        return (f"ALTER TABLE {self.table.sql} DROP CONSTRAINT {ident(BOUND_CHECK)}",)


@dataclass(frozen=True)
class BuildParent(Step):
    """The partitioned parent beside the table, with everything that the table has; nobody sees it yet."""

    fresh: ClassVar[bool] = True

    table: Table
    policy: Partitioning

    @property
    def summary(self) -> str:
        """Names the table."""
        return f"build the partitioned parent of {self.table.name} beside it"

    @property
    def name(self) -> QualifiedName:
        """What the parent is called until the swap."""
        return self.table.name.sibling(being_built(self.table.name.name))

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Of the table itself none; a foreign key stops writes to the table that it refers to, for an instant."""
        return tuple(Lock(LockMode.SHARE_ROW_EXCLUSIVE, table) for table in _referenced(self.table))

    def sql(self) -> tuple[str, ...]:
        """LIKE without INDEXES, since the primary key lacks the key column, and without IDENTITY."""
        table, new = self.table, self.name
        statements = [
            f"CREATE TABLE {new.sql} (LIKE {table.name.sql} INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY) "
            f"PARTITION BY RANGE ({ident(self.policy.control)})",
            f"ALTER TABLE {new.sql} DROP CONSTRAINT {ident(BOUND_CHECK)}",
            *(f"REVOKE ALL ON {new.sql} FROM {grantee}" for grantee in table.default_grantees),
        ]
        if table.owner:
            statements.append(f"ALTER TABLE {new.sql} OWNER TO {ident(table.owner)}")
        for sequence in table.sequences:
            column = table.column(sequence.column)
            if sequence.identity and column:
                fresh = sequence.name.sibling(being_built(sequence.name.name))
                statements.append(_identity_sql(new, column.identity, sequence, fresh))
                statements += _sequence_access_sql(table, sequence, fresh)
        for index in table.indexes:
            name = ident(being_built(index.name))
            if index.primary:
                key = idents(longer_key(table, self.policy.control))
                statements.append(f"ALTER TABLE {new.sql} ADD CONSTRAINT {name} PRIMARY KEY ({key})")
            elif index.constraint:
                statements.append(f"ALTER TABLE {new.sql} ADD CONSTRAINT {name} {index.constraint}")
            elif index.name != key_index_name(table.name):
                unique = "UNIQUE " if index.unique else ""
                statements.append(f"CREATE {unique}INDEX {name} ON {new.sql} USING {index.tail}")
        statements += [
            f"ALTER TABLE {new.sql} ADD CONSTRAINT {ident(key.name)} {key.definition}" for key in table.foreign_keys
        ]
        statements += _access_sql(table, new)
        statements += [
            f"ALTER TABLE {new.sql} ALTER COLUMN {ident(column)} SET STATISTICS {target}"
            for column, target in table.statistics
        ]
        statements.append(_comment_sql("TABLE", new.sql, fingerprint(table)))
        return tuple(statements)


@dataclass(frozen=True)
class DropBuiltParent(Step):
    """A parent that was built from another shape of the table, or for nothing, goes; it is empty, nobody sees it."""

    parent: QualifiedName
    partitions: tuple[QualifiedName, ...]
    referenced: tuple[QualifiedName, ...]

    @property
    def summary(self) -> str:
        """Names it."""
        return f"drop {self.parent}, built for a swap that cannot come"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Foreign keys make DROP lock the tables at their other end."""
        return _exclusive((self.parent, *self.partitions, *self.referenced))

    def sql(self) -> tuple[str, ...]:
        """RESTRICT; and looked at under the lock: rows are nobody's that may be dropped."""
        message = literal(f"{self.parent} holds rows, which no parent that is being built does")
        check = f"IF EXISTS (SELECT FROM {self.parent.sql}) THEN RAISE object_in_use USING MESSAGE = {message}; END IF"
        return (f"DO {literal(f'BEGIN {check}; END')}", f"DROP TABLE {self.parent.sql}")


@dataclass(frozen=True)
class AddFilledKeyColumn(Step):
    """A table that refers to another by id gets that row's key beside it, and a trigger that fills it.

    Old application code goes on inserting the id alone. The function looks the key up with the rights of its owner, as
    a foreign key does, and locks the row against a change of key until the transaction ends. The longer foreign key
    comes in the same commit: from the first row that is filled, a change of key cascades to it.
    """

    key: ForeignKey
    column: str
    type: str
    control: str

    @property
    def summary(self) -> str:
        """Names the column."""
        return f"add {self.column} to {self.key.table}, filled by a trigger"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Everybody waits, for an instant: the column has no default, and nothing is scanned."""
        return (Lock(LockMode.SHARE_ROW_EXCLUSIVE, self.key.referenced), *_exclusive((self.key.table,)))

    def sql(self) -> tuple[str, ...]:
        """The column, the function, the trigger, the foreign key."""
        table, function = self.key.table, fill_function(self.key, self.column)
        column, own, id_ = (
            ident(self.column),
            ident(self.key.columns[0]),
            ident(self.key.referenced_columns[0]),
        )
        body = (
            "BEGIN\n"
            f"  IF NEW.{own} IS NULL THEN\n"
            f"    NEW.{column} := NULL;\n"
            f"  ELSIF NEW.{column} IS NULL OR (TG_OP = 'UPDATE' AND NEW.{own} IS DISTINCT FROM OLD.{own}"
            f" AND NEW.{column} IS NOT DISTINCT FROM OLD.{column}) THEN\n"
            f"    SELECT t.{ident(self.control)} INTO NEW.{column} FROM {self.key.referenced.sql} t"
            f" WHERE t.{id_} OPERATOR({ident(self.key.operators[0])}.=) NEW.{own} FOR KEY SHARE;\n"
            "    IF NOT FOUND THEN\n"
            "      RAISE foreign_key_violation USING\n"
            f"        MESSAGE = {literal(f'no row of {self.key.referenced} has this {self.key.columns[0]}')},\n"
            f"        DETAIL = pg_catalog.format('Key (%s)=(%s) is not present.',"
            f" {literal(self.key.columns[0])}, NEW.{own}),\n"
            f"        SCHEMA = {literal(table.schema)}, TABLE = {literal(table.name)},"
            f" CONSTRAINT = {literal(self.key.name)};\n"
            "    END IF;\n"
            "  END IF;\n"
            "  RETURN NEW;\n"
            "END"
        )
        return (
            f"ALTER TABLE {table.sql} ADD COLUMN {column} {self.type}",
            f"CREATE FUNCTION {function.sql}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
            f"SET search_path = pg_catalog, pg_temp SET row_security = off AS {literal(body)}",
            f"CREATE TRIGGER {ident(function.name)} BEFORE INSERT OR UPDATE ON {table.sql} "
            f"FOR EACH ROW EXECUTE FUNCTION {function.sql}()",
            composite_fk_sql(self.key, self.column, being_built(self.key.name), self.key.referenced, self.control),
        )


@dataclass(frozen=True)
class DropFilledKeyColumn(Step):
    """The key column goes, with its trigger and the longer foreign key: the conversion is given up."""

    key: ForeignKey
    column: str
    provisional: str

    @property
    def summary(self) -> str:
        """Names the column."""
        return f"drop {self.column} of {self.key.table}, which a conversion has left"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Everybody waits, at both ends, for an instant."""
        return _exclusive((self.key.referenced, self.key.table))

    def sql(self) -> tuple[str, ...]:
        """The index that found unfilled rows goes with the column."""
        return tuple(_drop_filled_sql(self.key, self.provisional, self.column))


def _drop_filled_sql(key: ForeignKey, constraint: str, column: str) -> Iterable[str]:
    function = fill_function(key, column)
    yield f"ALTER TABLE {key.table.sql} DROP CONSTRAINT {ident(constraint)}"
    yield f"DROP TRIGGER {ident(function.name)} ON {key.table.sql}"
    yield f"DROP FUNCTION {function.sql}()"
    yield f"ALTER TABLE {key.table.sql} DROP COLUMN {ident(column)}"


def fill_function(key: ForeignKey, column: str) -> QualifiedName:
    """The function that fills a key column, and its trigger's name."""
    return key.table.sibling(fit(f"{key.table.name}_{column}", "_fill"))


def composite_fk_sql(key: ForeignKey, column: str, name: str, referenced: QualifiedName, control: str) -> str:
    """The longer foreign key, not validated. MATCH FULL: a row with an id but no key is refused."""
    return (
        f"ALTER TABLE {key.table.sql} ADD CONSTRAINT {ident(name)} "
        f"FOREIGN KEY ({idents((*key.columns, column))}) "
        f"REFERENCES {referenced.sql} ({idents((*key.referenced_columns, control))}) MATCH FULL "
        f"ON UPDATE CASCADE ON DELETE {_ACTIONS[key.on_delete]} NOT VALID"
    )


_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


@dataclass(frozen=True)
class FillKeyColumn(Step):
    """The trigger fills the rows that were there before it, a batch a commit; rows locked by others come later."""

    repeats: ClassVar[bool] = True

    key: ForeignKey
    column: str
    batch: int = 5000

    @property
    def summary(self) -> str:
        """Names the column."""
        return f"fill {self.column} of {self.key.table}"

    def sql(self) -> tuple[str, ...]:
        """Locks rows only."""
        table, own = self.key.table.sql, ident(self.key.columns[0])
        return (
            f"UPDATE {table} SET {own} = {own} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} "
            f"WHERE {own} IS NOT NULL AND {ident(self.column)} IS NULL "
            f"LIMIT {self.batch} FOR UPDATE SKIP LOCKED))",
        )


@dataclass(frozen=True)
class Swap(Step):
    """The short commit: the table becomes the first partition of the parent that was built beside it.

    Args:
        table: the table, as last seen.
        policy: what the set is registered under, in the same commit.
        leaf: the table's name as a partition.
        suffix: what its indexes' names get.
        upper: the bound that its validated CHECK proves.
        dropped: incoming foreign keys that go.
        composite: incoming foreign keys that come back with the key column: (key, column, provisional name).
        partitions: those that the parent has already.
        moved: incoming foreign keys that hold the key column already, and come back as they are.
    """

    fresh: ClassVar[bool] = True

    table: Table
    policy: Partitioning
    leaf: QualifiedName
    suffix: str
    upper: str
    dropped: tuple[ForeignKey, ...] = ()
    composite: tuple[tuple[ForeignKey, str, str], ...] = ()
    partitions: tuple[QualifiedName, ...] = ()
    moved: tuple[ForeignKey, ...] = ()

    @property
    def summary(self) -> str:
        """Names both."""
        return f"swap: {self.table.name} becomes partitioned, its rows are partition {self.leaf}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Everybody waits; 2 to 50 ms were measured, whatever the number of rows."""
        tables = [self.table.name, self.table.name.sibling(being_built(self.table.name.name))]
        keys = (*self.dropped, *self.moved, *(key for key, _, _ in self.composite))
        incoming = self.table.with_partitions(key.table for key in keys)
        # Triggers for each row, and foreign keys, come down from the parent to the partitions that it has.
        inherits = (
            self.composite
            or self.moved
            or any(" FOR EACH ROW " in trigger.definition for trigger in self.table.triggers)
        )
        return (
            *map(_view_lock, self.table.views),
            *_exclusive([*tables, *incoming, *_referenced(self.table)]),
            *(Lock(LockMode.SHARE_ROW_EXCLUSIVE, table) for table in self.partitions if inherits),
        )

    def sql(self) -> tuple[str, ...]:
        """In the order that works on 14 to 18."""
        return (*self._detach_from_others(), *self._rename(), *self._attach(), *self._give_back())

    def _detach_from_others(self) -> Iterable[str]:
        table = self.table
        for key in (*self.dropped, *self.moved):
            yield f"ALTER TABLE {key.table.sql} DROP CONSTRAINT {ident(key.name)}"
        for key, _, provisional in self.composite:
            yield f"ALTER TABLE {key.table.sql} DROP CONSTRAINT {ident(key.name)}"
            yield f"ALTER TABLE {key.table.sql} DROP CONSTRAINT {ident(provisional)}"
        for sequence in table.sequences:
            if sequence.identity:
                yield _position_sql(sequence.name.sibling(being_built(sequence.name.name)), sequence.name)
                yield f"ALTER TABLE {table.name.sql} ALTER COLUMN {ident(sequence.column)} DROP IDENTITY"
        for trigger in table.triggers:
            yield f"DROP TRIGGER {ident(trigger.name)} ON {table.name.sql}"
        assert table.primary is not None  # the plan has seen to it
        if not self._lengthened:
            return
        yield f"ALTER TABLE {table.name.sql} DROP CONSTRAINT {ident(table.primary.name)}"
        yield f"ALTER TABLE {table.name.sql} ALTER COLUMN {ident(self.policy.control)} SET NOT NULL"
        yield (
            f"ALTER TABLE {table.name.sql} ADD CONSTRAINT {ident(fit(table.primary.name, self.suffix))} "
            f"PRIMARY KEY USING INDEX {ident(key_index_name(table.name))}"
        )

    @property
    def _lengthened(self) -> bool:
        return self.policy.control not in self.table.primary_key

    def _rename(self) -> Iterable[str]:
        name = self.table.name
        own = [i for i in self.table.indexes if i.name != key_index_name(name)]
        kept = [i for i in own if not (i.primary and self._lengthened)]
        for index in kept:
            yield f"ALTER INDEX {name.sibling(index.name).sql} RENAME TO {ident(fit(index.name, self.suffix))}"
        yield f"ALTER TABLE {name.sql} RENAME TO {ident(self.leaf.name)}"
        yield f"ALTER TABLE {name.sibling(being_built(name.name)).sql} RENAME TO {ident(name.name)}"
        for index in sorted(own, key=lambda i: i.primary):
            yield f"ALTER INDEX {name.sibling(being_built(index.name)).sql} RENAME TO {ident(index.name)}"
        for sequence in self.table.sequences:
            if sequence.identity:
                built = sequence.name.sibling(being_built(sequence.name.name))
                yield f"ALTER SEQUENCE {built.sql} RENAME TO {ident(sequence.name.name)}"
            else:
                yield f"ALTER SEQUENCE {sequence.name.sql} OWNED BY {name.sql}.{ident(sequence.column)}"

    def _attach(self) -> Iterable[str]:
        name = self.table.name
        yield f"ALTER TABLE {name.sql} ATTACH PARTITION {self.leaf.sql} {for_values(None, self.upper)}"
        yield f"ALTER TABLE {self.leaf.sql} DROP CONSTRAINT {ident(BOUND_CHECK)}"
        for key, column, _ in self.composite:
            yield composite_fk_sql(key, column, key.name, name, self.policy.control)
        yield from map(_again_sql, self.moved)

    def _give_back(self) -> Iterable[str]:
        table = self.table
        yield from _trigger_sql(table)
        yield from map(_view_sql, table.views)
        yield _comment_sql("TABLE", table.name.sql, table.comment)
        for index in table.indexes:
            if index.comment is not None:
                yield _comment_sql("INDEX", table.name.sibling(index.name).sql, index.comment)
        yield from _comments_sql(table)
        yield register_sql(self.policy)


def _again_sql(key: ForeignKey) -> str:
    return f"ALTER TABLE {key.table.sql} ADD CONSTRAINT {ident(key.name)} {key.definition} NOT VALID"


@dataclass(frozen=True)
class Unswap(Step):
    """The way back, in one commit: the first partition becomes the table again and takes in the rows of the others.

    Args:
        table: the partitioned table, as last seen.
        heir: its first partition, as last seen: the table that it was made from, where it still is.
        key_index: a unique index of the heir over the shorter key; None where the primary key stays as it is.
        composite: incoming foreign keys that go back to the shorter key: (key, the key column that goes).
        moved: incoming foreign keys that come back as they are.
    """

    fresh: ClassVar[bool] = True
    may_block: ClassVar[bool] = True

    table: Table
    heir: Table
    key_index: str | None
    composite: tuple[tuple[ForeignKey, str], ...] = ()
    moved: tuple[ForeignKey, ...] = ()

    @property
    def summary(self) -> str:
        """Says that it blocks."""
        return (
            f"swap back: {self.heir.name} becomes {self.table.name} and takes in the other partitions' rows "
            "(blocks the table while they move)"
        )

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Everybody waits, for as long as the rows of the other partitions need."""
        tables = [self.table.name, *(partition.name for partition in self.table.partitions)]
        keys = (*self.moved, *(key for key, _ in self.composite))
        incoming = self.table.with_partitions(key.table for key in keys)
        return (
            *map(_view_lock, self.table.views),
            *_exclusive([*tables, *incoming, *_referenced(self.table)]),
        )

    @property
    def diagnosis(self) -> str | None:
        """Which of the shorter keys more than one row has."""
        if self.key_index is None:
            return None
        key = [column for column in self.table.primary_key if column not in self.table.partitioned_by]
        shown = " || ', ' || ".join(f"{ident(column)}::text" for column in key)
        return (
            f"SELECT {literal(f'({chr(44).join(key)}) = (')} || {shown} || '), ' || count(*) || ' rows' "
            f"FROM {self.table.name.sql} GROUP BY {idents(tuple(key))} HAVING count(*) > 1 "
            "ORDER BY count(*) DESC LIMIT 5"
        )

    @property
    def _old(self) -> QualifiedName:
        return self.table.name.sibling(fit(self.table.name.name, "__old"))

    def sql(self) -> tuple[str, ...]:
        """Rows move in the transaction that drops what held them."""
        return (*self._take_in(), *self._change_places(), *self._give_back())

    def _take_in(self) -> Iterable[str]:
        table, heir = self.table, self.heir.name
        for key, column in self.composite:
            yield from _drop_filled_sql(key, key.name, column)
        yield from (f"ALTER TABLE {key.table.sql} DROP CONSTRAINT {ident(key.name)}" for key in self.moved)
        for trigger in table.triggers:
            yield f"DROP TRIGGER {ident(trigger.name)} ON {table.name.sql}"
        yield f"ALTER TABLE {table.name.sql} DETACH PARTITION {heir.sql}"
        deferred = (*(key.deferred for key in table.foreign_keys), *(index.constraint or "" for index in table.indexes))
        if any("INITIALLY DEFERRED" in text for text in deferred):
            yield "SET CONSTRAINTS ALL IMMEDIATE"  # ALTER TABLE refuses a table that has checks pending
        columns = idents(tuple(column.name for column in table.columns if not column.generated))
        yield f"INSERT INTO {heir.sql} ({columns}) SELECT {columns} FROM {table.name.sql}"
        for sequence in table.sequences:
            owner = table.column(sequence.column)
            if sequence.identity and owner:
                fresh = sequence.name.sibling(being_built(sequence.name.name))
                yield _identity_sql(heir, owner.identity, sequence, fresh)
                yield from _sequence_access_sql(table, sequence, fresh)
                yield _position_sql(fresh, sequence.name)
            elif not sequence.identity:
                yield f"ALTER SEQUENCE {sequence.name.sql} OWNED BY {heir.sql}.{ident(sequence.column)}"

    def _change_places(self) -> Iterable[str]:
        table, heir, old = self.table, self.heir, self._old
        yield f"ALTER TABLE {table.name.sql} RENAME TO {ident(old.name)}"
        yield f"ALTER TABLE {heir.name.sql} RENAME TO {ident(table.name.name)}"
        yield from map(_view_sql, table.views)
        yield f"DROP TABLE {old.sql}"
        grantees = dict.fromkeys(whom.removesuffix(" WITH GRANT OPTION") for _, whom in heir.grants)
        yield from (f"REVOKE ALL ON {table.name.sql} FROM {grantee} CASCADE" for grantee in grantees)
        if heir.owner != table.owner:
            yield f"ALTER TABLE {table.name.sql} OWNER TO {ident(table.owner) if table.owner else 'CURRENT_USER'}"
        for sequence in table.sequences:
            if sequence.identity:
                fresh = sequence.name.sibling(being_built(sequence.name.name))
                yield f"ALTER SEQUENCE {fresh.sql} RENAME TO {ident(sequence.name.name)}"
        assert table.primary is not None  # the plan has seen to it
        assert heir.primary is not None
        if self.key_index is not None:
            yield f"ALTER TABLE {table.name.sql} DROP CONSTRAINT {ident(heir.primary.name)}"
            yield (
                f"ALTER TABLE {table.name.sql} ADD CONSTRAINT {ident(table.primary.name)} "
                f"PRIMARY KEY USING INDEX {ident(self.key_index)}"
            )
        for index in heir.indexes:
            if index.parent is not None and not (index.primary and self.key_index is not None):
                yield f"ALTER INDEX {table.name.sibling(index.name).sql} RENAME TO {ident(index.parent.name)}"

    def _give_back(self) -> Iterable[str]:
        table, name = self.table, self.table.name
        for key, _ in self.composite:
            yield (
                f"ALTER TABLE {key.table.sql} ADD CONSTRAINT {ident(key.name)} "
                f"FOREIGN KEY ({idents(key.columns[:-1])}) "
                f"REFERENCES {name.sql} ({idents(key.referenced_columns[:-1])}) "
                f"ON DELETE {_ACTIONS[key.on_delete]} NOT VALID"
            )
        yield from map(_again_sql, self.moved)
        yield from _trigger_sql(table)
        yield from (f"DROP POLICY {ident(policy)} ON {name.sql}" for policy, _ in self.heir.policies)
        for was, stays, words in (
            (self.heir.row_security, table.row_security, "DISABLE"),
            (self.heir.force_row_security, table.force_row_security, "NO FORCE"),
        ):
            if was and not stays:
                yield f"ALTER TABLE {name.sql} {words} ROW LEVEL SECURITY"
        yield from _access_sql(table, name)
        yield _comment_sql("TABLE", name.sql, table.comment)
        if table.primary and table.primary.comment is not None:
            yield _comment_sql("INDEX", name.sibling(table.primary.name).sql, table.primary.comment)
        yield from _comments_sql(table)
        yield unregister_sql(name)
