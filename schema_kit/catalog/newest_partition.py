"""Read properties of the newest partition that new partitions copy because ATTACH does not propagate them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from schema_kit.catalog.session import rows
from schema_kit.model import Branch
from schema_kit.names import MAX_BYTES, TABLE_BYTES, fit

_NEWEST = """
SELECT c.oid, c.relreplident,
       (SELECT pi.relname FROM pg_index x JOIN pg_inherits h ON h.inhrelid = x.indexrelid
        JOIN pg_class pi ON pi.oid = h.inhparent WHERE x.indrelid = c.oid AND x.indisreplident) AS identity_index
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = %(oid)s AND c.relispartition AND c.relkind IN ('r', 'p')
  AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT' ORDER BY c.oid DESC LIMIT 1
"""

# Of an index that lies elsewhere than what LIKE and ATTACH make: the parent's that it is a part of, and where it lies.
_BRANCHES = """
SELECT t.relid::oid, t.parentrelid::oid, c.relname, pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(c.oid),
       c.reloptions || ARRAY(SELECT 'toast.' || o FROM pg_class x, unnest(x.reloptions) o
                             WHERE x.oid = c.reltoastrelid),
       (SELECT spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace),
       ARRAY(SELECT ARRAY[r.relname::text, s.spcname::text]
             FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid CROSS JOIN pg_partition_ancestors(i.oid) a
             JOIN pg_index o ON o.indexrelid = a.relid AND o.indrelid = %(parent)s
             JOIN pg_class r ON r.oid = o.indexrelid
             JOIN pg_database d ON d.datname = current_database()
             JOIN pg_tablespace s ON s.oid = coalesce(nullif(i.reltablespace, 0), d.dattablespace)
             WHERE x.indrelid = c.oid AND i.relkind = 'i' AND i.reltablespace <> r.reltablespace ORDER BY r.relname)
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
    tree = rows(connection, _BRANCHES, {"oid": newest.oid, "parent": oid})
    branch = _branch(tree, newest.oid, "")
    return {
        "options": branch.options,
        "tablespace": branch.tablespace,
        "places": branch.places,
        "replica_identity": identity,
        "branch": branch if branch.key else None,
    }


def _branch(tree: list[Any], oid: int, above: str) -> Branch:
    _, _, name, values, key, options, tablespace, places = next(row for row in tree if row[0] == oid)
    children = [row[0] for row in tree if row[1] == oid]
    return Branch(
        _suffix(above, name) if above else "",
        values if above else "",
        key or "",
        tuple(options or ()),
        tuple(_branch(tree, child, name) for child in children) if key else (),
        tablespace,
        tuple((index, place) for index, place in places),
    )


def _suffix(above: str, name: str) -> str:
    """Return what made *name* of the one above it, shortened or not; all of it where they have nothing in common."""
    tails = (name[place:] for place in range(len(name)) if len(name[place:].encode()) < TABLE_BYTES - len("_123abc"))
    made = (tail for tail in tails if name in (fit(above, tail), fit(above, tail, TABLE_BYTES)))
    return next(made, fit(f"_{name}"[: MAX_BYTES // 4]))
