"""From SQLAlchemy's objects to the nouns."""

from __future__ import annotations

import re
from collections import abc
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import (
    AddConstraint,
    CreateIndex,
    CreateSequence,
    CreateTable,
    SetColumnComment,
    SetConstraintComment,
    SetTableComment,
    sort_tables_and_constraints,
)
from sqlalchemy.sql.functions import next_value

from schema_kit.errors import DeclarationError
from schema_kit.model import (
    Action,
    BaselineObject,
    BaselineTable,
    Column,
    ColumnDeclaration,
    ForeignKey,
    ForeignKeyDeclaration,
    Index,
    Sequence,
    Table,
)
from schema_kit.names import QualifiedName, fit, idents, literal

_DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
_PREPARER: Any = _DIALECT.identifier_preparer
# SQL goes out without parameters, so a percent sign is one; and standard_conforming_strings has been on since 9.1.
_DIALECT._backslash_escapes = False


def sql_of(clause: Any) -> str:
    """Return a string as it is, an expression with its literals in place."""
    if isinstance(clause, str):
        return clause
    if hasattr(clause, "__clause_element__"):
        clause = clause.__clause_element__()
    if isinstance(clause, sa.TextClause) and not any(bind.value is not None for bind in clause._bindparams.values()):
        return clause.text.replace("\\:", ":")  # what looks like a parameter and has no value is part of the SQL
    return str(clause.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True, "include_table": False}))


def index_element(clause: Any) -> tuple[str, str]:
    """Return one key of an index, in parentheses if PostgreSQL requires them, and its order: ASC, NULLS FIRST, ..."""
    text = sql_of(clause).strip()
    found = _ORDER.search(text)
    order = " ".join(found[0].split()).upper() if found else ""
    key = text[: found.start()].rstrip() if found else text
    return (key if _stands_alone(key) else f"({key})"), order


_ORDER = re.compile(
    r"(?<=[\s)\"])(?:(?:ASC|DESC)(?:\s+NULLS\s+(?:FIRST|LAST))?|NULLS\s+(?:FIRST|LAST))$", re.IGNORECASE
)
_NAME = r'(?:"(?:[^"]|"")+"|(?!(?i:NOT|CASE)\b)[A-Za-z_\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*)'
_QUALIFIED = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_AFTER_KEY = re.compile(
    rf"(?:\s*COLLATE\s+{_QUALIFIED})?(?:\s+(?!COLLATE\b){_QUALIFIED}(?:\s*\([^()]*\))?)?", re.IGNORECASE
)


def _stands_alone(key: str) -> bool:
    """Whether it is a column, a call or in parentheses, with a collation or an operator class behind it or without."""
    name = re.match(_NAME, key)
    call = re.match(rf"{_QUALIFIED}\s*(?=\()", key)
    start = call.end() if call else 0
    end = _closing(key, start) if key[start : start + 1] == "(" else name.end() if name else None
    return end is not None and _AFTER_KEY.fullmatch(key, end) is not None


def _closing(text: str, start: int) -> int | None:
    """Return where the parenthesis that opens at *start* has been closed; strings and quoted names are stepped over."""
    depth = 0
    for token in re.finditer(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]""", text[start:]):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth == 0:
            return start + token.end()
    return None


_SPELLINGS = {
    "varchar": "character varying",
    "char": "character",
    "float": "double precision",
    "decimal": "numeric",
}


_BITS_OF_REAL = 24
"""Up to so many, float(n) is real."""


def type_of(column: sa.Column[Any]) -> str:
    """Return a column's type as format_type spells it."""
    text = column.type.compile(dialect=_DIALECT)
    if '"' in text:
        return text
    if isinstance(column.type, sa.Float) and (found := re.fullmatch(r"FLOAT\((\d+)\)", text)):
        return "real" if int(found[1]) <= _BITS_OF_REAL else "double precision"
    bare, bracket, rest = text.lower().replace(", ", ",").partition("(")
    return _SPELLINGS.get(bare, bare) + bracket + rest


def baseline_of(metadata: sa.MetaData) -> tuple[tuple[BaselineTable, ...], tuple[BaselineObject, ...]]:
    """Return the tables of a baseline, and the types and sequences that they need, in orders in which they can be made.

    Raises:
        DeclarationError: one is partitioned.
    """
    for table in metadata.tables.values():
        if table.dialect_options["postgresql"]["partition_by"]:
            raise DeclarationError(
                f"a baseline has plain tables, and {table.name} has postgresql_partition_by: "
                "op.create_partitioned_table creates it, with its partitions and its policy."
            )
    *ordered, (_, circular) = sort_tables_and_constraints(metadata.tables.values())  # type: ignore[no-untyped-call]
    tables = [table for table, _ in ordered]
    needed = [*(type_ for table in tables for type_ in _own_types(table)), *sequences_of(metadata)]
    named = {(_name(one), _kind(one)): one for one in needed}
    return (
        tuple(baseline_table(table, [key for key in circular if key.table is table]) for table in tables),
        tuple(BaselineObject(name, kind, *_definition(one)) for (name, kind), one in named.items()),
    )


