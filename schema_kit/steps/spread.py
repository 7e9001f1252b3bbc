"""Batches of rows of tables that Citus distributes: the same rows, in SQL that Citus takes.

LIMIT is a literal there, no function is volatile, no row is locked across shards, and a row has no place of its own: it
is found by its key. What is kept between two batches is written by a statement that names no distributed table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema_kit.model import KeyColumn
from schema_kit.names import ended, ident, idents, literal
from schema_kit.storage import BATCH_PROGRESS

if TYPE_CHECKING:
    from schema_kit.steps.batches import UpdateBatch
    from schema_kit.steps.rows import RemoveRows


TOLD = (
    "pg_catalog.to_char(rows, 'FM999,999,999,999,999') || ' rows, ' "
    "|| pg_catalog.to_char(rows::numeric / spent, 'FM999,999,999,990') || ' rows/s'"
)
"""How many rows have left, and how many in a second."""


def item(kept: str, name: str) -> str:
    """Return what a jsonb has under a name, as text: an operator of a user's may take the name for jsonb."""
    return f"pg_catalog.jsonb_extract_path_text({kept}, {literal(name)})"


def _template(sql: str) -> str:
    """Return SQL in which format() has nothing to replace."""
    return sql.replace("%", "%%")


def _given(key: tuple[KeyColumn, ...]) -> list[str]:
    """Return the values of a key that format() is given first, as literals of their types."""
    return [f"%{place}$L::{column.type}" for place, column in enumerate(key, 1)]


def _beyond(key: tuple[KeyColumn, ...], values: list[str], sign: str) -> str:
    """Return whether a row's key lies beyond another one: > or, up to it, <=."""
    if len({column.operator(sign) for column in key}) == 1:
        own = idents(tuple(column.name for column in key))
        return f"({own}) {key[0].operator(sign)} ({', '.join(values)})"
    strict = key[0].operator(sign[0])
    if len(key) == 1:
        return f"{ident(key[0].name)} {key[0].operator(sign)} {values[0]}"
    later = _beyond(key[1:], values[1:], sign)
    first = ident(key[0].name)
    return f"({first} {strict} {values[0]} OR {first} {key[0].operator('=')} {values[0]} AND {later})"


def update_sql(step: UpdateBatch, kept: list[str], smallest: int, largest: int) -> tuple[str, ...]:
    """Return the next rows in the order of the primary key, then how far that is: two statements, one commit.

    Args:
        step: the update.
        kept: the key's columns as JSON takes them.
        smallest: rows of a batch, at least.
        largest: rows of a batch, at most.
    """
    change, table = step.change, step.change.table.sql
    order = ", ".join(ident(column.name) for column in step.key)
    due = f"({ended(change.where)}) IS TRUE" if change.where else "true"
    where = f" AND ({ended(change.where)})" if change.where else ""
    count = len(step.key)
    last = _given(step.key)
    upper = [f"%{count + place}$L::{column.type}" for place, column in enumerate(step.key, 1)]
    seen = (
        "SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE schema_kit_due), "
        f"pg_catalog.jsonb_agg(schema_kit_key ORDER BY {order}) -> -1 FROM (SELECT {order}, "
        f"pg_catalog.jsonb_build_array({', '.join(kept)}) AS schema_kit_key, {due} AS schema_kit_due "
        f"FROM {table} WHERE "
    )
    window = f" ORDER BY {order} LIMIT %{count + 1}$s) AS schema_kit_rows"
    set_from = f"WITH schema_kit_changed AS (UPDATE {table} SET {_template(change.set_clause)} WHERE "
    set_to = (
        f"{_beyond(step.key, upper, '<=')}{_template(where)} RETURNING {_template(due)} AS stays) "
        "SELECT pg_catalog.count(*), coalesce(pg_catalog.bool_or(stays), false) FROM schema_kit_changed"
    )
    values = ", ".join(f"at.last_key ->> {place}" for place in range(count))
    ends = ", ".join(f"reached ->> {place}" for place in range(count))
    both = {
        "seen": [_template(seen) + begin + window for begin in ("true", _beyond(step.key, last, ">"))],
        "set": [set_from + begin + set_to for begin in ("", f"{_beyond(step.key, last, '>')} AND ")],
    }
    body = f"""DECLARE at record; seen bigint; due bigint; reached jsonb; changed bigint := 0; stays boolean := false;
BEGIN
  SELECT last_key, batch_size INTO at FROM {BATCH_PROGRESS.sql}
  WHERE name = {literal(step.name)} AND ended_at IS NULL AND finished_at IS NULL FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  EXECUTE pg_catalog.format(CASE WHEN at.last_key IS NULL THEN {literal(both["seen"][0])}
    ELSE {literal(both["seen"][1])} END,
                 {values}, at.batch_size) INTO seen, due, reached;
  IF due > 0 THEN
    EXECUTE pg_catalog.format(CASE WHEN at.last_key IS NULL THEN {literal(both["set"][0])}
      ELSE {literal(both["set"][1])} END,
                   {values}, {ends}) INTO changed, stays;
  END IF;
  PERFORM pg_catalog.set_config('schema_kit.batch', pg_catalog.jsonb_build_object(
    'seen', seen, 'due', due, 'reached', reached, 'changed', changed, 'stays', stays)::text, true);
END"""
    factor = (
        f"least(2, greatest(0.5, {step.target_seconds!r} / greatest(extract(epoch FROM pg_catalog.clock_timestamp() - "
        "pg_catalog.transaction_timestamp()), 0.000001)))"
    )
    return (
        "SELECT pg_catalog.set_config('schema_kit.batch', '', true)",
        f"DO {literal(body)}",
        f"""UPDATE {BATCH_PROGRESS.sql} AS p SET
  last_key = coalesce(pg_catalog.jsonb_extract_path(b.batch, 'reached'), p.last_key),
  rows_seen = p.rows_seen + {item("b.batch", "seen")}::bigint,
  rows_changed = p.rows_changed + {item("b.batch", "changed")}::bigint,
  batch_size = least({largest}, greatest({smallest}, pg_catalog.round(p.batch_size::numeric * {factor}))),
  batch_at = pg_catalog.clock_timestamp(),
  missed = p.missed + greatest({item("b.batch", "due")}::bigint - {item("b.batch", "changed")}::bigint, 0),
  stays = p.stays OR {item("b.batch", "stays")}::boolean,
  ended_at = CASE WHEN {item("b.batch", "seen")}::bigint < p.batch_size THEN pg_catalog.clock_timestamp() END
FROM (SELECT nullif(pg_catalog.current_setting('schema_kit.batch'), '')::jsonb AS batch) AS b
WHERE p.name = {literal(step.name)} AND b.batch IS NOT NULL""",
    )


