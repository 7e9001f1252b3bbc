"""What SQLAlchemy's PostgreSQL dialect and schema_kit.declare can say of a table, in variants: columns, indexes, ..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema_kit.declare import archived, by_hash, expiring, partitioned

TENANT = 'Ten"ant 1'
Make = Callable[..., Any]


def _types(*types: Any, **keywords: Any) -> list[dict[str, Any]]:
    return [{"type_": one, **keywords} for one in types]


def _default(type_: Any, sql: str, **keywords: Any) -> dict[str, Any]:
    return {"type_": type_, "server_default": sa.text(sql), **keywords}


# Of one name: what PostgreSQL casts into one another by itself. None of them stands for: there is no such column.
COLUMNS: dict[str, list[dict[str, Any]]] = {
    "number": [
        *_types(sa.SmallInteger, sa.Integer, sa.BigInteger, sa.Numeric(10, 2), sa.Numeric(12, 4), sa.Numeric),
        *_types(sa.Float, sa.Float(24), sa.Double, sa.REAL),
        _default(sa.Integer, "7", nullable=False),
        _default(sa.Integer, "-7"),
        _default(sa.Numeric(10, 2), "1.50"),
    ],
    'W"örd 1': [
        *_types(sa.String(40), sa.String(50), sa.Text, sa.String, sa.Unicode(60), sa.CHAR(50), pg.CITEXT),
        *_types(sa.String(50, collation="C"), sa.Text(collation="POSIX")),
        _default(sa.String(50), "'50%'"),
        _default(sa.Text, r"'it''s a\:b'", nullable=False),
    ],
    "moment": [
        *_types(sa.DateTime, sa.DateTime(timezone=True), pg.TIMESTAMP(precision=3), sa.Date),
        _default(sa.DateTime(timezone=True), "now()", nullable=False),
        _default(pg.TIMESTAMP(timezone=True, precision=0), "'2026-01-01 00\\:00+00'"),
        _default(sa.DateTime, "timezone('utc', now())"),
    ],
    "hour": [*_types(sa.Time, sa.Time(timezone=True), pg.TIME(precision=2), pg.TIME(timezone=True, precision=0))],
    "span": [
        *_types(sa.Interval, pg.INTERVAL(precision=3), pg.INTERVAL(fields="YEAR TO MONTH"), pg.INTERVAL(fields="DAY")),
        *_types(pg.INTERVAL(fields="DAY TO SECOND", precision=3)),
        _default(sa.Interval, "'1 day'"),
    ],
    "doc": [*_types(sa.JSON), *_types(pg.JSON(astext_type=sa.Text()))],  # no default: Alembic compares them by =
    "docb": [*_types(pg.JSONB, sa.JSON().with_variant(pg.JSONB(), "postgresql")), _default(pg.JSONB, "'{}'")],
    "uid": [*_types(sa.Uuid, pg.UUID(as_uuid=False)), _default(pg.UUID, "gen_random_uuid()", nullable=False)],
    "raw": [*_types(sa.LargeBinary, pg.BYTEA), _default(pg.BYTEA, r"'\x00'")],
    "bits": [*_types(pg.BIT(3), pg.BIT(5, varying=True), pg.BIT(varying=True)), _default(pg.BIT(3), "B'101'")],
    "net": [*_types(pg.INET), _default(pg.INET, "'10.0.0.1'")],
    "cidr": [*_types(pg.CIDR), _default(pg.CIDR, "'10.0.0.0/8'")],
    "mac": [*_types(pg.MACADDR), _default(pg.MACADDR, "'08\\:00\\:2b\\:01\\:02\\:03'")],
    "mac8": [*_types(pg.MACADDR8)],
    "cash": [*_types(pg.MONEY), _default(pg.MONEY, "5")],
    "oid": [*_types(pg.OID)],
    "class": [*_types(pg.REGCLASS)],
    "config": [*_types(pg.REGCONFIG)],
    "flag": [*_types(sa.Boolean), _default(sa.Boolean, "false", nullable=False), _default(sa.Boolean, "true")],
    "tsquery": [*_types(pg.TSQUERY)],
    "ts": [
        *_types(pg.TSVECTOR),
        {"type_": pg.TSVECTOR, "computed": "to_tsvector('english'::regconfig, coalesce(data ->> 'k', ''))"},
    ],
    "kv": [*_types(pg.HSTORE), _default(pg.HSTORE, "''")],
    "int4": [*_types(pg.INT4RANGE), _default(pg.INT4RANGE, "'[1,5)'")],
    "int8": [*_types(pg.INT8RANGE, pg.INT8RANGE())],
    "numr": [*_types(pg.NUMRANGE)],
    "dater": [*_types(pg.DATERANGE), _default(pg.DATERANGE, "daterange(current_date, NULL)")],
    "tsr": [*_types(pg.TSRANGE)],
    "tstzr": [*_types(pg.TSTZRANGE)],
    "multi": [*_types(pg.INT4MULTIRANGE), _default(pg.INT4MULTIRANGE, "'{}'")],
    "multits": [*_types(pg.TSTZMULTIRANGE), *_types(pg.TSTZMULTIRANGE())],
    "list": [
        *_types(pg.ARRAY(sa.Integer), pg.ARRAY(sa.BigInteger), pg.ARRAY(sa.Numeric(5, 2))),
        _default(pg.ARRAY(sa.Integer), "'{}'", nullable=False),
    ],
    "words": [
        *_types(pg.ARRAY(sa.Text), pg.ARRAY(sa.String(5)), pg.ARRAY(sa.Text, dimensions=2), sa.ARRAY(sa.String(9))),
        _default(pg.ARRAY(sa.Text), "ARRAY['a,b', 'c']\\:\\:text[]"),
    ],
    "moments": [*_types(pg.ARRAY(sa.DateTime(timezone=True)))],
    "mood": [
        *_types(sa.Enum("a", "b", name="mood"), pg.ENUM("a", "b", name="mood")),
        _default(sa.Enum("a", "b", name="mood"), "'a'", nullable=False),
        *_types(sa.Enum("a", "b", name="mood in there", schema=TENANT)),
    ],
    "moods": [
        *_types(pg.ARRAY(sa.Enum("p", "q", name="Mood s"))),
        _default(pg.ARRAY(pg.ENUM("p", "q", name="Mood s")), "'{}'"),
    ],
    "kind": [
        *_types(sa.Enum("u", "v", native_enum=False, length=5), sa.Enum("u", "v", native_enum=False, length=9)),
        *_types(sa.Enum("u", "v", native_enum=False, length=5, create_constraint=True, name="kind_is")),
    ],
    "positive": [
        *_types(pg.DOMAIN("positive", sa.Integer, check="VALUE > 0")),
        *_types(pg.DOMAIN("Positive 2", sa.Integer, check="VALUE > 0", not_null=False, schema=TENANT)),
    ],
    "word": [
        *_types(
            pg.DOMAIN("word", sa.String(9), collation="C", default="'it'", constraint_name="ok", check="VALUE <> ''")
        )
    ],
    "ident": [
        {"type_": sa.BigInteger, "identity": one}
        for one in (
            {"always": True},
            {"start": 7},
            {"always": False, "increment": 5, "minvalue": 0, "maxvalue": 10**9, "cycle": True, "cache": 3},
        )
    ],
    "ident down": [
        {"type_": sa.BigInteger, "identity": {"start": -1, "increment": -1, "minvalue": -(10**9), "maxvalue": -1}}
    ],
    "counted": [_default(sa.BigInteger, "nextval('counter')"), *_types(sa.BigInteger)],
    "twice": [
        {"type_": sa.Integer, "computed": "a * 2"},
        {"type_": sa.BigInteger, "computed": "a * 2"},
        *_types(sa.Integer),
    ],
    "virtual": [{"type_": sa.Text, "computed": "'X:y%' || ref::text", "persisted": False}],
}
COLUMNS |= {  # rows that exist have no value of a column that could be NULL
    f"{name}, not null": required
    for name, variants in COLUMNS.items()
    if (required := [one for one in variants if one.get("nullable") is False])
}
COLUMNS = {
    name: [one for one in variants if name.endswith("not null") or one.get("nullable") is not False]
    for name, variants in COLUMNS.items()
}
ON_18 = {"virtual"}

INDEXES: list[Make] = [
    lambda c, n: sa.Index(n, c.a),
    lambda c, n: sa.Index(n, c.a.desc(), c.b.asc().nulls_first()),
    lambda c, n: sa.Index(n, c.b.desc().nulls_last(), c["Or der"]),
    lambda c, n: sa.Index(n, sa.func.lower(c.b), sa.func.coalesce(c.a, 0)),
    lambda c, n: sa.Index(n, sa.text("(a + 1) DESC"), c.ref),
    lambda c, n: sa.Index(n, sa.text("(data ->> 'a:b')"), sa.text('"Or der" DESC NULLS LAST')),
    lambda c, n: sa.Index(n, sa.cast(c.a, sa.Text), postgresql_where=c.data.isnot(None)),
    lambda c, n: sa.Index(n, c.a, postgresql_where=c.b.in_(["x", "y"])),
    lambda c, n: sa.Index(n, c.a, postgresql_where=c.b == "x"),
    lambda c, n: sa.Index(n, c.a, postgresql_where=sa.and_(c.a.between(1, 9), ~c.b.like("a%"))),
    lambda c, n: sa.Index(n, c.a, postgresql_where=sa.text("b <> 'a:b%'")),
    lambda c, n: sa.Index(n, c.a, postgresql_include=["b", "Or der"]),
    lambda c, n: sa.Index(
        n, c.a, postgresql_include=[c.ref], postgresql_with={"fillfactor": 80, "deduplicate_items": False}
    ),
    lambda c, n: sa.Index(n, c.a, postgresql_with={"fillfactor": 70}),
    lambda c, n: sa.Index(n, c.b, postgresql_ops={"b": "text_pattern_ops"}),
    lambda c, n: sa.Index(n, sa.func.lower(c.b).label("low"), postgresql_ops={"low": "text_pattern_ops"}),
    lambda c, n: sa.Index(n, c.data, postgresql_using="gin"),
    lambda c, n: sa.Index(
        n,
        c.data,
        postgresql_using="gin",
        postgresql_ops={"data": "jsonb_path_ops"},
        postgresql_with={"fastupdate": False},
    ),
    lambda c, n: sa.Index(n, c.b, postgresql_using="gin", postgresql_ops={"b": "gin_trgm_ops"}),
    lambda c, n: sa.Index(n, c.b, postgresql_using="gist", postgresql_ops={"b": "gist_trgm_ops(siglen=32)"}),
    lambda c, n: sa.Index(n, c.b, postgresql_using="spgist"),
    lambda c, n: sa.Index(n, c.a, postgresql_using="brin", postgresql_with={"pages_per_range": 16}),
    lambda c, n: sa.Index(n, c.a, c.ref, postgresql_using="brin", postgresql_ops={"a": "int4_minmax_multi_ops"}),
    lambda c, n: sa.Index(n, c.a, postgresql_using="hash"),
    lambda c, n: sa.Index(n, sa.text('b COLLATE "C" DESC')),
    lambda c, n: sa.Index(n, c.b.collate("POSIX")),
    lambda c, n: sa.Index(n, c.a, postgresql_concurrently=True),
    lambda c, n: sa.Index(n, c.a, postgresql_tablespace="pg_default"),
    lambda c, n: sa.Index(n, sa.text("(CASE WHEN a > 1 THEN a ELSE 0 END)"), sa.func.abs(c.ref)),
    lambda c, n: sa.Index(n, c.id, c.a, unique=True),
    lambda c, n: sa.Index(n, c.id, sa.text("b text_pattern_ops"), unique=True, postgresql_where=c.a > 0),
    lambda c, n: sa.Index(n, c.id, c.ref, unique=True, postgresql_nulls_not_distinct=True),
    lambda c, n: sa.Index(n, c.id, c.ref, unique=True, postgresql_include=["a"]),
]
ON_15 = {"nulls_not_distinct", "SET NULL ("}

CHECKS: list[Make] = [
    lambda c, n: sa.CheckConstraint("a >= 0", name=n),
    lambda c, n: sa.CheckConstraint(c.a >= 0, name=n),
    lambda c, n: sa.CheckConstraint("a >= 0 AND b <> 'never'", name=n),
    lambda c, n: sa.CheckConstraint("lower(b) <> 'NEVER'::varchar", name=n),
    lambda c, n: sa.CheckConstraint("a BETWEEN 0 AND 2000000000", name=n),
    lambda c, n: sa.CheckConstraint(sa.or_(c.b.isnot(None), c.a > 5), name=n),
    lambda c, n: sa.CheckConstraint(c.b.notin_(["x:y", "100%"]), name=n),
    lambda c, n: sa.CheckConstraint("b !~ '^a:b%$' AND \"Or der\" IS NOT DISTINCT FROM NULL", name=n),
    lambda c, n: sa.CheckConstraint("ref > 0", name=n, postgresql_not_valid=True),
    lambda c, n: sa.CheckConstraint("a > -2"),
    lambda c, n: sa.CheckConstraint("(data ->> 'k'::text) IS NULL OR jsonb_typeof(data) = 'object'", name=n),
]
UNIQUE: list[Make] = [
    lambda c, n: sa.UniqueConstraint(c.id, c.a, name=n),
    lambda c, n: sa.UniqueConstraint(c.b, c.id, c.a, name=n),
    lambda c, n: sa.UniqueConstraint(c.id, c.b, name=n, deferrable=True, initially="DEFERRED"),
    lambda c, n: sa.UniqueConstraint(c.id, c.b, name=n, deferrable=True),
    lambda c, n: sa.UniqueConstraint(c.id, c["Or der"], name=n, postgresql_include=["b"]),
    lambda c, n: sa.UniqueConstraint(c.id, c.ref, name=n, postgresql_nulls_not_distinct=True),
    lambda c, n: sa.UniqueConstraint(c.id, c.ref, c.a),
    lambda c, n: sa.UniqueConstraint(c.id, c.ref, c.b, name=n),
]
KEYS: list[Make] = [
    lambda c, n: sa.ForeignKeyConstraint([c.ref], ["to_be.id"], name=n),
    lambda c, n: sa.ForeignKeyConstraint([c.ref], ["to_be.id"], name=n, ondelete="CASCADE", onupdate="SET NULL"),
    lambda c, n: sa.ForeignKeyConstraint([c.ref], ["to_be.id"], name=n, ondelete="SET NULL (ref)"),
    lambda c, n: sa.ForeignKeyConstraint([c.ref], ["to_be.id"], name=n, deferrable=True, initially="DEFERRED"),
    lambda c, n: sa.ForeignKeyConstraint([c.ref], ["to_be.id"], name=n, deferrable=True, match="FULL"),
    lambda c, n: sa.ForeignKeyConstraint([c.ref], ["to_be.id"], name=n, ondelete="RESTRICT", use_alter=True),
    lambda c, n: sa.ForeignKeyConstraint([c.ref], [f"{TENANT}.Away From.id"], name=n, ondelete="SET DEFAULT"),
    lambda c, n: sa.ForeignKeyConstraint([c.ref, c.ref], ["to_be.id", "to_be.code"], name=n),
    lambda c, n: sa.ForeignKeyConstraint([c.ref], ["to_be.id"]),
    lambda c, n: sa.ForeignKeyConstraint([c.ref], ["to_be.id"], name=n, postgresql_not_valid=True),
]
TABLES: list[dict[str, Any]] = [
    {},
    {"postgresql_with": {"fillfactor": 70}},
    {"postgresql_with": {"fillfactor": 80, "autovacuum_enabled": False, "toast.autovacuum_enabled": True}},
    {"comment": "it's said: 100%"},
    {"comment": "other"},
    {"postgresql_using": "heap"},
    {"postgresql_tablespace": "pg_default"},
]


def _partitioned(own: str, interval: str, **words: Any) -> Any:
    words |= {"sub_partitions": by_hash("shard", 2)} if own == "sub" else {}
    return partitioned("id", interval, **words)


PARTITIONED: list[list[Any]] = [
    [],
    [lambda own: _partitioned(own, "1000")],
    [lambda own: _partitioned(own, "1000", premake=2, retention="500000", retention_keep_table=False)],
    [lambda own: _partitioned(own, "1000", premake=6, inherit_privileges=True, detach="blocking")],
    [lambda own: _partitioned(own, "500")],
    [lambda own: _partitioned(own, "1000"), lambda own: archived("700000")],
    [lambda own: _partitioned(own, "1000"), lambda own: archived("800000", archive_schema="public")],
    [lambda own: _partitioned(own, "1000"), lambda own: expiring("at", age="18 months", timezone="Asia/Bangkok")],
]
PLAIN: list[list[Any]] = [
    [],
    [lambda own: archived("90 days", way="rows", control="at")],
    [lambda own: archived(condition="b = 'x:y%'", way="rows", archived_at=True)],
    [lambda own: expiring("at", age="90 days")],
    [
        lambda own: expiring("at", age="90 days", batch_size=50, max_replica_lag=None),
        lambda own: archived("1 year", way="rows", control="at"),
    ],
]
