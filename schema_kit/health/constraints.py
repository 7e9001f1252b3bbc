"""Checks of constraints, keys and triggers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from schema_kit.health.definition import drop_call
from schema_kit.health.facts import ForeignKey, Index, Observed
from schema_kit.health.finding import Finding, Repair
from schema_kit.model import Action
from schema_kit.names import QualifiedName, fit, ident
from schema_kit.plans.drift import several

ROWS_PER_VALUE = 100
"""An index that begins with one column of a foreign key serves it where a value has at most so many rows."""


def unindexed(seen: Observed) -> Iterator[Finding]:
    """Yield foreign keys without an index: each DELETE of a referenced row reads the whole table, under its lock."""
    indexes = defaultdict[QualifiedName, list[Index]](list)
    for index in seen.indexes:
        if index.valid:
            indexes[index.table].append(index)
    taken = {index.name for index in seen.indexes}
    told = set[tuple[QualifiedName, tuple[str, ...]]]()
    for key in seen.foreign_keys:
        root = seen.root(key.table)  # partitions that have it of their own are one thing to act on
        if (root, key.columns) in told or any(_serves(seen, key, index) for index in indexes[key.table]):
            continue
        told.add((root, key.columns))
        name = fit(f"{root.name}_{'_'.join(key.columns)}", "_idx")
        while root.sibling(name) in taken:
            name = fit(name, "_fk")
        columns = ", ".join(map(repr, key.columns))
        call = f"op.create_index_concurrently({name!r}, {root.name!r}, [{columns}], schema={root.schema!r})"
        said = (
            f"foreign key {key.name} of {key.table} ({', '.join(key.columns)}) to {key.referenced} has no index: each "
            f"DELETE there reads all of {key.table}."
        )
        yield Finding("foreign_key_unindexed", root, key.name, said, Repair(call, drop_call(root.sibling(name), root)))


def _serves(seen: Observed, key: ForeignKey, index: Index) -> bool:
    definition = index.definition
    columns = definition.columns[: len(key.columns)]
    if definition.method not in ("btree", "hash", "gist") or not columns or columns[0] not in key.columns:
        return False
    spared = {f"({form} IS NOT NULL)" for column in key.columns for form in (column, ident(column))}
    if definition.predicate and definition.predicate not in spared:
        return False
    if set(columns) == set(key.columns):
        return True
    known, rows = seen.columns.get((key.table, columns[0])), seen.rows(key.table)
    if known is None or not known.distinct or rows <= 0:
        return True  # nothing says that it is not selective
    distinct = known.distinct if known.distinct > 0 else -known.distinct * rows
    return rows / max(distinct, 1) <= ROWS_PER_VALUE


def _made(key: ForeignKey) -> str:
    said = (
        f"op.create_foreign_key_concurrently({key.name!r}, {key.table.name!r}, {key.referenced.name!r}, "
        f"{list(key.columns)!r}, {list(key.referenced_columns)!r}, source_schema={key.table.schema!r}, "
        f"referent_schema={key.referenced.schema!r}"
    )
    for word, letter in (("ondelete", key.on_delete), ("onupdate", key.on_update)):
        said += f", {word}={Action(letter).words!r}" if letter != Action.NO_ACTION else ""
    said += ", match='FULL'" if key.match == "f" else ""
    said += ", deferrable=True" if key.deferrable else ""
    return f"{said}{', initially=' + repr('DEFERRED') if key.deferred else ''})"


def keys_twice(seen: Observed) -> Iterator[Finding]:
    """Yield foreign keys that say what another one says: each write checks twice."""
    first: dict[object, ForeignKey] = {}
    for key in seen.foreign_keys:
        same = (key.table, key.referenced, frozenset(zip(key.columns, key.referenced_columns, strict=True)))
        other = first.setdefault(same, key)
        if other is key:
            continue
        differ = "" if (key.on_delete, key.on_update) == (other.on_delete, other.on_update) else ", with other actions"
        said = f"foreign key {key.name} of {key.table} is {other.name} again{differ}: each write checks both."
        drop = f"op.drop_constraint_concurrently({key.name!r}, {key.table.name!r}, schema={key.table.schema!r})"
        sql = f"ALTER TABLE {key.table.sql} DROP CONSTRAINT {ident(key.name)};"
        repair = Repair(sql=sql, why="Decide which of the two stays:") if differ else Repair(drop, _made(key))
        yield Finding("foreign_key_twice", seen.root(key.table), key.name, said, repair)


def key_types(seen: Observed) -> Iterator[Finding]:
    """Yield foreign keys whose columns are of another type than what they refer to."""
    for key in seen.foreign_keys:
        for column, own, referenced in zip(key.columns, key.types, key.referenced_types, strict=True):
            if own == referenced or {own, referenced} == {"text", "character varying"}:  # equal as they are stored
                continue
            said = (
                f"column {column} of {key.table} is {own}, and what foreign key {key.name} refers to in "
                f"{key.referenced} is {referenced}: values that fit there do not fit here, or are converted each time."
            )
            sql = f"ALTER TABLE {key.table.sql} ALTER COLUMN {ident(column)} TYPE {referenced};"
            why = "It writes the table again under ACCESS EXCLUSIVE, so for a big one add a second column:"
            yield Finding("foreign_key_type_differs", seen.root(key.table), column, said, Repair(sql=sql, why=why))


_KINDS = {"c": "check", "f": "foreign key", "n": "not null"}


def not_valid(seen: Observed) -> Iterator[Finding]:
    """Constraints that hold for new rows alone."""
    groups = defaultdict[tuple[QualifiedName, str, str], list[QualifiedName]](list)
    for one in seen.not_valid:
        groups[seen.root(one.table), one.name, one.kind].append(one.table)
    for (root, name, kind), tables in groups.items():
        said = (
            f"{_KINDS.get(kind, 'constraint')} {name} of {several(tables)} is NOT VALID: older rows were never "
            "checked, and the planner does not rest on it."
        )
        calls = (f"op.validate_constraint({name!r}, {table.name!r}, schema={table.schema!r})" for table in tables)
        yield Finding("constraint_not_valid", root, name, said, Repair("; ".join(calls)))


def triggers(seen: Observed) -> Iterator[Finding]:
    """Triggers that do not fire; those of foreign keys among them, which then check nothing."""
    groups = defaultdict[tuple[QualifiedName, str, bool], list[QualifiedName]](list)
    others = {trigger.table for trigger in seen.triggers if not trigger.internal}
    of_keys = defaultdict[QualifiedName, list[str]](list)
    for trigger in seen.triggers:
        root = seen.root(trigger.table)
        groups[root, "" if trigger.internal else trigger.name, trigger.internal].append(trigger.table)
        if trigger.internal:
            of_keys[trigger.table].append(ident(trigger.name))
    for (root, name, internal), tables in groups.items():
        tables = sorted(set(tables), key=str)
        enabled = (
            (table, which)  # ALL would enable others, too
            for table in tables
            for which in ([ident(name)] if not internal else of_keys[table] if table in others else ["ALL"])
        )
        sql = " ".join(f"ALTER TABLE {table.sql} ENABLE TRIGGER {which};" for table, which in enabled)
        if internal:
            said = f"the triggers of foreign keys are disabled on {several(tables)}: nothing is checked there."
            why = "Rows that were written meanwhile were not checked:"
            yield Finding("foreign_key_disabled", root, "", said, Repair(sql=sql, why=why))
        else:
            said = f"trigger {name} is disabled on {several(tables)}."
            yield Finding("trigger_disabled", root, name, said, Repair(sql=sql))


def primary_keys(seen: Observed) -> Iterator[Finding]:
    """Tables without a primary key, and tables whose UPDATE and DELETE fail because they are published without one."""
    for table in seen.tables:
        if table.primary_key or table.archive or table.kind == "m":
            continue
        known = [index for index in seen.of_roots if index.table == table.name and index.unique and index.valid]
        columns = next((one.definition.columns for one in known if one.definition.columns and _whole(one)), ())
        said = f"{table.name} has no primary key: no row of it can be distinguished from others for certain."
        name = fit(table.name.name, "_pkey")
        if columns:
            call = (
                f"op.create_primary_key_concurrently({name!r}, {table.name.name!r}, {list(columns)!r}, "
                f"schema={table.name.schema!r})"
            )
            back = f"op.drop_constraint_concurrently({name!r}, {table.name.name!r}, schema={table.name.schema!r})"
            yield Finding("primary_key_missing", table.name, "", said, Repair(call, back))
        else:
            of = f"{name!r}, {table.name.name!r}, [...], schema={table.name.schema!r}"
            sql = f"op.create_primary_key_concurrently({of})"
            repair = Repair(sql=sql, why="Once columns are named that tell its rows apart, in a migration:")
            yield Finding("primary_key_missing", table.name, "", said, repair)


def _whole(index: Index) -> bool:
    """Return whether it is over columns alone, and all rows."""
    return len(index.definition.columns) == len(index.definition.keys) and not index.definition.predicate


def published_by_leaf(seen: Observed) -> Iterator[Finding]:
    """Partitioned tables of which a publication holds partitions under their own names."""
    for one in seen.published:
        own = ident(one.publication)
        said = (
            f"publication {one.publication} holds {one.count} partitions of {one.object} under their own names "
            f"({one.first}): subscribers do not know a new one, and stop at its first row or never get it."
        )
        added = "" if one.with_root else f" ALTER PUBLICATION {own} ADD TABLE {one.object.sql};"
        sql = f"ALTER PUBLICATION {own} SET (publish_via_partition_root = true);{added}"
        why = "Then ALTER SUBSCRIPTION ... REFRESH PUBLICATION on each subscriber:"
        yield Finding("published_by_leaf", one.object, one.publication, said, Repair(sql=sql, why=why))


def replica_identities(seen: Observed) -> Iterator[Finding]:
    """Published tables whose UPDATE and DELETE PostgreSQL refuses."""
    groups = defaultdict[QualifiedName, list[QualifiedName]](list)
    by_index = {index.table for index in seen.indexes if index.replica_identity}
    for relation in seen.relations:
        if relation.kind != "r" or not relation.published:
            continue
        own = relation.replica_identity
        lost = own == "i" and relation.name not in by_index  # its index was dropped
        if own == "n" or lost or (own == "d" and not relation.primary_key):
            groups[relation.root].append(relation.name)
    for root, tables in groups.items():
        said = (
            f"{several(tables)}: published, and without a replica identity. PostgreSQL refuses each UPDATE and DELETE."
        )
        keyed = all(seen.by_name[table].primary_key for table in tables)
        identity = "DEFAULT" if keyed else "FULL"
        why = "" if keyed else "A primary key is the better way (DEFAULT rests on it); at once:"
        sql = " ".join(f"ALTER TABLE {table.sql} REPLICA IDENTITY {identity};" for table in tables)
        yield Finding("replica_identity_missing", root, "", said, Repair(sql=sql, why=why))
