"""Commits that make cold archives, and that take partitions to another server and back.

The server commits by itself, first: what it has and no partition here shows is a copy, which is made again or dropped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from schema_kit.fingerprints.snapshots import older_sql
from schema_kit.fingerprints.stamps import OVERTAKEN
from schema_kit.marks import ARCHIVE_MARK
from schema_kit.model import ColdArchive, ColdColumn, ColdMove, Property, Table
from schema_kit.names import QualifiedName, asking_sql, ident, literal, within
from schema_kit.steps.archives import Route, moved_sql
from schema_kit.steps.dependents import access_sql
from schema_kit.steps.files import TEXTS
from schema_kit.steps.partitions import for_values
from schema_kit.steps.step import Lock, LockMode, SharedStep, Step, exclusive, refuse_sql
from schema_kit.storage import ARCHIVED_PARTITION, COLD_ARCHIVE, COLD_PARTITION

_TRIES = 20
"""For the locks of a swap, once rows are compared: they would have to be compared again."""

ANSWERS = 60_000
"""Milliseconds within which the server answers what takes it no time, or the step ends (57014): it may be stopped."""

_ROWS = "200"
"""Sent and read at a time: so many are in memory."""

CLUSTER = (
    "(SELECT pg_catalog.concat_ws('/', s.system_identifier, d.oid) FROM pg_catalog.pg_control_system() s, "
    "pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())"
)
"""SQL: what distinguishes this database from a clone of it."""


@dataclass(frozen=True)
class CreateColdArchive(SharedStep):
    """A partitioned table for foreign partitions, and its row in cold_archive.

    Args:
        declared: what it is called, and where its partitions are.
        table: the table whose grants and policies it gets.
        control: its partition key.
        columns: its columns; it has no keys, defaults and checks, which foreign tables do not keep.
    """

    says = "create {self.declared.cold}, for partitions on server {self.declared.server}"

    declared: ColdArchive
    table: Table
    control: str
    columns: tuple[ColdColumn, ...]

    def sql(self) -> tuple[str, ...]:
        """The roles that can read the table can read it."""
        one, cold = self.declared, self.declared.cold.sql
        columns = ", ".join(column.here for column in self.columns)
        values = {
            "table_name": literal(str(one.table)),
            "archive_table": literal(str(one.archive)),
            "cold_table": literal(str(one.cold)),
            "server_name": literal(one.server),
            "remote_schema": literal(one.remote_schema),
            "view_name": literal(str(one.view)) if one.view else "NULL",
            "cluster": CLUSTER,
        }
        return (
            f"CREATE TABLE {cold} ({columns}) PARTITION BY RANGE ({ident(self.control)})",
            *((f"ALTER TABLE {cold} OWNER TO {ident(self.table.owner)}",) if self.table.owner else ()),
            *(f"REVOKE ALL ON {cold} FROM {grantee}" for grantee in self.table.default_grantees),
            *access_sql(self.table, one.cold),
            f"COMMENT ON TABLE {cold} IS {literal(f'{ARCHIVE_MARK}{self.table.name} for server {one.server}')}",
            f"INSERT INTO {COLD_ARCHIVE.sql} ({', '.join(values)}) VALUES ({', '.join(values.values())})",
        )


@dataclass(frozen=True)
class DropColdArchive(SharedStep):
    """DROP TABLE of a cold archive without partitions, and its row."""

    says = "drop {self.cold}"

    cold: QualifiedName

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Readers wait, briefly."""
        return exclusive((self.cold,))

    def sql(self) -> tuple[str, ...]:
        """Looked at once more under the lock."""
        children = f"SELECT 1 FROM pg_catalog.pg_inherits WHERE inhparent = {literal(self.cold.sql)}::regclass"
        message = f"{self.cold} has partitions by now"
        return (
            f"LOCK TABLE ONLY {self.cold.sql} IN ACCESS EXCLUSIVE MODE",
            refuse_sql(f"EXISTS ({children})", "object_in_use", message),
            f"DELETE FROM {COLD_ARCHIVE.sql} WHERE cold_table = {literal(str(self.cold))}",
            f"DROP TABLE {self.cold.sql}",
        )


def _row(move: ColdMove) -> str:
    return f"partition_name = {literal(str(move.name))}"


