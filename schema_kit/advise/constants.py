"""Values that stand for a statement's parameters, from the statistics: frequent ones, rare ones, ends of ranges.

They are values of rows. They go to the scratch server in statements, and nowhere else: no message holds one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from sqlglot import exp

from schema_kit.advise.scratch import Scratch
from schema_kit.advise.statements import SETS, Statement, bound, parameters
from schema_kit.advise.usage import Condition, Kind, Schema, Use, uses
from schema_kit.health.definition import column_of
from schema_kit.names import QualifiedName, literal

_STATISTICS = """
SELECT s.schemaname, s.tablename, s.attname, coalesce(s.most_common_vals::text::text[], '{}'),
       coalesce(s.most_common_freqs, '{}')::float8[], coalesce(s.histogram_bounds::text::text[], '{}'),
       s.null_frac::float8, s.n_distinct::float8, s.avg_width, s.correlation::float8
FROM pg_stats s JOIN pg_class c ON c.oid = format('%I.%I', s.schemaname, s.tablename)::regclass
WHERE s.inherited = (c.relkind = 'p') AND NOT c.relispartition
"""

_COLUMNS = """
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
ORDER BY array_position(current_schemas(false), n.nspname), n.nspname, c.relispartition, c.relname, a.attnum
"""


@dataclass(frozen=True)
class Values:
    """What the statistics tell of a column."""

    common: Sequence[str]
    shares: Sequence[float]
    bounds: Sequence[str]
    null_share: float
    distinct: float
    width: float
    correlation: float

    def share(self, value: str) -> float | None:
        """Return how many of the rows have a value, where it is a frequent one."""
        return dict(zip(self.common, self.shares, strict=False)).get(value)

    def equal(self, nth: int) -> str | None:
        """Return a value to look for: the most frequent one, one that is not, the least frequent one, another."""
        common, bounds = self.common, self.bounds
        picks = [
            common[0] if common else None,
            bounds[len(bounds) // 2] if bounds else None,
            common[-1] if common else None,
            bounds[len(bounds) // 4] if bounds else None,
        ]
        known = [pick for pick in picks if pick is not None]
        return picks[nth % SETS] if picks[nth % SETS] is not None else known[nth % len(known)] if known else None

    def at(self, share: float) -> str | None:
        """Return the value below which a share of the rows is."""
        values = self.bounds or sorted(self.common)
        return values[min(int(share * len(values)), len(values) - 1)] if values else None


Statistics = Mapping[tuple[QualifiedName, str], Values]


def statistics(scratch: Scratch) -> Statistics:
    """Return what is known of each column of a table; of a partitioned one, of the whole."""
    return {(QualifiedName(*row[:2]), row[2]): Values(*row[3:]) for row in scratch.rows(_STATISTICS)}


def schema(scratch: Scratch) -> Schema:
    """Return the tables with their columns, those first that the search_path finds."""
    found = dict[QualifiedName, dict[str, str]]()
    for schema_name, table, column, type_ in scratch.rows(_COLUMNS):
        found.setdefault(QualifiedName(schema_name, table), {})[column] = type_
    return found


def executable(scratch: Scratch, statement: Statement, known: Statistics, tables: Schema) -> tuple[list[str], str]:
    """Return the statement with values, several times with different ones; and why it cannot be planned, if so.

    Values that came with the statement are taken, else those of the statistics.
    """
    texts = list(statement.texts or (statement.text,))
    if parameters(statement.text):
        types, problem = _types(scratch, statement.text)
        if problem:
            return [], problem
        given = [[None if one is None else literal(one) for one in values] for values in statement.sets]
        if not given:
            found = uses(statement.text, tables)
            given = [[_value(nth, place, types, found, known) for place in range(len(types))] for nth in range(SETS)]
        texts = [
            bound(statement.text, [f"{value or 'NULL'}::{type_}" for value, type_ in zip(one, types, strict=True)])
            for one in given
            if len(one) == len(types)
        ]
    can = list[str]()
    problem = "no values for its parameters"
    for text in dict.fromkeys(texts):
        try:
            scratch.rows("EXPLAIN " + text)
        except psycopg.Error as error:
            problem = _why(error)
        else:
            can.append(text)
    return can, "" if can else problem


def _why(error: psycopg.Error) -> str:
    """Without its text, which may hold values."""
    return {
        "42P01": "it names a table that is not there",
        "42703": "it names a column that is not there",
        "42883": "it calls a function or operator that is not there",
        "42601": "it is not complete SQL",
    }.get(error.sqlstate or "", f"PostgreSQL cannot plan it (SQLSTATE {error.sqlstate})")


def _types(scratch: Scratch, text: str) -> tuple[list[str], str]:
    """Return the types of its parameters, as PostgreSQL finds them."""
    try:
        scratch.rows("PREPARE schema_kit AS " + text)
        rows = scratch.rows("SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'schema_kit'")
    except psycopg.Error as error:
        return [], _why(error)
    finally:
        with suppress(psycopg.Error):
            scratch.rows("DEALLOCATE schema_kit")
    return list(rows[0][0]), ""


def _value(nth: int, place: int, types: Sequence[str], found: Sequence[Use], known: Statistics) -> str:
    """Return SQL of a value for a parameter: by what it is compared with, else by its type."""
    type_ = types[place]
    for use in found:
        for condition in use.conditions:
            column = _column(condition, f"p{place + 1}")
            values = known.get((use.table, column)) if column else None
            if values and (value := _compared(nth, f"p{place + 1}", condition, values, type_)) is not None:
                return literal(value)
    return _of_type(nth, type_)


def _column(condition: Condition, place: str) -> str | None:
    """Return the column that a parameter is compared with: of a row, the one at the same place."""
    if len(condition.keys) == 1:
        return condition.column
    at = next((nth for nth, value in enumerate(condition.values) if _is(value, place)), len(condition.keys))
    return column_of(condition.keys[at]) if at < len(condition.keys) else None


def _compared(nth: int, place: str, condition: Condition, known: Values, type_: str) -> str | None:
    for position, value in enumerate(condition.values):
        if not _is(value, place):
            continue
        if condition.kind is Kind.EQUAL:
            some = [one for one in (known.equal(nth), known.equal(nth + 1)) if one is not None]
            return _array(some) if type_.endswith("[]") else some[0] if some else None
        if condition.kind is Kind.RANGE:
            return known.at(_edge(condition.operator, position, nth))
        if condition.kind is Kind.LIKE:
            text = known.equal(nth) or ""
            middle = max(len(text) // 2 - 3, 0)
            return f"%{text[middle : middle + 6].strip('%_')}%"
        if condition.kind is Kind.CONTAINS:
            return _part(known.equal(nth) or known.equal(0), whole=nth % 2 == 0)
    return None


def _is(value: exp.Expr, place: str) -> bool:
    """Return whether a value is a parameter itself, cast or not; what is calculated with one is of another type."""
    while isinstance(value, exp.Cast | exp.Paren | exp.Any):
        value = value.this
    return isinstance(value, exp.Placeholder) and value.name == place


def _array(values: Sequence[str]) -> str:
    quoted = ('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return "{" + ",".join(quoted) + "}"


def _edge(operator: str, position: int, nth: int) -> float:
    """Return where in the order of a column a bound is: most of what is asked is recent, some is not."""
    if operator == "Between":
        return (0.45, 0.9, 0.2, 0.99)[nth % SETS] + (0.05 if position else 0)
    beyond = (0.9, 0.99, 0.5, 0.97)[nth % SETS]
    return beyond if operator in ("GT", "GTE") else 1 - beyond


def _part(document: str | None, *, whole: bool) -> str | None:
    """Return a JSON document, or its first key alone."""
    if document is None or whole:
        return document
    with suppress(ValueError):
        told = json.loads(document)
        if isinstance(told, dict) and told:
            return json.dumps(dict([next(iter(told.items()))]))
    return document


_ROUND = {
    "interval": ("1 day", "1 hour", "30 days", "7 days"),
    "boolean": ("true", "false"),
    "text": ("a", "b"),
    "date": ("today", "yesterday"),
    "jsonb": ("{}",),
    "json": ("{}",),
    "uuid": ("00000000-0000-0000-0000-000000000000",),
}


def _of_type(nth: int, type_: str) -> str:
    """Return a value of a type, where nothing more is known: a LIMIT, an OFFSET, part of an expression."""
    if type_.startswith("timestamp"):
        return ("now()", "now() - interval '1 day'", "now() - interval '30 days'", "now()")[nth % SETS]
    if type_ in ("smallint", "integer", "bigint", "numeric", "real", "double precision"):
        return ("20", "10", "50", "20")[nth % SETS]
    if type_.endswith("[]"):
        return "'{}'"
    some = _ROUND.get(type_.removeprefix("pg_catalog."), ("",))
    one = some[nth % len(some)]
    return f"'{one}'" if one else "NULL"
