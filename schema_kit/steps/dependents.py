"""What belongs to a table and moves to the one that takes its place: the SQL that gives it back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from schema_kit.marks import built_name
from schema_kit.model import ForeignKey, Grant, Index, Sequence, StatisticsObject, Table, View
from schema_kit.names import QualifiedName, fit, ident, literal, sending_sql
from schema_kit.steps.step import Lock, LockMode


class Owned(Protocol):
    """Give the source's owner what was made: a table, or what a partition is made like."""

    @property
    def owner(self) -> str | None:
        """None: the current role."""
        ...

    @property
    def default_grantees(self) -> tuple[str, ...]:
        """Whom ALTER DEFAULT PRIVILEGES grants something on each new table."""
        ...


def view_lock(view: View) -> Lock:
    """ACCESS EXCLUSIVE on the view alone."""
    # LOCK TABLE would lock the view's other tables too; a change of owner to the same owner takes just this lock.
    return Lock(LockMode.ACCESS_EXCLUSIVE, view.name, f"ALTER VIEW {view.name.sql} OWNER TO {ident(view.owner)}")


def own_view_lock(view: QualifiedName) -> Lock:
    """ACCESS EXCLUSIVE on a view of schema_kit's own: the same options again take just this lock."""
    return Lock(LockMode.ACCESS_EXCLUSIVE, view, f"ALTER VIEW {view.sql} RESET (check_option)")


def view_sql(view: View) -> str:
    """Return the view again, over what has its table's name now."""
    # Options have to be said again: CREATE OR REPLACE VIEW silently drops security_invoker.
    options = f" WITH ({', '.join(view.options)})" if view.options else ""
    return f"CREATE OR REPLACE VIEW {view.name.sql}{options} AS {view.definition}"


def trigger_sql(table: Table) -> list[str]:
    """Return its triggers, enabled as they are."""
    statements = []
    states = {"A": "ENABLE ALWAYS", "R": "ENABLE REPLICA", "D": "DISABLE"}
    for trigger in table.triggers:
        statements.append(trigger.definition)
        if trigger.enabled in states:
            statements.append(f"ALTER TABLE {table.name.sql} {states[trigger.enabled]} TRIGGER {ident(trigger.name)}")
    return statements


def grant_sql(grant: Grant, on: str) -> str:
    """Return a grant, by who granted it before; *on* is a table, or SEQUENCE and its name."""
    sql = f"GRANT {grant.what} ON {on} TO {grant.to}"
    if grant.by is None:
        return sql
    # PostgreSQL does not grant in another's name: it has to be that role, for this statement.
    body = (
        "DECLARE was text := pg_catalog.current_setting('role'); "
        f"BEGIN PERFORM pg_catalog.set_config('role', {literal(grant.by)}, true); {sql}; "
        "PERFORM pg_catalog.set_config('role', was, true); END"
    )
    return f"DO {literal(body)}"


def made_sql(table: QualifiedName, like: Owned) -> Iterable[str]:
    """What is granted on a new table by default goes, and it gets the owner of what it is made like."""
    yield from (f"REVOKE ALL ON {table.sql} FROM {grantee}" for grantee in like.default_grantees)
    if like.owner:
        yield f"ALTER TABLE {table.sql} OWNER TO {ident(like.owner)}"


def access_sql(table: Table, on: QualifiedName) -> list[str]:
    """Return its grants and its row security, on another table."""
    # What the owner took from itself goes first: with it go rights on columns, which it may have been granted since.
    statements = [f"REVOKE {table.withheld} ON {on.sql} FROM {owner_sql(table)}"] if table.withheld else []
    statements += [grant_sql(grant, on.sql) for grant in table.grants]
    statements += [f"CREATE POLICY {ident(name)} ON {on.sql} {rest}" for name, rest in table.policies]
    if table.row_security:
        statements.append(f"ALTER TABLE {on.sql} ENABLE ROW LEVEL SECURITY")
    if table.force_row_security:
        statements.append(f"ALTER TABLE {on.sql} FORCE ROW LEVEL SECURITY")
    return statements