def _kind(made: Any) -> str:
    return "sequence" if isinstance(made, sa.Sequence) else "enum" if isinstance(made, postgresql.ENUM) else "domain"


def _definition(made: Any) -> tuple[str, tuple[str, ...]]:
    """Return what follows the name of a type or a sequence where it is created, and the values of an enum."""
    called = _PREPARER.format_sequence(made) if isinstance(made, sa.Sequence) else _PREPARER.format_type(made)
    sql = str(_create(made).compile(dialect=_DIALECT))
    return sql.partition(called)[2].strip(), tuple(made.enums) if isinstance(made, postgresql.ENUM) else ()


def _create(made: Any) -> Any:
    kinds = {"sequence": CreateSequence, "enum": postgresql.CreateEnumType, "domain": postgresql.CreateDomainType}
    return kinds[_kind(made)](made)


def sequences_of(metadata: sa.MetaData) -> list[sa.Sequence]:
    """Return the sequences of tables, or by themselves; an optional one is left to SERIAL."""
    asked = [_called(column) for table in metadata.tables.values() for column in table.columns]
    every = [*metadata._sequences.values(), *(one for one in asked if one is not None)]
    return [one for one in every if not one.optional]


def _called(column: sa.Column[Any]) -> sa.Sequence | None:
    """Return the sequence whose next value is a column's default in the database."""
    default = getattr(column.server_default, "arg", None)
    return default.sequence if isinstance(default, next_value) else None


def from_sequences(table: sa.Table, placed: abc.Callable[[sa.Sequence], sa.Sequence]) -> None:
    """Have defaults of columns take their values from the same sequences, where those are placed."""
    for column in table.columns:
        if found := _called(column):
            sa.DefaultClause(placed(found).next_value())._set_parent(column)


def native(type_: Any) -> Any:
    """Return what the database has for a type."""
    if isinstance(type_, sa.TypeDecorator):
        return native(type_.load_dialect_impl(_DIALECT))
    if isinstance(type_, postgresql.DOMAIN):
        return type_  # SQLAlchemy 2.0 would leave its check, default and collation out
    return type_.dialect_impl(_DIALECT)


def own_type(type_: Any) -> Any:
    """Return the enum or domain that a column needs, if the models make it."""
    found = native(type_)
    if isinstance(found, sa.ARRAY):
        return own_type(found.item_type)
    named = isinstance(found, postgresql.ENUM | postgresql.DOMAIN) and found.create_type and found.name
    return found if named else None


def own_types(type_: Any) -> abc.Iterator[Any]:
    """Yield that enum or domain, behind those that it needs itself."""
    if (made := own_type(type_)) is not None:
        if isinstance(made, postgresql.DOMAIN):
            yield from own_types(made.data_type)
        yield made


def _own_types(table: sa.Table) -> abc.Iterator[Any]:
    """Yield those that its columns need."""
    for column in table.columns:
        yield from own_types(column.type)


def _comments(table: sa.Table) -> list[Any]:
    made: list[Any] = [SetTableComment(table)] if table.comment else []
    made += [SetColumnComment(column) for column in table.columns if column.comment]
    return made + [SetConstraintComment(one) for one in table.constraints if one.comment]


