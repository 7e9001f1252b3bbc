"""Checks of what concerns the whole database: sessions, slots, prepared transactions, settings, extensions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from schema_kit.health.facts import Observed, Session
from schema_kit.health.finding import Finding, Repair
from schema_kit.names import ident, literal

PREPARED_SECONDS = 3_600
IDLE_SECONDS = 600
WAIT_SECONDS = 60
QUERY_SECONDS = 3_600
CONNECTIONS_SHARE = 0.85
HELD_AGE = 1_000_000
"""Transactions: with fewer, vacuum is merely late."""
SLOT_BYTES = 16 * 1024 * 1024

_SETTINGS = {
    "fsync": "a crash of the host can leave a database that cannot be read",
    "full_page_writes": "a crash of the host can leave torn pages",
    "autovacuum": "dead rows stay everywhere, statistics grow old, and transaction ids run out",
    "track_counts": "autovacuum does not know where to work",
    "zero_damaged_pages": "what cannot be read is emptied without a word",
    "ignore_checksum_failure": "damaged pages are read as if they were whole",
}


HOLDS = dict.fromkeys(
    (
        "old_rows_held",
        "session_waits",
        "session_idle_in_transaction",
        "query_long",
        "transaction_prepared",
        "slot_unused",
    ),
    "holder",
)
"""Codes of which the first is all that is said of one session, prepared transaction or slot."""

_ENDS = {
    "session": ("SELECT pg_terminate_backend({own});", "If no run waits for its end:"),
    "prepared transaction": ("ROLLBACK PREPARED {name};", "If its coordinator does not know it any more:"),
    "replication slot": ("SELECT pg_drop_replication_slot({name});", "If its reader does not come back:"),
    "standby": (
        "ALTER SYSTEM SET hot_standby_feedback = off; SELECT pg_reload_conf();",
        "On the standby, end the query that runs there for long; or, where such queries may be cancelled:",
    ),
}


def old_rows(seen: Observed) -> Iterator[Finding]:
    """Yield what keeps vacuum from removing dead rows everywhere: the oldest alone, as the others keep less."""
    oldest = max(seen.server.holders, key=lambda one: (one.age, one.kind), default=None)
    if oldest is None or oldest.age < HELD_AGE:
        return
    of = " of system catalogs" if oldest.catalogs else ""
    others = len([one for one in seen.server.holders if one.age >= HELD_AGE]) - 1
    more = f"; {others} more keep those of {HELD_AGE:,} or more" if others else ""
    who = f" ({oldest.who})" if oldest.who else ""
    said = (
        f"{oldest.kind} {oldest.name}{who} keeps vacuum from removing rows{of} that died in the last "
        f"{oldest.age:,} transactions{more}."
    )
    sql, why = _ENDS[oldest.kind]
    repair = Repair(sql=sql.format(own=oldest.name, name=literal(oldest.name)), why=why)
    yield Finding("old_rows_held", None, oldest.name, said, repair)


def waiting(seen: Observed) -> Iterator[Finding]:
    """Yield sessions that wait for locks: one finding for the session at the head of each chain."""
    server = seen.server
    blocked = {one.pid: one for one in server.sessions if one.kind == "waiting"}
    groups = defaultdict[int, list[Session]](list)
    for one in blocked.values():
        groups[_head(one, blocked)].append(one)
    for head, waits in groups.items():
        longest = max(waits, key=lambda one: one.seconds)
        if longest.seconds < WAIT_SECONDS:
            continue
        own = next((one for one in server.sessions if one.pid == head), None)
        many = "a session waits" if len(waits) == 1 else f"{len(waits):,} sessions wait"
        said = f"{many} for a lock, {longest.pid} ({longest.who}) for {longest.seconds:,.0f} s: "
        if head == 0:  # so pg_blocking_pids names a prepared transaction
            gid = server.prepared[0][0] if len(server.prepared) == 1 else ""
            end = f"ROLLBACK PREPARED {literal(gid)};" if gid else "SELECT gid, owner, prepared FROM pg_prepared_xacts;"
            why = "If its coordinator does not know it any more:" if gid else "End the one that holds it:"
            said += f"prepared transaction {gid!r} holds it." if gid else "a prepared transaction holds it."
            yield Finding("session_waits", None, gid, said, Repair(sql=end, why=why))
        else:
            who = f" ({own.who}, {own.kind})" if own else ""
            said += f"session {head}{who} holds it, or awaits it before them."
            sql = f"SELECT pg_terminate_backend({head});"
            yield Finding("session_waits", None, str(head), said, Repair(sql=sql))


def _head(one: Session, blocked: Mapping[int, Session]) -> int:
    """Return whom a session waits for in the end; in a circle, whom it has come from."""
    passed = [one.pid]
    while one.blocked_by:
        passed.append(one.blocked_by[0])
        if passed[-1] not in blocked or passed[-1] in passed[:-1]:
            break
        one = blocked[passed[-1]]
    return passed[-1]


def sessions(seen: Observed) -> Iterator[Finding]:
    """Yield sessions that hold locks or old snapshots for long."""
    for one in seen.server.sessions:
        pid, long = str(one.pid), f"for {one.seconds:,.0f} s"
        end = f"SELECT pg_terminate_backend({one.pid});"
        if one.kind == "idle in transaction" and one.seconds >= IDLE_SECONDS:
            said = f"session {pid} ({one.who}) is idle in a transaction {long}: it keeps its locks, and vacuum waits."
            yield Finding("session_idle_in_transaction", None, pid, said, Repair(sql=end))
        elif one.kind == "query" and one.seconds >= QUERY_SECONDS:
            said = f"session {pid} ({one.who}) is at one query {long}: vacuum keeps all rows that it could see."
            repair = Repair(sql=f"SELECT pg_cancel_backend({one.pid});", why="If no run waits for its end:")
            yield Finding("query_long", None, pid, said, repair)


def prepared(seen: Observed) -> Iterator[Finding]:
    """Prepared transactions that were never ended."""
    for gid, seconds in seen.server.prepared:
        if seconds >= PREPARED_SECONDS:
            said = f"prepared transaction {gid!r} waits for {seconds:,.0f} s: its locks stay, and vacuum waits."
            sql = f"ROLLBACK PREPARED {literal(gid)};"
            repair = Repair(sql=sql, why="If its coordinator does not know it any more:")
            yield Finding("transaction_prepared", None, gid, said, repair)


def slots(seen: Observed) -> Iterator[Finding]:
    """Replication slots without a reader: WAL is kept for them until the disk is full."""
    for name, status, behind in seen.server.slots:
        lost = status == "lost"
        if not lost and behind < SLOT_BYTES:
            continue
        said = (
            f"replication slot {name} has lost WAL that its reader needs."
            if lost
            else f"no subscriber reads replication slot {name}: {behind / 1048576:,.0f} MB of WAL are kept for it."
        )
        sql = f"SELECT pg_drop_replication_slot({literal(name)});"
        repair = Repair(sql=sql, why="" if lost else "If its reader does not come back:")
        yield Finding("slot_lost" if lost else "slot_unused", None, name, said, repair)


def settings(seen: Observed) -> Iterator[Finding]:
    """Settings that endanger data, or upkeep everywhere."""
    for name, value, source in seen.server.settings:
        said = f"{name} is {value}: {_SETTINGS.get(name, 'data is in danger')}."
        good = "off" if name in _OFF else "on"
        repair = Repair(sql=f"ALTER SYSTEM SET {name} = {good}; SELECT pg_reload_conf();")
        if source == "database":
            repair = Repair(sql=f"ALTER DATABASE {ident(seen.server.database)} RESET {name};")
        elif source in _ELSEWHERE:
            repair = Repair(sql=f"SHOW {name};", why=f"It comes from {_ELSEWHERE[source]}; set it to {good} there:")
        yield Finding("setting_unsafe", None, name, said, repair)


def connections(seen: Observed) -> Iterator[Finding]:
    """Connections near max_connections."""
    now, most = seen.server.connections, seen.server.max_connections
    if now >= CONNECTIONS_SHARE * most:
        said = f"{now} of {most} connections are taken: beyond that each new one is refused."
        repair = Repair(
            sql="SELECT usename, application_name, count(*) FROM pg_stat_activity GROUP BY 1, 2 ORDER BY 3;"
        )
        yield Finding("connections_near_limit", None, "max_connections", said, repair)


def extensions(seen: Observed) -> Iterator[Finding]:
    """Extensions that are older here than what is installed on the server."""
    for name, version, newer in seen.server.extensions:
        said = f"extension {name} is {version} here, and {newer} is installed on the server."
        yield Finding("extension_old", None, name, said, Repair(sql=f"ALTER EXTENSION {ident(name)} UPDATE;"))


_OFF = ("zero_damaged_pages", "ignore_checksum_failure")
_ELSEWHERE = {
    "command line": "the command line of the server",
    "environment variable": "the environment of the server",
    "user": "ALTER ROLE ... SET",
    "database user": "ALTER ROLE ... IN DATABASE ... SET",
    "client": "the options of the connection",
    "session": "the session",
}
SETTINGS = tuple(_SETTINGS)
"""Settings that are looked at; all but the last two have to be on."""
