"""The migrations of the five systems, run against a fake database that only remembers."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import Script, ScriptDirectory
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import configure_mappers
from sqlalchemy.schema import CreateColumn, CreateIndex
from sqlalchemy.sql.ddl import BaseDDLElement

import schema_kit
from migrations.models import metadata

pytestmark = pytest.mark.pack

MIGRATIONS = Path(__file__).parents[2] / "migrations"

NAMED_INDEXES = {
    "whatsapp_agent": """
        idx_customers_phone_restaurant idx_customers_status_restaurant idx_customers_created_restaurant
        idx_customers_feedback_sentiment idx_whatsapp_messages_customer_date
        idx_whatsapp_messages_restaurant_date idx_whatsapp_messages_direction_status""",
    "telegram_bots": """
        ix_messages_bot_created_at ix_messages_chat_created_at ix_messages_chat_telegram_msg
        ix_messages_reply_lookup ix_messages_incoming ix_stances_bot_updated uq_bot_stances_bot_topic
        ix_holdings_bot_updated uq_bot_holdings_bot_symbol ix_memories_bot_type ix_memories_bot_relevance
        ix_messages_active_bots ix_stances_active_cooldown ix_messages_telegram_message_id
        ix_messages_reply_to_message_id""",
    "market_research": """
        idx_user_timestamp idx_query_hash idx_filters_gin idx_user_status_created idx_analysis_type_status
        idx_search_query_hash idx_category_price""",
    "rag_chat": """
        ix_user_sessions_session_id ix_user_sessions_user_id ix_user_sessions_expires_at
        ix_conversations_user_session_id ix_conversations_created_at ix_conversations_expires_at
        ix_messages_conversation_id ix_messages_timestamp ix_messages_expires_at""",
}
"""The names that the applications' own plans and monitoring know."""

PARTITIONED = {
    "line_support.conversation": ("created_at", "1 month", "Asia/Bangkok"),
    "line_support.webhook_event": ("received_at", "1 month", "Asia/Bangkok"),
    "whatsapp_agent.whatsapp_messages": ("created_at", "1 month", "UTC"),
    "telegram_bots.messages": ("created_at", "1 week", "UTC"),
    "market_research.product_searches": ("search_timestamp", "1 month", "UTC"),
    "rag_chat.messages": ("timestamp", "1 month", "UTC"),
}


CUT_AT_ONCE = {"line_support.conversation", "telegram_bots.messages", "market_research.product_searches"}
"""Of these old partitions leave, so that what existed before has to lie in partitions of its own."""

ARCHIVED = {
    "telegram_bots.messages": ("30 days", 1_000_000),
    "market_research.product_searches": ("6 months", None),
}

RETAINED = {
    "line_support.conversation": ("12 months", False, "30 days"),
    "market_research.product_searches_archive": ("24 months", False, "30 days"),
}


def sql(element: BaseDDLElement) -> str:
    compiled = element.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
    return " ".join(str(compiled).split())


@dataclass
class Shape:
    """A table without its indexes, in words that compare."""

    columns: list[str]
    primary_key: list[str]
    unique: set[tuple[str, ...]]
    foreign_keys: dict[str, tuple[Any, ...]]
    partition_by: str | None

    @classmethod
    def of(cls, table: sa.Table) -> Shape:
        partition_by = table.dialect_options["postgresql"]["partition_by"]
        return cls(
            columns=[sql(CreateColumn(column)) for column in table.columns],
            primary_key=[column.name for column in table.primary_key],
            unique={
                (str(c.name or f"{table.name}_{'_'.join(c.columns.keys())}_key"), *c.columns.keys())
                for c in table.constraints
                if isinstance(c, sa.UniqueConstraint)
            },
            foreign_keys={
                str(fk.name): (
                    fk.column_keys,
                    [element.target_fullname for element in fk.elements],
                    fk.ondelete,
                    fk.onupdate,
                    fk.match,
                )
                for fk in table.foreign_key_constraints
            },
            partition_by=str(partition_by).replace('"', "") if partition_by else None,
        )


@dataclass
class State:
    """All that the fake remembers."""

    tables: dict[str, Shape] = field(default_factory=dict)
    indexes: dict[str, tuple[str, str]] = field(default_factory=dict)
    extensions: set[str] = field(default_factory=set)
    part_config: bool = False
    partitioned: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    split: set[str] = field(default_factory=set)
    views: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, str] = field(default_factory=dict)
    """Materialized views, each with its unique index."""
    archive_after: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    retention: dict[str, tuple[str, bool, str]] = field(default_factory=dict)
    time_to_live: dict[str, tuple[str, Any]] = field(default_factory=dict)


