"""What Alembic leaves out of the operations that it writes, or writes so that it becomes something else."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects import postgresql as pg

from schema_kit.autogenerate.drift import declared_checks
from schema_kit.autogenerate.work import Key, Work
from schema_kit.autogenerate.written import executed, paired
from schema_kit.names import QualifiedName, fit, ident

_DIALECT = pg.dialect(paramstyle="named")  # type: ignore[no-untyped-call]


def compare(work: Work) -> None:
    """Complete new tables and columns, and changes of identity columns."""
    created = [one for one in work.operations if isinstance(one, ops.CreateTableOp)]
    keys = [work.key(one.schema, one.table_name) for one in created]
    later: list[MigrateOperation] = []
    for place, (operation, key) in enumerate(zip(created, keys, strict=True)):
        if (table := work.models.get(key)) is None:
            continue
        own = [one for one in declared_checks(work, table) if one not in table.constraints]
        columns = [*operation.columns, *(sa.CheckConstraint(one.sqltext, name=one.name) for one in own)]
        for foreign in sorted(table.foreign_key_constraints, key=lambda one: (str(one.name), *one.column_keys)):
            if foreign.use_alter or _needs_later(work, foreign, {*keys[place + 1 :]}):
                columns = [one for one in columns if one is not foreign]
                later.append(_foreign_key(foreign, key))
        if columns != list(operation.columns):
            operation.columns, work.changed = columns, True
    if later:
        work.operations += later
        work.changed = True
    for change in [one for one in work.operations if isinstance(one, ops.AlterColumnOp)]:
        _identity(work, change)
    _sequences(work)


def _sequences(work: Work) -> None:
    """Create the sequences from which new columns take their values, where they do not exist."""
    new = list[sa.Column[Any]]()
    for operation in work.operations:
        table = work.models.get(work.table_of(operation) or (None, ""))
        if table is not None and isinstance(operation, ops.CreateTableOp):
            new += table.columns
        elif table is not None and isinstance(operation, ops.AddColumnOp):
            new += [one for one in table.columns if one.name == operation.column.name]
    found = [getattr(of, "sequence", of) for column in new for of in (column.default, _of(column.server_default))]
    schema = work.context.dialect.default_schema_name or "public"
    named = {QualifiedName(one.schema or schema, one.name): one for one in found if isinstance(one, sa.Sequence)}
    for name, one in named.items():
        if not one.optional and not work.catalog.exists(name):
            create, drop = sa.schema.CreateSequence(one), sa.schema.DropSequence(one)
            pair = (executed(str(ddl.compile(dialect=_DIALECT)).strip()) for ddl in (create, drop))
            work.operations.insert(0, paired(*pair))
            work.changed = True


def without_checks(work: Work) -> None:
    """Let a change of type leave the check of an enum that is a text: it is compared as other checks are."""
    for change in [one for one in work.operations if isinstance(one, ops.AlterColumnOp)]:
        for name in ("modify_type", "existing_type"):
            own = getattr(change, name)
            if isinstance(own, sa.Enum) and not own.native_enum and own.create_constraint:
                setattr(change, name, sa.String(own.length))
                work.changed = True


def _of(default: Any) -> Any:
    return getattr(default, "arg", None)


def _needs_later(work: Work, foreign: sa.ForeignKeyConstraint, behind: set[Key]) -> bool:
    """Return whether what it refers to is made behind the table."""
    to = work.key(foreign.referred_table.schema, foreign.referred_table.name)
    if to in behind:
        return True
    remote = {element.column.name for element in foreign.elements}
    made = work.of((ops.CreateUniqueConstraintOp, ops.CreateIndexOp), to) if to in work.tables else []
    return any({str(getattr(one, "name", one)) for one in operation.columns} == remote for operation in made)


def _foreign_key(foreign: sa.ForeignKeyConstraint, key: Key) -> MigrateOperation:
    create: Any = ops.AddConstraintOp.from_constraint(foreign)
    create.kw.pop("use_alter", None)
    if create.constraint_name is None:
        create.constraint_name = fit("_".join((key[1], *create.local_cols)), "_fkey")
    drop = ops.DropConstraintOp(create.constraint_name, key[1], type_="foreignkey", schema=key[0], _reverse=create)
    return paired(create, drop)


# Identity columns, whose changes Alembic takes back by what only adds an identity


def _identity(work: Work, change: ops.AlterColumnOp) -> None:
    after, before = change.modify_server_default, change.existing_server_default
    if after is False or not any(isinstance(one, sa.Identity) for one in (after, before)):
        return
    if any(isinstance(one, sa.FetchedValue) and not isinstance(one, sa.Identity) for one in (after, before)):
        return
    table = ".".join(ident(part) for part in (change.schema, change.table_name) if part)
    start = f"ALTER TABLE {table} ALTER COLUMN {ident(change.column_name)} "
    made = paired(*(ops.ExecuteSQLOp(start + _action(*pair)) for pair in ((after, before), (before, after))))
    change.modify_server_default = False
    work.put(change, [made, *([change] if change.has_changes() else [])])


def _action(to: Any, from_: Any) -> str:
    if not isinstance(to, sa.Identity):
        return "DROP IDENTITY"
    if not isinstance(from_, sa.Identity):
        compiler: Any = _DIALECT.ddl_compiler(_DIALECT, None)  # type: ignore[arg-type]
        return f"ADD {compiler.visit_identity_column(to)}"
    least, most = (None if no else value for no, value in ((to.nominvalue, to.minvalue), (to.nomaxvalue, to.maxvalue)))
    step = 1 if to.increment is None else to.increment
    first = next(one for one in (to.start, least if step > 0 else most, 1 if step > 0 else -1) if one is not None)
    options = (  # all of them: what is left out keeps its value
        f"GENERATED {'ALWAYS' if to.always else 'BY DEFAULT'}",
        f"INCREMENT BY {step}",
        "NO MINVALUE" if least is None else f"MINVALUE {least}",
        "NO MAXVALUE" if most is None else f"MAXVALUE {most}",
        f"START WITH {first}",
        f"CACHE {to.cache or 1}",
        "CYCLE" if to.cycle else "NO CYCLE",
    )
    return " ".join(f"SET {one}" for one in options)


# Expressions


def write_expressions_as_they_are(context: MigrationContext) -> None:
    """Have expressions read back as what was declared: Alembic doubles ``%``, and takes ``:word`` for a parameter."""
    impl: Any = context.impl
    write = impl.render_ddl_sql_expr
    if getattr(write, "as_it_is", False):
        return

    def as_it_is(expression: Any, *args: Any, is_index: bool = False, **keywords: Any) -> str:
        text: str = write(expression, *args, is_index=is_index, **keywords)
        if impl.dialect.identifier_preparer._double_percents:
            text = text.replace("%%", "%")
        return text if is_index else _PARAMETER.sub(r"\\:", text)

    as_it_is.as_it_is = True  # type: ignore[attr-defined]
    impl.render_ddl_sql_expr = as_it_is


_PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w+(?!:))")
"""What SQLAlchemy's text() takes for a parameter."""


