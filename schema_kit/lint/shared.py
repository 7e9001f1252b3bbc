"""What belongs to the whole server, and not to one database: nothing of it is changed but roles that stand in.

A role that a revision makes is a stand-in like those that it names and the server lacks: it cannot log in. Whatever
else it does to roles, settings, other databases or tablespaces is rolled back, and said by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

from schema_kit.lint.fence import refuse
from schema_kit.lint.look import Eyes
from schema_kit.lint.roles import MADE
from schema_kit.lint.standins import COMMENT
from schema_kit.names import ident, literal
from schema_kit.steps.step import LockMode

CATALOGS = (1260, 1261, 1262, 1213, 2964, 6243, 2396)
"""pg_authid, pg_auth_members, pg_database, pg_tablespace, pg_db_role_setting, pg_parameter_acl, pg_shdescription."""
_READS = {LockMode.ACCESS_SHARE, LockMode.ROW_SHARE}
_HERE = "(SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())"
_OURS = f"coalesce(pg_catalog.shobj_description({{0}}, 'pg_authid') = {literal(COMMENT)}, false)"
_STATE = f"""
SELECT 'role', r.rolname::text, pg_catalog.md5(r::text), {_OURS.format("r.oid")} FROM pg_catalog.pg_authid r
UNION ALL
SELECT 'membership of the role', pg_catalog.pg_get_userbyid(m.member)::text,
       m.roleid || ' ' || pg_catalog.md5(pg_catalog.to_jsonb(m)::text),
       {_OURS.format("m.roleid")} OR {_OURS.format("m.member")} FROM pg_catalog.pg_auth_members m
UNION ALL
SELECT 'setting of', coalesce(b.datname::text, CASE s.setrole WHEN 0 THEN 'every role'
         ELSE 'the role ' || pg_catalog.pg_get_userbyid(s.setrole) END), s.setrole || ' ' || pg_catalog.md5(s::text),
       s.setdatabase = {_HERE} OR (s.setdatabase = 0 AND s.setrole <> 0 AND {_OURS.format("s.setrole")})
FROM pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_database b ON b.oid = s.setdatabase
UNION ALL
SELECT 'database', b.datname::text, pg_catalog.md5(b::text), b.oid = {_HERE} FROM pg_catalog.pg_database b
UNION ALL
SELECT 'tablespace', t.spcname::text, pg_catalog.md5(t::text), false FROM pg_catalog.pg_tablespace t
UNION ALL
SELECT 'comment on the role', pg_catalog.pg_get_userbyid(c.objoid)::text, c.description,
       c.description = {literal(COMMENT)} FROM pg_catalog.pg_shdescription c
WHERE c.classoid = 'pg_catalog.pg_authid'::pg_catalog.regclass
"""
_OF_A_ROLE = ("role", "comment on the role")
State = frozenset[tuple[str, str, str, bool]]


def touched(locks: Iterable[tuple[int, Any]]) -> bool:
    """Return whether a transaction has written to a catalog of the whole server, by its locks."""
    return any(oid in CATALOGS and mode not in _READS for oid, mode in locks)


def state(rows: Iterable[tuple[Any, ...]]) -> State:
    """Return what the rows of the query say."""
    return frozenset((kind, name, digest, bool(ours)) for kind, name, digest, ours in rows)


def keep(connection: psycopg.Connection[Any], sql: str) -> None:
    """Look at what this transaction has changed of the whole server; roles that it makes become stand-ins.

    Raises:
        Refused: it has changed something else, and is rolled back.
    """
    rows = Eyes(connection).rows
    ((role,),) = rows("SELECT pg_catalog.current_setting('role')")
    rows("SET LOCAL ROLE NONE")
    with psycopg.connect(_same(connection), autocommit=True) as outside:
        before = state(outside.execute(_STATE.encode()))
    changed = {name for kind, name, *_ in state(rows(_STATE)) ^ before if kind in _OF_A_ROLE}
    not_ours = {name for kind, name, _, is_ours in before if kind == "role" and not is_ours}
    for name in sorted(changed - not_ours):
        if rows(f"SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = {literal(name)}"):
            MADE.add(name)
            rows(f"ALTER ROLE {ident(name)} NOLOGIN; COMMENT ON ROLE {ident(name)} IS {literal(COMMENT)}")
    foreign = sorted(f"the {kind} {name}" for kind, name, _, is_ours in state(rows(_STATE)) ^ before if not is_ours)
    if foreign:
        rows("ROLLBACK")
        refuse(f"a statement reaches outside this database, to {foreign[0]}: {' '.join(sql.split())[:120]}")
    rows(f"SELECT pg_catalog.set_config('role', {literal(role)}, true)")


def _same(connection: psycopg.Connection[Any]) -> str:
    info = connection.info
    return psycopg.conninfo.make_conninfo(
        "", host=info.host, port=info.port, user=info.user, password=info.password or None, dbname=info.dbname
    )
