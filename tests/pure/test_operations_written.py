"""Each operation is written into a revision and read back, whatever it was called with; so is its reverse."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic.operations import MigrateOperation
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from schema_kit import ops
from schema_kit.from_sqlalchemy import create_partitioned_sql
from schema_kit.ops.operation import OPERATIONS, PlanOperation, Several
from schema_kit.ops.rendering import table_of
from tests.support.recorded import executed, written

pytestmark = [pytest.mark.docs, pytest.mark.libraries]

CLASSES = {cls.called: cls for cls in PlanOperation.__subclasses__()}

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12
) | st.sampled_from(["it's", 'say "so"', "100% \\ {wool}", "a:b", "line\nbreak", "ชื่อ"])
words = st.sampled_from(["note", "at", "total", "Odd Name", "it's"])
numbers = st.integers(-(2**40), 2**40)
expressions = st.sampled_from(
    [
        sa.text("lower(note)"),
        sa.text("note LIKE '100% \\:wool'"),
        sa.column("note").like("a:b%"),
        sa.text("n > 0"),
        sa.func.now(),
        sa.column("n") + 1,
        sa.column("note").desc(),
    ]
)
table = sa.Table("t", sa.MetaData(), *(sa.Column(name, sa.Text) for name in ("note", "at", "total")))
column_names = st.lists(words | st.sampled_from([*table.c]), min_size=1, max_size=3)
index_keys = st.lists(words | expressions | st.sampled_from([*table.c]), min_size=1, max_size=3)
types: st.SearchStrategy[Any] = st.sampled_from(
    [sa.Text(), sa.Text, sa.String(20), sa.Numeric(10, 2), postgresql.JSONB(), postgresql.ARRAY(sa.Integer())]
)
defaults = texts | st.sampled_from([sa.text("'x'"), sa.func.now(), None, False])
values = st.one_of(
    texts,
    numbers,
    st.booleans(),
    st.none(),
    st.floats(),
    st.binary(max_size=5),
    st.dates(),
    st.datetimes(timezones=st.none() | st.just(UTC) | st.timezones()),
    st.timedeltas(timedelta(0), timedelta(400)),
    st.decimals(allow_nan=False),
    st.uuids(),
    expressions,
)
trees: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.just({}), lambda below: st.dictionaries(words, below, max_size=2), max_leaves=4
)
keys: st.SearchStrategy[tuple[Callable[[], Any], ...]] = st.sampled_from(
    [
        (),
        (lambda: sa.ForeignKey("customers.id"),),
        (lambda: sa.ForeignKey("s.customers.id", name="of", ondelete="CASCADE", match="FULL", deferrable=True),),
        (lambda: sa.CheckConstraint("c > 0", name="positive"),),
        (lambda: sa.Identity(always=True),),
        (lambda: sa.Computed("1 + 1"),),
    ]
)


@st.composite
def columns(draw: st.DrawFn, name: str | None = None) -> sa.Column[Any]:
    options: dict[str, Any] = {}
    items = [make() for make in draw(keys)]
    if not any(isinstance(item, sa.Identity | sa.Computed) for item in items):
        options["server_default"] = draw(st.sampled_from([None, "it's", sa.text("now()"), sa.func.now()]))
    options |= {"comment": draw(st.none() | texts), "nullable": draw(st.booleans())}
    options |= dict.fromkeys(draw(st.sets(st.sampled_from(["unique", "index"]))), True)
    return sa.Column(name or draw(words), draw(types), *items, **options)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Any, ...]:
    """Columns and constraints as a person writes them."""
    found = [draw(columns(f"c{number}")) for number in range(draw(st.integers(0, 2)))]
    primary = draw(st.booleans())
    found += [sa.Column("id", sa.BigInteger, primary_key=primary), sa.Column("k", sa.BigInteger, nullable=False)]
    more: list[Any] = [] if primary else [sa.PrimaryKeyConstraint("id", "k", name=draw(st.none() | words))]
    more += draw(st.sampled_from([[], [("u",)], [("f",)], [("c",)]]))
    made: dict[str, Callable[[], Any]] = {
        "u": lambda: sa.UniqueConstraint("id", "k", name="once", postgresql_nulls_not_distinct=True),
        "f": lambda: sa.ForeignKeyConstraint(["k"], ["s.others.k"], name="of", onupdate="CASCADE"),
        "c": lambda: sa.CheckConstraint("id > 0 AND k <> '%s'", name="positive"),
    }
    return (*found, *(made[one[0]]() if isinstance(one, tuple) else one for one in more))


@st.composite
def metadatas(draw: st.DrawFn) -> sa.MetaData:
    found = sa.MetaData()
    for name, schema in (("customers", None), ("customers", "s"), ("others", "s")):
        columns = (sa.Column(one, sa.BigInteger, primary_key=True, autoincrement=False) for one in ("id", "k"))
        sa.Table(name, found, *columns, schema=schema)
    first = sa.Table("a", found, *draw(tables()), schema=draw(st.none() | words), comment=draw(st.none() | texts))
    sa.Index("ix", first.c.k, sa.text("lower(id::text)"), unique=True, postgresql_where=sa.text("k > 0"))
    sa.Table("b", found, sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.ForeignKey(first.c.id)))
    return found


cuts = st.builds(ops.by_hash, words, st.integers(2, 5)) | st.builds(
    lambda column, parts, default: ops.by_list(
        column, {name: [value] for name, value in zip(["eu", "us", "rest"], parts, strict=False)}, default=default
    ),
    words,
    st.lists(texts | numbers | st.none() | st.booleans(), min_size=1, max_size=3, unique_by=lambda one: str(one)),
    st.booleans(),
)
expression = texts | expressions
BY_ANNOTATION: dict[str, st.SearchStrategy[Any]] = {
    "str": texts,
    "int": st.integers(1, 9),
    "float": st.floats(0.1, 9),
    "bool": st.booleans(),
    "bool | Sequence[str]": st.booleans() | st.lists(words) | st.lists(words).map(tuple),
    "Sequence[str]": st.lists(words) | st.lists(words).map(tuple),
    "Sequence[str | sa.ColumnElement[Any]]": column_names,
    "Sequence[str | sa.TextClause | sa.ColumnElement[Any]]": index_keys,
    "Mapping[str, Any]": st.dictionaries(words, values, min_size=1, max_size=3) | trees,
    "Mapping[str, str]": st.dictionaries(words, words),
    "Tree": trees,
    "Cut": cuts,
    "sa.MetaData": metadatas(),
    "sa.Column[Any]": columns(),
    "sa.schema.SchemaItem": tables(),
    "str | sa.TextClause | sa.ColumnElement[Any]": expression,
    "str | sa.TextClause | sa.ColumnElement[Any] | sa.FetchedValue | Literal[False]": defaults,
    "sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]]": types,
    "IncomingForeignKeys": st.sampled_from(["refuse", "drop", "composite"]),
    "Strategy": st.sampled_from(["attach", "copy"]),
    "KeepOld": st.sampled_from([True, False, "fed"]),
    "str | int | date": texts | numbers | st.dates(),
}
"""What a parameter of each type is given."""


MADE_OF_COLUMNS = ("add_column_concurrently", "create_partitioned_table", "create_baseline", "drop_baseline")
"""What these say of their columns is SQLAlchemy's text, as Alembic's own entries have it."""


def strategy(annotation: str) -> st.SearchStrategy[Any]:
    *_, none = ("", *annotation.split(" | "))
    bare = annotation.removesuffix(" | None")
    found = BY_ANNOTATION[bare]
    return st.none() | found if none == "None" else found


@st.composite
def operations(draw: st.DrawFn, name: str) -> PlanOperation:
    """An operation with what it needs, and some of what it may be given."""
    given_by_place: list[Any] = []
    given_by_name: dict[str, Any] = {}
    for one in [*inspect.signature(OPERATIONS[name].function).parameters.values()][1:]:
        if one.kind is one.VAR_POSITIONAL:
            given_by_place += draw(strategy(one.annotation))
        elif one.kind is one.VAR_KEYWORD:
            given_by_name |= draw(st.sampled_from([{}, {"mysql_engine": "x"}]))
        elif one.default is one.empty or draw(st.booleans()):
            value = draw(strategy(one.annotation))
            if one.kind is one.KEYWORD_ONLY or len(given_by_place) < place(name, one.name):
                given_by_name[one.name] = value
            else:
                given_by_place.append(value)
    return CLASSES[name](*given_by_place, **given_by_name)


def place(name: str, parameter: str) -> int:
    return [*inspect.signature(OPERATIONS[name].function).parameters].index(parameter) - 1


def same(one: Any, other: Any) -> bool:
    """Whether two arguments mean the same; expressions and types by their SQL."""
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, float) and one != one:
        return bool(other != other)
    if isinstance(one, sa.schema.SchemaItem | sa.MetaData | sa.types.TypeEngine | sa.ClauseElement | type):
        return True  # what is written for them is compared, and the SQL of tables
    return type(one) is type(other) and bool(one == other)


def arguments(operation: PlanOperation) -> dict[str, Any]:
    bound = operation.bound
    bound.apply_defaults()
    return {name: value for name, value in bound.arguments.items() if name not in ("operations", "columns")}


def ddl(operation: PlanOperation) -> Any:
    """What it makes of tables."""
    if operation.called == "create_partitioned_table":
        return lines_of(table_of(operation))
    metadata = [one for one in operation.positional if isinstance(one, sa.MetaData)]
    return [lines_of(table) for one in metadata for table in one.tables.values()]


def lines_of(table: sa.Table) -> list[str]:
    return sorted(line.strip(" ,") for line in "\n".join(create_partitioned_sql(table)).split("\n"))


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_is_written_makes_the_same_operation(name: str, data: st.DataObject) -> None:
    operation = data.draw(operations(name))
    lines, imports = written(operation)
    (made,) = executed(lines, imports)
    assert type(made) is type(operation)
    assert isinstance(made, PlanOperation)
    assert written(made) == (lines, imports)
    read, given = arguments(made), arguments(operation)
    assert read.keys() == given.keys()
    assert [key for key, value in given.items() if not same(value, read[key])] == []
    assert ddl(made) == ddl(operation)
    assert made.to_diff_tuple()[0] == name
    assert name in MADE_OF_COLUMNS or " object at 0x" not in repr(made.to_diff_tuple())


REVERSED: dict[str, tuple[str, ...]] = {
    "add_column_concurrently": ("drop_column_concurrently",),
    "alter_column_concurrently": ("alter_column_concurrently",),
    "attach_partition_concurrently": ("detach_partition_concurrently",),
    "convert_to_partitioned": ("unpartition",),
    "create_archive_table": ("drop_archive_table",),
    "create_baseline": ("drop_baseline",),
    "create_cold_archive": ("drop_cold_archive",),
    "create_check_constraint_concurrently": ("drop_constraint_concurrently",),
    "create_extension": ("drop_extension",),
    "create_foreign_key_concurrently": ("drop_constraint_concurrently",),
    "create_index_concurrently": ("drop_index_concurrently",),
    "create_next_partitions": (),
    "create_part_config": ("drop_part_config",),
    "create_partitioned_table": ("DropTableOp", "drop_partition_policy"),
    "create_primary_key_concurrently": ("drop_constraint_concurrently",),
    "create_unique_constraint_concurrently": ("drop_constraint_concurrently",),
    "distribute_table_concurrently": ("undistribute_table",),
    "drop_baseline": ("create_baseline",),
    "drop_extension": ("create_extension",),
    "drop_part_config": ("create_part_config",),
    "ignore_health_finding": ("heed_health_finding",),
    "install_partman_sql": ("remove_partman_sql",),
    "refresh_materialized_view_concurrently": (),
    "reindex_concurrently": (),
    "remove_partman_sql": ("install_partman_sql",),
    "set_archive_policy": ("drop_archive_policy",),
    "set_not_null_concurrently": ("alter_column_concurrently",),
    "set_partition_policy": ("drop_partition_policy",),
    "set_publish_via_partition_root": ("set_publish_via_partition_root",),
    "set_ttl_policy": ("drop_ttl_policy",),
    "validate_constraint": (),
}


def names(operation: MigrateOperation) -> tuple[str, ...]:
    several = operation.ops if isinstance(operation, Several) else [operation]
    return tuple(one.called if isinstance(one, PlanOperation) else type(one).__name__ for one in several)


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_the_reverse_is_written_and_takes_it_back(name: str, data: st.DataObject) -> None:
    operation = data.draw(operations(name))
    if name not in REVERSED:
        with pytest.raises(NotImplementedError, match="cannot be reversed"):
            operation.reverse()
        return
    try:
        back = operation.reverse()
    except NotImplementedError as error:
        refused = str(error)
        assume("called without" not in refused and "without a name" not in refused)
        raise
    if names(back) != ("AlterColumnOp",):  # a narrower type
        assert names(back) == REVERSED[name]
    lines, imports = written(back)
    assert len(executed(lines, imports)) == len(names(back))
    if isinstance(back, PlanOperation | Several):
        assert back.reverse() is operation
        if isinstance(back, PlanOperation):
            own = CLASSES[back.called](*back.positional, **back.keywords)
            assert written(own) == (lines, imports)


def test_a_reverse_can_be_given() -> None:
    one, former = ops.SetPartitionPolicyOp("t", premake=6), ops.SetPartitionPolicyOp("t", premake=4)
    assert one.taken_back_by(former).reverse() is former
    assert former.reverse() is one
    several = ops.SetTtlPolicyOp("t", "at").taken_back_by(ops.DropTtlPolicyOp("t"), ops.DropRetentionOp("t"))
    assert several.reverse().reverse() is several
    assert written(several.reverse())[0] == ["op.drop_ttl_policy('t')", "op.drop_retention('t')"]


WRITTEN = {
    "import datetime": {"at": datetime(2026, 1, 1, tzinfo=UTC), "on": date(2026, 1, 1)},
    "from decimal import Decimal": {"price": Decimal("1.10")},
    "from uuid import UUID": {"id": UUID(int=7)},
}


@pytest.mark.parametrize("line", WRITTEN)
def test_a_revision_gets_the_imports_it_needs(line: str) -> None:
    assert line in written(ops.UpdateInBatchesOp("t", WRITTEN[line]))[1]