def owner_sql(table: Table) -> str:
    """Whose it is."""
    return ident(table.owner) if table.owner else "CURRENT_USER"


def owner_again_sql(was: Table, table: Table) -> Iterable[str]:
    """A table that has another's name by now gets its owner."""
    if was.owner != table.owner:
        yield f"ALTER TABLE {table.name.sql} OWNER TO {owner_sql(table)}"


def owned_sql(was: Table, table: Table) -> Iterable[str]:
    """It owns another's sequences, which needs one owner, and is left with them when the other is dropped."""
    yield from owner_again_sql(was, table)
    for sequence in table.sequences:
        if not sequence.identity:
            yield f"ALTER SEQUENCE {sequence.name.sql} OWNED BY {table.name.sql}.{ident(sequence.column)}"


def access_again_sql(was: Table, table: Table) -> Iterable[str]:
    """Copy owner, grants and row security from a table to the one that has taken its name."""
    name = table.name.sql
    yield from _as_made_sql(was.grants, was.withheld, name, owner_sql(was))
    yield from owner_again_sql(was, table)
    yield from (f"DROP POLICY {ident(policy)} ON {name}" for policy, _ in was.policies)
    for had, has, words in (
        (was.row_security, table.row_security, "DISABLE"),
        (was.force_row_security, table.force_row_security, "NO FORCE"),
    ):
        if had and not has:
            yield f"ALTER TABLE {name} {words} ROW LEVEL SECURITY"
    yield from access_sql(table, table.name)
    yield comment_sql("TABLE", name, table.comment)


def _as_made_sql(grants: Iterable[Grant], withheld: str, on: str, owner: str) -> Iterable[str]:
    """Nothing is granted any more, and the owner may do everything."""
    grantees = dict.fromkeys(grant.to.removesuffix(" WITH GRANT OPTION") for grant in grants if grant.by is None)
    yield from (f"REVOKE ALL ON {on} FROM {grantee} CASCADE" for grantee in grantees)
    if withheld or any(grant.own for grant in grants):
        yield f"GRANT ALL ON {on} TO {owner}"


def columns_again_sql(was: Table, table: Table) -> Iterable[str]:
    """What ALTER COLUMN sets is as with another one, whose name it has by now; and what is said of columns."""
    alter = f"ALTER TABLE {table.name.sql} ALTER COLUMN"
    had, has = (dict.fromkeys((*one.settings, *one.statistics)) for one in (was, table))
    gone = (one for one in had if one not in has and _unset(one[1]))
    yield from (f"{alter} {ident(column)} {_unset(action)}" for column, action in gone)
    yield from (f"{alter} {ident(column)} {action}" for column, action in has if (column, action) not in had)
    told = {name: text for kind, name, text in table.comments if kind == "COLUMN"}
    before = {name: text for kind, name, text in was.comments if kind == "COLUMN"}
    for name in dict.fromkeys((*before, *told)):
        if before.get(name) != told.get(name):
            yield comment_sql("COLUMN", f"{table.name.sql}.{ident(name)}", told.get(name))


def statistics_sql(table: QualifiedName, statistics: Iterable[tuple[str, str]]) -> Iterable[str]:
    """Set the statistics targets of a table's columns, as Table has them."""
    return (f"ALTER TABLE {table.sql} ALTER COLUMN {ident(column)} {action}" for column, action in statistics)


def _unset(action: str) -> str:
    """Return what takes back what ALTER COLUMN has set; every column has some storage."""
    if option := re.match(r"SET \((\w+)", action):
        return f"RESET ({option[1]})"
    others = {"DEFAULT": "DROP DEFAULT", "STATISTICS": "SET STATISTICS -1", "COMPRESSION": "SET COMPRESSION default"}
    return others.get(action.split()[1], "")