def _summed(move: ColdMove, table: QualifiedName, into: str = "", columns: tuple[str, ...] = ()) -> str:
    """Return a SELECT of the number of rows and their checksum; values are compared as this server prints them."""
    row = ", ".join(f"own.{ident(name)}" for name in columns or (column.name for column in move.columns))
    total = f"coalesce(pg_catalog.sum(pg_catalog.hashtextextended(ROW({row})::text, 0)::numeric), 0)"
    return f"SELECT pg_catalog.count(*), {total}{f' INTO {into}' if into else ''} FROM {table.sql} own"


def soon(*statements: str) -> tuple[str, ...]:
    """Return statements that the server is to answer soon; what reads rows has no such limit."""
    return (f"SET LOCAL statement_timeout = {ANSWERS}", *statements, "SET LOCAL statement_timeout = 0")


def _raise(state: str, message: str) -> str:
    return f"RAISE {state} USING MESSAGE = {message}"


def _copied_sql(move: ColdMove, source: QualifiedName, target: QualifiedName, generated: bool = True) -> str:
    columns = ", ".join(ident(column.name) for column in move.columns if generated or not column.generated)
    return f"INSERT INTO {target.sql} ({columns}) SELECT {columns} FROM {source.sql}"


@dataclass(frozen=True)
class PrepareCold(Step):
    """The foreign table for a partition that is about to go, and the row that says so; the server is not asked yet."""

    says = "record that {self.move.name} goes to server {self.move.remote.server}"

    move: ColdMove

    def sql(self) -> tuple[str, ...]:
        """It is a partition of nothing yet."""
        move, remote = self.move, self.move.remote
        columns = ", ".join(column.here for column in move.columns)
        options = {
            "schema_name": remote.name.schema,
            "table_name": remote.name.name,
            "fetch_size": _ROWS,
            "batch_size": _ROWS,
        }
        values = (move.name, move.foreign, remote.name.name, for_values(move.lower, move.upper))
        return (
            f"CREATE FOREIGN TABLE {move.foreign.sql} ({columns}) SERVER {ident(remote.server)} "
            f"OPTIONS ({', '.join(f'{name} {literal(value)}' for name, value in options.items())})",
            f"INSERT INTO {COLD_PARTITION.sql} (partition_name, foreign_table, remote_table, bounds, table_name) "
            f"SELECT {', '.join(literal(str(value)) for value in values)}, table_name FROM {COLD_ARCHIVE.sql} "
            f"WHERE cold_table = {literal(str(move.cold))}",
        )


_SNAPSHOT = (("transaction_isolation", "repeatable read"), *TEXTS)


@dataclass(frozen=True)
class CopyToCold(Step):
    """All rows of a partition are inserted into a table on the server, which is made for it.

    One transaction of the server's: where it fails, by a full disk, say, the server frees what it has taken.
    """

    may_block = True  # no session knows the table on the server
    reads_rows = True
    counted = -2
    settings = _SNAPSHOT
    left_behind = "Nothing has changed here; a table on the server may be left, which the next run uses."
    says = "copy {self.move.name} to {self.move.remote.name} on server {self.move.remote.server}"

    move: ColdMove

    @property
    def locks(self) -> tuple[Lock, ...]:
        """No session uses the foreign table yet."""
        return exclusive((self.move.foreign,))

    def sql(self) -> tuple[str, ...]:
        """A table of an earlier try, known by its comment, is made again; any other one is refused."""
        move, remote = self.move, self.move.remote
        columns = ", ".join(column.there for column in move.columns)
        own = f"pg_catalog.to_regclass({literal(remote.name.sql)})"
        taken = literal(f"{remote.name} exists on server {remote.server} and is not a copy of {move.name}")
        body = (
            f"BEGIN IF {own} IS NOT NULL AND pg_catalog.obj_description({own}, 'pg_class') IS DISTINCT FROM "
            f"{literal(remote.mark)} THEN {_raise('duplicate_table', taken)}; END IF; "
            f"DROP TABLE IF EXISTS {remote.name.sql}; CREATE TABLE {remote.name.sql} ({columns}); "
            f"COMMENT ON TABLE {remote.name.sql} IS {literal(remote.mark)}; END"
        )
        return (
            # TRUNCATE: so that the files of a failed copy go at once.
            *soon(remote.send(f"DO {literal(body)}"), f"TRUNCATE {move.foreign.sql}"),
            _copied_sql(move, move.name, move.foreign),
            f"UPDATE {COLD_PARTITION.sql} SET copied_at = pg_catalog.clock_timestamp(), (row_count, checksum) = "
            f"({_summed(move, move.name)}) WHERE {_row(move)}",
        )


