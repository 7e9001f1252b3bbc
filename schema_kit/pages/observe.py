"""Read what a report shows: catalog, statistics and our own tables, each statement under a timeout; write nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit import execute
from schema_kit.catalog import Catalog, disk, sizes
from schema_kit.catalog.drivers import sqlstate
from schema_kit.catalog.session import at_most, observing, rows
from schema_kit.catalog.status import batches_under_way
from schema_kit.errors import SchemaKitError
from schema_kit.files import manifest
from schema_kit.health import checks, observe, snapshots
from schema_kit.health.facts import Observed, Relation
from schema_kit.health.statements import EXTENSION, MISSING
from schema_kit.model import ArchiveFile, ArchivePolicy, Moved
from schema_kit.names import QualifiedName, ident
from schema_kit.normalized import normalized
from schema_kit.pages.facts import Disk, Event, Period, Seen, Statement, Upkeep
from schema_kit.pages.growth import Sample
from schema_kit.plans.check import Examined, Finding
from schema_kit.plans.timeline import Timeline, timeline
from schema_kit.storage import BATCH_PROGRESS, COPY_RUN, HEALTH_IGNORED, HEALTH_SNAPSHOT

TIMEOUT = "30s"

_REFUSED = frozenset({"42501", "55000", "55P03", "57014"})
"""A privilege, what a standby or the server's settings do not allow, a lock, the timeout."""

_SERVER = """
SELECT current_database()::text, current_setting('server_version'), pg_is_in_recovery(),
       pg_database_size(current_database())
"""

# Older snapshots have no sizes, and the table of an older version not even the column.
_SAMPLES = f"""
SELECT s.taken_at, to_jsonb(s) -> 'sizes' FROM {HEALTH_SNAPSHOT.sql} s
WHERE s.server = '' AND s.taken_at < %(now)s ORDER BY s.taken_at DESC LIMIT 400
"""

# What only some versions have is taken by name from the row as JSON.
_STATEMENTS = r"""
WITH counted AS (
  SELECT s.query, sum(s.calls)::bigint AS calls, sum((r ->> 'total_exec_time')::float8) / 1000 AS seconds,
         sum((r ->> 'total_exec_time')::float8) / greatest(sum(s.calls), 1) AS mean,
         max((r ->> 'max_exec_time')::float8) AS longest
  FROM {schema}.pg_stat_statements s, to_jsonb(s) r
  WHERE s.dbid = (SELECT o.oid FROM pg_database o WHERE o.datname = current_database())
    AND s.query <> '<insufficient privilege>' AND s.calls > 0
    AND s.query !~ '\mpg_(catalog|class|namespace|stat|settings|database|extension|locks|index|attribute|proc|type)'
  GROUP BY s.query
), ranked AS (
  SELECT c.*, greatest(sum(c.seconds) OVER (), 1e-9) AS whole, rank() OVER (ORDER BY c.seconds DESC) AS by_time,
         rank() OVER (ORDER BY c.calls > 1 DESC, c.mean DESC) AS by_mean
  FROM counted c
)
SELECT left(k.query, 4000), k.calls, k.seconds, k.seconds / k.whole, k.mean, k.longest FROM ranked k
WHERE k.by_time <= 20 OR k.by_mean <= 20 ORDER BY k.seconds DESC
"""

_HIDDEN = "SELECT count(*) FROM {schema}.pg_stat_statements s WHERE s.query = '<insufficient privilege>'"
_RESET = "SELECT i.stats_reset FROM {schema}.pg_stat_statements_info i"

_COPIES = f"""
SELECT c.finished_at, c.source_table, c.purpose FROM {COPY_RUN.sql} c WHERE c.finished_at >= %(begin)s
"""

_BATCHES = f"""
SELECT b.finished_at, b.table_name, b.name, b.rows_changed FROM {BATCH_PROGRESS.sql} b WHERE b.finished_at >= %(begin)s
"""

_IGNORED = f"SELECT i.since, i.table_name, i.code, i.reason FROM {HEALTH_IGNORED.sql} i WHERE i.since >= %(begin)s"

_UPKEEP = """
SELECT count(*) FILTER (WHERE greatest(s.last_vacuum, s.last_autovacuum) >= %(begin)s),
       count(*) FILTER (WHERE greatest(s.last_analyze, s.last_autoanalyze) >= %(begin)s), count(*)
FROM pg_stat_user_tables s
"""

# Of databases without CONNECT for the role, only members of pg_read_all_stats are given the size.
_TAKEN = """
SELECT coalesce(sum(pg_database_size(d.oid)), 0)::bigint,
       (SELECT count(*) FROM pg_database) - count(*),
       has_function_privilege('pg_ls_waldir()', 'EXECUTE')
FROM pg_database d
WHERE has_database_privilege(d.oid, 'CONNECT') OR pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
"""

Found = TypeVar("Found")


