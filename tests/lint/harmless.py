"""Revisions that harm no session: nothing is found in any of them."""

from __future__ import annotations

from tests.lint.dangerous import BLOCK, block, sql

HARMLESS: dict[str, str] = {
    "index_on_a_new_table": sql("CREATE TABLE fresh (a int)", "CREATE INDEX ON fresh (a)"),
    "index_concurrently": block("CREATE INDEX CONCURRENTLY fresh ON orders (total)"),
    "index_concurrently_dropped_first": block(
        "DROP INDEX CONCURRENTLY IF EXISTS fresh", "CREATE INDEX CONCURRENTLY fresh ON orders (total)"
    ),
    "index_renamed": sql("ALTER INDEX orders_shop RENAME TO by_shop"),
    "index_on_only": sql("CREATE INDEX by_page ON ONLY visits (page)"),
    "index_of_a_view_that_is_new": sql(
        "CREATE MATERIALIZED VIEW fresh AS SELECT a FROM plain", "CREATE UNIQUE INDEX ON fresh (a)"
    ),
    "index_dropped_concurrently": block("DROP INDEX CONCURRENTLY orders_made"),
    "procedure_that_commits": block(
        "INSERT INTO shops SELECT i, i FROM generate_series(1, 9) i ON CONFLICT DO NOTHING",
        "CREATE OR REPLACE PROCEDURE fill() LANGUAGE plpgsql AS 'BEGIN FOR i IN 1..9 LOOP "
        "UPDATE shops SET size = 0 WHERE id = i; COMMIT; END LOOP; END'",
        "CALL fill()",
    ),
    "constraint_renamed": sql("ALTER TABLE orders RENAME CONSTRAINT orders_shop_fkey TO of_shop"),
    "check_dropped": sql("ALTER TABLE fitting DROP CONSTRAINT fitting_day_check"),
    "foreign_key_dropped": sql("ALTER TABLE orders DROP CONSTRAINT orders_shop_fkey"),
    "foreign_key_not_valid": sql("ALTER TABLE plain ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES shops NOT VALID"),
    "foreign_key_in_two_steps": block(
        "ALTER TABLE plain ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES shops NOT VALID",
        "ALTER TABLE plain VALIDATE CONSTRAINT f",
    ),
    "foreign_key_between_new_tables": sql(
        "CREATE TABLE one (id int PRIMARY KEY)", "CREATE TABLE two (id int REFERENCES one)"
    ),
    "deferrable": sql("ALTER TABLE orders ALTER CONSTRAINT orders_shop_fkey DEFERRABLE"),
    "unique_by_index": block(
        "CREATE UNIQUE INDEX CONCURRENTLY once ON plain (a)",
        "ALTER TABLE plain ADD CONSTRAINT once UNIQUE USING INDEX once",
    ),
    "unique_in_another_place": block(
        "CREATE UNIQUE INDEX CONCURRENTLY other ON items (n)", "DROP INDEX CONCURRENTLY items_n"
    ),
    "domain_check_not_valid": sql("ALTER DOMAIN amount ADD CONSTRAINT few CHECK (VALUE < 9) NOT VALID"),
    "column": sql("ALTER TABLE orders ADD COLUMN more text"),
    "columns_of_one_table": sql("ALTER TABLE orders ADD COLUMN one int", "ALTER TABLE orders ADD COLUMN two int"),
    "column_array_default": sql("ALTER TABLE orders ADD COLUMN tags text[] NOT NULL DEFAULT '{}'"),
    "column_jsonb": sql("ALTER TABLE orders ADD COLUMN data jsonb NOT NULL DEFAULT '{}'"),
    "column_stable_default": sql("ALTER TABLE orders ADD COLUMN more timestamptz NOT NULL DEFAULT now()"),
    "column_of_a_new_enum": sql(
        "CREATE TYPE size AS ENUM ('s')", "ALTER TABLE orders ADD COLUMN size size DEFAULT 's'"
    ),
    "column_of_a_plain_domain": sql("ALTER TABLE orders ADD COLUMN more amount"),
    "column_and_default_later": sql(
        "ALTER TABLE orders ADD COLUMN more uuid", "ALTER TABLE orders ALTER more SET DEFAULT gen_random_uuid()"
    ),
    "default_changed": sql("ALTER TABLE orders ALTER number SET DEFAULT 2"),
    "default_of_a_nullable_dropped": sql("ALTER TABLE orders ALTER made DROP DEFAULT"),
    "nullable": "op.alter_column('orders', 'number', nullable=True)",
    "type_wider": sql("ALTER TABLE orders ALTER price TYPE numeric(12, 2)"),
    "type_without_limit": sql("ALTER TABLE orders ALTER price TYPE numeric"),
    "type_array_of_text": sql("CREATE TABLE fresh (a int)", "ALTER TABLE fresh ALTER a TYPE bigint"),
    "statistics": sql("ALTER TABLE orders ALTER total SET STATISTICS 500"),
    "storage": sql("ALTER TABLE orders ALTER long SET STORAGE EXTERNAL"),
    "compression": sql("ALTER TABLE orders ALTER long SET COMPRESSION pglz"),
    "n_distinct": sql("ALTER TABLE orders ALTER total SET (n_distinct = 100)"),
    "extended_statistics": sql("CREATE STATISTICS both_of ON total, shop FROM orders"),
    "fillfactor": sql("ALTER TABLE orders SET (fillfactor = 90)"),
    "autovacuum": sql("ALTER TABLE orders SET (autovacuum_vacuum_scale_factor = 0.01)"),
    "replica_identity_full": sql("ALTER TABLE told REPLICA IDENTITY FULL"),
    "published_with_key": sql("ALTER PUBLICATION news ADD TABLE shops"),
    "comment": "op.create_table_comment('orders', 'those of shops')",
    "comment_on_a_column": sql("COMMENT ON COLUMN orders.total IS 'in cents'"),
    "analyze": sql("ANALYZE orders"),
    "vacuum": block("VACUUM (ANALYZE) orders"),
    "trigger_with_its_function": sql(
        "CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER more BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION more()",
    ),
    "trigger_replaced": sql(
        "CREATE OR REPLACE TRIGGER noted BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION note_it()"
    ),
    "function_replaced": sql("CREATE OR REPLACE FUNCTION price_of(shop int) RETURNS int LANGUAGE sql AS 'SELECT 2'"),
    "function_takes_a_default": sql(
        "DROP FUNCTION price_of(int)",
        "CREATE FUNCTION price_of(shop int, day date DEFAULT now()) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ),
    "view_replaced": sql("CREATE OR REPLACE VIEW recent AS SELECT id, made, note, total FROM orders"),
    "view_made_again": sql("DROP VIEW recent", "CREATE VIEW recent AS SELECT id, made, note FROM orders"),
    "view_of_a_view": sql("CREATE VIEW newest AS SELECT * FROM recent"),
    "refresh_concurrently": sql("REFRESH MATERIALIZED VIEW CONCURRENTLY sums"),
    "view_filled": sql("CREATE MATERIALIZED VIEW fresh AS SELECT shop, sum(total) FROM orders GROUP BY 1"),
    "enum_value": sql("ALTER TYPE mood ADD VALUE 'glad'"),
    "enum_value_before": sql("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad' BEFORE 'cross'"),
    "enum_value_then_rows": block("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad'")
    + "\n"
    + sql("UPDATE orders SET feeling = 'glad' WHERE id = 1"),
    "enum_new": sql("CREATE TYPE fresh AS ENUM ('a')", "CREATE TABLE of_it (a fresh)"),
    "attach_with_check": sql(
        "ALTER TABLE days ATTACH PARTITION fitting FOR VALUES FROM ('2025-03-01') TO ('2025-04-01')"
    ),
    "attach_a_new_one": sql(
        "CREATE TABLE days_5 (LIKE days INCLUDING ALL)",
        "ALTER TABLE days ATTACH PARTITION days_5 FOR VALUES FROM ('2025-05-01') TO ('2025-06-01')",
    ),
    "detach_concurrently": block("ALTER TABLE days DETACH PARTITION days_1 CONCURRENTLY"),
    "partitions_of_a_new_table": sql(
        "CREATE TABLE logs (at date) PARTITION BY RANGE (at)",
        "CREATE TABLE logs_rest PARTITION OF logs DEFAULT",
        "CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2025-01-01') TO ('2025-02-01')",
    ),
    "sequence_new": sql("CREATE SEQUENCE fresh", "ALTER TABLE plain ALTER a SET DEFAULT nextval('fresh')"),
    "sequence_owned": sql("ALTER SEQUENCE numbers OWNED BY numbered.n"),
    "sequence_further": sql("ALTER SEQUENCE orders_id_seq RESTART WITH 1000000"),
    "sequence_set_to_the_last": sql("SELECT setval('orders_id_seq', (SELECT coalesce(max(id), 1) FROM orders))"),
    "sequence_of_a_column_renamed": sql("ALTER SEQUENCE orders_id_seq RENAME TO orders_ids"),
    "security_with_policy": sql(
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY", "CREATE POLICY every ON orders USING (true)"
    ),
    "policy_replaced": sql("DROP POLICY own ON guarded", "CREATE POLICY mine ON guarded USING (owner = session_user)"),
    "security_of_a_new_table": sql("CREATE TABLE fresh (a int)", "ALTER TABLE fresh ENABLE ROW LEVEL SECURITY"),
    "security_disabled": sql("ALTER TABLE guarded DISABLE ROW LEVEL SECURITY"),
    "right_granted": sql("GRANT UPDATE ON orders TO PUBLIC", "GRANT USAGE ON SCHEMA old TO PUBLIC"),
    "schema_new": sql("CREATE SCHEMA fresh", "CREATE TABLE fresh.a (id int)"),
    "extension": sql("CREATE EXTENSION IF NOT EXISTS citext"),
    "seed_rows": sql("INSERT INTO shops VALUES (1, 1, 'a') ON CONFLICT (id) DO NOTHING"),
    "seed_rows_upsert": sql("INSERT INTO shops VALUES (1, 1, 'a') ON CONFLICT (id) DO UPDATE SET size = excluded.size"),
    "seed_rows_by_bulk": "op.bulk_insert(sa.table('shops', sa.column('id')), [{'id': 1}, {'id': 2}])",
    "seed_where_not_exists": sql(
        "INSERT INTO shops SELECT 7, 7, 'g' WHERE NOT EXISTS (SELECT FROM shops WHERE code = 'g')"
    ),
    "update_one_row": sql("UPDATE orders SET total = 1 WHERE id = 7"),
    "update_few_rows": sql("UPDATE orders SET total = 1 WHERE id IN (7, 8, 9)"),
    "update_a_closed_range": sql("UPDATE orders SET total = 1 WHERE id BETWEEN 1 AND 1000"),
    "update_of_one_day": sql("DELETE FROM orders WHERE made >= '2025-01-01' AND made < '2025-01-02'"),
    "delete_limited": sql(
        "DELETE FROM orders WHERE id IN (SELECT id FROM orders WHERE made < '2025-01-01' ORDER BY id LIMIT 1000)"
    ),
    "update_of_values": sql("UPDATE orders SET total = v.t FROM (VALUES (1, 2), (3, 4)) v (i, t) WHERE id = v.i"),
    "update_one_of_another": sql("UPDATE orders SET total = s.size FROM shops s WHERE s.id = shop AND orders.id = 3"),
    "update_a_new_table": sql("CREATE TABLE fresh AS SELECT * FROM plain", "UPDATE fresh SET a = 1"),
    "update_a_temporary_table": sql(
        "CREATE TEMP TABLE t AS SELECT id FROM shops", "UPDATE t SET id = 1", "DROP TABLE t"
    ),
    "read_only": "assert op.get_bind().execute(sa.text('SELECT count(*) FROM orders')).scalar() is not None",
    "inspected": "if 'more' not in {c['name'] for c in sa.inspect(op.get_bind()).get_columns('orders')}:\n"
    "    op.add_column('orders', sa.Column('more', sa.Integer))",
    "for_update_of_one": sql("SELECT id FROM orders WHERE id = 1 FOR UPDATE"),
    "lock_table_before_its_change": sql("LOCK TABLE orders", "ALTER TABLE orders ADD COLUMN more int"),
    "lock_tables_in_order": sql(
        "LOCK TABLE orders, shops IN SHARE ROW EXCLUSIVE MODE", "ALTER TABLE orders DROP CONSTRAINT orders_shop_fkey"
    ),
    "attach_with_a_unique_index": sql(
        "ALTER TABLE weeks ATTACH PARTITION week_9 FOR VALUES FROM ('2025-03-01') TO ('2025-03-08')"
    ),
    "lock_table_weakly": sql("LOCK TABLE orders IN ROW EXCLUSIVE MODE", "UPDATE orders SET total = 1 WHERE id = 1"),
    "table_moved_and_viewed": sql("ALTER TABLE plain RENAME TO plain_1", "CREATE VIEW plain AS SELECT * FROM plain_1"),
    "keyed_table_moved_and_viewed": sql(
        "ALTER TABLE cards RENAME TO cards_1",
        "CREATE VIEW cards AS SELECT * FROM cards_1",
        "GRANT SELECT ON cards TO PUBLIC",
    ),
    "swapped": sql(
        "CREATE TABLE fresh (LIKE plain INCLUDING ALL)",
        "ALTER TABLE plain RENAME TO plain_old",
        "ALTER TABLE fresh RENAME TO plain",
    ),
    "swapped_with_rights": sql(
        "CREATE TABLE fresh (LIKE cards INCLUDING ALL)",
        "ALTER TABLE cards RENAME TO cards_old",
        "ALTER TABLE fresh RENAME TO cards",
        "GRANT SELECT ON cards TO PUBLIC",
    ),
    "savepoint": "with op.get_bind().begin_nested():\n    op.add_column('orders', sa.Column('more', sa.Integer))",
    "timeouts": sql(
        "SET LOCAL lock_timeout = '2s'", "SET LOCAL statement_timeout = '5s'", "ALTER TABLE orders ADD m int"
    ),
    "table_of_a_query": sql("CREATE TABLE fresh AS SELECT * FROM orders"),
    "one_row_in_a_block": sql("DO $$ DECLARE n int := 7; BEGIN UPDATE orders SET total = 1 WHERE id = n; END $$"),
    "a_range_in_a_block": sql("DO $$ BEGIN UPDATE orders SET total = 1 WHERE id BETWEEN 5 AND 500; END $$"),
    "one_row_by_a_function": sql(
        "CREATE FUNCTION one(n int) RETURNS void LANGUAGE sql AS 'UPDATE orders SET total = 1 WHERE id = n'",
        "SELECT one(3)",
    ),
    "batch_in_a_block": sql(
        "DO $$ BEGIN UPDATE orders SET total = 1 WHERE id IN (SELECT id FROM orders ORDER BY id LIMIT 100); END $$"
    ),
    "one_row_behind_a_comment": sql("-- the first\nUPDATE orders SET total = 1 WHERE id = 1"),
    "publication_made_again": sql("DROP PUBLICATION news", "CREATE PUBLICATION news FOR TABLE told, shops"),
    "rights_on_the_database": sql(
        "DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO PUBLIC', current_database()); END $$"
    ),
    "nothing": "pass",
    "a_block_of_both": "op.add_column('plain', sa.Column('c', sa.Integer))\n"
    + BLOCK
    + "op.create_index('by_c', 'plain', ['c'], postgresql_concurrently=True)",
}
