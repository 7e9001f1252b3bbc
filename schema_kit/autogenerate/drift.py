"""What Alembic does not see of tables that the models name, and what it sees that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops
from sqlalchemy.sql.elements import conv

from schema_kit.autogenerate.work import Key, Work
from schema_kit.autogenerate.written import (
    Stage,
    WrittenIndex,
    as_found,
    dropped,
    executed,
    nothing,
    of_model,
    paired,
    text_of,
)
from schema_kit.catalog.compared import FoundConstraint, FoundIndex, FoundTable
from schema_kit.from_sqlalchemy import default_sql, sql_of, type_sql
from schema_kit.names import fit, ident
from schema_kit.ops import classes


def compare(work: Work, kinds: frozenset[str]) -> None:
    """Add what differs, and take away what does not.

    Args:
        work: Alembic's operations and the tables.
        kinds: what is looked for; see `switches.DRIFT`.
    """
    for key, table in work.models.items():
        if (found := work.tables.get(key)) is None or work.of(ops.CreateTableOp, key):
            continue
        _ask(work, key, table, found, kinds)
        converts = "partitioning" in kinds and _partitioning(work, key, table, found)
        if kinds & {"type", "default"}:
            _columns(work, key, found, kinds)
        if "index" in kinds:
            _indexes(work, key, table, found)
        if "check" in kinds:
            _checks(work, key, table, found)
            _checks_of_dropped_columns(work, key, found)
        if "foreign_key" in kinds:
            _foreign_keys(work, key, table, found)
        if "not_null" in kinds:
            _not_null(work, key, table, found)
        if "primary_key" in kinds and not converts:
            _primary_key(work, key, table, found)
        if "options" in kinds and not found.partition_key:
            _options(work, key, table, found)


def sql_name(key: Key) -> str:
    """Return a table as SQL, as Alembic names it."""
    return ".".join(ident(part) for part in key if part)


def in_schema(key: Key) -> dict[str, Any]:
    """Return the keyword for a table's schema, if it is not the default one."""
    return {"schema": key[0]} if key[0] else {}


def _ask(work: Work, key: Key, table: sa.Table, found: FoundTable, kinds: frozenset[str]) -> None:
    """Have PostgreSQL print what only it can compare, all on one copy of the table."""
    written = [of_model(one, name) for one in table.indexes if (name := work.name(one)) and found.index(name)]
    asked = [one for one in written if one.plainly() is None] if "index" in kinds else []
    checks = [one.definition for one in found.constraints if one.kind == "c"] if "check" in kinds else []
    plain = {_stripped(one) for one in checks}
    texts = dict.fromkeys(sql_of(one.sqltext) for one in declared_checks(work, table)) if checks else {}
    work.ask(key, asked, [text for text in texts if _stripped(f"CHECK ({text})") not in plain])


# Indexes


def _indexes(work: Work, key: Key, table: sa.Table, found: FoundTable) -> None:
    for index in sorted(table.indexes, key=lambda one: str(one.name)):
        name = work.name(index)
        there = found.index(name) if name else None
        if name is None or there is None or there.constraint or not work.included(index, name, "index", key):
            continue
        written = of_model(index, name)
        pair = [one for one in work.of((ops.CreateIndexOp, ops.DropIndexOp), key) if one.index_name == name]
        same = _same_index(work, key, written, there)
        if same:
            for one in pair:
                work.put(one, [])
            if not there.valid and not there.building:
                work.add(paired(written.create(), nothing(key[1], key[0])))
        elif same is False and not pair:
            work.add(paired(written.replace(), as_found(there, name, key[1], key[0]).replace()))


def _same_index(work: Work, key: Key, written: WrittenIndex, there: FoundIndex) -> bool | None:
    if written.unique != there.unique:
        return False
    if (plainly := written.plainly()) is not None:
        return plainly == there.tail.replace('"', "")
    if (key, written.name) in work.lacking:
        return False
    printed = work.printed.get((key, written.name))
    return None if printed is None else _casts_aside(there.tail) in map(_casts_aside, printed)


_TEXT = r"::(?:character varying|text)(?:\[\])?(?!\()"
_CAST = re.compile(rf"\((ARRAY\[[^\[\]]*\]|\"?\w+\"?|'(?:[^']|'')*')(?:{_TEXT})?\){_TEXT}")