def remove_sql(step: RemoveRows, mark: str, run: str, smallest: int, largest: int) -> tuple[str, ...]:
    """Return the next rows that are due, deleted and, where they are archived, inserted there by one statement.

    A row that is changed meanwhile is waited for, and stays where it is not due any more.

    Args:
        step: which rows; nothing that refers to them is looked at.
        mark: what marks this run's batches among others of the session.
        run: SQL of what the session keeps of its run.
        smallest: rows of a batch, at least.
        largest: rows of a batch, at most.
    """
    where, table = f"({ended(step.due.where)})", step.table.sql
    key = idents(tuple(column.name for column in step.key))
    order = ", ".join(ident(column.name) for column in step.due.order)
    next_rows = f"SELECT {key} FROM {table} WHERE {where} ORDER BY {order} LIMIT "
    delete = f"DELETE FROM {table} WHERE ({key}) IN ({next_rows}"
    behind = f") AND {where}"
    if step.archive:
        to, columns = step.archive, idents(step.archive.columns)
        stamp = (f", {ident(to.archived_at)}", ", pg_catalog.now()") if to.archived_at else ("", "")
        delete = f"WITH schema_kit_gone AS ({delete}"
        behind += (
            f" RETURNING {columns}) INSERT INTO {to.table.sql} ({columns}{stamp[0]}) OVERRIDING SYSTEM VALUE "
            f"SELECT {columns}{stamp[1]} FROM schema_kit_gone"
        )
    command = literal(_template(delete) + "%s" + _template(behind))
    body = f"""DECLARE run jsonb := {run}; size int; gone bigint; took numeric;
BEGIN
  IF {item("run", "step")} IS DISTINCT FROM {literal(mark)} THEN run := '{{}}'; END IF;
  size := coalesce({item("run", "size")}::int, {step.pace.batch_size});
  EXECUTE pg_catalog.format({command}, size);
  GET DIAGNOSTICS gone = ROW_COUNT;
  took := greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp()), 0.000001);
  PERFORM pg_catalog.set_config('schema_kit.run', pg_catalog.jsonb_build_object(
    'step', {literal(mark)}, 'at', pg_catalog.clock_timestamp(), 'gone', gone,
    'began', coalesce(pg_catalog.jsonb_extract_path(run, 'began'),
                      pg_catalog.to_jsonb(pg_catalog.transaction_timestamp())),
    'rows', coalesce({item("run", "rows")}::bigint, 0) + gone,
    'size', least({largest}, greatest({smallest}, pg_catalog.round(size::numeric * least(2, greatest(0.5,
              {step.pace.target_seconds!r} / took))))))::text, false);
END"""
    return (
        f"DO {literal(body)}",
        f"""SELECT {TOLD}, NULL::float8
FROM (SELECT {run}) AS kept (run), LATERAL (
  SELECT {item("run", "rows")}::bigint,
         greatest(extract(epoch FROM pg_catalog.clock_timestamp() - {item("run", "began")}::timestamptz), 0.001)
) AS far (rows, spent) WHERE {item("run", "gone")}::bigint > 0""",
    )