def _same_columns_sql(move: ColdMove) -> str:
    """Raises OVERTAKEN where a column came since the rows were copied: it would be dropped with them."""
    known = ", ".join(literal(column.name) for column in move.columns)
    there = (
        f"SELECT attname::text FROM pg_attribute WHERE attrelid = {literal(move.name.sql)}::regclass AND attnum > 0 "
        "AND NOT attisdropped"
    )
    message = literal(f"{move.name} has other columns than those that were copied")
    other = f"RAISE EXCEPTION USING ERRCODE = '{OVERTAKEN}', MESSAGE = {message}"
    return asking_sql(f"IF NOT ARRAY({there}) <@ ARRAY[{known}] THEN {other}; END IF;")


def _swap_sql(move: ColdMove, taken: tuple[str, ...], *swap: str) -> str:
    """Compare the rows here with those there; then take the locks, each try within the budget; then swap.

    Where rows differ, since they were written meanwhile, that is committed instead, and they are copied again.
    """
    differs = (
        "pg_catalog.format('%s has %s rows, checksum %s; %s on server %s has %s rows, checksum %s', "
        f"{literal(str(move.name))}, rows_here, sum_here, {literal(str(move.remote.name))}, "
        f"{literal(move.remote.server)}, rows_there, sum_there)"
    )
    locks = "; ".join(taken)
    return f"""DECLARE rows_here bigint; sum_here numeric; rows_there bigint; sum_there numeric; wait float;
BEGIN
  {_summed(move, move.name, "rows_here, sum_here")};
  {_summed(move, move.foreign, "rows_there, sum_there")};
  IF (rows_here, sum_here) IS DISTINCT FROM (rows_there, sum_there) THEN
    UPDATE {COLD_PARTITION.sql} SET copied_at = NULL, differs = {differs} WHERE {_row(move)};
    RETURN;
  END IF;
  wait := extract(epoch FROM pg_catalog.current_setting('lock_timeout')::interval);
  PERFORM pg_catalog.set_config('lock_timeout', greatest(1.0::float, wait / {
        len(taken) / 1000
    }::float)::int::text, true);
  FOR attempt IN 1..{_TRIES} LOOP
    BEGIN
      {locks};
      EXIT;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      IF attempt = {_TRIES} THEN RAISE; END IF;
      PERFORM pg_catalog.pg_sleep(wait / {len(taken)}.0::float * (1.0::float + pg_catalog.random()));
    END;
  END LOOP;
  {
        '''
  '''.join(f"{statement};" for statement in swap)
    }
END"""


class _Swap(Step):
    """What two tables with the same rows need to change places: they are compared first."""

    may_block = True
    reads_rows = True
    decide_again = True
    throttled = True
    locks_late = True

    move: ColdMove

    @property
    def diagnosis(self) -> str:
        """How the copy differed last."""
        return f"SELECT differs FROM {COLD_PARTITION.sql} WHERE {_row(self.move)} AND differs IS NOT NULL"


