"""DDL that another session commits while a table is being converted, and how its effect is seen afterwards."""

from __future__ import annotations

from dataclasses import dataclass

TABLE = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.place (id bigint PRIMARY KEY)",
    "INSERT INTO s.place SELECT generate_series(0, 9)",
    """CREATE TABLE s.t (
      id bigint GENERATED ALWAYS AS IDENTITY (START 7) PRIMARY KEY, number serial,
      at timestamptz NOT NULL DEFAULT '2026-02-03', body text DEFAULT 'none', word text NOT NULL DEFAULT 'w',
      place_id bigint CONSTRAINT t_place REFERENCES s.place, gone int,
      CONSTRAINT t_body CHECK (body <> ''), CONSTRAINT t_word CHECK (word <> ''))""",
    "CREATE INDEX t_lower ON s.t (lower(body))",
    "CREATE INDEX t_number ON s.t (number)",
    "CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER one BEFORE UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION s.f()",
    "CREATE TRIGGER two BEFORE UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION s.f()",
    "CREATE VIEW s.v AS SELECT id, body FROM s.t",
    "CREATE VIEW s.w AS SELECT id, word FROM s.t",
    "CREATE STATISTICS s.st ON body, word FROM s.t",
    "CREATE POLICY p ON s.t USING (true)",
    "CREATE POLICY q ON s.t USING (true)",
    "GRANT SELECT, DELETE, UPDATE (body) ON s.t TO pg_monitor",
    "COMMENT ON TABLE s.t IS 'things'",
    "CREATE PUBLICATION pub FOR TABLE s.t WITH (publish_via_partition_root = true)",
    "CREATE PUBLICATION pub_too FOR TABLE s.t, s.place WITH (publish_via_partition_root = true)",
    "INSERT INTO s.t (at, place_id) SELECT timestamptz '2026-01-05' + i * interval '1 day', i % 10 "
    "FROM generate_series(1, 60) i",
)
"""A table that has one of each thing; the DDL below is about it."""


THERE = ("attach", "copy")
BACK = ("unpartition", "rollback")


@dataclass(frozen=True)
class Change:
    """What another session does to s.t, or to what belongs to it.

    Args:
        name: in a few words.
        ddl: what it commits.
        seen: a boolean of SQL that says whether the table of that name, now, has the effect.
        alone: it stops a conversion, or goes together with nothing else.
        back: whether it can be done to a partitioned table.
        lost: the ways that do not carry it over, whoever has brought it about, and when.
    """

    name: str
    ddl: str
    seen: str
    alone: bool = False
    back: bool = True
    lost: tuple[str, ...] = ()


def _there(catalog: str, where: str) -> str:
    return f"EXISTS (SELECT 1 FROM {catalog} WHERE {where})"


def _trigger(name: str, more: str = "true") -> str:
    return _there("pg_trigger", f"tgrelid = 's.t'::regclass AND tgname = '{name}' AND {more}")


def _constraint(name: str, more: str = "true") -> str:
    return _there("pg_constraint", f"conrelid = 's.t'::regclass AND conname = '{name}' AND {more}")


def _policy(name: str, more: str = "true") -> str:
    return _there("pg_policy", f"polrelid = 's.t'::regclass AND polname = '{name}' AND {more}")


def _index(name: str, more: str = "true") -> str:
    return _there(
        "pg_index x JOIN pg_class i ON i.oid = x.indexrelid",
        f"x.indrelid = 's.t'::regclass AND i.relname = '{name}' AND {more}",
    )


def _column(name: str, more: str) -> str:
    return _there(
        "pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum",
        f"a.attrelid = 's.t'::regclass AND a.attname = '{name}' AND ({more})",
    )


def _class(more: str) -> str:
    return _there("pg_class c", f"c.oid = 's.t'::regclass AND ({more})")


def _comment(catalog: str, oid: str, part: int = 0) -> str:
    return _there(
        "pg_description",
        f"classoid = '{catalog}'::regclass AND objoid = ({oid}) AND objsubid = {part} AND description = 'by others'",
    )


_ROOT = "WITH (publish_via_partition_root = true)"


def _listed(publication: str) -> str:
    return _there(
        "pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid",
        f"r.prrelid = 's.t'::regclass AND p.pubname = '{publication}'",
    )


def _oid(catalog: str, where: str) -> str:
    return f"SELECT oid FROM {catalog} WHERE {where}"


