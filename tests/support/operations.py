"""Operations of each kind, and the ordinary, blocking statements that make the same of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tests.support.matrix import Operate

NEW = "CREATE INDEX ix ON s.t (v, word DESC)"
OLD = "CREATE INDEX ix ON s.t (v)"


@dataclass(frozen=True)
class IndexCase:
    operate: Operate
    blocking: tuple[str, ...]
    """What makes the same end state, with writes stopped."""
    before: tuple[str, ...] = ()
    visible: bool = True
    """What it has done can be seen, so that a second run has nothing to do."""


def create(op: Any) -> None:
    op.create_index_concurrently("ix", "t", ["v", sa.text("word DESC")], schema="s")


def replace(op: Any) -> None:
    op.replace_index_concurrently("ix", "t", ["v", sa.column("word").desc()], schema="s")


def drop(op: Any) -> None:
    op.drop_index_concurrently("ix", "t", schema="s", if_exists=True)


def reindex(op: Any) -> None:
    op.reindex_concurrently("ix", schema="s")


def reindex_table(op: Any) -> None:
    op.reindex_concurrently(table_name="t", schema="s")


def unique(op: Any) -> None:
    op.create_index_concurrently("ix", "t", ["id", "k", "v"], schema="s", unique=True, if_not_exists=True)


INDEXES = {
    "create": IndexCase(create, (NEW,)),
    "create_unique": IndexCase(unique, ("CREATE UNIQUE INDEX ix ON s.t (id, k, v)",)),
    "replace": IndexCase(replace, ("DROP INDEX s.ix", NEW), (OLD, "COMMENT ON INDEX s.ix IS 'kept'")),
    "replace_what_is_not_there": IndexCase(replace, (NEW,)),
    "drop": IndexCase(drop, ("DROP INDEX s.ix",), (OLD,)),
    "reindex": IndexCase(reindex, (), (OLD,), visible=False),
    "reindex_table": IndexCase(reindex_table, (), (OLD,), visible=False),
}


@dataclass(frozen=True)
class Case:
    operate: Operate
    blocking: str
    """What a user would write without us: the end state is the same."""
    before: tuple[str, ...] = ()
    sweep: str = ""
    """What the ordinary way leaves out of what ours does on purpose."""


CONSTRAINTS = {
    "foreign_key": Case(
        lambda op: op.create_foreign_key_concurrently(
            "t_ref_fkey", "t", "r", ["ref"], ["id"], ondelete="CASCADE", source_schema="s", referent_schema="s"
        ),
        "ALTER TABLE s.t ADD CONSTRAINT t_ref_fkey FOREIGN KEY (ref) REFERENCES s.r (id) ON DELETE CASCADE",
    ),
    "check": Case(
        lambda op: op.create_check_constraint_concurrently("t_v_check", "t", sa.text("v BETWEEN 1 AND 3"), schema="s"),
        "ALTER TABLE s.t ADD CONSTRAINT t_v_check CHECK (v BETWEEN 1 AND 3)",
    ),
    "check_that_names_its_table": Case(
        lambda op: op.create_check_constraint_concurrently("t_v_check", "t", "t.v < 9 -- at most", schema="s"),
        "ALTER TABLE s.t ADD CONSTRAINT t_v_check CHECK (v < 9)",
    ),
    "second_foreign_key": Case(
        lambda op: op.create_foreign_key_concurrently(
            "again", "t", "r", ["ref"], ["id"], source_schema="s", referent_schema="s"
        ),
        "ALTER TABLE s.t ADD CONSTRAINT again FOREIGN KEY (ref) REFERENCES s.r (id)",
        before=("ALTER TABLE s.t ADD CONSTRAINT first FOREIGN KEY (ref) REFERENCES s.r (id)",),
    ),
    "unique": Case(
        lambda op: op.create_unique_constraint_concurrently("t_key", "t", ["id", "k", "v"], schema="s"),
        "ALTER TABLE s.t ADD CONSTRAINT t_key UNIQUE (id, k, v)",
    ),
    "unique_deferrable": Case(
        lambda op: op.create_unique_constraint_concurrently(
            "t_key", "t", ["id", "k", "v"], schema="s", deferrable=True, initially="DEFERRED"
        ),
        "ALTER TABLE s.t ADD CONSTRAINT t_key UNIQUE (id, k, v) DEFERRABLE INITIALLY DEFERRED",
    ),
    "primary_key": Case(
        lambda op: op.create_primary_key_concurrently("t_pkey", "t", ["id", "k", "v"], schema="s"),
        "ALTER TABLE s.t ALTER v SET NOT NULL, ADD CONSTRAINT t_pkey PRIMARY KEY (id, k, v)",
    ),
    "not_null": Case(
        lambda op: op.set_not_null_concurrently("t", "ref", schema="s"), "ALTER TABLE s.t ALTER ref SET NOT NULL"
    ),
    "not_null_beside_taken_names": Case(
        lambda op: op.set_not_null_concurrently("t", "ref", schema="s"),
        "ALTER TABLE s.t ALTER ref SET NOT NULL",
        before=(
            "ALTER TABLE s.t ADD CONSTRAINT t_ref_not_null CHECK (v > 0)",
            "ALTER TABLE s.t ADD CONSTRAINT t_ref__not_null CHECK (v > 0)",
        ),
        sweep="ref_not_null",
    ),
    "not_null_by_a_check_that_is_there": Case(
        lambda op: op.set_not_null_concurrently("t", "ref", schema="s"),
        "ALTER TABLE s.t ALTER ref SET NOT NULL",
        before=("ALTER TABLE s.t ADD CONSTRAINT mine CHECK (ref IS NOT NULL)",),
    ),
    "drop_check": Case(
        lambda op: op.drop_constraint_concurrently("mine", "t", schema="s"),
        "ALTER TABLE s.t DROP CONSTRAINT mine",
        before=("ALTER TABLE s.t ADD CONSTRAINT mine CHECK (v > 0)",),
    ),
    "drop_foreign_key": Case(
        lambda op: op.drop_constraint_concurrently("mine", "t", "foreignkey", schema="s"),
        "ALTER TABLE s.t DROP CONSTRAINT mine",
        before=("ALTER TABLE s.t ADD CONSTRAINT mine FOREIGN KEY (ref) REFERENCES s.r (id)",),
    ),
    "drop_unique": Case(
        lambda op: op.drop_constraint_concurrently("mine", "t", schema="s"),
        "ALTER TABLE s.t DROP CONSTRAINT mine",
        before=("ALTER TABLE s.t ADD CONSTRAINT mine UNIQUE (id, k, v)",),
    ),
    "drop_primary_key": Case(
        lambda op: op.drop_constraint_concurrently("mine", "t", schema="s"),
        "ALTER TABLE s.t DROP CONSTRAINT mine",
        before=("ALTER TABLE s.t ADD CONSTRAINT mine PRIMARY KEY (id, k, v)",),
    ),
    "validate_check": Case(
        lambda op: op.validate_constraint("mine", "t", schema="s"),
        "ALTER TABLE s.t VALIDATE CONSTRAINT mine",
        before=("ALTER TABLE s.t ADD CONSTRAINT mine CHECK (v > 0) NOT VALID",),
    ),
}


class Spelled(sa.types.UserDefinedType[Any]):
    """A type by its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        return self.name