@dataclass(frozen=True)
class SwapToCold(_Swap):
    """The foreign table takes the place of the partition, once both hold the same rows; the partition goes.

    Writers of the archive wait while rows are compared; readers, at its end, within the lock budget.

    Args:
        move: the partition.
        own: what it has of its own, and the foreign table has not.
    """

    settings = TEXTS
    says = (
        "compare {self.move.name} with its copy on server {self.move.remote.server}, and swap: drop it, attach "
        "{self.move.foreign} to {self.move.cold}"
    )

    move: ColdMove
    own: tuple[Property, ...] = ()

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Readers of either wait, briefly; readers of the cold table may have a snapshot from before the copy."""
        move = self.move
        return exclusive((move.archive, move.name, move.cold, move.foreign))

    @property
    def pressure(self) -> str:
        """Transactions on the server that are older than the copy would not see it."""
        age = f"SELECT age(own.xmin) FROM {self.move.remote.name.sql} own LIMIT 1"
        return f"SELECT there.why FROM {self.move.remote.ask(older_sql(age), 'why text')}"

    @property
    def _described(self) -> str:
        told = json.dumps([[one.object, one.property, one.text] for one in self.own])
        return f", own = {literal(told)}" if self.own else ""

    def sql(self) -> tuple[str, ...]:
        """First the server writes all to its disk, whatever its synchronous_commit says; no session waits for that."""
        move, remote = self.move, self.move.remote
        body = _swap_sql(
            move,
            tuple(
                f"LOCK TABLE ONLY {name.sql} IN ACCESS EXCLUSIVE MODE" for name in (move.archive, move.name, move.cold)
            ),
            f"DROP TABLE {move.name.sql}",
            f"ALTER FOREIGN TABLE {move.foreign.sql} OPTIONS (ADD updatable 'false', ADD truncatable 'false')",
            f"ALTER TABLE {move.cold.sql} ATTACH PARTITION {move.foreign.sql} {for_values(move.lower, move.upper)}",
            f"UPDATE {COLD_PARTITION.sql} SET moved_at = pg_catalog.now(), copied_at = NULL, differs = NULL, "
            f"row_count = rows_here, checksum = sum_here{self._described} WHERE {_row(move)}",
            f"DELETE FROM {ARCHIVED_PARTITION.sql} WHERE {_row(move)}",
        )
        mark = f"COMMENT ON TABLE {remote.name.sql} IS {literal(remote.mark)}"
        return (
            *soon(remote.send("SET synchronous_commit = 'on'", mark)),
            f"LOCK TABLE ONLY {move.archive.sql}, ONLY {move.name.sql} IN SHARE MODE",
            _same_columns_sql(move),
            f"DO {literal(body)}",
        )


@dataclass(frozen=True)
class CopyFromCold(Step):
    """All rows of a partition on the server are inserted into a table here, which is made for it.

    Args:
        move: the partition.
        owner: whose the table becomes; None: the current role.
        replaces: it exists from an earlier try, and differs.
        summed: the columns that the checksum of what went there is of; empty: all.
    """

    may_block = True  # no session knows the table yet
    reads_rows = True
    counted = -4
    settings = _SNAPSHOT
    left_behind = "Nothing has changed here."
    says = "copy {self.move.name} back from server {self.move.remote.server}"

    move: ColdMove
    owner: str | None = None
    replaces: bool = False
    summed: tuple[str, ...] = ()

    def sql(self) -> tuple[str, ...]:
        """It exists with the rows that went to the server, or not at all."""
        move, remote = self.move, self.move.remote
        name = move.name.sql
        active = f"SELECT pg_catalog.row_security_active({literal(remote.name.sql)})"
        hidden = literal(f"row security on server {remote.server} hides rows of {remote.name}: switch it off there")
        went = (
            f"SELECT 1 FROM {COLD_PARTITION.sql} WHERE {_row(move)} AND (coalesce(row_count, rows_here), "
            "coalesce(checksum, sum_here)) IS DISTINCT FROM (rows_here, sum_here)"
        )
        if self.summed:
            went = (
                f"SELECT 1 FROM {COLD_PARTITION.sql}, ({_summed(move, move.name, columns=self.summed)}) had (n, total) "
                f"WHERE {_row(move)} AND (coalesce(row_count, n), coalesce(checksum, total)) IS DISTINCT FROM "
                "(n, total)"
            )
        other = literal(
            f"the rows of {remote.name} on server {remote.server} are not those that went there. Where they were "
            f"changed there on purpose: UPDATE {COLD_PARTITION.sql} SET row_count = NULL, checksum = NULL WHERE "
            f"{_row(move)}"
        )
        body = f"""DECLARE rows_here bigint; sum_here numeric; rows_there bigint; sum_there numeric;
BEGIN
  IF (SELECT there.active FROM {remote.ask(active, "active boolean")}) THEN
    {_raise("object_in_use", hidden)};
  END IF;
  {_summed(move, move.name, "rows_here, sum_here")};
  {_summed(move, move.foreign, "rows_there, sum_there")};
  IF (rows_here, sum_here) IS DISTINCT FROM (rows_there, sum_there)
     OR EXISTS ({went}) THEN
    {_raise("data_corrupted", other)};
  END IF;
