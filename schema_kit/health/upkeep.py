"""Checks of upkeep: statistics, dead rows, frozen rows, numbers that end, too many partitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from schema_kit.health.facts import Observed
from schema_kit.health.finding import Finding, Repair
from schema_kit.names import ident
from schema_kit.plans.drift import several

MANY_PARTITIONS, MANY_RELATIONS = 2_000, 10_000
"""Partitions alone, and with the indexes of each."""
ANALYZE_ROWS = 1_000
DEAD_SHARE, DEAD_ROWS = 0.3, 10_000
SPENT_SHARE = 0.7
"""Of a sequence's numbers."""
WRAPAROUND_AGE = 1_500_000_000


def statistics(seen: Observed) -> Iterator[Finding]:
    """Yield tables that were never analyzed, and partitioned ones that have grown since."""
    for table in seen.tables:
        rows, code = seen.rows(table.name), "statistics_missing"
        leaves = [one for one in seen.trees[table.name] if one.kind != "p"]
        counted = all(one.rows >= 0 for one in leaves if one.kind == "f")
        never = [
            one.name
            for one in leaves
            if one.kind != "f" and not one.analyzed and max(one.live, one.rows) >= ANALYZE_ROWS
        ]
        there = sum(max(one.rows, 0) for one in leaves)
        if table.heirs >= ANALYZE_ROWS:
            said = f"{table.name} together with the tables that inherit from it was never analyzed (about "
            said += (
                f"{table.heirs:,.0f} rows there), and autovacuum does it only as rows of {table.name} itself change."
            )
            yield Finding("statistics_missing", table.name, "", said, Repair(sql=f"ANALYZE {table.name.sql};"))
            continue
        if rows < ANALYZE_ROWS or table.name in seen.distributed:  # of those, shards are analyzed, each on its node
            continue
        if table.kind == "p" and not table.analyzed:
            said = f"{table.name} as a whole was never analyzed (about {rows:,.0f} rows), and autovacuum never does it:"
            said += " queries that need several partitions are planned by guesses."
        elif never:
            said = f"{several(never)}: never analyzed, with about {rows:,.0f} rows; queries are planned by guesses."
        elif table.kind == "p" and counted and max(there, table.rows) > 2 * min(there, table.rows):
            code = "statistics_stale"
            said = f"the planner knows {table.rows:,.0f} rows of {table.name} as a whole, whose partitions have "
            said += f"{there:,.0f}: autovacuum never analyzes the whole."
        else:
            continue
        yield Finding(code, table.name, "", said, Repair(sql=f"ANALYZE {table.name.sql};"))


def autovacuum(seen: Observed) -> Iterator[Finding]:
    """Yield tables that autovacuum is set to leave alone."""
    for root, tree in seen.trees.items():
        off = [one for one in tree if not one.autovacuum and one.kind == "r"]
        if off:
            names = [one.name for one in off]
            said = f"autovacuum is off for {several(names)}: dead rows stay, and statistics grow old."
            sql = " ".join(f"ALTER TABLE {name.sql} RESET (autovacuum_enabled);" for name in names)
            yield Finding("autovacuum_off", root, "", said, Repair(sql=sql))


def dead_rows(seen: Observed) -> Iterator[Finding]:
    """Yield tables that vacuum does not keep up with."""
    for root, tree in seen.trees.items():
        full = [one for one in tree if one.dead >= DEAD_ROWS and one.dead > DEAD_SHARE * (one.live + one.dead)]
        if full:
            names = [one.name for one in full]
            dead, live = sum(one.dead for one in full), sum(one.live for one in full)
            said = f"{several(names)}: {dead:,} dead rows next to {live:,} that live."
            sql = " ".join(f"VACUUM {name.sql};" for name in names)
            yield Finding("dead_rows", root, "", said, Repair(sql=sql))


def frozen(seen: Observed) -> Iterator[Finding]:
    """Yield tables whose oldest rows come near the end of transaction ids or multixacts."""
    server = seen.server
    for root, tree in seen.trees.items():
        leaves = [one for one in tree if one.kind in "rm"]
        ages = [
            (one, max(one.xid_age / server.freeze_max_age, one.multixact_age / server.multixact_freeze_max_age))
            for one in leaves
        ]
        late = [one for one, share in ages if share > 1.2]
        if not late:
            continue
        oldest = max(late, key=lambda one: max(one.xid_age, one.multixact_age))
        age = max(oldest.xid_age, oldest.multixact_age)
        code = "wraparound" if age >= WRAPAROUND_AGE else "freeze_behind"
        said = (
            f"{several([one.name for one in late])}: rows not frozen for up to {age:,} transactions; the server stops "
            "taking writes some 2,146,000,000 after them."
        )
        sql = " ".join(f"VACUUM (FREEZE) {one.name.sql};" for one in late)
        yield Finding(code, root, "", said, Repair(sql=sql))


def sequences(seen: Observed) -> Iterator[Finding]:
    """Sequences, identities and the integer columns that they fill, near their last number."""
    for one in seen.sequences:
        share = one.last / one.most if one.most > 0 else 0.0
        if share < SPENT_SHARE:
            continue
        minus, end = ("-", "NO MINVALUE") if one.down else ("", "NO MAXVALUE")
        whose = f", of column {one.column} of {one.table} ({one.type})" if one.table else ""
        said = (
            f"sequence {one.name}{whose} is at {minus}{one.last:,} of {minus}{one.most:,} ({share:.0%}): after the "
            "last one every INSERT fails."
        )
        grown = f"ALTER SEQUENCE {one.name.sql} AS bigint {end};"
        if one.own_most >= 2**63 - 1:
            grown = ""
        if one.table and one.type in ("integer", "smallint"):
            why = "It writes the table again under ACCESS EXCLUSIVE, so for a big one add a second column:"
            sql = f"ALTER TABLE {one.table.sql} ALTER COLUMN {ident(one.column)} TYPE bigint; {grown}".strip()
            repair = Repair(sql=sql, why=why)
        else:
            repair = Repair(sql=grown or f"ALTER SEQUENCE {one.name.sql} {end};")
        root = seen.root(one.table) if one.table else None
        yield Finding("sequence_near_end", root, one.name.name, said, repair)


def unlogged(seen: Observed) -> Iterator[Finding]:
    """Yield tables that are empty after a crash, and on standbys."""
    for root, tree in seen.trees.items():
        names = [one.name for one in tree if not one.logged and one.kind == "r"]
        if names:
            said = f"{several(names)}: UNLOGGED, so empty after a crash of the server and on each standby."
            sql = " ".join(f"ALTER TABLE {name.sql} SET LOGGED;" for name in names)
            why = "If its rows have to stay (it writes the table again under ACCESS EXCLUSIVE):"
            yield Finding("table_unlogged", root, "", said, Repair(sql=sql, why=why))


def partitions(seen: Observed) -> Iterator[Finding]:
    """Yield tables with so many partitions that planning is what their queries do."""
    indexes = Counter(index.table for index in seen.indexes)
    for root, tree in seen.trees.items():
        leaves, each = sum(one.kind != "p" for one in tree), indexes[root]
        if leaves > MANY_PARTITIONS or leaves * (1 + each) > MANY_RELATIONS:
            said = f"{root} has {leaves:,} partitions with {each} indexes each: a query that cannot leave most of them "
            said += "out plans for long."
            call = f"op.set_partition_policy({root.name!r}, interval=..., retention=..., schema={root.schema!r})"
            repair = Repair(sql=call, why="With a longer interval, or a shorter retention, in a migration:")
            yield Finding("partitions_many", root, "", said, repair)