def read(
    connection: Connection,
    catalog: Catalog,
    period: Period,
    checked: Callable[[], tuple[list[Examined], list[Finding]]],
    total: int = 0,
) -> Seen:
    """Look at a database; what cannot be seen is said in `notes`.

    Locks: ACCESS SHARE on each table briefly, to ask for its size. Each statement takes 30 seconds at most.

    Args:
        connection: in autocommit; of a member of pg_monitor that can read our own tables, or a role that sees less.
        catalog: the same, with the moment that stands for now.
        period: what is compared.
        checked: what `schema_kit partitions check` finds.
        total: bytes of the server's disk; 0: looked for where the server is on this machine.
    """
    with at_most(TIMEOUT):
        return _Look(connection, catalog, period).all(checked, total)


class _Look:
    """One look at a database, that collects what could not be seen."""

    def __init__(self, connection: Connection, catalog: Catalog, period: Period) -> None:
        self._connection, self._catalog, self._period = connection, catalog, period
        self._notes = list[str]()
        self._unseen = defaultdict[str, list[str]](list)
        """Why something was not seen, and what."""
        self._begin = catalog.now() - period.length

    def all(self, checked: Callable[[], tuple[list[Examined], list[Finding]]], total: int) -> Seen:
        """Read everything that a report shows."""
        now = self._catalog.now()
        ((database, server, standby, size),) = self._rows(_SERVER)
        _, found = self._ask("what partitions check finds", checked) or ([], [])
        seen = self._ask("tables and their indexes", lambda: observe.read(self._connection, now)) or Observed()
        self._notes += [note for note in seen.notes if note != MISSING]  # the page has a section for it
        seen = self._ask("since when indexes are not used", lambda: self._windowed(seen, now)) or seen
        reasons = {one.key for one in self._ask("which findings are ignored", self._catalog.ignored_findings) or ()}
        health = checks.examine(seen)
        told = Seen(
            now,
            self._period,
            database,
            server,
            standby,
            size,
            self._ask("how big tables are", lambda: sizes.read(self._connection, TIMEOUT)) or {},
            self._samples(now),
            self._ask("which partitions there are", self._sets) or (),
            {name: relation.root for name, relation in seen.by_name.items() if relation.partition},
            found,
            [one for one in health if one.key not in reasons],
            sum(one.key in reasons for one in health),
            _read_whole(seen),
            seen.server.since,
            disk=self._ask("how full the disk is", lambda: self._disk(total)),
        )
        told = self._statements(self._work(told))
        unseen = (f"{', '.join(what)}: {why}" for why, what in self._unseen.items())
        return replace(told, notes=(*self._notes, *unseen))

    def _rows(self, sql: str, **values: Any) -> list[Any]:
        with observing(self._connection):
            return rows(self._connection, sql, values or None)

    def _ask(self, what: str, ask: Callable[[], Found]) -> Found | None:
        """Return what a question gives; None where the role lacks a privilege, or time runs out, which is noted."""
        try:
            return ask()
        except SchemaKitError as error:
            why = str(error)
        except DBAPIError as error:
            if sqlstate(error) not in _REFUSED:
                raise
            why = str(error.orig).splitlines()[0]
        self._unseen[why].append(what)
        return None

    def _of_ours(self, table: QualifiedName, what: str, sql: str, **values: Any) -> list[Any]:
        """Return rows of one of our own tables; none where it is not there, or cannot be read, which is noted."""

        def ask() -> list[Any]:
            there = self._rows("SELECT to_regclass(%(name)s) IS NOT NULL", name=table.sql)
            return self._rows(sql, **values) if there[0][0] else []

        return self._ask(what, ask) or []

    def _windowed(self, seen: Observed, now: datetime) -> Observed:
        return snapshots.windowed(self._connection, seen, now)

    def _samples(self, now: datetime) -> dict[str, list[Sample]]:
        found = defaultdict[str, list[Sample]](list)
        for at, tables in reversed(self._of_ours(HEALTH_SNAPSHOT, "snapshots of sizes", _SAMPLES, now=now)):
            for name, own in (tables or {}).items():
                found[name].append(Sample(at, *own))
        return found

    def _sets(self) -> list[Timeline]:
        wanted = self._catalog.policies(lambda *_: None)
        return [timeline(one) for one in self._catalog.watched(wanted, execute.not_observed, measured=True)]

    def _statements(self, told: Seen) -> Seen:
        known = self._rows(EXTENSION)
        if not known or not known[0][1]:
            how = "CREATE EXTENSION pg_stat_statements;" if not known else "its library is not loaded"
            load = "It needs shared_preload_libraries = 'pg_stat_statements' and a restart."
            why = f"pg_stat_statements is not there, so PostgreSQL does not count statements: {how} {load}"
            return replace(told, statements_note=why)
        schema = ident(known[0][0])
        found = self._ask("how long statements take", lambda: self._rows(_STATEMENTS.replace("{schema}", schema)))
        reset = self._ask("since when statements are counted", lambda: self._rows(_RESET.format(schema=schema)))
        hidden = self._ask("which statements are hidden", lambda: self._rows(_HIDDEN.format(schema=schema)))
        if hidden and hidden[0][0]:
            self._notes.append(f"{hidden[0][0]:,} statements of other roles were not seen: GRANT pg_read_all_stats.")
        return replace(
            told,
            statements=[Statement(normalized(text), *rest) for text, *rest in found or ()],
            statements_since=reset[0][0] if reset else None,
        )

    def _work(self, told: Seen) -> Seen:
        """Return what our own tables know: archives, files, what is in progress, and what was done in the period."""
        policies: Sequence[ArchivePolicy] = self._ask("archives", self._catalog.archive_policies) or ()
        moved: Sequence[Moved] = self._ask("what went to archives", self._catalog.moved) or ()
        files: Sequence[ArchiveFile] = self._ask("files", lambda: manifest.read(self._connection)) or ()
        copies = self._ask("copies", self._catalog.copy_runs) or ()
        in_transit = defaultdict[QualifiedName, int](int)
        for one in moved:
            in_transit[one.archive] += one.since is None
        ((vacuumed, analyzed, tables),) = self._rows(_UPKEEP, begin=self._begin)
        return replace(
            told,
            archives=policies,
            in_transit=in_transit,
            files=files,
            ttl=self._ask("policies of time-to-live", self._catalog.ttl_policies) or (),
            work=[
                *(f"copy ({run.purpose}) of {source}" for source, run in copies),
                *(self._ask("updates in batches", lambda: batches_under_way(self._connection)) or ()),
            ],
            events=sorted(
                (one for one in (*self._events(moved, files), *_counted(told.samples)) if one.at >= self._begin),
                key=lambda one: one.at,
                reverse=True,
            ),
            upkeep=Upkeep(vacuumed, analyzed, tables),
        )

    def _events(self, moved: Sequence[Moved], files: Sequence[ArchiveFile]) -> Iterator[Event]:
        for row in self._ask("what was retired", self._catalog.retired) or ():
            if not row.gone:
                yield Event(row.since, "retired", str(row.parent), str(row.name))
        for one in moved:
            if one.since is not None:
                what = "archived" if one.goes_to == one.archive else "restored"
                yield Event(one.since, what, str(one.table), f"{one.name} to {one.goes_to}")
        for file in files:
            of = str(file.parent or file.table)
            said = f"{file.table}, {file.rows:,} rows"
            if file.written is not None:
                yield Event(file.written, "written to a file", of, said)
            if file.dropped is not None:
                yield Event(file.dropped, "dropped, kept in a file", of, said)
            if file.restored is not None:
                yield Event(file.restored, "loaded from a file", of, said)
        for at, table, purpose in self._of_ours(COPY_RUN, "copies that are over", _COPIES, begin=self._begin):
            yield Event(at, "copied", table, _PURPOSES[purpose])
        for at, table, name, changed in self._of_ours(
            BATCH_PROGRESS, "updates in batches that are over", _BATCHES, begin=self._begin
        ):
            yield Event(at, "updated in batches", table, f"{name}: {changed:,} rows")
        for at, table, code, reason in self._of_ours(
            HEALTH_IGNORED, "findings that were ignored", _IGNORED, begin=self._begin
        ):
            yield Event(at, "finding ignored", table, f"{code}: {reason}")

    def _disk(self, total: int) -> Disk | None:
        if not total:
            with observing(self._connection):
                room = disk.room(self._connection)
            return None if room is None else Disk(room[1], room[1] - room[0], "the file system of the data directory")
        ((taken, unseen, may_wal),) = self._rows(_TAKEN)
        how = f"--disk; taken are {'all databases' if not unseen else f'all but {unseen} databases'}"
        if may_wal:
            taken += self._rows("SELECT coalesce(sum(w.size), 0)::bigint FROM pg_ls_waldir() w")[0][0]
            how += " and WAL"
        return Disk(total, taken, how)


_PURPOSES = {
    "drain": "rows left its default partition",
    "split": "a partition was split",
    "convert": "it became partitioned",
}


def _counted(samples: Mapping[str, Sequence[Sample]]) -> Iterator[Event]:
    """Yield partitions that came and went: the only record is their number in each snapshot."""
    for table, taken in samples.items():
        for one, later in pairwise(taken):
            if more := later.partitions - one.partitions:
                what = "partitions made" if more > 0 else "partitions dropped or moved"
                since = f"{abs(more):,} since the snapshot before"
                yield Event(later.at, what, table, f"{since}, {later.partitions:,} now")


def _read_whole(seen: Observed) -> list[Relation]:
    """Tables of 10,000 rows and more whose scans from end to end read the most, with the counters of partitions."""
    found = []
    for table in seen.tables:
        tree = seen.trees[table.name]
        scans, read = sum(one.seq_scans for one in tree), sum(one.seq_rows for one in tree)
        count = seen.rows(table.name)
        if count >= 10_000 and scans and read >= 100 * count:
            found.append(replace(table, rows=count, seq_scans=scans, seq_rows=read))
    return sorted(found, key=lambda one: -one.seq_rows)
