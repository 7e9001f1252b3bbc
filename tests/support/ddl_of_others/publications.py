"""Publications."""

from __future__ import annotations

from tests.support.ddl_of_others.change import ROOT, Change, listed, there

CHANGES = (
    Change("publish it, partition by partition", "CREATE PUBLICATION ours FOR TABLE s.t", listed("ours"), alone=True),
    Change("publish it", f"CREATE PUBLICATION ours FOR TABLE s.t {ROOT}", listed("ours")),
    Change("publish it no more", "ALTER PUBLICATION pub DROP TABLE s.t", f"NOT {listed('pub')}"),
    Change(
        "publish it nowhere", "DROP PUBLICATION pub", "NOT " + there("pg_publication", "pubname = 'pub'"), alone=True
    ),
    Change(
        "publish some of it",
        "ALTER PUBLICATION pub_too SET TABLE s.place, s.t (id, at, number) WHERE (id > 5)",
        there(
            "pg_publication_tables",
            "tablename = 't' AND pubname = 'pub_too' AND cardinality(attnames) = 3 AND rowfilter = '(id > 5)'",
        ),
    ),
    Change(
        "publish some of what is done to it",
        "ALTER PUBLICATION pub_too SET (publish = 'insert')",
        there("pg_publication", "pubname = 'pub_too' AND pubinsert AND NOT pubdelete"),
    ),
    Change(
        "publish all tables",
        f"CREATE PUBLICATION ours FOR ALL TABLES {ROOT}",
        there("pg_publication", "pubname = 'ours' AND puballtables AND pubinsert AND pubdelete"),
        alone=True,
    ),
    Change(
        "publish its schema",
        f"CREATE PUBLICATION ours FOR TABLES IN SCHEMA s {ROOT}",
        there("pg_publication_tables", "pubname = 'ours' AND tablename = 't'"),
        alone=True,
    ),
)