_SEQUENCE = "pg_get_serial_sequence('s.t', 'id')::regclass"
_SERIAL = "pg_get_serial_sequence('s.t', 'number')::regclass"
_READS = "pg_get_viewdef('s.{}'::regclass) LIKE '%{}%' AND EXISTS (SELECT 1 FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid WHERE r.ev_class = 's.{}'::regclass AND d.refobjid = 's.t'::regclass)"  # noqa: E501
_EXECUTE = "FOR EACH ROW EXECUTE FUNCTION s.f()"

CHANGES = (
    Change("create a trigger", f"CREATE TRIGGER new AFTER INSERT ON s.t {_EXECUTE}", _trigger("new")),
    Change(
        "create a trigger for statements",
        "CREATE TRIGGER told AFTER INSERT ON s.t FOR EACH STATEMENT EXECUTE FUNCTION s.f()",
        _trigger("told"),
    ),
    Change("drop a trigger", "DROP TRIGGER two ON s.t", f"NOT {_trigger('two')}"),
    Change("disable a trigger", "ALTER TABLE s.t DISABLE TRIGGER one", _trigger("one", "tgenabled = 'D'")),
    Change("rename a trigger", "ALTER TRIGGER one ON s.t RENAME TO uno", _trigger("uno"), alone=True),
    Change(
        "add a foreign key",
        "ALTER TABLE s.t ADD CONSTRAINT more FOREIGN KEY (gone) REFERENCES s.other",
        _constraint("more"),
        alone=True,
    ),
    Change("drop a foreign key", "ALTER TABLE s.t DROP CONSTRAINT t_place", f"NOT {_constraint('t_place')}"),
    Change(
        "add a check",
        "ALTER TABLE s.t ADD CONSTRAINT few CHECK (number < 1000000)",
        _constraint("few"),
        lost=("rollback",),
    ),
    Change(
        "drop a check", "ALTER TABLE s.t DROP CONSTRAINT t_word", f"NOT {_constraint('t_word')}", lost=("rollback",)
    ),
    Change(
        "rename a check",
        "ALTER TABLE s.t RENAME CONSTRAINT t_body TO full_body",
        _constraint("full_body"),
        lost=("rollback",),
    ),
    Change(
        "add a unique constraint",
        "ALTER TABLE s.t ADD CONSTRAINT single UNIQUE (number, at)",
        _constraint("single"),
        lost=("rollback",),
    ),
    Change(
        "add a unique constraint that no partitioned table can hold",
        "ALTER TABLE s.t ADD CONSTRAINT single UNIQUE (number)",
        _constraint("single"),
        alone=True,
        back=False,
    ),
    Change(
        "add an exclusion constraint",
        "ALTER TABLE s.t ADD CONSTRAINT never EXCLUDE USING btree (number WITH =)",
        _constraint("never"),
        alone=True,
        back=False,
    ),
    Change("create an index", "CREATE INDEX t_word_at ON s.t (word)", _index("t_word_at"), lost=("rollback",)),
    Change("drop an index", "DROP INDEX s.t_number", f"NOT {_index('t_number')}"),
    Change("rename an index", "ALTER INDEX s.t_lower RENAME TO t_low", _index("t_low"), alone=True, lost=("rollback",)),
    Change(
        "set an index's option",
        "ALTER INDEX s.t_lower SET (fillfactor = 60)",
        _index("t_lower", "'fillfactor=60' = ANY (i.reloptions)"),
        back=False,
    ),
    Change(
        "set the statistics of an index's expression",
        "ALTER INDEX s.t_lower ALTER COLUMN 1 SET STATISTICS 50",
        _there("pg_attribute", "attrelid = 's.t_lower'::regclass AND attstattarget = 50"),
        lost=(*THERE, *BACK),
    ),
    Change(
        "cluster by an index",
        "ALTER TABLE s.t CLUSTER ON t_lower",
        _index("t_lower", "indisclustered"),
        alone=True,
        back=False,
        lost=(*THERE, *BACK),
    ),
    Change("create a policy", "CREATE POLICY r ON s.t AS RESTRICTIVE USING (id > 0)", _policy("r")),
    Change("drop a policy", "DROP POLICY q ON s.t", f"NOT {_policy('q')}"),
    Change(
        "alter a policy",
        "ALTER POLICY p ON s.t USING (number > 0)",
        _policy("p", "pg_get_expr(polqual, polrelid) LIKE '%number%'"),
    ),
    Change("enable row security", "ALTER TABLE s.t ENABLE ROW LEVEL SECURITY", _class("c.relrowsecurity")),
    Change("force row security", "ALTER TABLE s.t FORCE ROW LEVEL SECURITY", _class("c.relforcerowsecurity")),
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
        _class("pg_get_userbyid(c.relowner) = 'pg_read_all_data'"),
        alone=True,
    ),
    Change("comment on the table", "COMMENT ON TABLE s.t IS 'by others'", _comment("pg_class", "'s.t'::regclass")),
    Change(
        "comment on a column",
        "COMMENT ON COLUMN s.t.id IS 'by others'",
        _comment("pg_class", "'s.t'::regclass", 1),
        lost=BACK,
    ),
    Change(
        "comment on a constraint",
        "COMMENT ON CONSTRAINT t_body ON s.t IS 'by others'",
        _comment("pg_constraint", _oid("pg_constraint", "conrelid = 's.t'::regclass AND conname = 't_body'")),
        alone=True,
    ),
    Change(
        "comment on an index",
        "COMMENT ON INDEX s.t_lower IS 'by others'",
        _comment("pg_class", "'s.t_lower'::regclass"),
        lost=BACK,
    ),
    Change(
        "comment on the primary key's index",
        "COMMENT ON INDEX s.t_pkey IS 'by others'",
        _comment("pg_class", "'s.t_pkey'::regclass"),
        lost=("rollback",),
    ),
    Change(
        "comment on a trigger",
        "COMMENT ON TRIGGER one ON s.t IS 'by others'",
        _comment("pg_trigger", _oid("pg_trigger", "tgrelid = 's.t'::regclass AND tgname = 'one'")),
    ),
    Change(
        "comment on a policy",
        "COMMENT ON POLICY p ON s.t IS 'by others'",
        _comment("pg_policy", _oid("pg_policy", "polrelid = 's.t'::regclass AND polname = 'p'")),
    ),
    Change("comment on a view", "COMMENT ON VIEW s.v IS 'by others'", _comment("pg_class", "'s.v'::regclass")),
    Change(
        "comment on a sequence",
        "COMMENT ON SEQUENCE s.t_id_seq IS 'by others'",
        _comment("pg_class", _SEQUENCE),
        lost=("rollback",),
    ),
    Change(
        "comment on a statistics object",
        "COMMENT ON STATISTICS s.st IS 'by others'",
        _comment("pg_statistic_ext", _oid("pg_statistic_ext", "stxrelid = 's.t'::regclass")),
        lost=(*THERE, *BACK),
    ),
    Change(
        "set a default",
        "ALTER TABLE s.t ALTER body SET DEFAULT 'other'",
        _column("body", "pg_get_expr(d.adbin, d.adrelid) LIKE '%other%'"),
        lost=("rollback",),
    ),
    Change(
        "drop a default", "ALTER TABLE s.t ALTER at DROP DEFAULT", _column("at", "d.oid IS NULL"), lost=("rollback",)
    ),
    Change(
        "set not null",
        "ALTER TABLE s.t ALTER place_id SET NOT NULL",
        _column("place_id", "a.attnotnull"),
        lost=("rollback",),
    ),
    Change(
        "drop not null",
        "ALTER TABLE s.t ALTER word DROP NOT NULL",
        _column("word", "NOT a.attnotnull"),
        lost=("rollback",),
    ),
    Change(
        "alter an identity",
        "ALTER TABLE s.t ALTER id SET GENERATED BY DEFAULT",
        _column("id", "a.attidentity = 'd'"),
        lost=("rollback",),
    ),
    Change(
        "drop an identity", "ALTER TABLE s.t ALTER id DROP IDENTITY", _column("id", "a.attidentity = ''"), alone=True
    ),
    Change(
        "alter an identity's sequence",
        "ALTER SEQUENCE s.t_id_seq INCREMENT 3",
        _there("pg_sequence", f"seqrelid = {_SEQUENCE} AND seqincrement = 3"),
        lost=("rollback",),
    ),
    Change(
        "alter a serial column's sequence",
        "ALTER SEQUENCE s.t_number_seq CACHE 7",
        _there("pg_sequence", f"seqrelid = {_SERIAL} AND seqcache = 7"),
    ),
    Change(
        "grant on an identity's sequence",
        "GRANT USAGE ON SEQUENCE s.t_id_seq TO pg_monitor",
        f"has_sequence_privilege('pg_monitor', {_SEQUENCE}, 'USAGE')",
        lost=("rollback",),
    ),
    Change(
        "set a column's storage",
        "ALTER TABLE s.t ALTER body SET STORAGE EXTERNAL",
        _column("body", "a.attstorage = 'e'"),
        lost=("rollback",),
    ),
    Change(
        "set a column's compression",
        "ALTER TABLE s.t ALTER body SET COMPRESSION pglz",
        _column("body", "a.attcompression = 'p'"),
        lost=BACK,
    ),
    Change(
        "set a column's statistics",
        "ALTER TABLE s.t ALTER body SET STATISTICS 70",
        _column("body", "a.attstattarget = 70"),
        lost=("rollback",),
    ),
    Change(
        "set a column's option",
        "ALTER TABLE s.t ALTER word SET (n_distinct = 5)",
        _column("word", "'n_distinct=5' = ANY (a.attoptions)"),
        alone=True,
        lost=(*THERE, *BACK),
    ),
    Change(
        "set a storage parameter",
        "ALTER TABLE s.t SET (fillfactor = 70)",
        "(SELECT bool_or('fillfactor=70' = ANY (reloptions)) FROM pg_class WHERE relkind = 'r' AND oid IN "
        "(SELECT relid FROM pg_partition_tree('s.t') UNION ALL SELECT 's.t'::regclass))",
        back=False,
    ),
    Change(
        "set a TOAST table's parameter",
        "ALTER TABLE s.t SET (toast.autovacuum_vacuum_threshold = 70)",
        "(SELECT bool_or('autovacuum_vacuum_threshold=70' = ANY (o.reloptions)) FROM pg_class c JOIN pg_class o "
        "ON o.oid = c.reltoastrelid WHERE c.oid IN (SELECT relid FROM pg_partition_tree('s.t') UNION ALL "
        "SELECT 's.t'::regclass))",
        back=False,
        lost=(*THERE, *BACK),
    ),
    Change(
        "create a statistics object",
        "CREATE STATISTICS s.more ON number, place_id FROM s.t",
        _there(
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
        "NOT " + _there("pg_statistic_ext", "stxrelid = 's.t'::regclass"),
        alone=True,
    ),
    Change(
        "set a statistics object's target",
        "ALTER STATISTICS s.st SET STATISTICS 30",
        _there("pg_statistic_ext", "stxrelid = 's.t'::regclass AND stxstattarget = 30"),
        lost=(*THERE, *BACK),
    ),
    Change("create a view", "CREATE VIEW s.fresh AS SELECT number FROM s.t", _READS.format("fresh", "number", "fresh")),
    Change("drop a view", "DROP VIEW s.w", "to_regclass('s.w') IS NULL"),
    Change(
        "replace a view",
        "CREATE OR REPLACE VIEW s.v AS SELECT id, body, word FROM s.t",
        _READS.format("v", "word", "v"),
    ),
    Change(
        "set a view's option",
        "ALTER VIEW s.v SET (security_barrier = true)",
        _there("pg_class", "oid = 's.v'::regclass AND 'security_barrier=true' = ANY (reloptions)"),
    ),
    Change(
        "grant on a view", "GRANT SELECT ON s.v TO pg_monitor", "has_table_privilege('pg_monitor', 's.v', 'SELECT')"
    ),
    Change("add a column", "ALTER TABLE s.t ADD COLUMN more int DEFAULT 4", _column("more", "true"), alone=True),
    Change(
        "drop a column", "ALTER TABLE s.t DROP COLUMN gone", f"NOT {_column('gone', 'NOT a.attisdropped')}", alone=True
    ),
    Change("rename a column", "ALTER TABLE s.t RENAME word TO term", _column("term", "true"), alone=True),
    Change(
        "change a column's type",
        "ALTER TABLE s.t ALTER gone TYPE bigint",
        _column("gone", "a.atttypid = 'int8'::regtype"),
        alone=True,
    ),
    Change(
        "create a rule",
        "CREATE RULE r AS ON INSERT TO s.t DO ALSO NOTHING",
        _there("pg_rewrite", "ev_class = 's.t'::regclass AND rulename = 'r'"),
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
    Change("publish it, partition by partition", "CREATE PUBLICATION ours FOR TABLE s.t", _listed("ours"), alone=True),
    Change("publish it", f"CREATE PUBLICATION ours FOR TABLE s.t {_ROOT}", _listed("ours")),
    Change("publish it no more", "ALTER PUBLICATION pub DROP TABLE s.t", f"NOT {_listed('pub')}"),
    Change(
        "publish it nowhere", "DROP PUBLICATION pub", "NOT " + _there("pg_publication", "pubname = 'pub'"), alone=True
    ),
    Change(
        "publish some of it",
        "ALTER PUBLICATION pub_too SET TABLE s.place, s.t (id, at, number) WHERE (id > 5)",
        _there(
            "pg_publication_tables",
            "tablename = 't' AND pubname = 'pub_too' AND cardinality(attnames) = 3 AND rowfilter = '(id > 5)'",
        ),
    ),
    Change(
        "publish some of what is done to it",
        "ALTER PUBLICATION pub_too SET (publish = 'insert')",
        _there("pg_publication", "pubname = 'pub_too' AND pubinsert AND NOT pubdelete"),
    ),
    Change(
        "publish all tables",
        f"CREATE PUBLICATION ours FOR ALL TABLES {_ROOT}",
        _there("pg_publication", "pubname = 'ours' AND puballtables AND pubinsert AND pubdelete"),
        alone=True,
    ),
    Change(
        "publish its schema",
        f"CREATE PUBLICATION ours FOR TABLES IN SCHEMA s {_ROOT}",
        _there("pg_publication_tables", "pubname = 'ours' AND tablename = 't'"),
        alone=True,
    ),
    Change(
        "make it unlogged", "ALTER TABLE s.t SET UNLOGGED", _class("c.relpersistence = 'u'"), alone=True, back=False
    ),
    Change(
        "inherit from it",
        "CREATE TABLE s.heir () INHERITS (s.t)",
        _there("pg_inherits", "inhrelid = 's.heir'::regclass AND inhparent = 's.t'::regclass"),
        alone=True,
        back=False,
    ),
    Change(
        "refer to it",
        "CREATE TABLE s.child (t_id bigint REFERENCES s.t)",
        _there("pg_constraint", "conrelid = 's.child'::regclass AND confrelid = 's.t'::regclass"),
        alone=True,
        back=False,
    ),
    Change(
        "create a materialized view",
        "CREATE MATERIALIZED VIEW s.m AS SELECT id FROM s.t",
        _READS.format("m", "id", "m"),
        alone=True,
    ),
    Change(
        "create a function of its rows",
        "CREATE FUNCTION s.all_t() RETURNS SETOF s.t LANGUAGE sql AS 'SELECT * FROM s.t'",
        _there(
            "pg_proc", "proname = 'all_t' AND prorettype = (SELECT reltype FROM pg_class WHERE oid = 's.t'::regclass)"
        ),
        alone=True,
    ),
)
"""All of them; none needs another."""

NAMES = (
    Change(
        "give the name of a trigger's function to another one",
        "ALTER FUNCTION s.f() RENAME TO first_f; "
        "CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        _trigger("one", "tgfoid = 's.first_f'::regproc"),
    ),
    Change(
        "give the name of a table that it refers to to another one",
        "ALTER TABLE s.place RENAME TO first_place; CREATE TABLE s.place (id bigint PRIMARY KEY)",
        _constraint("t_place", "confrelid = 's.first_place'::regclass"),
    ),
    Change(
        "rename a column that it refers to",
        "ALTER TABLE s.first_place RENAME id TO number",
        _constraint("t_place", "pg_get_constraintdef(oid) LIKE '%(number)%'"),
    ),
    Change(
        "give the name of a default's function to another one",
        "ALTER FUNCTION s.none() RENAME TO first_none; "
        "CREATE FUNCTION s.none() RETURNS text LANGUAGE sql AS 'SELECT NULL'",
        _column("body", "pg_get_expr(d.adbin, d.adrelid) LIKE '%first_none%'"),
    ),
    Change(
        "give the name of a policy's function to another one",
        "ALTER FUNCTION s.may() RENAME TO first_may; "
        "CREATE FUNCTION s.may() RETURNS boolean LANGUAGE sql AS 'SELECT false'",
        _policy("p", "pg_get_expr(polqual, polrelid) LIKE '%first_may%'"),
    ),
)
"""What changes nothing of the table but what is printed of it; in this order."""

NAMED = (
    "CREATE FUNCTION s.none() RETURNS text LANGUAGE sql AS $$ SELECT 'none' $$",
    "ALTER TABLE s.t ALTER body SET DEFAULT s.none()",
    "CREATE FUNCTION s.may() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "ALTER POLICY p ON s.t USING (s.may())",
)
"""What these need besides the table."""

BESIDE = tuple(
    change
    for change in CHANGES
    if change.name.startswith(("grant", "revoke", "comment on"))
    or change.name
    in (
        "set a statistics object's target",
        "alter an identity's sequence",
        "set an index's option",
        "publish some of what is done to it",
    )
)
"""What asks for no lock on the table, or for none that conflicts in some version: it may come beside any lock."""
