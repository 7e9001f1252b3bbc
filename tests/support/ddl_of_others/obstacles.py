"""What no partitioned table can be, or what refers to the table."""

from __future__ import annotations

from tests.support.ddl_of_others.change import READS, Change, relation, there

CHANGES = (
    Change(
        "make it unlogged", "ALTER TABLE s.t SET UNLOGGED", relation("c.relpersistence = 'u'"), alone=True, back=False
    ),
    Change(
        "inherit from it",
        "CREATE TABLE s.heir () INHERITS (s.t)",
        there("pg_inherits", "inhrelid = 's.heir'::regclass AND inhparent = 's.t'::regclass"),
        alone=True,
        back=False,
    ),
    Change(
        "refer to it",
        "CREATE TABLE s.child (t_id bigint REFERENCES s.t)",
        there("pg_constraint", "conrelid = 's.child'::regclass AND confrelid = 's.t'::regclass"),
        alone=True,
        back=False,
    ),
    Change(
        "create a materialized view",
        "CREATE MATERIALIZED VIEW s.m AS SELECT id FROM s.t",
        READS.format("m", "id", "m"),
        alone=True,
    ),
    Change(
        "create a function of its rows",
        "CREATE FUNCTION s.all_t() RETURNS SETOF s.t LANGUAGE sql AS 'SELECT * FROM s.t'",
        there(
            "pg_proc", "proname = 'all_t' AND prorettype = (SELECT reltype FROM pg_class WHERE oid = 's.t'::regclass)"
        ),
        alone=True,
    ),
)
