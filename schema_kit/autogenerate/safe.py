"""Operations on tables that exist, replaced by those that keep no session waiting, in upgrade and downgrade."""

from __future__ import annotations

from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops
from sqlalchemy.sql.elements import conv

from schema_kit.autogenerate import declared
from schema_kit.autogenerate.drift import in_schema
from schema_kit.autogenerate.switches import Safe
from schema_kit.autogenerate.work import Key, Work
from schema_kit.autogenerate.written import (
    SAID,
    Stage,
    WrittenIndex,
    as_found,
    deferral,
    dropped,
    executed,
    of_model,
    pair_of,
    paired,
    text_of,
)
from schema_kit.from_sqlalchemy import default_sql, sql_of, type_sql
from schema_kit.names import fit, ident
from schema_kit.ops import classes
from schema_kit.ops.operation import PlanOperation, Several


def replace(work: Work, safe: Safe) -> None:
    """Replace what blocks a table that exists.

    Args:
        work: Alembic's operations and the tables.
        safe: which of them.
    """
    _drops_in_order(work)
    dropped = {work.table_of(one) for one in work.operations if isinstance(one, ops.DropTableOp)}
    for operation in list(work.operations):
        key = work.table_of(operation)
        if key is None:
            continue
        found = work.tables.get(key)
        plain = found is None or bool(work.of(ops.CreateTableOp, key)) or found.rows < safe.rows
        if isinstance(operation, ops.CreateForeignKeyOp) and found is None:  # not made with its table
            to = work.tables.get(work.key(operation.kw.get("referent_schema"), operation.referent_table))
            plain = to is None or to.rows < safe.rows
        if isinstance(operation, ops.CreateIndexOp | ops.DropIndexOp):
            _index(work, operation, key, safe, plain, key in dropped)
        elif not plain:
            _other(work, operation, key, safe)
    _foreign_keys_around(work)


def _foreign_keys_around(work: Work) -> None:
    """Drop foreign keys before the keys that they refer to, and create them behind those: Alembic goes by tables."""
    ends: dict[bool, list[MigrateOperation]] = {True: [], False: []}
    for one in work.operations:
        if isinstance(one, ops.CreateForeignKeyOp | classes.CreateForeignKeyConcurrentlyOp):
            ends[False].append(one)
        elif (
            isinstance(one, ops.DropConstraintOp | classes.DropConstraintConcurrentlyOp) and _kind(one) == "foreignkey"
        ):
            ends[True].append(one)
    moved = [*ends[True], *ends[False]]
    order = [*ends[True], *(one for one in work.operations if one not in moved), *ends[False]]
    if order != work.operations:
        work.operations[:] = order
        work.changed = True


def _kind(drop: ops.DropConstraintOp | classes.DropConstraintConcurrentlyOp) -> str | None:
    kind: str | None = drop.constraint_type if isinstance(drop, ops.DropConstraintOp) else drop.bound.arguments["type_"]
    return kind


def _other(work: Work, operation: MigrateOperation, key: Key, safe: Safe) -> None:
    match operation:
        case ops.AddConstraintOp():
            if made := _constraint(operation, key, safe):
                kind = {"primarykey": "primary"}.get(operation.constraint_type, operation.constraint_type)
                back: MigrateOperation = dropped(_named(operation, key), kind, key[1], key[0])
                if index := _found_index(work, key, _named(operation, key)):  # it becomes the constraint's
                    back = Several(back, index.create())
                work.put(operation, [paired(made, back)])
        case ops.DropConstraintOp():
            _drop_constraint(work, operation, key, safe)
        case ops.AlterColumnOp():
            _alter_column(work, operation, key, safe)
        case ops.AddColumnOp():
            _add_column(work, operation, key, safe)
        case ops.DropColumnOp() if "drop_column" in safe.kinds:
            drop_column = classes.DropColumnConcurrentlyOp(key[1], operation.column_name, **in_schema(key))
            work.put(operation, [paired(drop_column, operation.reverse(), stage=Stage.LATER)])
        case ops.DropTableOp() if "drop_table" in safe.kinds:
            _drop_table(work, operation, key)


