"""Labelled revisions: each with what `lint` has to find in it, or nothing. They run on the tables of SCHEMA."""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA = (
    "CREATE EXTENSION btree_gist",
    "CREATE TYPE mood AS ENUM ('calm', 'cross')",
    "CREATE TABLE shops (id int PRIMARY KEY, size int)",
    "CREATE TABLE orders (id int PRIMARY KEY, shop int, total int, note varchar(10))",
    "CREATE TABLE pairs (id int, one int)",
    "CREATE TABLE moods (now mood)",
    "CREATE TABLE visits (id int, page int) PARTITION BY RANGE (id)",
    "CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (1000000)",
)
ROWS = (
    "INSERT INTO shops SELECT i, i FROM generate_series(1, 40) i",
    "INSERT INTO orders SELECT i, i, i, 'n' || i FROM generate_series(1, 40) i",
    "INSERT INTO pairs SELECT i, i FROM generate_series(1, 40) i",
    "INSERT INTO moods VALUES ('calm')",
    "INSERT INTO visits SELECT i, i FROM generate_series(1, 40) i",
)

BLOCK = "with op.get_context().autocommit_block():\n    "
INDEX = "CREATE INDEX by_shop ON orders (shop)"


@dataclass(frozen=True)
class Case:
    """One revision.

    Args:
        name: its identifier.
        kind: what is found; empty where nothing is.
        up: the body of its upgrade().
        before: what exists besides SCHEMA.
        without: a table of SCHEMA that is not there.
    """

    name: str
    kind: str
    up: str
    before: tuple[str, ...] = ()
    without: str = ""


