"""What makes another table of it."""

from __future__ import annotations

from tests.support.ddl_of_others.change import Change, column, there

CHANGES = (
    Change("add a column", "ALTER TABLE s.t ADD COLUMN more int DEFAULT 4", column("more", "true"), alone=True),
    Change(
        "drop a column", "ALTER TABLE s.t DROP COLUMN gone", f"NOT {column('gone', 'NOT a.attisdropped')}", alone=True
    ),
    Change("rename a column", "ALTER TABLE s.t RENAME word TO term", column("term", "true"), alone=True),
    Change(
        "change a column's type",
        "ALTER TABLE s.t ALTER gone TYPE bigint",
        column("gone", "a.atttypid = 'int8'::regtype"),
        alone=True,
    ),
    Change(
        "create a rule",
        "CREATE RULE r AS ON INSERT TO s.t DO ALSO NOTHING",
        there("pg_rewrite", "ev_class = 's.t'::regclass AND rulename = 'r'"),
        alone=True,
        back=False,
    ),
    Change(
        "set the replica identity",
        "ALTER TABLE s.t REPLICA IDENTITY FULL",
        "(SELECT bool_and(relreplident = 'f') FROM pg_class WHERE oid = 's.t'::regclass OR oid IN "
        "(SELECT relid FROM pg_partition_tree('s.t')))",
        alone=True,
        back=False,
    ),
)