def _drops_in_order(work: Work) -> None:
    """Drop a table before those that it references: Alembic drops them in any order."""
    drops = [one for one in work.operations if isinstance(one, ops.DropTableOp)]
    if len(drops) < 2:
        return
    tables = {one.to_table().key: one for one in drops}
    below: dict[str, set[str]] = {
        key: {f.target_fullname.rpartition(".")[0] for c in one.to_table().columns for f in c.foreign_keys}
        for key, one in tables.items()
    }
    order: list[ops.DropTableOp] = []

    def visit(key: str, above: frozenset[str]) -> None:
        if key in tables and tables[key] not in order and key not in above:
            for other in sorted(one for one in tables if key in below[one]):
                visit(other, above | {key})
            order.append(tables[key])

    for key in sorted(tables):
        visit(key, frozenset())
    _out_of_the_way(work, tables, order)
    if order != drops:
        places = [n for n, one in enumerate(work.operations) if isinstance(one, ops.DropTableOp)]
        indexes = [one for one in work.operations if not isinstance(one, ops.DropTableOp)]
        work.operations[:] = [*indexes[: places[0]], *indexes[places[0] :], *order]
        work.changed = True


def _out_of_the_way(work: Work, tables: dict[str, ops.DropTableOp], order: list[ops.DropTableOp]) -> None:
    """Drop the foreign keys of a circle before its tables."""
    for place, operation in enumerate(order):
        circular = [
            one
            for one in operation.to_table().foreign_key_constraints
            if tables.get(one.elements[0].target_fullname.rpartition(".")[0]) in order[:place]
        ]
        if not circular:
            continue
        back: Any = operation.reverse()
        names = {one.name for one in circular}
        back.columns = [
            one for one in back.columns if getattr(one, "name", None) not in names or isinstance(one, sa.Column)
        ]
        paired(operation, back)
        for one in circular:
            create: Any = ops.AddConstraintOp.from_constraint(one)
            key = (operation.table_name, operation.schema)
            drop = ops.DropConstraintOp(one.name, key[0], type_="foreignkey", schema=key[1], _reverse=create)
            work.add(paired(drop, create))


def plainly(work: Work) -> None:
    """Write checks that were missing as Alembic would."""

    def alembics(operation: MigrateOperation) -> MigrateOperation:
        given: dict[str, Any] = operation.bound.arguments if isinstance(operation, PlanOperation) else {}
        if isinstance(operation, classes.CreateCheckConstraintConcurrentlyOp):
            name, table, condition = (given[word] for word in ("constraint_name", "table_name", "condition"))
            return ops.CreateCheckConstraintOp(name, table, condition, schema=given.get("schema"))
        if isinstance(operation, classes.DropConstraintConcurrentlyOp):
            name, table, kind = (given[word] for word in ("constraint_name", "table_name", "type_"))
            return ops.DropConstraintOp(name, table, kind, schema=given.get("schema"))
        return operation

    for operation in list(work.operations):
        pair, plain = pair_of(operation), alembics(operation)
        if pair and plain is not operation:
            work.put(operation, [paired(plain, alembics(pair.back))])


# Indexes


def _concurrently(operation: ops.CreateIndexOp | ops.DropIndexOp) -> bool:
    return bool(operation.kw.get("postgresql_concurrently"))


def _index(
    work: Work, operation: ops.CreateIndexOp | ops.DropIndexOp, key: Key, safe: Safe, plain: bool, dropped: bool
) -> None:
    if key not in work.tables or work.of(ops.CreateTableOp, key):
        _in_a_transaction(work, operation)
    elif plain and not _concurrently(operation):
        return
    elif isinstance(operation, ops.DropIndexOp) and dropped:
        if "drop_table" in safe.kinds:
            drop = _index_of(work, operation, key).drop()
            work.put(operation, [paired(drop, operation.reverse(), stage=Stage.LATER)])
    elif "index" not in safe.kinds:
        return
    elif isinstance(operation, ops.DropIndexOp):
        written = _index_of(work, operation, key)
        work.put(operation, [paired(written.drop(), written.create())])
    else:
        _create_index(work, operation, key)


