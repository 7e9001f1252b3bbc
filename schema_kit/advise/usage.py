"""How a statement uses each of its tables: what it compares, joins, orders and groups; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from schema_kit.advise.statements import parsable
from schema_kit.names import QualifiedName, ident

Schema = Mapping[QualifiedName, Mapping[str, str]]
"""The columns of each table with their types, in the order of the search_path."""


class Kind(StrEnum):
    """What a condition compares with."""

    EQUAL = "equal"
    JOIN = "join"
    RANGE = "range"
    LIKE = "like"
    CONTAINS = "contains"
    KEY = "key"
    """A key of a JSON document: ?, ?| and ?&."""
    TRUE = "true"
    FALSE = "false"
    NULL = "null"
    NOT_NULL = "not null"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on a column or an expression of one table.

    Args:
        keys: SQL of the column or expression; several, where rows are compared.
        kind: with what.
        values: what they are compared with, as sqlglot has it; none for a join.
        column: the name, where it is a column.
        alone: it stands next to an OR.
        operator: as sqlglot calls it.
    """

    keys: tuple[str, ...]
    kind: Kind
    values: tuple[exp.Expr, ...] = ()
    column: str | None = None
    alone: bool = False
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A key that rows are ordered by."""

    key: str
    descending: bool = False
    nulls_first: bool = False


@dataclass
class Use:
    """A table in a statement.

    Args:
        table: which.
        conditions: on it.
        order: what all rows are ordered by, where that is of this table alone.
        group: what they are grouped by, likewise.
        columns: those that are read; empty: all of them, or none.
        whole: all columns are read.
    """

    table: QualifiedName
    conditions: list[Condition] = field(default_factory=list)
    order: list[Order] = field(default_factory=list)
    group: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    whole: bool = False


def uses(text: str, schema: Schema) -> list[Use]:
    """Return how a statement uses its tables; empty where sqlglot cannot read it.

    Args:
        text: with ``$1`` where it has parameters.
        schema: all tables.
    """
    try:
        parsed = sqlglot.parse_one(parsable(text), read="postgres")
        return [use for query in _queries(parsed) for scope in traverse_scope(query) for use in _of(scope, schema)]
    except (SqlglotError, ValueError, RecursionError):
        return []


def _queries(parsed: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the queries of a statement; an UPDATE or DELETE reads its table as a query does."""
    if isinstance(parsed, exp.Insert):
        if isinstance(parsed.expression, exp.Query):
            yield parsed.expression
    elif isinstance(parsed, exp.Update | exp.Delete):
        query = exp.select("*").from_(parsed.this.copy())
        for one in (parsed.args.get("from_") or parsed.args.get("from"), *(parsed.args.get("using") or ())):
            if one is not None:
                query = query.join(one.this.copy() if isinstance(one, exp.From) else one.copy(), join_type="cross")
        if where := parsed.args.get("where"):
            query = query.where(where.this.copy())
        yield query
        if isinstance(with_ := parsed.args.get("with_") or parsed.args.get("with"), exp.With):
            for cte in with_.expressions:
                yield from _queries(cte.this)
    else:
        yield parsed


def _of(scope: Scope, schema: Schema) -> Iterator[Use]:
    select = scope.expression
    if not isinstance(select, exp.Select):
        return
    found = dict[str, Use]()
    for source in scope.sources.values():
        if isinstance(source, exp.Table) and (table := _table(source, schema)):
            alias = source.args.get("alias")
            found[_written(alias.this if alias else source.this)] = Use(table)
    names = _Names(found, schema, {item.alias: item.this for item in select.expressions if isinstance(item, exp.Alias)})
    clauses = [select.args.get("where"), *(join.args.get("on") for join in select.args.get("joins") or ())]
    for clause in clauses:
        if clause is not None:
            _conditions(clause.this if isinstance(clause, exp.Where) else clause, names)
    if group := select.args.get("group"):
        _keys(names, [(names.plain(key), None) for key in group.expressions], grouped=True)
    if order := select.args.get("order"):
        _keys(names, [(names.plain(one.this), one) for one in order.expressions])
    whole = any(
        isinstance(item, exp.Star) or (item.find(exp.Star) and not item.find(exp.Count)) for item in select.expressions
    )
    for use in found.values():
        use.whole = whole
    for column in scope.columns:
        if owner := names.owner(column):
            name = names.name(column)
            if name not in found[owner].columns:
                found[owner].columns.append(name)
    yield from found.values()