class FakeOp:
    """Stands where schema_kit's operations stand, and refuses what a database would refuse."""

    def __init__(self) -> None:
        self.state = State()
        self.before_conversion: dict[str, dict[str, Shape]] = {}
        self.baseline = sa.MetaData()

    def create_baseline(self, metadata: sa.MetaData) -> None:
        assert not self.state.tables
        self.baseline = metadata
        self.state.tables = {table.fullname: Shape.of(table) for table in metadata.sorted_tables}

    def drop_baseline(self, metadata: sa.MetaData) -> None:
        assert set(self.state.tables) == set(metadata.tables)
        self.state.tables = {}

    def create_index_concurrently(
        self,
        index_name: str,
        table_name: str,
        columns: list[str | sa.TextClause],
        *,
        schema: str,
        unique: bool = False,
        postgresql_using: str | None = None,
        postgresql_where: sa.TextClause | None = None,
        postgresql_ops: dict[str, str] | None = None,
        postgresql_include: list[str] | None = None,
    ) -> None:
        options: dict[str, Any] = {
            "postgresql_using": postgresql_using,
            "postgresql_where": postgresql_where,
            "postgresql_ops": postgresql_ops,
            "postgresql_include": postgresql_include,
        }
        given = {key: value for key, value in options.items() if value is not None}
        assert f"{schema}.{table_name}" in self.state.tables
        hot = self.baseline.tables[f"{schema}.{table_name.removesuffix('_archive')}"]
        table = hot.to_metadata(sa.MetaData(), name=table_name)
        index = sa.Index(index_name, *columns, unique=unique, **given)
        table.append_constraint(index)
        name = f"{schema}.{index_name}"
        assert name not in self.state.indexes, f"{name} is created twice"
        self.state.indexes[name] = (table.fullname, sql(CreateIndex(index)))

    def drop_index_concurrently(self, index_name: str, table_name: str, *, schema: str) -> None:
        table, _ = self.state.indexes.pop(f"{schema}.{index_name}")
        assert table == f"{schema}.{table_name}"

    def execute(self, statement: str) -> None:
        """Materialized views and their indexes, which models do not have."""
        words = statement.split()
        if words[:3] == ["CREATE", "MATERIALIZED", "VIEW"]:
            assert self.state.metrics.setdefault(words[3], "") == ""
        elif words[:3] == ["CREATE", "UNIQUE", "INDEX"]:
            self.state.metrics[words[5]] = words[3]
        else:
            assert words[:3] == ["DROP", "MATERIALIZED", "VIEW"]
            del self.state.metrics[words[3]]

    def create_extension(self, name: str) -> None:
        assert name not in self.state.extensions
        self.state.extensions.add(name)

    def drop_extension(self, name: str) -> None:
        assert not any("gin_trgm_ops" in ddl for _, ddl in self.state.indexes.values())
        self.state.extensions.remove(name)

    def create_part_config(self) -> None:
        assert not self.state.part_config
        self.state.part_config = True

    def drop_part_config(self) -> None:
        assert self.state.part_config
        assert not self.state.partitioned
        self.state.part_config = False

    def convert_to_partitioned(
        self,
        table_name: str,
        control: str,
        interval: str,
        *,
        schema: str,
        timezone: str = "UTC",
        incoming_foreign_keys: str = "refuse",
        strategy: str = "",
    ) -> None:
        assert self.state.part_config
        assert strategy == "attach", "the same on a small database and on a big one"
        name = f"{schema}.{table_name}"
        assert name not in self.state.partitioned
        self.before_conversion[name] = copy.deepcopy(self.state.tables)
        self.state.partitioned[name] = (control, interval, timezone)
        shape = self.state.tables[name]
        shape.primary_key.append(control)
        shape.partition_by = f"RANGE ({control})"
        for other in self.state.tables.values():
            for key, (columns, targets, ondelete, _, _) in other.foreign_keys.items():
                if targets != [f"{name}.id"]:
                    continue
                assert incoming_foreign_keys == "composite", f"{key} refers to {name}"
                copied = columns[0].removesuffix("id") + control
                other.columns.append(f"{copied} TIMESTAMP WITH TIME ZONE")
                targets = [*targets, f"{name}.{control}"]
                other.foreign_keys[key] = ([*columns, copied], targets, ondelete, "CASCADE", "FULL")

    def split_partition_concurrently(self, table_name: str, *, schema: str) -> None:
        name = f"{schema}.{table_name}"
        assert name in self.state.partitioned
        self.state.split.add(name)

    def unpartition(self, table_name: str, *, schema: str) -> None:
        name = f"{schema}.{table_name}"
        assert not {name, f"{name}_archive"} & {*self.state.archive_after, *self.state.retention}
        del self.state.partitioned[name]
        self.state.split.discard(name)
        self.state.tables = self.before_conversion.pop(name)

    def create_archive_table(
        self, table_name: str, *, schema: str, indexes: tuple[str, ...], view: str | None = None
    ) -> None:
        name = f"{schema}.{table_name}"
        assert name in self.state.split, "what is there already could not go"
        hot = self.state.tables[name]
        columns = [column.replace(" GENERATED ALWAYS AS IDENTITY", " NOT NULL") for column in hot.columns]
        shape = Shape(columns, [*hot.primary_key], set(), {}, hot.partition_by)
        assert self.state.tables.setdefault(f"{name}_archive", shape) is shape
        for index in indexes:
            table, ddl = self.state.indexes[f"{schema}.{index}"]
            assert table == name
            copied = f"{table_name}_archive_{index}"
            words = ddl.replace(f"INDEX {index} ON {name} ", f"INDEX {copied} ON {name}_archive ")
            self.state.indexes[f"{schema}.{copied}"] = (f"{name}_archive", words)
        if view:
            self.state.views[f"{schema}.{view}"] = name

    def drop_archive_table(self, table_name: str, *, schema: str, view: str | None = None) -> None:
        name = f"{schema}.{table_name}"
        assert name not in self.state.archive_after
        if view:
            assert self.state.views.pop(f"{schema}.{view}") == name
        assert name not in self.state.views.values()
        del self.state.tables[f"{name}_archive"]
        kept = {index: pair for index, pair in self.state.indexes.items() if pair[0] != f"{name}_archive"}
        self.state.indexes = kept

    def set_archive_policy(
        self, table_name: str, archive_after: str, *, schema: str, max_rows: int | None = None
    ) -> None:
        name = f"{schema}.{table_name}"
        assert f"{name}_archive" in self.state.tables
        self.state.archive_after[name] = (archive_after, max_rows)

    def restore_archive_table(self, table_name: str, *, schema: str) -> None:
        assert f"{schema}.{table_name}_archive" not in self.state.retention, "what was retired would stay out"
        del self.state.archive_after[f"{schema}.{table_name}"]

    def set_partition_policy(
        self, table_name: str, *, schema: str, retention: str, retention_keep_table: bool, retention_grace: str
    ) -> None:
        name = f"{schema}.{table_name}"
        assert self.state.tables[name].partition_by
        assert name not in self.state.retention
        self.state.retention[name] = (retention, retention_keep_table, retention_grace)

    def drop_retention(self, table_name: str, *, schema: str) -> None:
        del self.state.retention[f"{schema}.{table_name}"]

    def set_ttl_policy(self, table_name: str, column: str, *, schema: str, tree: Any = None) -> None:
        name = f"{schema}.{table_name}"
        assert name not in self.state.time_to_live
        leads = {
            ddl.partition(" (")[2].split(",")[0].strip(")") for of, ddl in self.state.indexes.values() if of == name
        }
        assert column in leads, f"{name} has no index on {column}"
        self._goes_along(name, tree or {})
        self.state.time_to_live[name] = (column, tree)

    def _goes_along(self, name: str, tree: Any) -> None:
        referring = {
            other
            for other, shape in self.state.tables.items()
            for _, targets, *_ in shape.foreign_keys.values()
            if targets[0].rpartition(".")[0] == name
        }
        assert {f"{name.partition('.')[0]}.{below}" for below in tree} == referring
        for below, rest in tree.items():
            self._goes_along(f"{name.partition('.')[0]}.{below}", rest)

    def drop_ttl_policy(self, table_name: str, *, schema: str) -> None:
        del self.state.time_to_live[f"{schema}.{table_name}"]