def _in_a_transaction(work: Work, operation: ops.CreateIndexOp | ops.DropIndexOp) -> None:
    """A table that the same revision makes is empty: its index is made with it."""
    if operation.kw.pop("postgresql_concurrently", None):
        work.changed = True


def _create_index(work: Work, operation: ops.CreateIndexOp, key: Key) -> None:
    written = of_model(operation.to_index(), _name(operation.index_name))
    before = [one for one in work.of(classes.DropIndexConcurrentlyOp, key) if one.bound.args[1] == written.name]
    if before:  # Alembic drops an index and creates it again: there is none in between
        old = _found_index(work, key, written.name)
        work.put(before[0], [])
        if old is not None:
            work.put(operation, [paired(written.replace(), old.replace())])
            return
    work.put(operation, [paired(written.create(), written.drop())])


def _index_of(work: Work, operation: ops.DropIndexOp, key: Key) -> WrittenIndex:
    """As the catalog has it: reflection loses operator classes and more."""
    name = _name(operation.index_name)
    return _found_index(work, key, name) or of_model(operation.to_index(), name)


def _found_index(work: Work, key: Key, name: str) -> WrittenIndex | None:
    there = work.tables[key].index(name) if key in work.tables else None
    return as_found(there, name, key[1], key[0]) if there and not there.constraint else None


def _name(name: Any) -> str:
    return name if isinstance(name, conv) else str(name)


# Constraints


_UNIQUE = ("deferrable", "initially", "postgresql_nulls_not_distinct")
_FOREIGN_KEY = (
    "onupdate",
    "ondelete",
    "deferrable",
    "initially",
    "match",
    "source_schema",
    "referent_schema",
    "postgresql_not_valid",
)


def _constraint(operation: ops.AddConstraintOp, key: Key, safe: Safe) -> MigrateOperation | None:
    """Ours, of the same words."""
    made: Any = operation
    kw: dict[str, Any] = {name: value for name, value in getattr(made, "kw", {}).items() if value}
    match made:
        case ops.CreateForeignKeyOp() if "foreign_key" in safe.kinds:
            known = {name: value for name, value in kw.items() if name in _FOREIGN_KEY}
            return classes.CreateForeignKeyConcurrentlyOp(
                _named(made, key),
                made.source_table,
                made.referent_table,
                [*made.local_cols],
                [*made.remote_cols],
                **known,
            )
        case ops.CreateUniqueConstraintOp() if "unique" in safe.kinds:
            given = {name: value for name, value in kw.items() if name in _UNIQUE}
            if include := kw.get("postgresql_include"):
                given["postgresql_include"] = [getattr(one, "name", one) for one in include]
            columns = [getattr(one, "name", one) for one in made.columns]
            return classes.CreateUniqueConstraintConcurrentlyOp(
                _named(made, key), key[1], columns, **in_schema(key), **given
            )
        case ops.CreateCheckConstraintOp() if "check" in safe.kinds:
            given = {"postgresql_not_valid": True} if kw.get("postgresql_not_valid") else {}
            condition = text_of(sql_of(made.condition))
            return classes.CreateCheckConstraintConcurrentlyOp(
                _named(made, key), key[1], condition, **in_schema(key), **given
            )
        case ops.CreatePrimaryKeyOp() if "primary_key" in safe.kinds:
            return classes.CreatePrimaryKeyConcurrentlyOp(_named(made, key), key[1], [*made.columns], **in_schema(key))
        case _:
            return None


