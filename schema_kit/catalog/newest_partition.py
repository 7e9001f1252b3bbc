"""Read properties of the newest partition that new partitions copy because ATTACH does not propagate them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from schema_kit.catalog.session import rows
from schema_kit.model import Branch
from schema_kit.names import MAX_BYTES, TABLE_BYTES, fit

_NEWEST = """
SELECT c.oid, c.relname, c.reloptions, c.relreplident, s.spcname,
       (SELECT pi.relname FROM pg_index x JOIN pg_inherits h ON h.inhrelid = x.indexrelid
        JOIN pg_class pi ON pi.oid = h.inhparent WHERE x.indrelid = c.oid AND x.indisreplident) AS identity_index
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
WHERE i.inhparent = %(oid)s AND c.relispartition AND c.relkind IN ('r', 'p')
  AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT' ORDER BY c.oid DESC LIMIT 1
"""

_BRANCHES = """
SELECT t.relid::oid, t.parentrelid::oid, c.relname, pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(c.oid),
       c.reloptions || ARRAY(SELECT 'toast.' || o FROM pg_class x, unnest(x.reloptions) o WHERE x.oid = c.reltoastrelid)
FROM pg_partition_tree(%(oid)s::oid::regclass) t JOIN pg_class c ON c.oid = t.relid WHERE c.relkind IN ('r', 'p')
ORDER BY c.oid
"""


def read(connection: Connection, oid: int) -> dict[str, Any]:
    """Return what a Table has of its newest partition; nothing where it has none."""
    found = rows(connection, _NEWEST, {"oid": oid})
    if not found:
        return {}
    newest = found[0]
    identity = {"f": "FULL", "n": "NOTHING", "i": newest.identity_index or ""}.get(newest.relreplident, "")
    tree = rows(connection, _BRANCHES, {"oid": newest.oid})
    branch = _branch(tree, newest.oid, "")
    return {
        "options": branch.options,
        "tablespace": newest.spcname,
        "replica_identity": identity,
        "branch": branch if branch.key else None,
    }


def _branch(tree: list[Any], oid: int, above: str) -> Branch:
    _, _, name, values, key, options = next(row for row in tree if row[0] == oid)
    children = [row[0] for row in tree if row[1] == oid]
    return Branch(
        _suffix(above, name) if above else "",
        values if above else "",
        key or "",
        tuple(options or ()),
        tuple(_branch(tree, child, name) for child in children) if key else (),
    )


def _suffix(above: str, name: str) -> str:
    """Return what made *name* of the one above it, shortened or not; all of it where they have nothing in common."""
    tails = (name[place:] for place in range(len(name)) if len(name[place:].encode()) < TABLE_BYTES - len("_123abc"))
    made = (tail for tail in tails if name in (fit(above, tail), fit(above, tail, TABLE_BYTES)))
    return next(made, fit(f"_{name}"[: MAX_BYTES // 4]))