@pytest.fixture
def op(monkeypatch: pytest.MonkeyPatch) -> FakeOp:
    fake = FakeOp()
    monkeypatch.setattr(schema_kit, "op", fake, raising=False)
    return fake


@pytest.fixture
def revisions(op: FakeOp) -> list[Script]:
    """All revisions, the oldest first; they see the fake, because Alembic loads them afresh."""
    return list(ScriptDirectory(str(MIGRATIONS)).walk_revisions())[::-1]


@pytest.fixture
def head(op: FakeOp, revisions: list[Script]) -> State:
    for revision in revisions:
        revision.module.upgrade()
    return op.state


def test_the_revisions_are_one_line(revisions: list[Script]) -> None:
    assert [revision.down_revision for revision in revisions] == [
        None,
        *(revision.revision for revision in revisions[:-1]),
    ]
    assert revisions[0].revision == "baseline"
    assert revisions[-1].is_head
    assert len(revisions) == len(list((MIGRATIONS / "versions").glob("*.py")))


def test_a_revision_is_called_like_its_file_and_fits_the_version_table(revisions: list[Script]) -> None:
    for revision in revisions:
        assert Path(revision.path).stem == revision.revision
        assert len(revision.revision) <= 32  # alembic_version.version_num is varchar(32)


def test_history_does_not_import_current_code() -> None:
    for path in (MIGRATIONS / "versions").glob("*.py"):
        imports = {
            (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert not {name for name in imports if name.startswith("migrations")}, path.name


def test_a_downgrade_undoes_its_upgrade(op: FakeOp, revisions: list[Script]) -> None:
    for revision in revisions:
        before = copy.deepcopy(op.state)
        revision.module.upgrade()
        after = copy.deepcopy(op.state)
        assert after != before, revision.revision
        revision.module.downgrade()
        assert op.state == before, revision.revision
        revision.module.upgrade()
        assert op.state == after, revision.revision
    for revision in reversed(revisions):
        revision.module.downgrade()
    assert op.state == State()


def test_the_models_map() -> None:
    configure_mappers()


def test_the_migrations_lead_to_the_models_tables(head: State) -> None:
    assert set(head.tables) == set(metadata.tables)
    for name, table in metadata.tables.items():
        assert Shape.of(table) == head.tables[name], name


def test_the_migrations_lead_to_the_models_indexes(head: State) -> None:
    declared = {
        f"{table.schema}.{index.name}": (table.fullname, sql(CreateIndex(index)))
        for table in metadata.sorted_tables
        for index in table.indexes
    }
    assert declared == head.indexes


def test_the_big_tables_are_partitioned_where_their_readers_live(head: State) -> None:
    assert head.partitioned == PARTITIONED


def test_old_rows_leave_by_policies_that_say_so(head: State) -> None:
    assert head.split == CUT_AT_ONCE
    assert head.archive_after == ARCHIVED
    assert head.retention == RETAINED
    assert {f"{name}_archive" for name in ARCHIVED} | set(head.partitioned) == {
        name for name, shape in head.tables.items() if shape.partition_by
    }
    assert head.metrics == {"market_research.category_metrics": "category_metrics_category_key"}
    assert head.views == {"telegram_bots.all_messages": "telegram_bots.messages"}


def test_what_is_dropped_is_out_for_a_while_before(head: State) -> None:
    for name, (_, kept, grace) in head.retention.items():
        assert kept or grace not in ("", "0"), name


def test_what_expires_of_a_chat_goes_with_all_that_references_it(head: State) -> None:
    columns = {table.fullname: "expires_at" for table in metadata.sorted_tables if "expires_at" in table.columns}
    assert {name: column for name, (column, _) in head.time_to_live.items()} == columns


@pytest.mark.parametrize("schema", NAMED_INDEXES)
def test_the_indexes_known_by_name_exist(head: State, schema: str) -> None:
    assert not {f"{schema}.{name}" for name in NAMED_INDEXES[schema].split()} - set(head.indexes)


def test_no_predicate_has_the_clock_in_it(head: State) -> None:
    for name, (_, ddl) in head.indexes.items():
        assert "now" not in ddl.partition(" WHERE ")[2].lower(), name


def test_deleting_a_parent_finds_its_children_by_an_index() -> None:
    for table in metadata.sorted_tables:
        unconditional = [i for i in table.indexes if i.dialect_options["postgresql"]["where"] is None]
        first = {next(iter(index.columns), None) for index in unconditional}
        first |= {next(iter(c.columns)) for c in table.constraints if isinstance(c, sa.UniqueConstraint)}
        for foreign_key in table.foreign_key_constraints:
            assert next(iter(foreign_key.columns)) in first, foreign_key.name


def test_names_fit_postgresql(head: State) -> None:
    names = [name for index in head.indexes for name in index.split(".")]
    for table in metadata.sorted_tables:
        names += [str(table.schema), table.name, f"{table.name}_pkey", *table.columns.keys()]
        shape = Shape.of(table)
        names += [*shape.foreign_keys, *(name for name, *_ in shape.unique)]
    assert [name for name in names if len(name.encode()) > 63] == []
