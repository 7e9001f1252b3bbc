"""Statistics objects and views."""

from __future__ import annotations

from tests.support.ddl_of_others.change import BACK, READS, THERE, Change, there

CHANGES = (
    Change(
        "create a statistics object",
        "CREATE STATISTICS s.more ON number, place_id FROM s.t",
        there(
            "pg_statistic_ext",
            "stxrelid = 's.t'::regclass AND array_length(stxkeys::int2[], 1) = 2 "
            "AND (SELECT attnum FROM pg_attribute WHERE attrelid = 's.t'::regclass AND attname = 'place_id') "
            "= ANY (stxkeys::int2[])",
        ),
        lost=BACK,
    ),
    Change(
        "drop a statistics object",
        "DROP STATISTICS s.st",
        "NOT " + there("pg_statistic_ext", "stxrelid = 's.t'::regclass"),
        alone=True,
    ),
    Change(
        "set a statistics object's target",
        "ALTER STATISTICS s.st SET STATISTICS 30",
        there("pg_statistic_ext", "stxrelid = 's.t'::regclass AND stxstattarget = 30"),
        lost=(*THERE, *BACK),
    ),
    Change("create a view", "CREATE VIEW s.fresh AS SELECT number FROM s.t", READS.format("fresh", "number", "fresh")),
    Change("drop a view", "DROP VIEW s.w", "to_regclass('s.w') IS NULL"),
    Change(
        "replace a view",
        "CREATE OR REPLACE VIEW s.v AS SELECT id, body, word FROM s.t",
        READS.format("v", "word", "v"),
    ),
    Change(
        "set a view's option",
        "ALTER VIEW s.v SET (security_barrier = true)",
        there("pg_class", "oid = 's.v'::regclass AND 'security_barrier=true' = ANY (reloptions)"),
    ),
    Change(
        "grant on a view", "GRANT SELECT ON s.v TO pg_monitor", "has_table_privilege('pg_monitor', 's.v', 'SELECT')"
    ),
)