def _casts_aside(text: str) -> str:
    """Leave out casts between text and varchar, which change nothing: after a change of type they differ."""
    while (bare := _CAST.sub(r"\1", text)) != text:
        text = bare
    return re.sub(_TEXT, "", text)


# Checks


def _checks_of_dropped_columns(work: Work, key: Key, found: FoundTable) -> None:
    """Drop checks before their columns, which would take them along, so that the downgrade creates them again."""
    for column in work.of(ops.DropColumnOp, key):
        for one in found.constraints:
            if one.kind == "c" and column.column_name in one.columns and not is_dropped(work, key, one.name):
                drop = paired(
                    dropped(one.name, "check", key[1], key[0]), as_found_check(work, one, key), stage=Stage.LATER
                )
                work.put(column, [drop, column])


def is_dropped(work: Work, key: Key, name: str) -> bool:
    """Return whether an operation drops a constraint."""
    ours = work.of(classes.DropConstraintConcurrentlyOp, key)
    names = {one.constraint_name for one in work.of(ops.DropConstraintOp, key)}
    return name in names | {one.bound.arguments["constraint_name"] for one in ours}


def as_found_check(work: Work, check: FoundConstraint, key: Key) -> MigrateOperation:
    """Return what creates a check as the database has it, under its name: no naming convention changes that again."""
    if not check.enforced:
        add = f"ALTER TABLE {sql_name(key)} ADD CONSTRAINT {ident(check.name)} {check.definition} NOT ENFORCED"
        return executed(add)
    left = {} if check.validated else {"postgresql_not_valid": True}
    condition = text_of(_expression(check))
    convention = str(work.models[key].metadata.naming_convention.get("ck", "")) if key in work.models else ""
    name = conv(check.name) if "constraint_name" in convention else check.name
    return classes.CreateCheckConstraintConcurrentlyOp(name, key[1], condition, **in_schema(key), **left)


def _checks(work: Work, key: Key, table: sa.Table, found: FoundTable) -> None:
    there = {one.name: one for one in found.constraints if one.kind == "c"}
    taken = {*there, *(str(one.constraint_name) for one in work.of(ops.CreateCheckConstraintOp, key))}
    for check in declared_checks(work, table):
        text, name = sql_of(check.sqltext), work.name(check)
        if name is None:
            if (same := likeness(work, key, text, [*there.values()])) is None:
                continue
            one = next(iter(same), None)
            name = _free_name(check, table, taken)
            taken.add(name)
        else:
            one = there.get(name)
            if one is None and name in taken:
                continue  # Alembic's own comparison of checks has seen it
        if not work.included(check, name, "check_constraint", key):
            continue
        create = partial(
            classes.CreateCheckConstraintConcurrentlyOp,
            name,
            key[1],
            **in_schema(key),
            **({"postgresql_not_valid": True} if (not_valid := _not_valid(check)) else {}),
        )
        if one is None:
            work.add(paired(create(text_of(text)), dropped(name, "check", key[1], key[0])))
            continue
        if not one.enforced:
            continue  # `keys.not_enforced` says so
        equal = likeness(work, key, text, [one])
        if equal == []:
            work.add(paired(dropped(name, "check", key[1], key[0]), as_found_check(work, one, key)))
            work.add(paired(create(text_of(text)), dropped(name, "check", key[1], key[0])))
        elif equal and not one.validated and one.enforced and not not_valid:
            work.add(_validate(one, key))


def declared_checks(work: Work, table: sa.Table) -> Iterator[sa.CheckConstraint]:
    """Yield those that CREATE TABLE would make here."""
    compiler: Any = work.context.dialect.ddl_compiler(work.context.dialect, None)  # type: ignore[arg-type]
    own = [*table.constraints, *(one for column in table.columns for one in column.constraints)]
    for check in sorted((one for one in own if isinstance(one, sa.CheckConstraint)), key=lambda one: str(one.sqltext)):
        if check._ddl_if is None and (check._create_rule is None or check._create_rule(compiler)):
            yield check


def likeness(work: Work, key: Key, text: str, among: list[FoundConstraint]) -> list[FoundConstraint] | None:
    """Return those that say the same; None if that is not known."""
    plain = _stripped(f"CHECK ({text})")
    if same := [one for one in among if _stripped(one.definition) == plain]:
        return same
    if not among or (key, text) in work.lacking:
        return []
    printed = work.printed.get((key, text))
    return (
        None
        if printed is None
        else [one for one in among if _casts_aside(one.definition) in map(_casts_aside, printed)]
    )


