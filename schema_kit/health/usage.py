"""Checks of how tables and statements are used: pages from disk, whole tables read, slow statements, growth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from schema_kit.health.facts import Observed, Relation, Statement
from schema_kit.health.finding import Finding, Repair
from schema_kit.names import ident
from schema_kit.normalized import short
from schema_kit.plans.drift import several

HOT_UPDATES, NEW_PAGE_SHARE, HOT_SHARE = 10_000, 0.3, 0.5
"""Reported: a table with so many updates, of which more went to another page; before 16, of which fewer were HOT."""
FILLFACTOR = 85
READ_BLOCKS = 100_000
"""Pages a day from outside of shared_buffers (0.8 GB): with fewer, it matters little how many were in there."""
HIT_SHARE, INDEX_HIT_SHARE = 0.9, 0.95
WHOLE_ROWS, WHOLE_READS = 10_000, 24
"""A big table, and how often a day it is read from end to end."""
GROWN_BYTES, GROWN_SHARE, GROWN_DAYS = 1024**3, 0.5, 7
"""How much a table grows in 30 days, of how many bytes and of what share, and how far snapshots have to reach."""
SLOW_SECONDS, SLOW_CALLS = 0.5, 100
BUSY = 0.25
"""Of a core, all the time."""
SLOWER, SLOWER_SECONDS = 2.0, 0.05
SHOWN_STATEMENTS = 5
TEMP_BYTES = 1024**3
"""A day."""
FULL = 0.9
"""Of pg_stat_statements.max."""

ADVISE = "schema_kit advise index"


def hot_updates(seen: Observed) -> Iterator[Finding]:
    """Yield tables whose pages are too full for a new version of a row on the page of the old one."""
    for root, tree in seen.trees.items():
        crowded = [one for one in tree if one.kind == "r" and _crowded(one)]
        if not crowded:
            continue
        updates, hot = (sum(getattr(one, what) for one in crowded) for what in ("updates", "hot_updates"))
        elsewhere = [one.new_page_updates for one in crowded if one.new_page_updates is not None]
        moved = f", and {sum(elsewhere) / updates:.0%} went to another page" if elsewhere else ""
        names = [one.name for one in crowded]
        said = (
            f"{several(names)}: of {updates:,} updates {hot / updates:.0%} were HOT{moved}; each other one writes to "
            "every index."
        )
        sql = " ".join(f"ALTER TABLE {name.sql} SET (fillfactor = {FILLFACTOR});" for name in names)
        why = "New pages then keep room for updates (VACUUM FULL or pg_repack for old ones):"
        yield Finding("hot_updates_rare", root, "", said, Repair(sql=sql, why=why))


def _crowded(one: Relation) -> bool:
    if one.fillfactor < 100 or one.updates < max(HOT_UPDATES, 2 * one.live):  # one change of each row is too few
        return False
    if one.new_page_updates is not None:
        return one.new_page_updates >= NEW_PAGE_SHARE * one.updates
    return one.hot_updates < HOT_SHARE * one.updates


def cache(seen: Observed) -> Iterator[Finding]:
    """Yield tables whose pages come from outside of shared_buffers too often."""
    if seen.days < 1:
        return
    for root, used in seen.activity.items():
        kinds = (
            ("the table", used.blocks, used.hits, HIT_SHARE),
            ("its indexes", used.index_blocks, used.index_hits, INDEX_HIT_SHARE),
        )
        bad = [
            f"{asked - hits:,} of {asked:,} pages of {what}"
            for what, asked, hits, share in kinds
            if asked - hits >= READ_BLOCKS * seen.days and hits < share * asked
        ]
        if bad:
            said = f"{root}: {' and '.join(bad)} were not in shared_buffers, in {seen.days:,.0f} days."
            why = "More shared_buffers, or an index with which statements read fewer pages:"
            yield Finding("cache_misses", root, "", said, Repair(command=ADVISE, why=why))


def read_whole(seen: Observed) -> Iterator[Finding]:
    """Yield big tables that are read from end to end again and again."""
    if seen.days < 1:
        return
    for root, used in seen.activity.items():
        rows = seen.rows(root)
        times = used.seq_rows / max(rows, 1) / seen.days
        if rows >= WHOLE_ROWS and times >= WHOLE_READS:
            said = f"{root}: as many rows as it has ({rows:,.0f}) are read from end to end {times:,.0f} times a day."
            why = "That alone does not mean that an index is missing; which one statements ask for, if any:"
            yield Finding("table_read_whole", root, "", said, Repair(command=ADVISE, why=why))


def growth(seen: Observed) -> Iterator[Finding]:
    """Yield tables that grow fast, and whose rows no policy deletes."""
    for one in seen.grown:
        rate = (one.bytes - one.before) / one.days * 30 if one.days >= GROWN_DAYS else 0.0
        if rate < GROWN_BYTES or rate < GROWN_SHARE * one.before or one.table in seen.bounded:
            continue
        known = seen.by_name.get(one.table)
        if known is None or known.archive:
            continue
        said = (
            f"{one.table} grew from {_size(one.before)} to {_size(one.bytes)} in {one.days:,.0f} days, and no policy "
            "deletes its rows."
        )
        name, schema = repr(one.table.name), f"schema={one.table.schema!r}"
        if known.kind == "p":
            sql = f"op.set_partition_policy({name}, interval=..., retention=..., {schema})"
            why = "If old partitions may go, in a migration:"
        else:
            sql = f"op.set_ttl_policy({name}, ..., age=..., {schema})"
            why = "If old rows may go, in a migration (and `schema_kit advise partition` says whether to partition):"
        yield Finding("table_grows", one.table, "", said, Repair(sql=sql, why=why))


def _size(bytes_: int) -> str:
    return f"{bytes_ / 1024**3:,.1f} GB"


def statements(seen: Observed) -> Iterator[Finding]:
    """Yield statements that became slower, are slow, or keep the server busy: the worst of them."""
    counted = seen.statements
    slower = sorted((one for one in counted.top if _slower(one)), key=lambda one: -one.seconds)[:SHOWN_STATEMENTS]
    for one in slower:
        before, now = _means(one)
        said = (
            f"{short(one.text)}: {1000 * now:,.0f} ms on average in {seen.days:,.0f} days, {1000 * before:,.0f} before."
        )
        why = "What the planner does now, and whether an index would help:"
        yield Finding("statement_slower", None, one.name, said, Repair(command=ADVISE, why=why))
    for one in counted.top[:SHOWN_STATEMENTS]:
        mean = one.seconds / max(one.calls, 1)
        busy = one.seconds / 86400 / counted.days if counted.days >= 1 else 0.0
        if busy < BUSY and (mean < SLOW_SECONDS or one.calls < SLOW_CALLS):
            continue
        share = f", {one.seconds / counted.whole:.0%} of the time of all" if counted.whole else ""
        said = f"{short(one.text)}: {one.calls:,} calls, {1000 * mean:,.0f} ms on average{share}."
        why = "Whether an index would help:"
        yield Finding("statement_slow", None, one.name, said, Repair(command=ADVISE, why=why))


def _means(one: Statement) -> tuple[float, float]:
    """Return seconds a call before the window, and in it."""
    calls, seconds = one.earlier or (0, 0.0)
    return seconds / max(calls, 1), (one.seconds - seconds) / max(one.calls - calls, 1)


def _slower(one: Statement) -> bool:
    if not one.earlier or min(one.earlier[0], one.calls - one.earlier[0]) < SLOW_CALLS:
        return False
    before, now = _means(one)
    return now >= SLOWER * before and now - before >= SLOWER_SECONDS


def evicted(seen: Observed) -> Iterator[Finding]:
    """Yield a finding where pg_stat_statements has no room for all statements, and forgets rare ones."""
    counted = seen.statements
    if not counted.evicted or counted.kept < FULL * counted.most:
        return
    said = (
        f"pg_stat_statements has forgotten statements {counted.evicted:,} times in {counted.days:,.0f} days: it has "
        f"room for {counted.most:,}, so calls and times are counted too low."
    )
    sql = f"ALTER SYSTEM SET pg_stat_statements.max = {2 * counted.most};"
    yield Finding("statements_evicted", None, "pg_stat_statements.max", said, Repair(sql=sql, why="With a restart:"))


def temporary_files(seen: Observed) -> Iterator[Finding]:
    """Yield sorts and hashes that work_mem is too small for."""
    server = seen.server
    if server.reset is None or server.now is None or not server.temp_files:
        return
    days = (server.now - server.reset) / timedelta(days=1)
    each = server.temp_bytes / server.temp_files
    if days < 1 or server.temp_bytes / days < TEMP_BYTES or each <= server.work_mem:
        return
    said = (
        f"{server.temp_files:,} temporary files of {each / 1048576:,.0f} MB on average were written in {days:,.0f} "
        f"days: work_mem is {server.work_mem / 1048576:,.0f} MB."
    )
    more = 1 << (int(each) // 1048576).bit_length()
    sql = f"ALTER DATABASE {ident(server.database)} SET work_mem = '{more}MB';"
    why = "If memory suffices for each sort of each session (or for the role of reports alone):"
    yield Finding("work_mem_small", None, "work_mem", said, Repair(sql=sql, why=why))