def _table(source: exp.Table, schema: Schema) -> QualifiedName | None:
    name = _written(source.this) if isinstance(source.this, exp.Identifier) else ""
    wanted = _written(source.args["db"]) if source.args.get("db") else None
    return next((one for one in schema if one.name == name and wanted in (None, one.schema)), None)


def _written(identifier: exp.Expr) -> str:
    """Return a name as PostgreSQL has it: in small letters, unless it is quoted."""
    return str(identifier.name) if identifier.args.get("quoted") else str(identifier.name).lower()


class _Names:
    """Whose column a name is."""

    def __init__(self, found: Mapping[str, Use], schema: Schema, aliases: Mapping[str, exp.Expr]) -> None:
        self.found, self.schema, self.aliases = found, schema, aliases

    def name(self, column: exp.Column) -> str:
        return _written(column.this)

    def owner(self, column: exp.Column) -> str | None:
        """Return the alias of its table."""
        if column.table:
            alias = _written(column.args["table"])
            return alias if alias in self.found else None
        name = self.name(column)
        return next((alias for alias, use in self.found.items() if name in self.schema[use.table]), None)

    def plain(self, key: exp.Expr) -> exp.Expr:
        """Return what an alias stands for."""
        if isinstance(key, exp.Column) and not key.table and self.owner(key) is None:
            return self.aliases.get(key.name, key)
        return key

    def key(self, expression: exp.Expr) -> tuple[str, str, str | None] | None:
        """Return the alias, the SQL and, where it is one, the column of an expression that reads one table alone."""
        expression = expression.unnest()
        columns = list(expression.find_all(exp.Column))
        owners = {self.owner(column) for column in columns}
        if len(owners) != 1 or (owner := owners.pop()) is None or expression.find(exp.Query, exp.Placeholder):
            return None
        if isinstance(expression, exp.Column):
            name = self.name(expression)
            return (owner, ident(name), name) if name in self.schema[self.found[owner].table] else None
        if expression.find(exp.AggFunc, exp.Window, exp.Star):
            return None

        def bare(node: exp.Expr) -> exp.Expr:
            return exp.column(self.name(node), quoted=True) if isinstance(node, exp.Column) else node

        return owner, expression.copy().transform(bare).sql(dialect="postgres"), None


_MIRRORED = {exp.GT: exp.LT, exp.LT: exp.GT, exp.GTE: exp.LTE, exp.LTE: exp.GTE, exp.EQ: exp.EQ}


def _known(*names: str) -> tuple[type[exp.Expr], ...]:
    """Return those that this sqlglot has: some are newer than the oldest one that is allowed."""
    return tuple(getattr(exp, name) for name in names if hasattr(exp, name))


_INSIDE: tuple[tuple[tuple[type[exp.Expr], ...], Kind], ...] = (
    ((exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpILike, exp.SimilarTo), Kind.LIKE),
    (_known("ArrayContainsAll", "ArrayOverlaps", "ArrayContainedBy"), Kind.CONTAINS),
    (
        _known("JSONBContainsTopKey", "JSONBContains", "JSONBContainsAnyTopKeys", "JSONBContainsAllTopKeys"),
        Kind.KEY,
    ),
)


def _conditions(clause: exp.Expr, names: _Names, *, alone: bool = False) -> None:
    """Take a clause apart at its ANDs; what stands next to an OR is for an index of its own."""
    clause = clause.unnest()
    if isinstance(clause, exp.And | exp.Or):
        for side in (clause.left, clause.right):
            _conditions(side, names, alone=alone or isinstance(clause, exp.Or))
        return
    for alias, condition in _condition(clause, names, alone):
        names.found[alias].conditions.append(condition)