def _stripped(definition: str) -> str:
    """A definition that is only more parentheses at its ends than another is the same."""
    text = definition.removeprefix("CHECK ")
    while text.startswith("(") and text.endswith(")") and not re.search(r"\).*\(|['\"]", text):
        text = text[1:-1]
    return text


def _expression(check: FoundConstraint) -> str:
    return check.definition.removeprefix("CHECK (").removesuffix(")")


def _not_valid(constraint: sa.Constraint) -> bool:
    return bool(constraint.dialect_kwargs.get("postgresql_not_valid"))


def _free_name(check: sa.CheckConstraint, table: sa.Table, taken: set[str]) -> str:
    """Return what PostgreSQL would call it."""
    columns = [column.name for column in check.columns]
    stem = "_".join((table.name, *columns)) if len(columns) == 1 else table.name
    names = (fit(stem, f"_check{n or ''}") for n in range(len(taken) + 1))
    return next(name for name in names if name not in taken)


# Other constraints


def _validate(constraint: FoundConstraint, key: Key) -> Any:
    operation = classes.ValidateConstraintOp(constraint.name, key[1], **in_schema(key))
    return paired(operation, nothing(key[1], key[0]))


def _foreign_keys(work: Work, key: Key, table: sa.Table, found: FoundTable) -> None:
    gone = {one.constraint_name for one in work.of(ops.DropConstraintOp, key)}
    declared = {
        (tuple(one.column_keys), one.elements[0].target_fullname.rsplit(".", 2)[-2]): _not_valid(one)
        for one in table.foreign_key_constraints
    }
    columns = {column.key: column.name for column in table.columns}
    declared = {(tuple(columns.get(one, one) for one in own), to): left for (own, to), left in declared.items()}
    for one in found.constraints:
        left = (
            one.validated
            or not one.enforced
            or one.name in gone
            or declared.get((one.columns, one.referenced or ""), True)
        )
        if one.kind == "f" and not left:
            work.add(_validate(one, key))


def _not_null(work: Work, key: Key, table: sa.Table, found: FoundTable) -> None:
    required = {column.name for column in table.columns if not column.nullable}
    for one in found.constraints:
        if one.kind == "n" and not one.validated and set(one.columns) <= required:
            work.add(_validate(one, key))


def _primary_key(work: Work, key: Key, table: sa.Table, found: FoundTable) -> None:
    columns = tuple(column.name for column in table.primary_key.columns)
    named, there = work.name(table.primary_key), next((one.name for one in found.constraints if one.kind == "p"), None)
    if columns and there and named and there != named:
        names = (ident(there), ident(named))
        start = f"ALTER TABLE {sql_name(key)} RENAME CONSTRAINT"
        forth, back = (executed(f"{start} {' TO '.join(pair)}") for pair in (names, names[::-1]))
        work.add(paired(forth, back))
    if columns == found.primary_key or work.of(classes.CreatePrimaryKeyConcurrentlyOp, key):
        return
    if columns and not found.primary_key:
        name = work.name(table.primary_key) or fit(table.name, "_pkey")
        include = table.primary_key.dialect_kwargs.get("postgresql_include")
        more = {"postgresql_include": [getattr(one, "name", one) for one in include]} if include else {}
        operation = classes.CreatePrimaryKeyConcurrentlyOp(name, key[1], [*columns], **in_schema(key), **more)
        work.add(paired(operation, dropped(name, "primary", key[1], key[0])))
    elif not (found.partition_key and set(columns) < set(found.primary_key)):
        # That of a partitioned table has the partition key in addition to the models' own.
        has, said = ", ".join(found.primary_key), ", ".join(columns)
        work.say(
            f"The primary key of {found.name} is ({has}), and the models have ({said}). No operation replaces it "
            "while writes continue; change the models, or replace it by hand."
            if columns
            else f"{found.name} has the primary key ({has}), and the models have none."
        )


# Partitioning