def baseline_table(
    table: sa.Table, circular: abc.Sequence[sa.ForeignKeyConstraint] = (), default_schema: str | None = None
) -> BaselineTable:
    """Return a table as a baseline declares it.

    Args:
        table: the table.
        circular: those of its foreign keys that cannot be made with it.
        default_schema: of tables that name none.
    """
    name = _name(table, default_schema)
    key = tuple(column.name for column in table.primary_key.columns)
    inline = [one for one in table.foreign_key_constraints if one not in circular]
    made: list[Any] = [CreateTable(table, include_foreign_key_constraints=inline)]
    made += [CreateIndex(index) for index in sorted(table.indexes, key=lambda i: i.name or "")]
    create = [str(one.compile(dialect=_DIALECT)).strip() for one in (*made, *_comments(table))]
    unique = [c for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
    noun = Table(
        name,
        tuple(
            Column(
                c.name,
                type_of(c),
                not c.nullable,
                None,
                ("a" if c.identity.always else "d") if c.identity else "",
            )
            for c in table.columns
        ),
        primary_key=key,
        indexes=(
            Index(
                str(table.primary_key.name or fit(table.name, "_pkey")),
                f"btree ({idents(key)})",
                key,
                True,
                True,
            ),
            *(_unique_index(constraint) for constraint in unique),
        ),
        foreign_keys=tuple(_foreign_key(name, key, default_schema) for key in table.foreign_key_constraints),
        sequences=tuple(
            Sequence(name.sibling(f"{table.name}_{c.name}_seq"), c.name, True, "START WITH 1")
            for c in table.columns
            if c.identity
        ),
    )
    later = ((_foreign_key(name, one), str(AddConstraint(one).compile(dialect=_DIALECT))) for one in circular)
    return BaselineTable(noun, tuple(create), tuple(later))


def create_partitioned_sql(table: sa.Table) -> tuple[str, ...]:
    """Return what makes a partitioned table: the types of its enums, itself, its indexes, its comments."""
    made: list[Any] = [_create(type_) for type_ in {(one.schema, one.name): one for one in _own_types(table)}.values()]
    made.append(CreateTable(table))
    made += [CreateIndex(index) for index in sorted(table.indexes, key=lambda index: index.name or "")]
    made += _comments(table)
    return tuple(str(one.compile(dialect=_DIALECT)).strip() for one in made)


def unique_keys(table: sa.Table) -> tuple[Index, ...]:
    """Return its primary key, unique constraints and unique indexes."""
    keys: list[sa.schema.ColumnCollectionConstraint | sa.Index] = (
        [table.primary_key] if table.primary_key.columns else []
    )
    keys += [constraint for constraint in table.constraints if isinstance(constraint, sa.UniqueConstraint)]
    keys += [index for index in table.indexes if index.unique]
    return tuple(
        Index(
            str(key.name or fit(table.name, "_pkey" if key is table.primary_key else "_key")),
            "",
            tuple(column.name for column in key.columns),
            unique=True,
            primary=key is table.primary_key,
        )
        for key in keys
    )


def with_options(given: abc.Mapping[str, Any] | None) -> tuple[str, ...]:
    """Storage parameters, as WITH takes them.

    Raises:
        DeclarationError: a name or a value that is not one.
    """
    options = []
    for name, value in (given or {}).items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if not re.fullmatch(r"[a-z_.]+", name) or not re.fullmatch(r"[\w.]+", text):
            raise DeclarationError(f"{name} = {value!r} is not a storage parameter: fillfactor = 70")
        options.append(f"{name}={text}")
    return tuple(options)


def _name(table: Any, default_schema: str | None = None) -> QualifiedName:
    schema = table.schema or default_schema
    assert schema is not None  # ops.naming has given it one
    return QualifiedName(schema, table.name)


def _unique_index(constraint: sa.UniqueConstraint) -> Index:
    columns = tuple(column.name for column in constraint.columns)
    return Index(
        str(constraint.name or fit("_".join((constraint.table.name, *columns)), "_key")),
        f"btree ({idents(columns)})",
        columns,
        True,
        constraint=f"UNIQUE ({idents(columns)})",
    )


def _foreign_key(
    table: QualifiedName, constraint: sa.ForeignKeyConstraint, default_schema: str | None = None
) -> ForeignKey:
    to = constraint.referred_table
    referenced = _name(to, default_schema)
    columns = tuple(column.name for column in constraint.columns)
    targets = tuple(element.column.name for element in constraint.elements)
    action = f" ON DELETE {constraint.ondelete}" if constraint.ondelete else ""
    return ForeignKey(
        str(constraint.name or fit(f"{table.name}_{'_'.join(columns)}", "_fkey")),
        table,
        columns,
        referenced,
        targets,
        f"FOREIGN KEY ({idents(columns)}) REFERENCES {referenced.sql} ({idents(targets)}){action}",
        on_delete=Action.of(constraint.ondelete or ""),
    )


def type_sql(type_: Any) -> str:
    """Return a type as DDL spells it."""
    return str(sa.types.to_instance(type_).compile(dialect=_DIALECT))


def default_sql(default: Any) -> str | None:
    """Return a server default as DDL spells it: a string is a literal, text and functions are SQL, as in SQLAlchemy."""
    if default is None:
        return None
    if isinstance(default, sa.schema.DefaultClause):
        default = default.arg
    elif isinstance(default, sa.FetchedValue):
        return None  # the server gives it in another way: a trigger, say
    return literal(default) if isinstance(default, str) else sql_of(default)


Named = abc.Callable[[str, str | None], QualifiedName]
"""Which table a name means, and the schema that was given with it."""


def column_declaration(
    table: QualifiedName, column: sa.Column[Any], key_name: str | None, named: Named
) -> ColumnDeclaration:
    """Return a column as ADD COLUMN can make it while traffic continues.

    Raises:
        DeclarationError: PostgreSQL would write every row again, build an index or check every row under a lock.
    """
    why = {
        "its values come from an identity, which writes every row again; use a default of nextval()": column.identity,
        "it is a stored generated column, which writes every row again; use a trigger and op.update_in_batches, or "
        "from PostgreSQL 18 on a virtual one, sa.Computed(..., persisted=False)": (
            column.computed is not None and column.computed.persisted is not False
        ),
        "it is a primary key; add the column, then op.create_primary_key_concurrently": column.primary_key,
        "it is unique; add the column, then op.create_unique_constraint_concurrently": column.unique,
        "it has an index; add the column, then op.create_index_concurrently": column.index,
        "it has a check; add the column, then op.create_check_constraint_concurrently": (
            any(isinstance(constraint, sa.CheckConstraint) for constraint in column.constraints)
            or (isinstance(column.type, sa.Enum) and column.type.create_constraint and not column.type.native_enum)
        ),
        "it has several foreign keys; add the column, then op.create_foreign_key_concurrently for each": (
            len(column.foreign_keys) > 1
        ),
    }
    for reason, holds in why.items():
        if holds:
            raise DeclarationError(f"column {column.name} cannot be added while the table is in use: {reason}.")
    computed = "" if column.computed is None else f" GENERATED ALWAYS AS ({sql_of(column.computed.sqltext)}) VIRTUAL"
    return ColumnDeclaration(
        column.name,
        type_sql(column.type) + computed,
        bool(column.nullable),
        default_sql(column.server_default) if column.computed is None else None,
        _column_foreign_key(table, column, key_name, named),
        column.comment,
        virtual=column.computed is not None,
    )


def _column_foreign_key(
    table: QualifiedName, column: sa.Column[Any], key_name: str | None, named: Named
) -> ForeignKeyDeclaration | None:
    for key in column.foreign_keys:
        *schema, referenced, target = key.target_fullname.rsplit(".", 2)
        return foreign_key_declaration(
            key_name or fit(f"{table.name}_{column.name}", "_fkey"),
            table,
            [column.name],
            named(referenced, schema[0] if schema else None),
            [target],
            onupdate=key.onupdate,
            ondelete=key.ondelete,
            deferrable=key.deferrable,
            initially=key.initially,
            match=key.match,
        )
    return None


def foreign_key_declaration(
    name: str,
    table: QualifiedName,
    columns: abc.Sequence[str],
    referenced: QualifiedName,
    referenced_columns: abc.Sequence[str],
    *,
    onupdate: str | None,
    ondelete: str | None,
    deferrable: bool | None,
    initially: str | None,
    match: str | None,
) -> ForeignKeyDeclaration:
    """Return a foreign key, its words checked.

    Raises:
        DeclarationError: an action, a match or a deferral that PostgreSQL does not have.
    """
    listed = _LISTED.fullmatch(ondelete or "")
    actions = [_action(onupdate), _action(listed[1] if listed else ondelete)]
    if listed:
        found = _NAMES.findall(listed[2])
        set_columns = tuple(quoted.replace('""', '"') or plain.lower() for quoted, plain in found)
        if not set(set_columns) <= set(columns):
            raise DeclarationError(f"ON DELETE {ondelete}: sets columns that the foreign key lacks.")
        actions[1] += f" ({idents(set_columns)})"
    if (match or "SIMPLE").upper() not in ("SIMPLE", "FULL"):
        raise DeclarationError(f"match is 'FULL' or 'SIMPLE', not {match!r}")
    if len(columns) != len(referenced_columns) or not columns:
        raise DeclarationError("local_cols and remote_cols name the same number of columns, one at least")
    return ForeignKeyDeclaration(
        name,
        table,
        tuple(columns),
        referenced,
        tuple(referenced_columns),
        actions[0],
        actions[1],
        (match or "SIMPLE").upper(),
        deferral(deferrable, initially),
    )


_LISTED = re.compile(r"\s*(SET\s+(?:NULL|DEFAULT))\s*\((.+)\)\s*", re.IGNORECASE)
_NAMES = re.compile(r'"((?:[^"]|"")+)"|([^\s",]+)')


def _action(given: str | None) -> str:
    action = " ".join((given or "NO ACTION").upper().split())
    if action.replace(" ", "_") not in Action.__members__:
        raise DeclarationError(f"{action!r} is not an action of a foreign key: CASCADE, RESTRICT, SET NULL, ...")
    return action


def deferral(deferrable: bool | None, initially: str | None) -> str:
    """DEFERRABLE, INITIALLY DEFERRED, or nothing."""
    if initially is not None and initially.upper() not in ("DEFERRED", "IMMEDIATE"):
        raise DeclarationError(f"initially is 'DEFERRED' or 'IMMEDIATE', not {initially!r}")
    if (initially or "").upper() == "DEFERRED":
        return "DEFERRABLE INITIALLY DEFERRED"
    return "DEFERRABLE" if deferrable else ""