def add_column(column: sa.Column[Any]) -> Operate:
    return lambda op: op.add_column_concurrently("t", column, schema="s")


def alter_word(**changes: Any) -> Operate:
    return lambda op: op.alter_column_concurrently("t", "word", schema="s", **changes)


COLUMNS: dict[str, tuple[Operate, str]] = {
    "add": (add_column(sa.Column("c", sa.Numeric(10, 2))), "ALTER TABLE s.t ADD c numeric(10,2)"),
    "add_constant": (
        add_column(sa.Column("c", sa.Text, server_default="it's %s", nullable=False)),
        "ALTER TABLE s.t ADD c text NOT NULL DEFAULT 'it''s %s'",
    ),
    "add_now": (
        add_column(sa.Column("c", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)),
        "ALTER TABLE s.t ADD c timestamptz NOT NULL DEFAULT now()",
    ),
    "add_volatile": (
        add_column(sa.Column("c", sa.Uuid, server_default=sa.func.gen_random_uuid(), nullable=False)),
        "ALTER TABLE s.t ADD c uuid NOT NULL DEFAULT gen_random_uuid()",
    ),
    "add_reference": (
        add_column(sa.Column("c", sa.BigInteger, sa.ForeignKey("s.r.id", name="t_c_fkey", ondelete="SET NULL"))),
        "ALTER TABLE s.t ADD c bigint CONSTRAINT t_c_fkey REFERENCES s.r (id) ON DELETE SET NULL",
    ),
    "add_constant_reference": (
        add_column(sa.Column("c", sa.BigInteger, sa.ForeignKey("s.r.id"), server_default=sa.text("7"), nullable=False)),
        "ALTER TABLE s.t ADD c bigint NOT NULL DEFAULT 7 REFERENCES s.r (id)",
    ),
    "add_deferrable_reference": (
        add_column(
            sa.Column("c", sa.BigInteger, sa.ForeignKey("s.r.id", deferrable=True, initially="DEFERRED", match="FULL"))
        ),
        "ALTER TABLE s.t ADD c bigint REFERENCES s.r (id) MATCH FULL DEFERRABLE INITIALLY DEFERRED",
    ),
    "drop": (lambda op: op.drop_column_concurrently("t", "word", schema="s"), "ALTER TABLE s.t DROP word"),
    "widen": (
        alter_word(type_=sa.String(40), existing_type=sa.String(20)),
        "ALTER TABLE s.t ALTER word TYPE varchar(40)",
    ),
    "to_text": (alter_word(type_=sa.Text), "ALTER TABLE s.t ALTER word TYPE text"),
    "default": (alter_word(server_default="none"), "ALTER TABLE s.t ALTER word SET DEFAULT 'none'"),
    "all_at_once": (
        alter_word(type_=sa.Text, server_default=sa.text("'a' || 'b'"), nullable=False),
        "ALTER TABLE s.t ALTER word TYPE text, ALTER word SET DEFAULT 'a' || 'b', ALTER word SET NOT NULL",
    ),
    "drop_table": (lambda op: op.drop_table_concurrently("t", schema="s"), "DROP TABLE s.t"),
}
