"""What belongs to a table and moves to the one that takes its place: the SQL that gives it back."""

from __future__ import annotations

import re
from collections.abc import Iterable

from schema_kit.model import ForeignKey, Sequence, Table, View
from schema_kit.names import QualifiedName, fit, ident, literal
from schema_kit.steps.step import Lock, LockMode


def being_built(name: str) -> str:
    """What a table, index or sequence is called until the swap gives it its name."""
    return fit(name, "__new")


def view_lock(view: View) -> Lock:
    """ACCESS EXCLUSIVE on the view alone."""
    # LOCK TABLE would lock the view's other tables too; a change of owner to the same owner takes just this lock.
    return Lock(LockMode.ACCESS_EXCLUSIVE, view.name, f"ALTER VIEW {view.name.sql} OWNER TO {ident(view.owner)}")


def view_sql(view: View) -> str:
    """The view again, over what has its table's name now."""
    # Options have to be said again: CREATE OR REPLACE VIEW silently drops security_invoker.
    options = f" WITH ({', '.join(view.options)})" if view.options else ""
    return f"CREATE OR REPLACE VIEW {view.name.sql}{options} AS {view.definition}"


def trigger_sql(table: Table) -> list[str]:
    """Its triggers, enabled as they are."""
    statements = []
    states = {"A": "ENABLE ALWAYS", "R": "ENABLE REPLICA", "D": "DISABLE"}
    for trigger in table.triggers:
        statements.append(trigger.definition)
        if trigger.enabled in states:
            statements.append(f"ALTER TABLE {table.name.sql} {states[trigger.enabled]} TRIGGER {ident(trigger.name)}")
    return statements


def access_sql(table: Table, on: QualifiedName) -> list[str]:
    """Its grants and its row security, on another table."""
    statements = [f"GRANT {what} ON {on.sql} TO {whom}" for what, whom in table.grants]
    statements += [f"CREATE POLICY {ident(name)} ON {on.sql} {rest}" for name, rest in table.policies]
    if table.row_security:
        statements.append(f"ALTER TABLE {on.sql} ENABLE ROW LEVEL SECURITY")
    if table.force_row_security:
        statements.append(f"ALTER TABLE {on.sql} FORCE ROW LEVEL SECURITY")
    return statements


def owner_sql(was: Table, table: Table) -> Iterable[str]:
    """A table that has another's name by now gets its owner."""
    if was.owner != table.owner:
        yield f"ALTER TABLE {table.name.sql} OWNER TO {ident(table.owner) if table.owner else 'CURRENT_USER'}"


def owned_sql(was: Table, table: Table) -> Iterable[str]:
    """It owns another's sequences, which needs one owner, and is left with them when the other is dropped."""
    yield from owner_sql(was, table)
    for sequence in table.sequences:
        if not sequence.identity:
            yield f"ALTER SEQUENCE {sequence.name.sql} OWNED BY {table.name.sql}.{ident(sequence.column)}"


def access_again_sql(was: Table, table: Table) -> Iterable[str]:
    """Whose a table is, and who may do what with it, is as with another one, whose name it has by now."""
    name = table.name.sql
    grantees = dict.fromkeys(whom.removesuffix(" WITH GRANT OPTION") for _, whom in was.grants)
    yield from (f"REVOKE ALL ON {name} FROM {grantee} CASCADE" for grantee in grantees)
    yield from owner_sql(was, table)
    yield from (f"DROP POLICY {ident(policy)} ON {name}" for policy, _ in was.policies)
    for had, has, words in (
        (was.row_security, table.row_security, "DISABLE"),
        (was.force_row_security, table.force_row_security, "NO FORCE"),
    ):
        if had and not has:
            yield f"ALTER TABLE {name} {words} ROW LEVEL SECURITY"
    yield from access_sql(table, table.name)
    yield comment_sql("TABLE", name, table.comment)
    yield from (
        f"ALTER TABLE {name} ALTER COLUMN {ident(column)} {without}"
        for column, without in dict.fromkeys(_unset(*one) for one in was.statistics)
    )
    yield from statistics_sql(table.name, table.statistics)


def statistics_sql(table: QualifiedName, statistics: Iterable[tuple[str, str]]) -> Iterable[str]:
    """What somebody set for the statistics of a table's columns, as Table has it."""
    return (f"ALTER TABLE {table.sql} ALTER COLUMN {ident(column)} {action}" for column, action in statistics)


def _unset(column: str, action: str) -> tuple[str, str]:
    option = re.search(r"\((\w+)", action)
    return column, f"RESET ({option[1]})" if option else "SET STATISTICS -1"


def identity_sql(table: QualifiedName, kind: str, sequence: Sequence, name: QualifiedName) -> str:
    """A column's identity, with a sequence of that name."""
    always = "ALWAYS" if kind == "a" else "BY DEFAULT"
    return (
        f"ALTER TABLE {table.sql} ALTER COLUMN {ident(sequence.column)} ADD GENERATED {always} AS IDENTITY "
        f"(SEQUENCE NAME {name.sql} {sequence.options})"
    )


def sequence_access_sql(table: Table, sequence: Sequence, name: QualifiedName) -> Iterable[str]:
    """A sequence that takes another's place has its grants and its comment, and nothing by default privileges."""
    yield from (f"REVOKE ALL ON SEQUENCE {name.sql} FROM {grantee}" for grantee in table.default_sequence_grantees)
    yield from (f"GRANT {what} ON SEQUENCE {name.sql} TO {whom}" for what, whom in sequence.grants)
    if sequence.comment is not None:
        yield comment_sql("SEQUENCE", name.sql, sequence.comment)


def position_sql(new: QualifiedName, old: QualifiedName) -> str:
    """A sequence goes on where another one is."""
    return f"SELECT pg_catalog.setval({literal(new.sql)}, last_value, is_called) FROM {old.sql}"


def comment_sql(kind: str, name: str, comment: str | None) -> str:
    """A comment, or its end."""
    return f"COMMENT ON {kind} {name} IS {literal(comment) if comment is not None else 'NULL'}"


def comments_sql(table: Table) -> Iterable[str]:
    """The comments on its constraints, triggers and policies."""
    for kind, name, text in table.comments:
        yield comment_sql(kind, f"{ident(name)} ON {table.name.sql}", text)


def referenced(table: Table) -> tuple[QualifiedName, ...]:
    """The tables that it refers to, with their partitions."""
    return table.with_partitions(key.referenced for key in table.foreign_keys)


def exclusive(tables: Iterable[QualifiedName]) -> tuple[Lock, ...]:
    """ACCESS EXCLUSIVE on each."""
    return tuple(Lock(LockMode.ACCESS_EXCLUSIVE, table) for table in dict.fromkeys(tables))


def foreign_key_again_sql(key: ForeignKey) -> str:
    """A foreign key as it was, not validated."""
    return f"ALTER TABLE {key.table.sql} ADD CONSTRAINT {ident(key.name)} {key.definition} NOT VALID"
