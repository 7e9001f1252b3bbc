"""Random models: what SQLAlchemy's PostgreSQL dialect can declare, each by a name, and random changes of them.

A model is a dictionary: for each table and subject the number of one of its variants. So a model that fails can be
written down, and made smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema_kit.declare import archived, complete, partitioned
from tests.support.variants import (
    CHECKS,
    COLUMNS,
    INDEXES,
    KEYS,
    ON_18,
    PARTITIONED,
    PLAIN,
    TABLES,
    TENANT,
    UNIQUE,
    Make,
)

EXTENSIONS = ("hstore", "citext", "pg_trgm", "btree_gist")
Spec = dict[str, int]

SUBJECTS: dict[str, int] = {
    **{f"column {name}": len(variants) for name, variants in COLUMNS.items()},
    **{f"index {number}": len(INDEXES) for number in range(3)},
    **{f"check {number}": len(CHECKS) for number in range(2)},
    **{f"unique {number}": len(UNIQUE) for number in range(2)},
    "key": len(KEYS),
    "declared": len(PARTITIONED) - 1,
    "table": len(TABLES) - 1,
    "exclude": 2,
    "a": 3,
    "b": 6,
}
TABLE_NAMES: dict[str, tuple[str | None, str]] = {
    "t": (None, "t"),
    "parted": (None, "parted"),
    "away": (TENANT, "Away From"),
    "sub": (TENANT, "Sub %"),
}
"""One that is plain, one by range, one with quoted names in another schema, and there one by range and hash."""


def _count(table: str, subject: str) -> int:
    return len(PLAIN) - 1 if subject == "declared" and table in ("t", "away") else SUBJECTS[subject]


def possible(version: int) -> list[tuple[str, str]]:
    """Each table and subject that a server can have."""
    return [
        (table, subject)
        for table, subject in product(TABLE_NAMES, SUBJECTS)
        if version >= 180000 or subject.removeprefix("column ") not in ON_18
    ]


def _variant(random: Random, table: str, subject: str) -> int:
    """0 stands for: nothing of it."""
    return random.randint(0, _count(table, subject))


def some(random: Random, version: int) -> Spec:
    """Return a model: of each table most subjects at their simplest."""
    chosen = random.sample(possible(version), random.randint(8, 40))
    spec = {f"{table} / {subject}": _variant(random, table, subject) for table, subject in chosen}
    return spec | {f"others / {random.randint(0, 5)}": 1, "complete": random.randint(0, 1)}


def changed(random: Random, spec: Spec, version: int) -> Spec:
    """Return it with a few changes."""
    return {
        **{k: v for k, v in spec.items() if random.random() > 0.2},
        **{
            f"{table} / {subject}": _variant(random, table, subject)
            for table, subject in random.sample(possible(version), random.randint(1, 9))
        },
    }


def build(spec: Mapping[str, int], version: int) -> sa.MetaData:
    """Return what a model says."""
    metadata = sa.MetaData()
    sa.Table(
        "to_be",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("code", sa.BigInteger),
        sa.UniqueConstraint("id", "code", name="to_be_code"),
    )
    sa.Sequence("counter", metadata=metadata)
    for own in TABLE_NAMES:
        prefix = f"{own} / "
        _table(
            metadata, own, {key.removeprefix(prefix): n for key, n in spec.items() if key.startswith(prefix)}, version
        )
    for number in range(6):
        if spec.get(f"others / {number}"):
            OTHERS[number](metadata)
    if spec.get("complete"):
        complete(metadata)
    return metadata


def _table(metadata: sa.MetaData, own: str, given: Mapping[str, int], version: int) -> None:
    def of(subject: str) -> int:
        return given.get(subject, 0)

    schema, name = TABLE_NAMES[own]
    plain = own in ("t", "away")
    more: dict[str, Any] = dict(TABLES[of("table")]) if plain else {"comment": TABLES[of("table")].get("comment")}
    items: list[Any] = [make(own) for make in (PLAIN if plain else PARTITIONED)[of("declared")]]
    if not plain and not of("declared"):
        more["postgresql_partition_by"] = "RANGE (id)"
    strings = (sa.String(40), sa.String(50), sa.Text(), sa.String(40), sa.String(50), sa.Text(), sa.String(60))
    stem = name.lower().replace(" ", "_")
    table = sa.Table(
        name,
        metadata,
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("a", sa.Integer, nullable=of("a") % 2 == 0, comment=["it's", None][of("a") // 2]),
        sa.Column("b", strings[of("b")], comment=[None, "said: 100%"][of("b") // 4]),
        sa.Column("data", pg.JSONB),
        sa.Column("ref", sa.BigInteger),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()"), index=True),
        sa.Column("Or der", sa.Integer),
        *([sa.Column("shard", sa.Integer, server_default="0")] if own == "sub" else []),
        sa.PrimaryKeyConstraint("id", *(["shard"] if own == "sub" else []), name=f"{stem}_has_key"),
        *items,
        schema=schema,
        **more,
    )
    for column, variants in COLUMNS.items():
        if (variant := of(f"column {column}")) and not (column == "counted" and schema):  # reflection adds the schema
            table.append_column(_column(column, variants[variant - 1], own, version))
    for number in range(3):
        if variant := of(f"index {number}"):
            _try(table, INDEXES[variant - 1], f"{stem} ix {number}", version)
    table.indexes -= {one for one in table.indexes if own == "sub" and one.unique}
    for subject, makes, suffix in (("check", CHECKS, "check"), ("unique", UNIQUE, "once")):
        if subject == "unique" and own == "sub":
            continue  # lacks the partition key
        for number in range(2):
            if variant := of(f"{subject} {number}"):
                _try(table, makes[variant - 1], f"{stem}_{suffix}_{number}", version)
    if (variant := of("key")) and (own != "away" or variant != 7):
        _try(table, KEYS[variant - 1], f"{stem}_ref", version)
    _exclude(table, of("exclude") if own == "t" else 0)


def _exclude(table: sa.Table, variant: int) -> None:
    if variant:
        using = [("id", "="), ("a", "<>")] if variant == 1 else [(sa.text("int8range(id, id, '[]')"), "&&")]
        where = sa.text("a < 0") if variant == 2 else None
        table.append_constraint(pg.ExcludeConstraint(*using, name="t_excluded", where=where))


def _try(table: sa.Table, make: Make, name: str, version: int) -> None:
    made = make(table.c, name)
    if version < 150000 and (
        made.dialect_kwargs.get("postgresql_nulls_not_distinct") or "(" in str(getattr(made, "ondelete", ""))
    ):
        if isinstance(made, sa.Index):
            table.indexes.discard(made)
        return
    if (
        table.dialect_kwargs.get("postgresql_partition_by")
        and version < 180000
        and isinstance(made, sa.ForeignKeyConstraint)
    ):
        made.dialect_kwargs["postgresql_not_valid"] = False
    if table.dialect_kwargs.get("postgresql_partition_by") and isinstance(made, sa.Index):
        made.dialect_kwargs["postgresql_concurrently"] = False  # create_all() would send it
        made.dialect_kwargs["postgresql_tablespace"] = None  # of the database's own, no
    if isinstance(made, sa.Constraint):
        table.append_constraint(made)


def _column(name: str, given: dict[str, Any], own: str, version: int) -> sa.Column[Any]:
    words = dict(given)
    type_, identity, computed = words.pop("type_"), words.pop("identity", None), words.pop("computed", None)
    persisted = words.pop("persisted", True)
    items: list[Any] = []
    if identity and (version >= 170000 or own in ("t", "away")):
        items.append(sa.Identity(**identity))
    if computed:
        items.append(sa.Computed(computed, persisted=persisted))
    return sa.Column(name, type_() if isinstance(type_, type) else type_, *items, **words)


def _new(metadata: sa.MetaData) -> None:
    other = sa.Table(
        "Oth er", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("w", sa.Text), schema=TENANT
    )
    sa.Index("other_w", sa.func.lower(other.c.w))
    sa.Table("others", metadata, sa.Column("id", sa.Integer, sa.ForeignKey(other.c.id), primary_key=True))


def _circle(metadata: sa.MetaData) -> None:
    for one, two in (("hen", "egg"), ("egg", "hen")):
        sa.Table(
            one,
            metadata,
            sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
            sa.Column("of", sa.Integer, sa.ForeignKey(f"{two}.id", name=f"{one}_of", use_alter=one == "egg")),
        )


def _everything(metadata: sa.MetaData) -> None:
    columns = [
        _column(name, variants[-1], "t", 140000)
        for name, variants in COLUMNS.items()
        if name not in ON_18 | {"ts", "twice", "ident", "ident down"}
    ]
    table = sa.Table(
        "everything", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns, comment="100%: all"
    )
    sa.Index("everything_kv", table.c.kv, postgresql_using="gist", postgresql_concurrently=True)


def _parts(metadata: sa.MetaData) -> None:
    sa.Table(
        "New Parts",
        metadata,
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("ref", sa.BigInteger, sa.ForeignKey("to_be.id"), index=True),
        partitioned("at", "1 month", timezone="Europe/Berlin", retention="1 year"),
        archived("90 days"),
        schema=TENANT,
    )


def _many(metadata: sa.MetaData) -> None:
    one = sa.Table("m1", metadata, sa.Column("id", sa.Integer, primary_key=True), comment="one")
    two = sa.Table("m2", metadata, sa.Column("Id 2", sa.Uuid, primary_key=True))
    sa.Table("m3", metadata, sa.Column("Id 2", sa.Uuid, primary_key=True), **TABLES[2], prefixes=["UNLOGGED"])
    sa.Table(
        "m1_m2",
        metadata,
        sa.Column("one", sa.ForeignKey(one.c.id, ondelete="CASCADE"), primary_key=True),
        sa.Column("two", sa.ForeignKey(two.c["Id 2"]), primary_key=True),
        sa.CheckConstraint("one > 0"),
        pg.ExcludeConstraint(("one", "="), ("two", "<>"), name="m_excluded", deferrable=True),
        sa.UniqueConstraint("two", "one", name="m_once", deferrable=True),
    )


def _self(metadata: sa.MetaData) -> None:
    sa.Table(
        "tree",
        metadata,
        sa.Column("id", sa.SmallInteger, primary_key=True),
        sa.Column("up", sa.ForeignKey("tree.id", ondelete="SET NULL")),
        sa.Column(
            "path", pg.ARRAY(sa.Integer), sa.CheckConstraint("cardinality(path) < 9", name="tree_depth"), unique=True
        ),
        sa.Column("mood", sa.Enum("x", "y", name="of_tree"), index=True, server_default="x"),
    )


OTHERS: list[Callable[[sa.MetaData], None]] = [_new, _circle, _everything, _parts, _many, _self]