CASES = (
    Case("index", "blocks", "op.create_index('by_shop', 'orders', ['shop'])"),
    Case(
        "index_concurrently_in_tx",
        "fails",
        "op.create_index('by_shop', 'orders', ['shop'], postgresql_concurrently=True)",
    ),
    Case(
        "index_concurrently", "", BLOCK + "op.create_index('by_shop', 'orders', ['shop'], postgresql_concurrently=True)"
    ),
    Case(
        "index_kept_though_invalid",
        "unfinished",
        BLOCK + "op.create_index('by_shop', 'orders', ['shop'], postgresql_concurrently=True, if_not_exists=True)",
    ),
    Case(
        "index_of_a_new_table",
        "",
        "op.create_table('fresh', sa.Column('id', sa.Integer, primary_key=True), sa.Column('n', sa.Integer))\n"
        "op.create_index('by_n', 'fresh', ['n'])",
    ),
    Case("index_by_execute", "blocks", f"op.execute('{INDEX}')"),
    Case("index_by_format", "blocks", "name = 'orders'\nop.execute(f'CREATE INDEX by_shop ON {name} (shop)')"),
    Case("index_by_text", "blocks", f"op.execute(sa.text('{INDEX}'))"),
    Case(
        "indexes_in_a_loop",
        "blocks",
        "for column in ('shop', 'total'):\n    op.create_index('by_' + column, 'orders', [column])",
    ),
    Case(
        "index_in_a_batch",
        "blocks",
        "with op.batch_alter_table('orders') as batch:\n    batch.create_index('by_shop', ['shop'])",
    ),
    Case(
        "index_by_alias", "blocks", "from alembic import op as other\nother.create_index('by_shop', 'orders', ['shop'])"
    ),
    Case("index_by_function", "blocks", "def make():\n    op.create_index('by_shop', 'orders', ['shop'])\nmake()"),
    Case("index_by_connection", "blocks", f"op.get_bind().execute(sa.text('{INDEX}'))"),
    Case("index_dropped", "lighter_way", "op.drop_index('by_shop', 'orders')", (INDEX,)),
    Case(
        "index_dropped_concurrently",
        "",
        BLOCK + "op.drop_index('by_shop', 'orders', postgresql_concurrently=True)",
        (INDEX,),
    ),
    Case("column", "", "op.add_column('orders', sa.Column('more', sa.Integer))"),
    Case("column_required", "code_breaks", "op.add_column('orders', sa.Column('more', sa.Integer, nullable=False))"),
    Case(
        "column_constant",
        "",
        "op.add_column('orders', sa.Column('more', sa.Integer, nullable=False, server_default='0'))",
    ),
    Case("column_now", "", "op.add_column('orders', sa.Column('more', sa.DateTime, server_default=sa.func.now()))"),
    Case(
        "column_random",
        "blocks",
        "op.add_column('orders', sa.Column('more', sa.Uuid, server_default=sa.text('gen_random_uuid()')))",
    ),
    Case(
        "column_clock",
        "blocks",
        "op.add_column('orders', sa.Column('more', sa.DateTime, server_default=sa.func.clock_timestamp()))",
    ),
    Case("column_identity", "blocks", "op.add_column('orders', sa.Column('more', sa.BigInteger, sa.Identity()))"),
    Case(
        "column_stored",
        "blocks",
        "op.add_column('orders', sa.Column('more', sa.Integer, sa.Computed('shop * 2', persisted=True)))",
    ),
    Case(
        "column_referring",
        "blocks",
        "op.add_column('orders', sa.Column('more', sa.Integer, sa.ForeignKey('shops.id')))",
    ),
    Case(
        "column_referring_inline",
        "",
        "op.add_column('orders', sa.Column('more', sa.Integer, sa.ForeignKey('shops.id')), inline_references=True)",
    ),
    Case("column_unique", "blocks", "op.add_column('orders', sa.Column('more', sa.Integer, unique=True))"),
    Case("column_indexed", "blocks", "op.add_column('orders', sa.Column('more', sa.Integer, index=True))"),
    Case("column_json", "type_trap", "op.add_column('orders', sa.Column('more', sa.JSON))"),
    Case("column_dropped", "code_breaks", "op.drop_column('orders', 'total')"),
    Case("table_dropped", "rows_gone", "op.drop_table('orders')"),
    Case("column_renamed", "code_breaks", "op.alter_column('orders', 'shop', new_column_name='shop_id')"),
    Case("table_renamed", "code_breaks", "op.rename_table('orders', 'purchases')"),
    Case(
        "type_wider_number",
        "blocks",
        "op.alter_column('orders', 'shop', type_=sa.BigInteger(), existing_type=sa.Integer())",
    ),
    Case("type_wider_text", "", "op.alter_column('orders', 'note', type_=sa.String(20), existing_type=sa.String(10))"),
    Case("type_text", "", "op.alter_column('orders', 'note', type_=sa.Text(), existing_type=sa.String(10))"),
    Case(
        "type_narrower", "blocks", "op.alter_column('orders', 'note', type_=sa.String(5), existing_type=sa.String(10))"
    ),
    Case("not_null", "blocks", "op.alter_column('orders', 'shop', nullable=False)"),
    Case(
        "not_null_behind_check",
        "",
        "op.create_check_constraint('has_shop', 'orders', 'shop IS NOT NULL', postgresql_not_valid=True)\n"
        + BLOCK
        + "op.execute('ALTER TABLE orders VALIDATE CONSTRAINT has_shop')\n"
        "op.alter_column('orders', 'shop', nullable=False)",
    ),
    Case("null", "", "op.alter_column('orders', 'shop', nullable=True)"),
    Case("foreign_key", "blocks", "op.create_foreign_key('of_shop', 'orders', 'shops', ['shop'], ['id'])"),
    Case(
        "foreign_key_not_valid",
        "",
        "op.create_foreign_key('of_shop', 'orders', 'shops', ['shop'], ['id'], postgresql_not_valid=True)",
    ),
    Case(
        "foreign_key_validated_in_tx",
        "blocks",
        "op.create_foreign_key('of_shop', 'orders', 'shops', ['shop'], ['id'], postgresql_not_valid=True)\n"
        "op.execute('ALTER TABLE orders VALIDATE CONSTRAINT of_shop')",
    ),
    Case("check", "blocks", "op.create_check_constraint('positive', 'orders', 'shop > 0')"),
    Case(
        "check_not_valid", "", "op.create_check_constraint('positive', 'orders', 'shop > 0', postgresql_not_valid=True)"
    ),
    Case("unique", "blocks", "op.create_unique_constraint('once', 'orders', ['shop'])"),
    Case(
        "unique_by_index",
        "",
        BLOCK + "op.create_index('once', 'orders', ['shop'], unique=True, postgresql_concurrently=True)\n"
        "op.execute('ALTER TABLE orders ADD CONSTRAINT once UNIQUE USING INDEX once')",
    ),
    Case("primary_key", "blocks", "op.create_primary_key('pairs_pkey', 'pairs', ['one'])"),
    Case("exclude", "blocks", "op.create_exclude_constraint('once', 'orders', ('shop', '='))"),
    Case(
        "enum_value_used_in_tx",
        "fails",
        "op.execute(\"ALTER TYPE mood ADD VALUE 'glad'\")\nop.execute(\"INSERT INTO moods VALUES ('glad')\")",
    ),
    Case("update", "whole_table", "op.execute('UPDATE orders SET total = 1')"),
    Case(
        "update_behind_column",
        "blocks",
        "op.add_column('orders', sa.Column('more', sa.Integer))\nop.execute('UPDATE orders SET more = 1')",
    ),
    Case("truncated", "rows_gone", "op.execute('TRUNCATE orders')"),
    Case("vacuum_full", "blocks", BLOCK + "op.execute('VACUUM FULL orders')"),
    Case("reindex", "blocks", "op.execute('REINDEX TABLE orders')"),
    Case("detached", "lighter_way", "op.execute('ALTER TABLE visits DETACH PARTITION visits_1')"),
    Case(
        "index_concurrently_of_partitions",
        "fails",
        BLOCK + "op.create_index('by_page', 'visits', ['page'], postgresql_concurrently=True)",
    ),
    Case(
        "two_tables",
        "several_tables",
        "op.add_column('orders', sa.Column('more', sa.Integer))\n"
        "op.create_foreign_key('of_shop', 'orders', 'shops', ['shop'], ['id'], postgresql_not_valid=True)\n"
        "op.add_column('shops', sa.Column('more', sa.Integer))",
    ),
    Case(
        "table_referring",
        "locks_another",
        "op.create_table('fresh', sa.Column('id', sa.Integer, primary_key=True), "
        "sa.Column('shop', sa.Integer, sa.ForeignKey('shops.id')))",
    ),
    Case(
        "lock_timeout",
        "",
        "op.execute(\"SET LOCAL lock_timeout = '2s'\")\nop.add_column('orders', sa.Column('more', sa.Integer))",
    ),
)
"""44 that harm a database in use or the code that runs, and 15 that do not."""


def schema(case: Case) -> tuple[str, ...]:
    """What exists before it."""
    return (*(one for one in SCHEMA if not case.without or f"TABLE {case.without} " not in one), *case.before)