def _named(operation: Any, key: Key) -> str:
    """Return its name; one that has none gets PostgreSQL's, so that the downgrade knows it."""
    if operation.constraint_name is not None:
        return _name(operation.constraint_name)
    suffix = {"foreignkey": "_fkey", "unique": "_key", "primarykey": "_pkey"}.get(operation.constraint_type, "_check")
    columns = operation.local_cols if suffix == "_fkey" else operation.columns if suffix == "_key" else ()
    return fit("_".join((key[1], *columns)), suffix)


def _drop_constraint(work: Work, operation: ops.DropConstraintOp, key: Key, safe: Safe) -> None:
    if operation._reverse is None:
        return
    made: Any = operation.reverse()
    if isinstance(made, ops.CreateUniqueConstraintOp):
        made.kw |= _deferral(work, key, _name(operation.constraint_name))
    if back := _constraint(made, key, safe):
        drop = dropped(_name(operation.constraint_name), str(operation.constraint_type), key[1], key[0])
        work.put(operation, [paired(drop, back)])


def _deferral(work: Work, key: Key, name: str) -> dict[str, Any]:
    return deferral(next((one.definition for one in work.tables[key].constraints if one.name == name), ""))


# Columns


def _alter_column(work: Work, operation: ops.AlterColumnOp, key: Key, safe: Safe) -> None:
    """The change of type, of the default and of NOT NULL by themselves; what is left stays Alembic's."""
    instead: list[MigrateOperation] = []
    alter = partial(classes.AlterColumnConcurrentlyOp, key[1], operation.column_name, **in_schema(key))
    if operation.modify_type is not None and "type" in safe.kinds:
        instead += _change_type(work, operation, key)
    defaults: list[Any] = [operation.modify_server_default, operation.existing_server_default]
    if "default" in safe.kinds and defaults[0] is not False and all(map(_is_plain, defaults)):
        forth, back = (alter(server_default=one.arg if one else None) for one in defaults)
        instead.append(paired(forth, back))
        operation.modify_server_default = False
    needless = bool(operation.modify_nullable) and operation.column_name in work.tables[key].primary_key
    if needless:  # a conversion has put it there; PostgreSQL allows no NULL in a primary key
        operation.modify_nullable = None
    if operation.modify_nullable is not None and "not_null" in safe.kinds:
        nullable, operation.modify_nullable = operation.modify_nullable, None
        set_not_null = classes.SetNotNullConcurrentlyOp(key[1], operation.column_name, **in_schema(key))
        drop = alter(nullable=True)
        instead.append(paired(drop, set_not_null) if nullable else paired(set_not_null, drop))
    if instead or needless:
        work.put(operation, [*([operation] if operation.has_changes() else []), *instead])


def _is_plain(default: Any) -> bool:
    """Return whether SET DEFAULT sets it, or nothing is set: not of an identity or generated column."""
    return not default or isinstance(default, sa.DefaultClause)


def _change_type(work: Work, operation: ops.AlterColumnOp, key: Key) -> list[MigrateOperation]:
    column, before, after = operation.column_name, operation.existing_type, operation.modify_type
    table, using = work.tables[key].name, operation.kw.get("postgresql_using")
    action = f"ALTER COLUMN {ident(column)} TYPE "

    checked = any(column in one.columns for one in work.tables[key].constraints if one.kind == "c")

    def changed(to: Any, from_: Any, first: str) -> MigrateOperation:
        """Ours, where PostgreSQL neither writes nor checks a row for it and builds no index again; else Alembic's."""
        sql = action + type_sql(to) + (f" USING {using}" if using and to is after else "")
        slow = work.judged(f"the type of {column} of {table}", lambda: any(work.catalog.rewrites(table, sql, first)))
        if slow is False and not checked:
            return classes.AlterColumnConcurrentlyOp(key[1], column, type_=to, existing_type=from_, **in_schema(key))
        return ops.AlterColumnOp(key[1], column, modify_type=to, existing_type=from_, schema=key[0], **operation.kw)

    forth = changed(after, before, "")
    if isinstance(forth, ops.AlterColumnOp):
        _say_what_blocks(work, operation, f"To make {column} of {table} {type_sql(after)}")
        return []
    operation.modify_type = None
    return [paired(forth, changed(before, after, action + type_sql(after)), stage=Stage.COLUMNS)]


