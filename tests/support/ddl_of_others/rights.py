"""Policies, privileges and comments."""

from __future__ import annotations

from tests.support.ddl_of_others.change import BACK, SEQUENCE, THERE, Change, comment, oid_of, policy, relation

CHANGES = (
    Change("create a policy", "CREATE POLICY r ON s.t AS RESTRICTIVE USING (id > 0)", policy("r")),
    Change("drop a policy", "DROP POLICY q ON s.t", f"NOT {policy('q')}"),
    Change(
        "alter a policy",
        "ALTER POLICY p ON s.t USING (number > 0)",
        policy("p", "pg_get_expr(polqual, polrelid) LIKE '%number%'"),
    ),
    Change("enable row security", "ALTER TABLE s.t ENABLE ROW LEVEL SECURITY", relation("c.relrowsecurity")),
    Change("force row security", "ALTER TABLE s.t FORCE ROW LEVEL SECURITY", relation("c.relforcerowsecurity")),
    Change("grant", "GRANT INSERT ON s.t TO pg_monitor", "has_table_privilege('pg_monitor', 's.t', 'INSERT')"),
    Change("revoke", "REVOKE DELETE ON s.t FROM pg_monitor", "NOT has_table_privilege('pg_monitor', 's.t', 'DELETE')"),
    Change(
        "grant on a column",
        "GRANT UPDATE (word) ON s.t TO pg_monitor",
        "has_column_privilege('pg_monitor', 's.t', 'word', 'UPDATE')",
    ),
    Change(
        "revoke on a column",
        "REVOKE UPDATE (body) ON s.t FROM pg_monitor",
        "NOT has_column_privilege('pg_monitor', 's.t', 'body', 'UPDATE')",
    ),
    Change(
        "give it to another owner",
        "ALTER TABLE s.t OWNER TO pg_read_all_data",
        relation("pg_get_userbyid(c.relowner) = 'pg_read_all_data'"),
        alone=True,
    ),
    Change("comment on the table", "COMMENT ON TABLE s.t IS 'by others'", comment("pg_class", "'s.t'::regclass")),
    Change(
        "comment on a column",
        "COMMENT ON COLUMN s.t.id IS 'by others'",
        comment("pg_class", "'s.t'::regclass", 1),
        lost=BACK,
    ),
    Change(
        "comment on a constraint",
        "COMMENT ON CONSTRAINT t_body ON s.t IS 'by others'",
        comment("pg_constraint", oid_of("pg_constraint", "conrelid = 's.t'::regclass AND conname = 't_body'")),
        alone=True,
    ),
    Change(
        "comment on an index",
        "COMMENT ON INDEX s.t_lower IS 'by others'",
        comment("pg_class", "'s.t_lower'::regclass"),
        lost=BACK,
    ),
    Change(
        "comment on the primary key's index",
        "COMMENT ON INDEX s.t_pkey IS 'by others'",
        comment("pg_class", "'s.t_pkey'::regclass"),
        lost=("rollback",),
    ),
    Change(
        "comment on a trigger",
        "COMMENT ON TRIGGER one ON s.t IS 'by others'",
        comment("pg_trigger", oid_of("pg_trigger", "tgrelid = 's.t'::regclass AND tgname = 'one'")),
    ),
    Change(
        "comment on a policy",
        "COMMENT ON POLICY p ON s.t IS 'by others'",
        comment("pg_policy", oid_of("pg_policy", "polrelid = 's.t'::regclass AND polname = 'p'")),
    ),
    Change("comment on a view", "COMMENT ON VIEW s.v IS 'by others'", comment("pg_class", "'s.v'::regclass")),
    Change(
        "comment on a sequence",
        "COMMENT ON SEQUENCE s.t_id_seq IS 'by others'",
        comment("pg_class", SEQUENCE),
        lost=("rollback",),
    ),
    Change(
        "comment on a statistics object",
        "COMMENT ON STATISTICS s.st IS 'by others'",
        comment("pg_statistic_ext", oid_of("pg_statistic_ext", "stxrelid = 's.t'::regclass")),
        lost=(*THERE, *BACK),
    ),
)
