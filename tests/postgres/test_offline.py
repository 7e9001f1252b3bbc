"""`alembic upgrade --sql` over tables that create_baseline made: the script does what the revisions do online."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.database import Database
from tests.support.offline import same_by_script

pytestmark = [pytest.mark.offline, pytest.mark.majors, pytest.mark.libraries]

ALTER = 'op.alter_column_concurrently("a", {})'


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "changes",
    [
        ('"n", server_default=None',),
        ('"code", server_default="x"', '"code", server_default=None'),
        ('"n", server_default="8"', '"n", server_default="7"', '"n", server_default=None'),
        ('"n", nullable=True', '"n", nullable=False'),
        ('"code", nullable=False', '"code", nullable=True', '"code", nullable=False'),
        ('"code", type_=sa.String(20)', '"code", type_=sa.Text()'),
    ],
)
def test_a_change_that_is_taken_back_later_is_not_left_out(
    tmp_path: Path, database: Database, changes: tuple[str, ...]
) -> None:
    same_by_script(tmp_path, database, *map(ALTER.format, changes))


@pytest.mark.exhaustive
def test_columns_that_change_in_the_same_revision(tmp_path: Path, database: Database) -> None:
    body = (
        'op.alter_column_concurrently("a", "n", nullable=True)\n'
        '    op.set_not_null_concurrently("a", "n")\n'
        '    op.alter_column_concurrently("a", "n", nullable=True)\n'
        '    op.add_column_concurrently("a", sa.Column("more", sa.Integer, server_default="1"))\n'
        '    op.drop_column_concurrently("a", "more")\n'
        '    op.add_column_concurrently("a", sa.Column("more", sa.Text))'
    )
    same_by_script(tmp_path, database, body)


@pytest.mark.exhaustive
def test_what_alembic_did_itself_is_not_held_against_it(tmp_path: Path, database: Database) -> None:
    same_by_script(
        tmp_path,
        database,
        'op.add_column("a", sa.Column("plain", sa.Text))\n    op.drop_column("a", "n")',
        'op.drop_column_concurrently("a", "plain")',
        'op.add_column_concurrently("a", sa.Column("n", sa.Integer))',
        'op.drop_constraint("a_code_key", "a")\n    op.drop_constraint("b_a_id_fkey", "b")',
        'op.create_unique_constraint_concurrently("a_code_key", "a", ["code"])',
        'op.create_foreign_key_concurrently("b_a_id_fkey", "b", "a", ["a_id"], ["id"])',
        'op.drop_constraint("a_code_key", "a")',
        'op.create_unique_constraint_concurrently("a_code_key", "a", ["code"])',
        'op.create_index_concurrently("ix_n", "a", ["n"])',
        'op.drop_index("ix_n")',
        'op.create_index_concurrently("ix_n", "a", ["n"])',
    )


@pytest.mark.exhaustive
def test_a_table_is_dropped_whose_foreign_keys_alembic_dropped(tmp_path: Path, database: Database) -> None:
    text = same_by_script(
        tmp_path,
        database,
        'op.drop_constraint("b_a_id_fkey", "b")',
        'op.drop_table_concurrently("a")',
        'op.drop_table_concurrently("b")',
    )
    assert 'DROP TABLE "public"."a";' in text
    assert 'DROP TABLE "public"."b";' in text


@pytest.mark.exhaustive
def test_a_table_that_is_converted_after_it_was_changed(tmp_path: Path, database: Database) -> None:
    same_by_script(
        tmp_path,
        database,
        'op.create_foreign_key_concurrently("e_b_id_fkey", "e", "b", ["b_id"], ["id"])',
        'op.alter_column_concurrently("e", "n", server_default="1", nullable=False)',
        'op.create_index_concurrently("ix_e_n", "e", ["n"])',
        'op.convert_to_partitioned("e", control="at", interval="1 month", premake=2)',
        'op.create_index_concurrently("ix_e_at", "e", ["at"])',
        'op.alter_column_concurrently("e", "n", server_default=None, nullable=True)',
        'op.set_not_null_concurrently("e", "n")',
        'op.create_check_constraint_concurrently("e_n_check", "e", "n > 0")',
        'op.replace_index_concurrently("ix_e_n", "e", ["n", "at"])',
        'op.drop_index_concurrently("ix_e_at", "e")',
        'op.drop_column_concurrently("e", "n")',
    )


@pytest.mark.exhaustive
def test_a_foreign_key_that_was_added_stands_in_the_way_of_a_conversion(tmp_path: Path, database: Database) -> None:
    convert = 'op.convert_to_partitioned("e", control="at", interval="1 month", incoming_foreign_keys="composite")'
    text = same_by_script(
        tmp_path,
        database,
        'op.add_column_concurrently("b", sa.Column("e_id", sa.BigInteger))',
        'op.create_foreign_key_concurrently("b_e_id_fkey", "b", "e", ["e_id"], ["id"], ondelete="SET NULL")',
        convert,
    )
    assert 'FOREIGN KEY ("e_id", "e_at")' in text
