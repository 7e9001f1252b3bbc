"""The columns of keys, each with the operators of its own operator class: wherever their type lives, and its =."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from schema_kit.catalog.session import rows
from schema_kit.model import KeyColumn
from schema_kit.names import QualifiedName

COLUMN = """
a.attname, format_type(a.atttypid, a.atttypmod), n.nspname, t.typcategory = 'D',
ARRAY(SELECT q.oprname::text FROM pg_amop s JOIN pg_operator q ON q.oid = s.amopopr
      WHERE s.amopfamily = c.opcfamily AND s.amoplefttype = c.opcintype AND s.amoprighttype = c.opcintype
        AND s.amoppurpose = 's' ORDER BY s.amopstrategy)
"""
"""What key_column() takes, of the tables in FROM_INDEX."""

FROM_INDEX = """
pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam AND m.amname = 'btree'
CROSS JOIN unnest(x.indkey::int2[], x.indclass::oid[]) WITH ORDINALITY AS k (attnum, class, place)
JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_opclass c ON c.oid = k.class
JOIN pg_amop o ON o.amopfamily = c.opcfamily AND o.amoplefttype = c.opcintype AND o.amoprighttype = c.opcintype
  AND o.amopstrategy = 5 JOIN pg_operator p ON p.oid = o.amopopr JOIN pg_namespace n ON n.oid = p.oprnamespace
"""

_PRIMARY = f"""
SELECT {COLUMN} FROM {FROM_INDEX}
WHERE x.indrelid = to_regclass(%(table)s) AND x.indisprimary AND k.place <= x.indnkeyatts ORDER BY k.place
"""


def key_column(row: Any) -> KeyColumn:
    """Return a column of a key, as COLUMN reads it."""
    name, type_, operators, moment, comparisons = row
    return KeyColumn(name, type_, operators, moment, tuple(comparisons))


def primary_key(connection: Connection, table: QualifiedName) -> tuple[KeyColumn, ...]:
    """Return the columns of the primary key, in its order; none where there is none. Call it while observing."""
    return tuple(map(key_column, rows(connection, _PRIMARY, {"table": table.sql})))