def exclusions(work: Work) -> None:
    """Say which exclusion constraints of the models are missing: no operation builds one while writes continue."""
    for key, table in work.models.items():
        if (found := work.tables.get(key)) is None:
            continue
        there = {one.name for one in found.constraints if one.kind == "x"}
        for one in sorted((one for one in table.constraints if isinstance(one, pg.ExcludeConstraint)), key=str):
            name = work.name(one)
            if name and name not in there and work.included(one, name, "check_constraint", key):
                work.say(
                    f"The exclusion constraint {name} of {found.name} is missing. No operation builds one while writes "
                    "continue: op.create_exclude_constraint blocks the table for as long as it takes."
                )


def parents(work: Work) -> None:
    """Say which tables inherit from others than their models say: ALTER TABLE ... INHERIT needs alike columns first."""
    for _, table, found in work.existing():
        given = table.dialect_kwargs.get("postgresql_inherits") or ()
        declared = [str(one).replace('"', "") for one in ([given] if isinstance(given, str) else given)]
        alike = [any(there.endswith(f".{one}") or there == one for one in declared) for there in found.parents]
        if len(declared) != len(found.parents) or not all(alike):
            work.say(
                f"{found.name} inherits from {', '.join(found.parents) or 'no table'}, and its model says "
                f"{', '.join(declared) or 'no table'}. No operation changes that; op.execute('ALTER TABLE ... INHERIT "
                "...'), or NO INHERIT, does."
            )