def _partitioning(work: Work, key: Key, table: sa.Table, found: FoundTable) -> bool:
    """Return whether the table is to be partitioned."""
    if work.of(classes.ConvertToPartitionedOp, key):
        return True
    declared = table.dialect_kwargs.get("postgresql_partition_by")
    if not declared:
        return False
    printed = _partition_key(declared)
    if found.partition_key and _partition_key(found.partition_key) != printed:
        said = work.judged(
            f"PARTITION BY of {found.name}", lambda: work.catalog.partition_key(found.name, str(declared))
        )
        if said is not None and said != found.partition_key:
            work.say(
                f"{found.name} is partitioned by {found.partition_key}, and the models say {declared}. No operation "
                "changes a partition key: op.unpartition, and op.convert_to_partitioned in the revision after it."
            )
        return False
    if found.partition_key:
        return False
    by = re.fullmatch(r"range \((\w+)\)", printed)
    column = found.column(by[1]) if by else None
    if column is None or not column.type.startswith(("timestamp", "date")):
        work.say(
            f"{found.name} is not partitioned, and the models say {declared}. Nothing says which partitions to make; "
            "write op.convert_to_partitioned with its interval."
        )
        return False
    work.say(
        f"{found.name} is not partitioned, and the models say {declared}: the interval of 1 month that is written is a "
        "guess. Change it before the revision runs.",
        difference=False,
    )
    operation = classes.ConvertToPartitionedOp(key[1], column.name, "1 month", **in_schema(key))
    work.add(paired(operation, classes.UnpartitionOp(key[1], **in_schema(key))))
    return True


def _partition_key(text: str) -> str:
    return re.sub(r"\s+", " ", str(text).replace('"', "")).strip().lower().replace("( ", "(").replace(" )", ")")


# Columns and storage


def _columns(work: Work, key: Key, found: FoundTable, kinds: frozenset[str]) -> None:
    for change in work.of(ops.AlterColumnOp, key):
        there = found.column(change.column_name)
        if there is None:
            continue
        default = change.modify_server_default
        asked = default if isinstance(default, sa.DefaultClause) else None
        if change.modify_type is None and asked is None:
            continue
        type_ = change.modify_type if change.modify_type is not None else change.existing_type
        ask = partial(_printed_column, work, found, type_, asked)
        printed = work.judged(f"column {change.column_name} of {found.name}", ask)
        if printed is None:
            continue
        if "type" in kinds and change.modify_type is not None and printed[0] == there.type:
            change.modify_type, work.changed = None, True
        if "default" in kinds and asked is not None and printed[1] == there.default:
            change.modify_server_default, work.changed = False, True
        if not change.has_changes():
            work.put(change, [])


def _printed_column(work: Work, found: FoundTable, type_: Any, default: Any) -> tuple[str, str | None]:
    return work.catalog.column(found.name, type_sql(type_), default_sql(default))


_SET_BY_A_DBA = re.compile(r"(toast\.)?(autovacuum_|log_autovacuum|vacuum_)")


def _options(work: Work, key: Key, table: sa.Table, found: FoundTable) -> None:
    declared = {
        str(name): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in (table.dialect_kwargs.get("postgresql_with") or {}).items()
        if found.toasted or not str(name).startswith("toast.")
    }
    there = dict(found.options)
    if found.unlogged != ("UNLOGGED" in (word.upper() for word in table._prefixes)):
        has, says = ("UNLOGGED", "logged") if found.unlogged else ("logged", "UNLOGGED")
        work.say(
            f"{found.name} is {has}, and its model says {says}. PostgreSQL writes each row again to change that, and "
            "no session can read or write the table meanwhile."
        )
    changed = {name for name, value in declared.items() if there.get(name) != value}
    gone = {name for name in there.keys() - declared.keys() if not _SET_BY_A_DBA.match(name)}
    if changed or gone:
        names = sorted(changed | gone)
        operation, back = (ops.ExecuteSQLOp(_alter(found, names, values)) for values in (declared, there))
        work.add(paired(operation, back))


def _alter(found: FoundTable, names: list[str], values: dict[str, str]) -> str:
    given = [f"{_option(name)} = {values[name]}" for name in names if name in values]
    reset = [_option(name) for name in names if name not in values]
    actions = [f"SET ({', '.join(given)})"] if given else []
    actions += [f"RESET ({', '.join(reset)})"] if reset else []
    return f"ALTER TABLE {found.name.sql} {', '.join(actions)}"


def _option(name: str) -> str:
    return ".".join(ident(part) for part in name.split("."))
