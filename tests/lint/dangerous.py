"""Revisions that harm a database in use, or the code that runs: each with what has to be found in it."""

from __future__ import annotations

BLOCK = "with op.get_context().autocommit_block():\n    "


def sql(*statements: str) -> str:
    """A body that sends statements."""
    return "\n".join(f"op.execute({one!r})" for one in statements)


def block(*statements: str) -> str:
    """The same, each committed on its own."""
    return BLOCK + "\n    ".join(f"op.execute({one!r})" for one in statements)


DANGEROUS: dict[str, tuple[str, str]] = {
    # rows
    "delete_an_open_range": ("whole_table", sql("DELETE FROM orders WHERE made < '2025-01-01'")),
    "update_an_open_range": ("whole_table", sql("UPDATE orders SET total = 0 WHERE id > 1000")),
    "update_where_null_by_index": ("whole_table", sql("UPDATE orders SET shop = 1 WHERE shop IS NULL")),
    "update_where_true_by_index": ("whole_table", sql("UPDATE orders SET total = 0 WHERE open")),
    "delete_by_partial_index": ("whole_table", sql("DELETE FROM orders WHERE sent IS NULL")),
    "update_from_another": ("whole_table", sql("UPDATE orders SET total = s.size FROM shops s WHERE s.id = shop")),
    "delete_using_another": ("whole_table", sql("DELETE FROM items USING orders o WHERE o.id = of AND o.made < now()")),
    "merge_of_all": (
        "whole_table",
        sql("MERGE INTO orders o USING shops s ON o.shop = s.id WHEN MATCHED THEN UPDATE SET total = s.size"),
    ),
    "delete_with_returning": (
        "whole_table",
        sql("WITH gone AS (DELETE FROM plain RETURNING *) INSERT INTO heap SELECT * FROM gone"),
    ),
    "delete_where_in_open_range": (
        "whole_table",
        sql("DELETE FROM items WHERE of IN (SELECT id FROM orders WHERE made < '2025-01-01')"),
    ),
    "update_of_many_values": (
        "whole_table",
        sql("INSERT INTO shops SELECT i, i FROM generate_series(1, 9) i")
        + "\nshops = sa.table('shops', sa.column('id'), sa.column('size'))\nvalues = [{'i': i} for i in range(1, 10)]\n"
        "op.get_bind().execute(shops.update().where(shops.c.id == sa.bindparam('i')).values(size=0), values)",
    ),
    "update_by_core": ("whole_table", "op.execute(sa.update(sa.table('orders', sa.column('total'))).values(total=1))"),
    "update_with_parameter": (
        "whole_table",
        "op.get_bind().execute(sa.text('DELETE FROM orders WHERE made < :day'), {'day': '2025-01-01'})",
    ),
    "select_for_update": ("whole_table", sql("SELECT id FROM orders FOR UPDATE")),
    "update_in_a_savepoint": (
        "whole_table",
        "with op.get_bind().begin_nested():\n    op.execute('UPDATE plain SET a = 1')",
    ),
    "update_by_session": (
        "whole_table",
        "from sqlalchemy.orm import Session\nsession = Session(op.get_bind())\n"
        "session.execute(sa.text('UPDATE plain SET b = a WHERE b IS NULL'))\nsession.flush()",
    ),
    "update_by_raw_cursor": (
        "whole_table",
        "op.get_bind().connection.cursor().execute('UPDATE plain SET a = a + 1')",
    ),
    "update_without_commit_in_block": ("whole_table", block("BEGIN", "UPDATE plain SET a = 1", "COMMIT")),
    "update_behind_a_comment": ("whole_table", sql("-- all of them\nUPDATE plain SET a = 1")),
    "update_behind_another_comment": ("whole_table", sql("/* all /* of */ them */ DELETE FROM plain WHERE b > 3")),
    "update_explained": ("whole_table", sql("EXPLAIN ANALYZE UPDATE plain SET a = 1")),
    "update_prepared": ("whole_table", sql("PREPARE q AS UPDATE plain SET a = 1", "EXECUTE q", "DEALLOCATE q")),
    "block_that_updates": ("whole_table", sql("DO $$ BEGIN UPDATE plain SET a = 1 WHERE b IS NULL; END $$")),
    "block_with_an_open_range": ("whole_table", sql("DO $$ BEGIN DELETE FROM orders WHERE id > 7; END $$")),
    "block_with_a_variable": (
        "whole_table",
        sql("DO $$ DECLARE day timestamp := now(); BEGIN DELETE FROM orders WHERE made < day; END $$"),
    ),
    "block_of_composed_statements": (
        "whole_table",
        sql("DO $$ BEGIN EXECUTE format('UPDATE %I SET a = 1', 'plain'); END $$"),
    ),
    "block_with_ddl_too": (
        "whole_table",
        sql("DO $$ BEGIN CREATE TABLE fresh (a int); UPDATE plain SET a = 1; END $$"),
    ),
    "function_that_updates": (
        "whole_table",
        sql(
            "CREATE FUNCTION fill(n int) RETURNS void LANGUAGE sql AS 'DELETE FROM orders WHERE id > n'",
            "SELECT fill(3)",
        ),
    ),
    "procedure_that_updates": (
        "whole_table",
        sql(
            "CREATE PROCEDURE fill() LANGUAGE plpgsql AS 'BEGIN UPDATE plain SET a = 1 WHERE a IS NULL; END'",
            "CALL fill()",
        ),
    ),
    "trigger_that_updates": (
        "whole_table",
        sql(
            "CREATE OR REPLACE FUNCTION note_it() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN UPDATE plain SET a = 1; RETURN NEW; END'",
            "INSERT INTO orders (shop) VALUES (NULL)",
        ),
    ),
    "procedure_that_commits": (
        "whole_table",
        "op.execute('CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN UPDATE plain SET a = 1; COMMIT; END $$')\n"
        + block("CALL fill()"),
    ),
    "emptied_by_delete": ("whole_table", sql("DELETE FROM shops")),
    "truncate_cascade": ("rows_gone", sql("TRUNCATE orders CASCADE")),
    "truncate_restart": ("rows_gone", sql("TRUNCATE old.notes RESTART IDENTITY")),
    "schema_dropped": ("rows_gone", sql("DROP SCHEMA old CASCADE")),
    "partition_dropped": ("rows_gone", "op.drop_table('visits_1')"),
    "table_made_again": ("rows_gone", sql("DROP TABLE plain", "CREATE TABLE plain (a int, b int)")),
    # locks
    "lock_table": ("blocks", sql("LOCK TABLE orders", "UPDATE orders SET total = 1 WHERE id = 1")),
    "lock_table_share": ("blocks", sql("LOCK TABLE orders IN SHARE MODE", "SELECT price_of(1)")),
    "reindex_of_a_schema": ("blocks", block("REINDEX SCHEMA old")),
    "procedure_that_builds": (
        "blocks",
        "op.execute('CREATE PROCEDURE build() LANGUAGE plpgsql AS $$ BEGIN COMMIT; CREATE INDEX ON plain (a); END $$')"
        "\n" + block("CALL build()"),
    ),
    "lock_table_in_a_block": (
        "blocks",
        sql("DO $$ BEGIN LOCK TABLE orders IN EXCLUSIVE MODE; END $$", "INSERT INTO plain VALUES (1, 1)"),
    ),
    "set_unlogged": ("blocks", sql("ALTER TABLE plain SET UNLOGGED")),
    "set_logged": ("blocks", sql("ALTER TABLE quick SET LOGGED")),
    "cluster": ("blocks", sql("CLUSTER orders USING orders_pkey")),
    "reindex_index": ("blocks", sql("REINDEX INDEX orders_shop")),
    "reindex_schema": ("blocks", block("REINDEX SCHEMA public")),
    "refresh": ("blocks", sql("REFRESH MATERIALIZED VIEW sums")),
    "refresh_under_a_lock": (
        "blocks",
        sql("ALTER TABLE shops ADD COLUMN more int", "REFRESH MATERIALIZED VIEW CONCURRENTLY sums"),
    ),
    "view_filled_again": (
        "blocks",
        sql("DROP MATERIALIZED VIEW sums", "CREATE MATERIALIZED VIEW sums AS SELECT id, size FROM shops"),
    ),
    "attach_without_check": (
        "blocks",
        sql("ALTER TABLE days ATTACH PARTITION loose FOR VALUES FROM ('2025-02-01') TO ('2025-03-01')"),
    ),
    "attach_beside_a_default": (
        "blocks",
        sql(
            "CREATE TABLE fresh (id int, page int)",
            "ALTER TABLE visits ATTACH PARTITION fresh FOR VALUES FROM (1000) TO (2000)",
        ),
    ),
    "partition_beside_a_default": (
        "blocks",
        sql("CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM (1000) TO (2000)"),
    ),
    "partition_of": (
        "lighter_way",
        sql("CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2025-02-01') TO ('2025-03-01')"),
    ),
    "index_of_partitions": ("blocks", "op.create_index('by_page', 'visits', ['page'])"),
    "unique_of_partitions": ("blocks", "op.create_unique_constraint('once', 'visits', ['id'])"),
    "validated_in_the_same": (
        "blocks",
        sql(
            "ALTER TABLE orders ADD CONSTRAINT few CHECK (total < 9) NOT VALID",
            "ALTER TABLE orders VALIDATE CONSTRAINT few",
        ),
    ),
    "not_null_with_check_unproved": (
        "blocks",
        sql(
            "ALTER TABLE orders ADD CONSTRAINT has CHECK (total IS NOT NULL) NOT VALID",
            "ALTER TABLE orders ALTER total SET NOT NULL",
        ),
    ),
    "column_with_check": ("blocks", sql("ALTER TABLE orders ADD COLUMN more int DEFAULT 1 CHECK (more > 0)")),
    "column_referring_filled": ("blocks", sql("ALTER TABLE orders ADD COLUMN more int DEFAULT 1 REFERENCES shops")),
    "column_serial": ("blocks", sql("ALTER TABLE orders ADD COLUMN more serial")),
    "column_with_primary_key": ("blocks", sql("ALTER TABLE plain ADD COLUMN id bigserial PRIMARY KEY")),
    "type_int_to_bigint": ("blocks", sql("ALTER TABLE orders ALTER number TYPE bigint")),
    "type_text_to_varchar": ("blocks", sql("ALTER TABLE orders ALTER name TYPE varchar(50)")),
    "type_scale": ("blocks", sql("ALTER TABLE orders ALTER price TYPE numeric(8, 4)")),
    "type_using": ("blocks", sql("ALTER TABLE plain ALTER a TYPE text USING a::text")),
    "type_with_zone_elsewhere": (
        "blocks",
        sql("SET LOCAL timezone = 'Europe/Berlin'", "ALTER TABLE orders ALTER paid TYPE timestamptz"),
    ),
    "collation": ("blocks", sql('ALTER TABLE orders ALTER name TYPE text COLLATE "C"')),
    "domain_check": ("blocks", sql("ALTER DOMAIN amount ADD CHECK (VALUE > 0)")),
    "domain_not_null": ("blocks", sql("ALTER DOMAIN amount SET NOT NULL")),
    "enum_made_again": (
        "blocks",
        sql(
            "ALTER TYPE mood RENAME TO mood_old",
            "CREATE TYPE mood AS ENUM ('calm', 'cross', 'glad')",
            "ALTER TABLE orders ALTER feeling TYPE mood USING feeling::text::mood",
            "DROP TYPE mood_old",
        ),
    ),
    "foreign_key_to_a_hot_table": (
        "blocks",
        "op.create_foreign_key('f', 'plain', 'orders', ['a'], ['id'])",
    ),
    "trigger_and_update": (
        "blocks",
        sql(
            "CREATE TRIGGER more BEFORE UPDATE ON plain FOR EACH ROW EXECUTE FUNCTION note_it()",
            "UPDATE plain SET a = 1",
        ),
    ),
    "triggers_off_for_an_update": (
        "blocks",
        sql("ALTER TABLE plain DISABLE TRIGGER ALL", "UPDATE plain SET a = 1", "ALTER TABLE plain ENABLE TRIGGER ALL"),
    ),
    "read_under_a_lock": (
        "blocks",
        "op.add_column('orders', sa.Column('more', sa.Integer))\n"
        "for row in op.get_bind().execute(sa.text('SELECT a FROM plain')):\n    pass",
    ),
    "several_in_one_message": (
        "several_tables",
        sql("ALTER TABLE orders ADD m int; ALTER TABLE shops ADD m int; ALTER TABLE plain ADD m int"),
    ),
    "several_by_triggers": (
        "several_tables",
        sql(
            *(
                f"CREATE TRIGGER more BEFORE UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION note_it()"
                for t in ("orders", "shops", "items")
            )
        ),
    ),
    "table_like_with_key": (
        "locks_another",
        sql("CREATE TABLE fresh (id int PRIMARY KEY, of int REFERENCES orders ON DELETE CASCADE)"),
    ),
    "index_dropped_by_table": ("lighter_way", sql("DROP INDEX orders_shop, orders_made")),
    "detached_by_name": ("lighter_way", sql("ALTER TABLE days DETACH PARTITION days_1")),
    # names and rules that the running code relies on
    "security_without_policy": ("code_breaks", sql("ALTER TABLE orders ENABLE ROW LEVEL SECURITY")),
    "security_forced": (
        "code_breaks",
        sql("ALTER TABLE orders ENABLE ROW LEVEL SECURITY", "ALTER TABLE orders FORCE ROW LEVEL SECURITY"),
    ),
    "security_restrictive": (
        "code_breaks",
        sql("ALTER TABLE orders ENABLE ROW LEVEL SECURITY", "CREATE POLICY no ON orders AS RESTRICTIVE USING (id > 0)"),
    ),
    "policy_after_commit": (
        "code_breaks",
        block("ALTER TABLE orders ENABLE ROW LEVEL SECURITY", "CREATE POLICY every ON orders USING (true)"),
    ),
    "policy_dropped": ("code_breaks", sql("DROP POLICY own ON guarded")),
    "security_by_a_block": ("code_breaks", sql("DO $$ BEGIN ALTER TABLE orders ENABLE ROW LEVEL SECURITY; END $$")),
    "key_dropped_cascade": ("code_breaks", sql("ALTER TABLE orders DROP CONSTRAINT orders_pkey CASCADE")),
    "unique_dropped_cascade": (
        "code_breaks",
        sql(
            "ALTER TABLE shops DROP CONSTRAINT shops_code_key CASCADE",
        ),
    ),
    "table_dropped_cascade": ("code_breaks", sql("DROP TABLE orders CASCADE")),
    "column_dropped_cascade": ("code_breaks", sql("ALTER TABLE orders DROP COLUMN made CASCADE")),
    "function_dropped_cascade": ("code_breaks", sql("DROP FUNCTION note_it() CASCADE")),
    "sequence_dropped_cascade": ("code_breaks", sql("DROP SEQUENCE numbers CASCADE")),
    "domain_dropped_cascade": ("code_breaks", sql("DROP DOMAIN amount CASCADE")),
    "type_dropped_cascade": ("code_breaks", sql("DROP TYPE mood CASCADE")),
    "key_dropped": ("code_breaks", sql("ALTER TABLE quick DROP CONSTRAINT quick_pkey")),
    "unique_dropped": ("code_breaks", "op.drop_constraint('cards_code_key', 'cards')"),
    "unique_index_dropped": ("code_breaks", block("DROP INDEX CONCURRENTLY items_n")),
    "name_taken_then_column_dropped": (
        "code_breaks",
        sql(
            "ALTER TABLE plain RENAME TO plain_old",
            "CREATE TABLE plain (LIKE plain_old)",
            "ALTER TABLE plain DROP COLUMN b",
        ),
    ),
    "name_taken_then_column_renamed": (
        "code_breaks",
        sql(
            "ALTER TABLE plain RENAME TO plain_old",
            "CREATE TABLE plain (LIKE plain_old)",
            "ALTER TABLE plain RENAME COLUMN b TO c",
        ),
    ),
    "name_taken_without_rights": (
        "code_breaks",
        sql(
            "CREATE TABLE fresh (LIKE cards INCLUDING ALL)",
            "ALTER TABLE cards RENAME TO cards_old",
            "ALTER TABLE fresh RENAME TO cards",
        ),
    ),
    "name_taken_without_index": (
        "code_breaks",
        sql(
            "ALTER TABLE cards RENAME TO cards_old",
            "CREATE TABLE cards (LIKE cards_old)",
            "GRANT SELECT ON cards TO PUBLIC",
        ),
    ),
    "column_renamed_to_a_known": (
        "code_breaks",
        sql("ALTER TABLE plain DROP COLUMN a", "ALTER TABLE plain RENAME COLUMN b TO a"),
    ),
    "schema_renamed": ("code_breaks", sql("ALTER SCHEMA old RENAME TO older")),
    "set_schema": ("code_breaks", sql("ALTER TABLE plain SET SCHEMA old")),
    "view_dropped": ("code_breaks", sql("DROP VIEW recent")),
    "view_renamed": ("code_breaks", sql("ALTER VIEW recent RENAME TO newest")),
    "function_dropped": ("code_breaks", sql("DROP FUNCTION price_of(int)")),
    "function_renamed": ("code_breaks", sql("ALTER FUNCTION price_of(int) RENAME TO cost_of")),
    "function_takes_more": (
        "code_breaks",
        sql(
            "DROP FUNCTION price_of(int)",
            "CREATE FUNCTION price_of(shop int, day date) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        ),
    ),
    "function_returns_other": (
        "code_breaks",
        sql(
            "DROP FUNCTION price_of(int)",
            "CREATE FUNCTION price_of(shop int) RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
        ),
    ),
    "sequence_dropped": ("code_breaks", sql("ALTER TABLE numbered ALTER n DROP DEFAULT", "DROP SEQUENCE numbers")),
    "sequence_renamed": ("code_breaks", sql("ALTER SEQUENCE numbers RENAME TO counts")),
    "sequence_restarted": ("code_breaks", sql("ALTER SEQUENCE orders_id_seq RESTART")),
    "identity_restarted": ("code_breaks", sql("ALTER TABLE items ALTER id RESTART WITH 1")),
    "identity_dropped": ("code_breaks", sql("ALTER TABLE items ALTER id DROP IDENTITY")),
    "identity_always": ("code_breaks", sql("ALTER TABLE items ALTER id SET GENERATED ALWAYS")),
    "default_dropped": ("code_breaks", "op.alter_column('orders', 'number', server_default=None)"),
    "expression_dropped": ("code_breaks", sql("ALTER TABLE orders ALTER twice DROP EXPRESSION")),
    "type_renamed": ("code_breaks", sql("ALTER TYPE mood RENAME TO moods")),
    "type_dropped": ("code_breaks", sql("DROP TYPE unused")),
    "label_renamed": ("code_breaks", sql("ALTER TYPE mood RENAME VALUE 'calm' TO 'quiet'")),
    "label_gone": (
        "code_breaks",
        sql(
            "ALTER TYPE mood RENAME TO mood_old",
            "CREATE TYPE mood AS ENUM ('calm')",
            "ALTER TABLE orders ALTER feeling TYPE mood USING feeling::text::mood",
            "DROP TYPE mood_old",
        ),
    ),
    "enum_to_text": ("code_breaks", sql("ALTER TABLE orders ALTER feeling TYPE text USING feeling::text")),
    "type_with_zone": (
        "code_breaks",
        sql("SET LOCAL timezone = 'UTC'", "ALTER TABLE orders ALTER paid TYPE timestamptz"),
    ),
    "extension_dropped": ("code_breaks", sql("DROP EXTENSION pg_trgm")),
    "trigger_disabled": ("code_breaks", sql("ALTER TABLE orders DISABLE TRIGGER noted")),
    "rule_instead": ("code_breaks", sql("CREATE RULE kept AS ON DELETE TO orders DO INSTEAD NOTHING")),
    "right_revoked": ("code_breaks", sql("REVOKE INSERT ON orders FROM PUBLIC")),
    "rights_all_revoked": ("code_breaks", sql("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC")),
    "identity_of_rows_gone": ("code_breaks", sql("ALTER TABLE told REPLICA IDENTITY NOTHING")),
    "published_without_key": ("code_breaks", sql("ALTER PUBLICATION news ADD TABLE plain")),
    "published_key_dropped": ("code_breaks", sql("ALTER TABLE told DROP CONSTRAINT told_pkey")),
    "published_all": ("code_breaks", sql("CREATE PUBLICATION everything FOR ALL TABLES")),
    "publication_dropped": ("code_breaks", sql("DROP PUBLICATION news")),
    "published_no_more": ("code_breaks", sql("ALTER PUBLICATION news DROP TABLE told")),
    "inheritance_ended": ("code_breaks", sql("ALTER TABLE cats NO INHERIT animals")),
    "column_json_by_type": ("type_trap", sql("ALTER TABLE plain ALTER a TYPE json USING to_json(a)")),
    # what PostgreSQL refuses
    "enum_value_as_default": (
        "fails",
        sql("ALTER TYPE mood ADD VALUE 'glad'", "ALTER TABLE orders ALTER feeling SET DEFAULT 'glad'"),
    ),
    "vacuum_in_a_transaction": ("fails", sql("VACUUM orders")),
    "type_of_a_viewed_column": ("fails", sql("ALTER TABLE orders ALTER note TYPE varchar(20)")),
    "drop_of_a_used_table": ("fails", "op.drop_table('shops')"),
    "system_in_a_transaction": ("fails", sql("ALTER SYSTEM SET work_mem = '4MB'")),
    "refresh_concurrently_unkeyed": (
        "fails",
        sql("CREATE MATERIALIZED VIEW fresh AS SELECT a FROM plain", "REFRESH MATERIALIZED VIEW CONCURRENTLY fresh"),
    ),
    "detach_concurrently_in_tx": ("fails", sql("ALTER TABLE days DETACH PARTITION days_1 CONCURRENTLY")),
    # run again, and back
    "committed_by_hand": ("differs_again", sql("INSERT INTO plain VALUES (1, 1)", "COMMIT", "SELECT 1")),
    "rows_without_conflict": ("differs_again", block("INSERT INTO plain VALUES (1, 1)", "ALTER TABLE plain ADD c int")),
    "unique_kept_though_invalid": (
        "unfinished",
        block("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS u ON plain (a)"),
    ),
    "reindex_leaves_a_copy": ("unfinished", block("REINDEX INDEX CONCURRENTLY orders_shop")),
}