END"""
        return (
            *soon(remote.answers),
            *((f"DROP TABLE {name}",) if self.replaces else ()),
            f"CREATE TABLE {name} (LIKE {move.archive.sql} INCLUDING ALL)",
            *((f"ALTER TABLE {name} OWNER TO {ident(self.owner)}",) if self.owner else ()),
            _copied_sql(move, move.foreign, move.name, generated=False),
            f"ALTER TABLE {name} ADD CHECK ({within(ident(move.control), move.lower, move.upper)})",
            f"DO {literal(body)}",
            f"UPDATE {COLD_PARTITION.sql} SET returns = true, copied_at = pg_catalog.clock_timestamp(), differs = NULL "
            f"WHERE {_row(move)}",
        )


@dataclass(frozen=True)
class SwapFromCold(_Swap):
    """The partition takes the place of the foreign table again, once both hold the same rows."""

    # It is on this disk before the server drops its rows.
    settings = (("synchronous_commit", "on"), *TEXTS)
    says = (
        "compare {self.move.name} with server {self.move.remote.server}, and swap: detach {self.move.foreign}, attach "
        "{self.move.name} to {self.move.archive}"
    )

    move: ColdMove
    table: QualifiedName
    default: QualifiedName | None = None

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Readers of the cold table wait, briefly."""
        move = self.move
        default = (self.default,) if self.default else ()
        return (
            *exclusive((move.cold, move.foreign, move.name, *default)),
            Lock(LockMode.SHARE_ROW_EXCLUSIVE, move.archive),
        )

    @property
    def pressure(self) -> str:
        """Transactions that are older than the copy would not see it."""
        return older_sql(f"SELECT age(own.xmin) FROM {COLD_PARTITION.sql} own WHERE own.{_row(self.move)}")

    def sql(self) -> tuple[str, ...]:
        """The table on the server goes later."""
        move, bounds = self.move, for_values(self.move.lower, self.move.upper)
        body = _swap_sql(
            move,
            (
                f"LOCK TABLE ONLY {move.cold.sql}, ONLY {move.name.sql} IN ACCESS EXCLUSIVE MODE",
                f"LOCK TABLE ONLY {move.archive.sql} IN SHARE ROW EXCLUSIVE MODE",
            ),
            f"ALTER TABLE {move.cold.sql} DETACH PARTITION {move.foreign.sql}",
            f"ALTER TABLE {move.archive.sql} ATTACH PARTITION {move.name.sql} {bounds}",
            f"UPDATE {COLD_PARTITION.sql} SET moved_at = NULL, differs = NULL WHERE {_row(move)}",
            moved_sql(Route(self.table, move.archive, move.archive), move.name, bounds, "pg_catalog.now()"),
        )
        return (
            *soon(move.remote.answers),
            f"LOCK TABLE ONLY {move.cold.sql}, ONLY {move.name.sql} IN SHARE MODE",
            f"DO {literal(body)}",
        )


@dataclass(frozen=True)
class DropCopy(Step):
    """The table on the server that no partition shows goes, with the foreign table and the row of it."""

    says = "drop {self.move.remote.name} on server {self.move.remote.server}: {self.why}"

    move: ColdMove
    why: str

    @property
    def locks(self) -> tuple[Lock, ...]:
        """No session uses the foreign table."""
        return exclusive((self.move.foreign,))

    def sql(self) -> tuple[str, ...]:
        """The server commits first; where this fails then, the next run finds nothing there, and resumes."""
        move, remote = self.move, self.move.remote
        children = (
            f"SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = pg_catalog.to_regclass({literal(move.foreign.sql)})"
        )
        message = f"{move.foreign} is a partition by now"
        own = f"pg_catalog.to_regclass({literal(remote.name.sql)})"
        there = (
            f"BEGIN IF pg_catalog.obj_description({own}, 'pg_class') = {literal(remote.mark)} THEN "
            f"DROP TABLE {remote.name.sql}; END IF; END"
        )
        return (
            f"LOCK TABLE ONLY {move.cold.sql} IN ROW EXCLUSIVE MODE",
            refuse_sql(f"EXISTS ({children})", "object_in_use", message),
            f"DROP FOREIGN TABLE IF EXISTS {move.foreign.sql}",
            f"DELETE FROM {COLD_PARTITION.sql} WHERE {_row(move)}",
            remote.send(f"DO {literal(there)}"),
        )