def _say_what_blocks(work: Work, operation: MigrateOperation, what: str) -> None:
    """Say it now and in the revision."""
    said = (
        f"{what}, PostgreSQL writes or checks each row, and no session can read or write the table meanwhile. While "
        "writes continue: add a column of the new type (op.add_column_concurrently), keep it filled by a trigger, fill "
        "the old rows (op.update_in_batches), switch the application over, and drop the old column in a later revision "
        "(op.drop_column_concurrently)."
    )
    work.say(said, difference=False)
    operation.info[SAID] = said


def _add_column(work: Work, operation: ops.AddColumnOp, key: Key, safe: Safe) -> None:
    column, table = operation.column, work.tables[key].name
    back: MigrateOperation = ops.DropColumnOp.from_column_and_tablename(key[0], key[1], column)
    if "drop_column" in safe.kinds:
        back = classes.DropColumnConcurrentlyOp(key[1], column.name, **in_schema(key))
    made: MigrateOperation = operation
    of_new_type = type_sql(column.type).removesuffix("[]").replace('"', "") in work.created
    if "default" in safe.kinds and isinstance(column.server_default, sa.DefaultClause) and not of_new_type:
        action = f"ADD COLUMN {ident(column.name)} {type_sql(column.type)} DEFAULT {default_sql(column.server_default)}"
        what = f"the default of {column.name} of {table}"
        if work.judged(what, lambda: work.catalog.rewrites(table, action)[0]):
            default: Any = column.server_default.arg
            alike = sa.Column(
                column.name, column.type, nullable=column.nullable, server_default=default, comment=column.comment
            )
            made = classes.AddColumnConcurrentlyOp(key[1], alike, **in_schema(key))
    if "default" in safe.kinds and isinstance(column.server_default, sa.Computed | sa.Identity):
        compiler: Any = work.context.dialect.ddl_compiler(work.context.dialect, None)  # type: ignore[arg-type]
        action = f"ADD COLUMN {compiler.get_column_specification(column).replace('%%', '%')}"
        what = f"column {column.name} of {table}"
        if work.judged(what, lambda: work.catalog.rewrites(table, action)[0]):
            _say_what_blocks(work, operation, f"To add {column.name} to {table}")
    if made is not operation or "drop_column" in safe.kinds:
        work.put(operation, [paired(made, back, stage=Stage.COLUMNS)])


def _drop_table(work: Work, operation: ops.DropTableOp, key: Key) -> None:
    back: Any = operation.reverse()
    found = work.tables[key]
    back.prefixes = ["UNLOGGED"] if found.unlogged else back.prefixes
    back.kw |= {"postgresql_partition_by": found.partition_key} if found.partition_key else {}
    back.kw |= {"postgresql_with": dict(found.options)} if found.options else {}
    for one in back.columns:
        if isinstance(one, sa.UniqueConstraint) and one.name:
            vars(one).update(_deferral(work, key, str(one.name)))
    if exclusions := [one for one in found.constraints if one.kind == "x"]:
        alter = [
            f"ALTER TABLE {found.name.sql} ADD CONSTRAINT {ident(one.name)} {one.definition}" for one in exclusions
        ]
        back = Several(back, *(executed(sql) for sql in alter))
    drop = classes.DropTableConcurrentlyOp(key[1], **in_schema(key))
    policy = work.catalog.policy(found.name) if found.partition_key else None
    if policy is None:
        work.put(operation, [paired(drop, back, stage=Stage.LATER)])
        return
    there = work.catalog.table(found.name)
    default = there is not None and any(one.default for one in there.partitions)
    made, kept = declared.recreated(back, policy, default=default)
    forget = classes.DropPartitionPolicyOp(key[1], **in_schema(key))
    work.put(operation, [paired(forget, kept, stage=Stage.LATER), paired(drop, made, stage=Stage.LATER)])
