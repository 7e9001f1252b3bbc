"""Operations as autogenerate writes them: from SQLAlchemy's objects, and from what the catalog has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops

from schema_kit.catalog.compared import FoundIndex
from schema_kit.from_sqlalchemy import index_element, sql_of
from schema_kit.model import IndexDeclaration
from schema_kit.names import QualifiedName
from schema_kit.ops import classes
from schema_kit.ops.indexes import declaration

SAID = "schema_kit_said"
"""In an operation's `info`: what its revision says of it."""

_SIMPLE = re.compile(r"[a-z_][a-z0-9_]*")


class Stage(IntEnum):
    """What is made first, since the rest may need it, or behind the rest, which it needs; and what goes last.

    LATER goes what code of before still needs.
    """

    SHARED = 0
    COLUMNS = 1
    OTHERS = 2
    BEHIND = 3
    LATER = 4


def paired(operation: MigrateOperation, back: MigrateOperation, *, stage: Stage = Stage.OTHERS) -> MigrateOperation:
    """Have Alembic write *back* into the downgrade for *operation*, and the other way round.

    Args:
        operation: of the upgrade.
        back: what takes it back; `nothing` if that is all there is to do.
        stage: with what it runs, if it commits on its own, or BEHIND such operations; LATER is behind another deploy.
    """
    for one, other in ((operation, back), (back, operation)):
        vars(one)["reverse"] = lambda other=other: other
        vars(one)["schema_kit"] = Pair(other, stage)
    return operation


def pair_of(operation: MigrateOperation) -> Pair | None:
    """Return what `paired` has remembered of it."""
    pair = vars(operation).get("schema_kit")
    return pair if isinstance(pair, Pair) else None


@dataclass(frozen=True)
class Pair:
    """What `paired` remembers of an operation."""

    back: MigrateOperation
    stage: Stage


def nothing(table: str, schema: str | None) -> MigrateOperation:
    """Return an operation that Alembic neither writes nor reports."""
    return ops.ModifyTableOps(table, [], schema=schema)


def dropped(name: str, kind: str, table: str, schema: str | None) -> classes.DropConstraintConcurrentlyOp:
    """Drop a constraint: ``foreignkey``, ``check``, ``unique`` or ``primary``."""
    return classes.DropConstraintConcurrentlyOp(name, table, kind, **({"schema": schema} if schema else {}))


def deferral(definition: str) -> dict[str, Any]:
    """Return that of a constraint as PostgreSQL prints it, in Alembic's keywords: reflection loses it."""
    if " DEFERRABLE" not in definition:
        return {}
    return {"deferrable": True} | ({"initially": "DEFERRED"} if definition.endswith("INITIALLY DEFERRED") else {})


@dataclass(frozen=True)
class WrittenIndex:
    """An index in the words of op.create_index_concurrently."""

    name: str
    table: str
    schema: str | None
    columns: tuple[Any, ...]
    unique: bool = False
    keywords: Mapping[str, Any] = field(default_factory=dict)

    @property
    def _given(self) -> dict[str, Any]:
        own = {"schema": self.schema} if self.schema else {}
        return own | ({"unique": True} if self.unique else {}) | dict(self.keywords)

    def create(self) -> classes.CreateIndexConcurrentlyOp:
        """Create it."""
        return classes.CreateIndexConcurrentlyOp(self.name, self.table, [*self.columns], **self._given)

    def replace(self) -> classes.ReplaceIndexConcurrentlyOp:
        """Give the index of that name this definition."""
        return classes.ReplaceIndexConcurrentlyOp(self.name, self.table, [*self.columns], **self._given)

    def drop(self) -> classes.DropIndexConcurrentlyOp:
        """Drop it."""
        return classes.DropIndexConcurrentlyOp(
            self.name, self.table, **({"schema": self.schema} if self.schema else {})
        )

    def declared(self, table: QualifiedName) -> IndexDeclaration:
        """Return the same, as the operations plan with it."""
        given = {name.removeprefix("postgresql_"): value for name, value in self.keywords.items()}
        return declaration(
            self.name,
            table,
            self.columns,
            unique=self.unique,
            using=given.get("using", "btree"),
            where=given.get("where"),
            operators=given.get("ops"),
            include=given.get("include"),
            with_=given.get("with"),
            tablespace=given.get("tablespace"),
            nulls_not_distinct=given.get("nulls_not_distinct", False),
        )

    def plainly(self) -> str | None:
        """Return what PostgreSQL prints of it after USING, without quotes; None if only PostgreSQL knows."""
        include = self.keywords.get("postgresql_include", ())
        using = self.keywords.get("postgresql_using", "btree")
        if self.keywords.keys() - {"postgresql_include", "postgresql_using"}:
            return None
        if not all(isinstance(name, str) and _SIMPLE.fullmatch(name) for name in (*self.columns, *include)):
            return None
        return f"{using} ({', '.join(self.columns)})" + (f" INCLUDE ({', '.join(include)})" if include else "")


