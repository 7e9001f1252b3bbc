"""Triggers, constraints and indexes."""

from __future__ import annotations

from tests.support.ddl_of_others.change import BACK, EXECUTE, THERE, Change, constraint, index, there, trigger

CHANGES = (
    Change("create a trigger", f"CREATE TRIGGER new AFTER INSERT ON s.t {EXECUTE}", trigger("new")),
    Change(
        "create a trigger for statements",
        "CREATE TRIGGER told AFTER INSERT ON s.t FOR EACH STATEMENT EXECUTE FUNCTION s.f()",
        trigger("told"),
    ),
    Change("drop a trigger", "DROP TRIGGER two ON s.t", f"NOT {trigger('two')}"),
    Change("disable a trigger", "ALTER TABLE s.t DISABLE TRIGGER one", trigger("one", "tgenabled = 'D'")),
    Change("rename a trigger", "ALTER TRIGGER one ON s.t RENAME TO uno", trigger("uno"), alone=True),
    Change(
        "add a foreign key",
        "ALTER TABLE s.t ADD CONSTRAINT more FOREIGN KEY (gone) REFERENCES s.other",
        constraint("more"),
        alone=True,
    ),
    Change("drop a foreign key", "ALTER TABLE s.t DROP CONSTRAINT t_place", f"NOT {constraint('t_place')}"),
    Change(
        "add a check",
        "ALTER TABLE s.t ADD CONSTRAINT few CHECK (number < 1000000)",
        constraint("few"),
        lost=("rollback",),
    ),
    Change("drop a check", "ALTER TABLE s.t DROP CONSTRAINT t_word", f"NOT {constraint('t_word')}", lost=("rollback",)),
    Change(
        "rename a check",
        "ALTER TABLE s.t RENAME CONSTRAINT t_body TO full_body",
        constraint("full_body"),
        lost=("rollback",),
    ),
    Change(
        "add a unique constraint",
        "ALTER TABLE s.t ADD CONSTRAINT single UNIQUE (number, at)",
        constraint("single"),
        lost=("rollback",),
    ),
    Change(
        "add a unique constraint that no partitioned table can hold",
        "ALTER TABLE s.t ADD CONSTRAINT single UNIQUE (number)",
        constraint("single"),
        alone=True,
        back=False,
    ),
    Change(
        "add an exclusion constraint",
        "ALTER TABLE s.t ADD CONSTRAINT never EXCLUDE USING btree (number WITH =)",
        constraint("never"),
        alone=True,
        back=False,
    ),
    Change("create an index", "CREATE INDEX t_word_at ON s.t (word)", index("t_word_at"), lost=("rollback",)),
    Change("drop an index", "DROP INDEX s.t_number", f"NOT {index('t_number')}"),
    Change("rename an index", "ALTER INDEX s.t_lower RENAME TO t_low", index("t_low"), alone=True, lost=("rollback",)),
    Change(
        "set an index's option",
        "ALTER INDEX s.t_lower SET (fillfactor = 60)",
        index("t_lower", "'fillfactor=60' = ANY (i.reloptions)"),
        back=False,
    ),
    Change(
        "set the statistics of an index's expression",
        "ALTER INDEX s.t_lower ALTER COLUMN 1 SET STATISTICS 50",
        there("pg_attribute", "attrelid = 's.t_lower'::regclass AND attstattarget = 50"),
        lost=(*THERE, *BACK),
    ),
    Change(
        "cluster by an index",
        "ALTER TABLE s.t CLUSTER ON t_lower",
        index("t_lower", "indisclustered"),
        alone=True,
        back=False,
        lost=(*THERE, *BACK),
    ),
)