def statistics_object_sql(one: StatisticsObject, name: QualifiedName, on: QualifiedName) -> Iterable[str]:
    """Yield a statistics object like another one, of another table."""
    yield f"CREATE STATISTICS {name.sql} {one.definition} FROM {on.sql}"
    if one.target is not None:
        yield f"ALTER STATISTICS {name.sql} SET STATISTICS {one.target}"
    if one.comment is not None:
        yield comment_sql("STATISTICS", name.sql, one.comment)
    yield f"ALTER STATISTICS {name.sql} OWNER TO {ident(one.owner)}"


def statistics_objects_again_sql(was: Table, table: Table, *, all_: bool) -> Iterable[str]:
    """The statistics objects are those of another table, which is gone: what is like one of them gets its name.

    *all_*: what is like none of them goes.
    """
    left = list(was.statistics_objects)
    for one in table.statistics_objects:
        own = next((each for each in left if each.definition == one.definition), None)
        if own is None:
            yield from statistics_object_sql(one, one.name, table.name)
            continue
        left.remove(own)
        if own.name.schema != one.name.schema:
            yield f"ALTER STATISTICS {own.name.sql} SET SCHEMA {ident(one.name.schema)}"
        moved = QualifiedName(one.name.schema, own.name.name)
        if moved != one.name:
            yield f"ALTER STATISTICS {moved.sql} RENAME TO {ident(one.name.name)}"
        if own.target != one.target:
            yield f"ALTER STATISTICS {one.name.sql} SET STATISTICS {-1 if one.target is None else one.target}"
        if own.comment != one.comment:
            yield comment_sql("STATISTICS", one.name.sql, one.comment)
        if own.owner != one.owner:
            yield f"ALTER STATISTICS {one.name.sql} OWNER TO {ident(one.owner)}"
    if all_:
        yield from (f"DROP STATISTICS {own.name.sql}" for own in left)


def index_again_sql(was: Index, index: Index, name: QualifiedName) -> Iterable[str]:
    """Copy the comment of an index, and what is set for its expressions, from another one."""
    targets = dict(index.statistics)
    for place in dict(was.statistics):
        targets.setdefault(place, -1)
    yield from index_statistics_sql(name, targets.items())
    if was.comment != index.comment:
        yield comment_sql("INDEX", name.sql, index.comment)


def index_statistics_sql(name: QualifiedName, statistics: Iterable[tuple[int, int]]) -> Iterable[str]:
    """Statistics targets of an index's expressions."""
    return (f"ALTER INDEX {name.sql} ALTER COLUMN {place} SET STATISTICS {target}" for place, target in statistics)


def parts_sql(indexes: Iterable[Index], name: QualifiedName, of: QualifiedName | None = None) -> Iterable[str]:
    """Yield what partitions' indexes do not have from the partitioned one: statistics targets, and CLUSTER's mark.

    Args:
        indexes: those of the partitioned table.
        name: its name.
        of: the partition; None for all that it has.
    """
    one = f" AND x.indrelid = {literal(of.sql)}::regclass" if of else ""
    for index in indexes:
        own = name.sibling(index.name)
        actions = [
            f"ALTER INDEX %1$s ALTER COLUMN {place} SET STATISTICS {target}" for place, target in index.statistics
        ]
        actions += ["ALTER TABLE %2$s CLUSTER ON %3$I"] if index.clustered else []
        if actions:
            each = ", ".join(
                f"format({literal(action)}, x.indexrelid::regclass, x.indrelid::regclass, c.relname)"
                for action in actions
            )
            yield sending_sql(
                f"SELECT unnest(ARRAY[{each}]) FROM pg_inherits h JOIN pg_index x ON x.indexrelid = h.inhrelid "
                f"JOIN pg_class c ON c.oid = h.inhrelid WHERE h.inhparent = {literal(own.sql)}::regclass{one}"
            )


def identity_sql(table: QualifiedName, kind: str, sequence: Sequence, name: QualifiedName) -> str:
    """Return a column's identity, with a sequence of that name."""
    always = "ALWAYS" if kind == "a" else "BY DEFAULT"
    return (
        f"ALTER TABLE {table.sql} ALTER COLUMN {ident(sequence.column)} ADD GENERATED {always} AS IDENTITY "
        f"(SEQUENCE NAME {name.sql} {sequence.options})"
    )