_KEYWORDS = ("using", "where", "ops", "include", "with", "tablespace", "nulls_not_distinct")


def of_model(index: sa.Index, name: str) -> WrittenIndex:
    """Return an index of the models, or of Alembic's own operation."""
    assert index.table is not None
    options = {word: index.dialect_kwargs.get(f"postgresql_{word}") for word in _KEYWORDS}
    operators = dict(options.pop("ops") or {})
    columns, used = list[Any](), dict[str, str]()
    for one in index.expressions:
        plain = _column(one)
        operator = operators.get(getattr(_bare(one), "key", None) or "") or operators.get(plain or "")
        if plain is not None:
            columns.append(plain)
            used |= {plain: operator} if operator else {}
        else:
            sql, order = index_element(one)
            columns.append(text_of(" ".join(filter(None, (sql, operator, order)))))
    given: dict[str, Any] = {f"postgresql_{word}": value for word, value in options.items() if _is_given(value)}
    if used:
        given["postgresql_ops"] = used
    if "postgresql_where" in given:
        given["postgresql_where"] = text_of(sql_of(given["postgresql_where"]))
    if "postgresql_include" in given:
        given["postgresql_include"] = [getattr(one, "name", one) for one in given["postgresql_include"]]
    if str(given.get("postgresql_using", "")).lower() == "btree":
        del given["postgresql_using"]
    return WrittenIndex(name, index.table.name, index.table.schema, tuple(columns), bool(index.unique), given)


def as_found(found: FoundIndex, name: str, table: str, schema: str | None) -> WrittenIndex:
    """Return an index as the database has it."""
    given: dict[str, Any] = {
        "postgresql_using": None if found.using == "btree" else found.using,
        "postgresql_include": list(found.include),
        "postgresql_where": None if found.where is None else text_of(found.where),
        "postgresql_with": dict(found.options),
        "postgresql_tablespace": found.tablespace,
        "postgresql_nulls_not_distinct": found.nulls_not_distinct,
    }
    columns = tuple(text_of(text) if composed else text for text, composed in found.keys)
    kept = {word: one for word, one in given.items() if _is_given(one)}
    return WrittenIndex(name, table, schema, columns, found.unique, kept)


def _is_given(value: Any) -> bool:
    return isinstance(value, sa.ClauseElement) or bool(value)


def _bare(clause: Any) -> Any:
    while isinstance(clause, sa.UnaryExpression):
        clause = clause.element
    return clause


def _column(clause: Any) -> str | None:
    return str(clause.name) if isinstance(clause, sa.Column) else clause if isinstance(clause, str) else None


def text_of(sql: str) -> sa.TextClause:
    """Return SQL in which a colon begins no parameter."""
    return sa.text(sql.replace(":", "\\:"))


def executed(sql: str) -> MigrateOperation:
    """Return what sends a statement as it is: `op.execute`."""
    return ops.ExecuteSQLOp(text_of(sql).text)