def _condition(one: exp.Expr, names: _Names, alone: bool) -> Iterator[tuple[str, Condition]]:
    if isinstance(one, exp.EQ | exp.GT | exp.GTE | exp.LT | exp.LTE) and not isinstance(one.expression, exp.Boolean):
        yield from _comparison(one, names, alone)
        return
    told = _truth(one) or _searched(one)
    if told and (found := names.key(told[0])):
        alias, sql, column = found
        yield alias, Condition((sql,), told[1], tuple(told[2:]), column, alone, type(one).__name__)


def _truth(one: exp.Expr) -> tuple[Any, ...] | None:
    """Return what is true, false or NULL, and which of them."""
    inner = one.this.unnest() if isinstance(one, exp.Not) else one
    negated = inner is not one or bool(inner.args.get("negate"))
    if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
        return inner.this, Kind.NOT_NULL if negated else Kind.NULL
    if isinstance(inner, exp.Column):
        return inner, Kind.FALSE if negated else Kind.TRUE
    if isinstance(inner, exp.Is | exp.EQ) and isinstance(inner.expression, exp.Boolean) and not negated:
        return inner.this, Kind.TRUE if inner.expression.this else Kind.FALSE
    return None


def _searched(one: exp.Expr) -> tuple[Any, ...] | None:
    """Return what is looked for in a list, between two values, or inside of a value."""
    if isinstance(one, exp.In):
        return (one.this, Kind.JOIN) if one.args.get("query") else (one.this, Kind.EQUAL, *one.expressions)
    if isinstance(one, exp.Between):
        return one.this, Kind.RANGE, one.args["low"], one.args["high"]
    if isinstance(one, exp.MatchAgainst):  # sqlglot has the query on the left
        return one.expressions[0], Kind.CONTAINS, one.this
    for classes, kind in _INSIDE:
        if isinstance(one, classes):
            return one.this, kind, one.expression
    return None


def _comparison(one: exp.Binary, names: _Names, alone: bool) -> Iterator[tuple[str, Condition]]:
    left, right = one.left.unnest(), one.right.unnest()
    if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple) and not isinstance(one, exp.EQ):
        found = [key for item in left.expressions if (key := names.key(item))]
        if found and len({alias for alias, _, _ in found}) == 1 and len(found) == len(left.expressions):
            keys = tuple(sql for _, sql, _ in found)
            values = tuple(right.expressions)
            yield found[0][0], Condition(keys, Kind.RANGE, values, found[0][2], alone, type(one).__name__)
        return
    one_side, other_side = names.key(left), names.key(right)
    for mine, value, other, operator in (
        (one_side, right, other_side, type(one)),
        (other_side, left, one_side, _MIRRORED[type(one)]),
    ):
        if mine is None or (other is not None and other[0] == mine[0]):
            continue
        alias, sql, column = mine
        joins = any(names.owner(found) for found in value.find_all(exp.Column)) or value.find(exp.Query)
        equal = isinstance(one, exp.EQ)
        kind = Kind.EQUAL if equal and not joins else Kind.JOIN if equal else Kind.RANGE
        yield alias, Condition((sql,), kind, () if joins else (value,), column, alone, operator.__name__)


def _keys(names: _Names, keys: Sequence[tuple[exp.Expr, exp.Ordered | None]], *, grouped: bool = False) -> None:
    """What rows are ordered or grouped by, as far as it is of one table from its beginning."""
    owner: str | None = None
    for expression, ordered in keys:
        found = names.key(expression)
        if found is None or owner not in (None, found[0]):
            return
        owner = found[0]
        if grouped:
            names.found[owner].group.append(found[1])
        elif ordered is not None:
            down = bool(ordered.args.get("desc"))
            first = ordered.args.get("nulls_first")
            names.found[owner].order.append(Order(found[1], down, down if first is None else bool(first)))