def identity_again_sql(was: Table, table: Table, sequence: Sequence) -> Iterable[str]:
    """A column's identity is as with another table, whose sequence's name its own sequence has by now."""
    column, name = table.column(sequence.column), sequence.name.sql
    own = next((one for one in was.sequences if one.column == sequence.column), None)
    if column is None or own is None:  # the plan has seen to it
        return
    had = was.column(sequence.column)
    if had and had.identity != column.identity:
        always = "ALWAYS" if column.identity == "a" else "BY DEFAULT"
        yield f"ALTER TABLE {table.name.sql} ALTER COLUMN {ident(column.name)} SET GENERATED {always}"
    if own == replace(sequence, name=own.name):
        return
    yield f"ALTER SEQUENCE {name} {sequence.options}{'' if sequence.options.endswith(' CYCLE') else ' NO CYCLE'}"
    yield from _as_made_sql(own.grants, own.withheld, f"SEQUENCE {name}", owner_sql(table))
    yield from sequence_access_sql(replace(table, default_sequence_grantees=()), sequence, sequence.name)
    if own.comment is not None and sequence.comment is None:
        yield comment_sql("SEQUENCE", name, None)


def sequence_access_sql(table: Table, sequence: Sequence, name: QualifiedName) -> Iterable[str]:
    """A sequence that takes another's place has its grants and its comment, and nothing by default privileges."""
    yield from (f"REVOKE ALL ON SEQUENCE {name.sql} FROM {grantee}" for grantee in table.default_sequence_grantees)
    if sequence.withheld:
        yield f"REVOKE {sequence.withheld} ON SEQUENCE {name.sql} FROM {owner_sql(table)}"
    yield from (grant_sql(grant, f"SEQUENCE {name.sql}") for grant in sequence.grants)
    if sequence.comment is not None:
        yield comment_sql("SEQUENCE", name.sql, sequence.comment)


def position_sql(new: QualifiedName, old: QualifiedName) -> str:
    """A sequence continues where another one is."""
    return f"SELECT pg_catalog.setval({literal(new.sql)}, last_value, is_called) FROM {old.sql}"


def comment_sql(kind: str, name: str, comment: str | None) -> str:
    """Return a comment, or its end."""
    return f"COMMENT ON {kind} {name} IS {literal(comment) if comment is not None else 'NULL'}"


def comments_sql(table: Table) -> Iterable[str]:
    """Yield the comments on its constraints, triggers and policies."""
    for kind, name, text in table.comments:
        if kind != "COLUMN":
            yield comment_sql(kind, f"{ident(name)} ON {table.name.sql}", text)


def referenced(table: Table) -> tuple[QualifiedName, ...]:
    """Return the tables that it refers to, with their partitions."""
    return table.with_partitions(key.referenced for key in table.foreign_keys)


def foreign_key_again_sql(key: ForeignKey, table: QualifiedName | None = None) -> Iterable[str]:
    """Yield a foreign key as it was, not validated; of *table*, where that is another one."""
    own = (table or key.table).sql
    yield f"ALTER TABLE {own} ADD CONSTRAINT {ident(key.name)} {key.definition.removesuffix(' NOT VALID')} NOT VALID"
    if key.comment is not None:
        yield comment_sql("CONSTRAINT", f"{ident(key.name)} ON {own}", key.comment)


def change_statistics_sql(table: Table, suffix: str) -> Iterable[str]:
    """Give the names of a table's statistics objects to those that were built; its own get a suffix."""
    for one in table.statistics_objects:
        yield f"ALTER STATISTICS {one.name.sql} RENAME TO {ident(fit(one.name.name, suffix))}"
        yield f"ALTER STATISTICS {built_name(one.name).sql} RENAME TO {ident(one.name.name)}"
