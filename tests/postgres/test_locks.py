"""Every step's stated locks, compared with what the server says it took."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.execute import Event, StepStarted
from schema_kit.files.export import Export
from schema_kit.lint.look import held
from schema_kit.model import (
    ArchiveFile,
    ArchivePolicy,
    BaselineEnum,
    BaselineTable,
    Column,
    Cut,
    ForeignKey,
    IgnoredFinding,
    IndexDeclaration,
    IndexElement,
    KeyColumn,
    Partitioning,
    Stored,
    Table,
    TimeToLive,
)
from schema_kit.names import OWN_PATH, QualifiedName
from schema_kit.ops.operation import task
from schema_kit.plans.batches import update_in_batches
from schema_kit.plans.conversion import IncomingForeignKeys
from schema_kit.plans.copying import abandon
from schema_kit.plans.creation import DeclaredSet, create_set
from schema_kit.plans.partitions import create_next
from schema_kit.plans.views import refresh
from schema_kit.script import lock_statement, render
from schema_kit.sqlscripts import load
from schema_kit.steps import (
    Plan,
    Step,
    Transaction,
    access_method,
    archives,
    baseline,
    batches,
    cold,
    cold_columns,
    columns,
    constraints,
    conversion,
    copied_table,
    copy_changes,
    copy_chunks,
    copy_swap,
    copying,
    distribution,
    emptied,
    enums,
    files,
    health,
    indexes,
    partitions,
    partman,
    publications,
    referring,
    retirement,
    rollback,
    rows,
    views,
)
from schema_kit.steps import unpartition as unpartition_steps
from schema_kit.steps.partitions import register_sql
from schema_kit.steps.step import LockMode
from schema_kit.steps.storage import DropTables, EnsureTable
from schema_kit.storage import (
    ARCHIVE_FILE,
    CREATED_OBJECT,
    HEALTH_IGNORED,
    HEALTH_SNAPSHOT,
    PART_CONFIG,
    RETIRED_PARTITION,
    SCRIPTS,
    TTL_POLICY,
)
from schema_kit.tasks import partman as partman_sql
from schema_kit.tasks.archiving import by_partition
from schema_kit.tasks.conversion import Convert, give_up, roll_back, unpartition
from schema_kit.tasks.copying import drain, split
from schema_kit.tasks.indexes import create, drop, replaced
from tests.support.cold import LOOPBACK
from tests.support.database import QUICK, Database
from tests.support.locks import wait_until
from tests.support.matrix import SHAPES, Operate, build, longer
from tests.support.older import OLDER
from tests.support.operations import COLUMNS, CONSTRAINTS
from tests.support.shadows import bare_calls
from tools.operations_chapter import Recorder

pytestmark = [pytest.mark.steps, pytest.mark.majors]

Locks = dict[str, str]

ORDER = list(LockMode)

FUNCTIONS = """SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
  AND proname NOT IN ('lower', 'upper')"""

RELATIONS = """
SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""


def stated(step: Step, least: LockMode = LockMode.SHARE_UPDATE_EXCLUSIVE) -> Locks:
    """The claim of a step, the strongest for each table."""
    return _strongest(((_plain(lock.table), lock.mode) for lock in step.locks), least)


def taken(
    watcher: psycopg.Connection[Any], pid: int, there: dict[int, str], least: LockMode = LockMode.SHARE_UPDATE_EXCLUSIVE
) -> Locks:
    """What a backend holds or waits for, on relations that were there before."""
    return _strongest(((there[oid], mode) for oid, mode in held(watcher, pid) if oid in there), least)


def _strongest(locks: Iterable[tuple[str, LockMode]], least: LockMode) -> Locks:
    found: dict[str, LockMode] = {}
    for table, mode in locks:
        if ORDER.index(mode) >= ORDER.index(least):
            found[table] = max(mode, found.get(table, mode), key=ORDER.index)
    return {table: mode.value for table, mode in sorted(found.items())}


def _plain(name: QualifiedName) -> str:
    return f"{name.schema}.{name.name}"


@dataclass
class Proof:
    """Sends plans, and proves each step on the server before it is sent."""

    database: Database
    proved: set[type[Step]] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    """PostgreSQL's functions, but for those that the tables here call."""

    def run(self, decide: Callable[[Catalog], Plan]) -> None:
        connection = self.database.sqlalchemy()
        execute.run(connection, lambda: decide(Catalog(connection)), QUICK, self._on)

    def steps(self, *steps: Step) -> None:
        """Send steps made by hand."""
        for step in steps:
            rest = [step]
            self.run(lambda _, rest=rest: Plan("one step", (rest.pop(),) if rest else ()))  # type: ignore[misc]

    def _on(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            self.proved.add(type(event.step))
            self.calls(event.step)
            if event.step.transaction is not Transaction.NONE:
                self.prove(event.step)

    def calls(self, step: Step) -> None:
        """What it calls is PostgreSQL's own: a function of a user may fit better than the one that is meant."""
        if not self.known:
            self.known |= {row[0] for row in self.database.sql(FUNCTIONS)}
        for statement in render(step, QUICK):
            if statement.startswith(f"SET LOCAL search_path TO {OWN_PATH}"):
                return
            assert bare_calls(statement, self.known) == set(), f"{step.summary}: {statement}"

    def prove(self, step: Step) -> None:
        """What the step takes by itself is what it states, and so is what is taken up front."""
        there = self.there()
        with psycopg.connect(self.database.url, autocommit=True) as watcher:
            assert self._taken_by(step.sql(), watcher, there) == stated(step), step.summary
            if first := lock_statement(step):
                found = self._taken_by((first,), watcher, there, LockMode.SHARE)
                assert found == stated(step, LockMode.SHARE), f"{step.summary}: taken up front"

    def there(self) -> dict[int, str]:
        return {oid: name.replace('"', "") for oid, name in self.database.sql(RELATIONS)}

    def _taken_by(
        self,
        statements: Iterable[str],
        watcher: psycopg.Connection[Any],
        there: dict[int, str],
        least: LockMode = LockMode.SHARE_UPDATE_EXCLUSIVE,
    ) -> Locks:
        with psycopg.connect(self.database.url) as connection:
            for statement in statements:
                if statement.endswith(("FROM STDIN", "FROM STDIN (FORMAT csv)")):
                    with connection.cursor().copy(statement.encode()):
                        continue
                connection.execute(statement.encode())
            found = taken(watcher, connection.info.backend_pid, there, least)
            connection.rollback()
        return found

    def beside(self, step: Step, *gates: str) -> None:
        """Prove a step outside of transactions: hold each gate in turn, and look while the step waits for it."""
        there = self.there()
        found: Locks = {}
        with psycopg.connect(self.database.url, autocommit=True) as watcher:
            for gate in gates:
                found |= self._while_waiting(step, gate, watcher, there)
        assert found == stated(step), step.summary
        self.proved.add(type(step))
        self.calls(step)

    def _while_waiting(self, step: Step, gate: str, watcher: psycopg.Connection[Any], there: dict[int, str]) -> Locks:
        with psycopg.connect(self.database.url, autocommit=True) as sender:
            pid = sender.info.backend_pid
            with psycopg.connect(self.database.url) as holder:
                holder.execute(gate.encode())
                with in_background(lambda: [sender.execute(statement.encode()) for statement in step.sql()]):
                    wait_until(
                        lambda: watcher.execute("SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted", [pid]).rowcount
                    )
                    found = taken(watcher, pid, there)
                    holder.rollback()
        return found


@contextmanager
def in_background(work: Callable[[], object]) -> Iterator[None]:
    """Run *work* in a thread, and raise here what it raised."""
    raised: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    yield
    thread.join()
    if raised:
        raise raised[0]


# The scenes

RICH = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.owner (id bigint PRIMARY KEY)",
    "CREATE TABLE s.place (id bigint PRIMARY KEY)",
    "INSERT INTO s.owner SELECT generate_series(1, 5)",
    """CREATE TABLE s.t (
         id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, serial bigserial, at timestamptz NOT NULL,
         owner_id bigint REFERENCES s.owner ON DELETE CASCADE, place_id bigint REFERENCES s.place,
         body text CHECK (body <> ''), UNIQUE (body, at))""",
    "CREATE INDEX t_body ON s.t (body)",
    "CREATE TABLE s.child (id bigint PRIMARY KEY, t_id bigint REFERENCES s.t ON DELETE CASCADE)",
    "CREATE TABLE s.other (id bigint PRIMARY KEY, t_id bigint REFERENCES s.t ON DELETE SET NULL)",
    """CREATE VIEW s.v WITH (security_invoker = on) AS
         SELECT t.id, t.at, o.id AS o FROM s.t t JOIN s.owner o ON o.id = t.owner_id""",
    "CREATE VIEW s.vv AS SELECT id FROM s.v",
    "CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE TRIGGER row_trigger AFTER INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION s.f()",
    "CREATE TRIGGER statement_trigger AFTER INSERT ON s.t EXECUTE FUNCTION s.f()",
    "ALTER TABLE s.t DISABLE TRIGGER statement_trigger",
    "CREATE POLICY p ON s.t USING (true)",
    "ALTER TABLE s.t ENABLE ROW LEVEL SECURITY",
    "COMMENT ON TABLE s.t IS 'rich'",
    "COMMENT ON INDEX s.t_body IS 'an index'",
    "GRANT SELECT ON s.t TO PUBLIC",
    """INSERT INTO s.t (at, owner_id, body)
         SELECT now() - i * interval '1 day', 1 + i % 5, 'b' || i FROM generate_series(1, 100) i""",
    "INSERT INTO s.child SELECT id, id FROM s.t",
    "INSERT INTO s.other SELECT id, id FROM s.t",
)

PLAIN_CHILDLESS = tuple(
    statement
    for statement in RICH
    if "REFERENCES s.t " not in statement and "INTO s.child" not in statement and "INTO s.other" not in statement
)

T = QualifiedName("s", "t")
POLICY = Partitioning(T, "at", "1 mon", premake=2)


def converting(how: IncomingForeignKeys) -> Callable[[Catalog], Plan]:
    return Convert(POLICY, how, "attach").plan


def index_on(table: QualifiedName, name: str = "ix") -> IndexDeclaration:
    return IndexDeclaration(name, table, (IndexElement("body"),))


def scene_conversion_with_incoming_keys(proof: Proof) -> None:
    proof.database.sql(*RICH)
    proof.run(converting("composite"))


def scene_conversion_drops_incoming_keys(proof: Proof) -> None:
    proof.database.sql(*RICH)
    proof.run(converting("drop"))


def scene_conversion_begun_again(proof: Proof) -> None:
    proof.database.sql(*PLAIN_CHILDLESS)
    done: list[Step] = []
    connection = proof.database.sqlalchemy()

    def until_built(event: Event) -> None:
        if isinstance(event, StepStarted):
            if isinstance(event.step, conversion.Swap):
                raise InterruptedError
            done.append(event.step)

    with pytest.raises(InterruptedError):
        execute.run(connection, lambda: converting("refuse")(Catalog(connection)), QUICK, until_built)
    proof.database.sql("ALTER TABLE s.t ADD COLUMN more text")
    proof.run(converting("refuse"))


def scene_conversion_given_up(proof: Proof) -> None:
    proof.database.sql(*RICH)
    connection = proof.database.sqlalchemy()

    def until_swap(event: Event) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, conversion.Swap):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        execute.run(connection, lambda: converting("composite")(Catalog(connection)), QUICK, until_swap)
    proof.run(task(unpartition, T))


def scene_keys_to_a_partitioned_table(proof: Proof) -> None:
    proof.database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.place (id bigint PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE s.place1 PARTITION OF s.place FOR VALUES FROM (1) TO (100)",
        "CREATE TABLE s.t (id bigint PRIMARY KEY, at timestamptz NOT NULL, place_id bigint REFERENCES s.place)",
    )
    proof.run(converting("refuse"))
    proof.run(task(unpartition, T))


def scene_way_back(proof: Proof) -> None:
    proof.database.sql(*RICH)
    proof.database.run(converting("composite"))
    proof.run(task(unpartition, T))


def scene_way_back_without_foreign_keys(proof: Proof) -> None:
    proof.database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL)",
        "CREATE VIEW s.v AS SELECT * FROM s.t",
    )
    proof.run(converting("refuse"))
    proof.run(task(unpartition, T))


PUBLISHED = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.t (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
    "ALTER TABLE s.t REPLICA IDENTITY FULL",
    "INSERT INTO s.t VALUES (1, now())",
    "CREATE PUBLICATION one FOR TABLE s.t WITH (publish_via_partition_root = true)",
)


def scene_published(proof: Proof) -> None:
    proof.database.sql(*PUBLISHED, "CREATE PUBLICATION two FOR ALL TABLES WITH (publish_via_partition_root = true)")
    proof.run(converting("refuse"))
    proof.database.sql("INSERT INTO s.t VALUES (2, now() + interval '2 months')")
    proof.run(task(unpartition, T))


def scene_published_and_copied(proof: Proof) -> None:
    proof.database.sql(*PUBLISHED)
    proof.run(Convert(POLICY, "refuse", "copy", keep_old="fed").plan)
    proof.run(lambda catalog: roll_back(catalog, T))


def scene_new_partitions(proof: Proof) -> None:
    proof.database.sql(*RICH)
    proof.database.run(converting("composite"))
    proof.run(lambda catalog: create_next(Partitioning(T, "at", "1 mon", premake=4), catalog.table(T), catalog.now()))


def scene_new_partitions_beside_a_default(proof: Proof) -> None:
    proof.database.sql(*RICH)
    proof.database.run(converting("composite"))
    proof.database.sql("CREATE TABLE s.t_default PARTITION OF s.t DEFAULT")
    more = Partitioning(T, "at", "1 mon", premake=3)

    def ahead(policy: Partitioning) -> Callable[[Catalog], Plan]:
        return lambda catalog: create_next(
            policy, catalog.table(T), catalog.now(), catalog.filled_default(catalog.table(T))
        )

    proof.run(ahead(more))
    proof.database.sql("INSERT INTO s.t (at, body) VALUES ('2090-01-01', 'far')")
    proof.run(ahead(Partitioning(T, "at", "1 mon", premake=4)))


def scene_new_set(proof: Proof) -> None:
    proof.database.sql("CREATE SCHEMA s", "CREATE TABLE s.r (id bigint PRIMARY KEY)")
    new = Table(
        T,
        (Column("id", "bigint"), Column("at", "date", not_null=True), Column("r", "bigint")),
        partition_strategy="l",
        partitioned_by=("id",),
        foreign_keys=(ForeignKey("t_r_fkey", T, ("r",), QualifiedName("s", "r"), ("id",), ""),),
    )
    make = "CREATE TABLE s.t (id bigint, at date NOT NULL, r bigint REFERENCES s.r) PARTITION BY LIST (id)"
    cut = Cut("id", "LIST", (("_a", "FOR VALUES IN (1)"), ("_b", "DEFAULT")))
    declared = DeclaredSet(new, (make,), Partitioning(T, "at", "1 mon", premake=1), above=cut, default=True)

    def decide(catalog: Catalog) -> Plan:
        sets = {one.parent: table for one, table in catalog.sets((declared.policy,)) if table}
        registered = catalog.policy(T) is not None
        config = catalog.config_is_current()
        return create_set(declared, catalog.table(T), sets, catalog.now(), registered, config)

    proof.run(decide)


def scene_partman_stopped(proof: Proof) -> None:
    proof.database.sql("CREATE SCHEMA p", "CREATE TABLE p.part_config (parent_table text, automatic_maintenance text)")
    proof.steps(partitions.StopPartman(QualifiedName("p", "part_config"), T))


TREE = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.tree (id bigint, region text, at date, body text) PARTITION BY LIST (region)",
    "CREATE TABLE s.tree_a PARTITION OF s.tree FOR VALUES IN ('a') PARTITION BY RANGE (at)",
    "CREATE TABLE s.tree_a1 PARTITION OF s.tree_a FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "CREATE TABLE s.tree_a2 PARTITION OF s.tree_a FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
    "CREATE TABLE s.tree_b PARTITION OF s.tree FOR VALUES IN ('b')",
    "INSERT INTO s.tree SELECT i, 'a', '2026-05-05', 'b' FROM generate_series(1, 100) i",
)


def scene_index_of_a_partition_tree(proof: Proof) -> None:
    proof.database.sql(*TREE)
    tree = QualifiedName("s", "tree")
    proof.run(task(create, index_on(tree)))
    proof.run(task(drop, QualifiedName("s", "ix"), tree))


def scene_concurrent_index(proof: Proof) -> None:
    proof.database.sql(*TREE, "CREATE TABLE s.one (id bigint, body text)")
    one = QualifiedName("s", "one")
    gate = "LOCK TABLE s.one IN ROW EXCLUSIVE MODE"
    proof.beside(indexes.CreateIndexConcurrently(index_on(one), "ix", one), gate)
    proof.beside(indexes.DropIndexConcurrently(QualifiedName("s", "ix"), one), gate)
    proof.steps(indexes.WaitForBuild("ix", one))


def scene_index_beside_foreign_tables(proof: Proof) -> None:
    proof.database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id bigint, body text) PARTITION BY RANGE (id)",
        "CREATE TABLE s.t1 PARTITION OF s.t FOR VALUES FROM (0) TO (10)",
        "CREATE EXTENSION file_fdw",
        "CREATE SERVER nowhere FOREIGN DATA WRAPPER file_fdw",
        "CREATE FOREIGN TABLE s.cold PARTITION OF s.t FOR VALUES FROM (10) TO (20) SERVER nowhere "
        "OPTIONS (filename '/dev/null')",
    )
    proof.run(task(create, index_on(QualifiedName("s", "t"))))


def scene_reindex(proof: Proof) -> None:
    proof.database.sql("CREATE SCHEMA s", "CREATE TABLE s.one (id bigint, body text)", "CREATE INDEX ix ON s.one (id)")
    one = QualifiedName("s", "one")
    gate = "LOCK TABLE s.one IN ROW EXCLUSIVE MODE"
    proof.beside(indexes.ReindexConcurrently("INDEX", QualifiedName("s", "ix"), one), gate)
    proof.beside(indexes.ReindexConcurrently("TABLE", one, one), gate)


def scene_replaced_index(proof: Proof) -> None:
    proof.database.sql(*TREE, "CREATE INDEX ix ON s.tree (id)", "COMMENT ON INDEX s.ix IS 'an index'")
    proof.run(task(replaced, index_on(QualifiedName("s", "tree"))))


def scene_analyze(proof: Proof) -> None:
    proof.database.sql(*TREE, "CREATE TABLE s.one (id bigint, body text)")
    proof.beside(partitions.Analyze(QualifiedName("s", "one")), "LOCK TABLE s.one IN SHARE UPDATE EXCLUSIVE MODE")


def scene_analyze_of_partitions(proof: Proof) -> None:
    proof.database.sql(*RICH)
    proof.database.run(converting("drop"))
    proof.database.sql("ALTER TABLE s.child DROP COLUMN t_id")
    table = QualifiedName("s", "t")
    leaves = [
        QualifiedName("s", row[0])
        for row in proof.database.sql(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 's.t'::regclass"
        )
    ]
    sampling = f"LOCK TABLE ONLY {leaves[0].sql} IN ACCESS EXCLUSIVE MODE"
    each = [f"LOCK TABLE ONLY {leaf.sql} IN SHARE UPDATE EXCLUSIVE MODE" for leaf in leaves]
    proof.beside(partitions.Analyze(table, tuple(leaves)), sampling, *each)
    if proof.database.sql("SHOW server_version_num") >= [("180000",)]:
        proof.beside(partitions.Analyze(table, only=True), sampling)


def scene_baseline(proof: Proof) -> None:
    proof.database.sql("CREATE TABLE owner (id bigint PRIMARY KEY)", "CREATE TABLE place (id bigint PRIMARY KEY)")
    table = QualifiedName("made", "t")
    owners = tuple(
        ForeignKey(f"t_{name}", table, (f"{name}_id",), QualifiedName("public", name), ("id",), "")
        for name in ("owner", "place")
    )
    create = (
        "CREATE TABLE made.t (id bigint PRIMARY KEY, up bigint REFERENCES made.t, "
        "owner_id bigint REFERENCES public.owner, place_id bigint REFERENCES public.place)"
    )
    noun = BaselineTable(Table(table, (Column("id", "bigint"),), foreign_keys=owners), (create,))
    proof.steps(
        EnsureTable(CREATED_OBJECT),
        EnsureTable(PART_CONFIG),
        baseline.CreateExtension("pg_trgm"),
        baseline.CreateSchema("made"),
        baseline.CreateType(BaselineEnum(QualifiedName("made", "kind"), ("a",))),
        baseline.DropType(QualifiedName("made", "kind")),
        baseline.CreateTable(noun),
        baseline.DropTable(table, tuple(sorted(key.referenced for key in owners))),
        baseline.DropSchema("made", empty=True),
        baseline.DropExtension("pg_trgm"),
        partitions.RegisterPolicy(POLICY),
        partitions.RememberMaintenance((T,)),
        partitions.UnregisterPolicy(T),
        EnsureTable(RETIRED_PARTITION),
        DropTables((PART_CONFIG, RETIRED_PARTITION)),
        DropTables((CREATED_OBJECT,), with_schema=True),
    )


def scene_update_in_batches(proof: Proof) -> None:
    proof.database.sql(*RICH)
    change = batches.Change(T, (("body", "body || '!'"),))
    batch = batches.UpdateBatch("run", change, (), 0.5, None, None)
    proof.run(lambda catalog: update_in_batches(batch, 30, catalog.batch_target(T, "run")))
    proof.steps(batches.UpdateAtOnce(change), batches.FindBatches("run", "1:2"))


def scene_rows_leave(proof: Proof) -> None:
    proof.database.sql(
        *RICH, "CREATE TABLE s.kept (LIKE s.t)", "CREATE TABLE s.note (t bigint)", "CREATE INDEX ON s.note (t)"
    )
    key = ForeignKey("note_fkey", QualifiedName("s", "note"), ("t",), T, ("id",), "", on_delete="c")
    of = (KeyColumn("id", "bigint"),)
    due, kept = rows.Due(T, "id < 10", of), T.sibling("kept")
    columns = tuple(
        row[0]
        for row in proof.database.sql(
            "SELECT attname FROM pg_attribute WHERE attrelid = 's.t'::regclass AND attnum > 0"
        )
    )
    proof.steps(
        rows.RemoveRows(key.table, False, (), due, (key,)),
        rows.RemoveRows(T, False, of, due, (), (key,), archive=rows.Archive(kept, columns)),
        rows.RemoveRows(kept, False, (), rows.Due(kept, "true", ()), archive=rows.Archive(T, columns, None, True, of)),
        EnsureTable(TTL_POLICY),
        rows.RegisterTtl(TimeToLive(T, "created_at", "90 days")),
        rows.UnregisterTtl(T),
        DropTables((TTL_POLICY,)),
    )


def scene_findings_ignored(proof: Proof) -> None:
    finding = IgnoredFinding("index_unused", "s.t", "i")
    proof.steps(
        EnsureTable(HEALTH_IGNORED),
        health.IgnoreFinding(finding, "why"),
        health.HeedFinding(finding),
        DropTables((HEALTH_IGNORED,)),
        EnsureTable(HEALTH_SNAPSHOT),
        health.RememberCounters(datetime(2026, 1, 1, tzinfo=UTC), "", None, ("s.i",), {"s.i": 1}),
    )


def scene_refresh(proof: Proof) -> None:
    proof.database.sql(
        *RICH,
        "CREATE MATERIALIZED VIEW s.m AS SELECT id FROM s.t WITH NO DATA",
        "CREATE UNIQUE INDEX m_id ON s.m (id)",
    )
    view = QualifiedName("s", "m")
    for _ in range(2):
        proof.run(lambda catalog: refresh(view, catalog.materialized_view(view)))


def scene_partman_sql(proof: Proof) -> None:
    proof.database.sql("CREATE SCHEMA partman")
    install = task(partman_sql.install, "partman")
    proof.run(install)
    for kind, name in (("VIEW", "partman.part_config"), ("TABLE", "schema_kit.part_config_sub")):
        proof.database.sql(f"COMMENT ON {kind} {name} IS 'Older. (schema_kit 000000000000.00000000)'")
    proof.run(install)
    proof.run(task(partman_sql.remove, "partman"))
    proof.database.sql(
        "CREATE SCHEMA partman", "CREATE TABLE partman.part_config (parent_table text PRIMARY KEY, premake int)"
    )
    config, parent = QualifiedName("partman", "part_config"), QualifiedName("s", "t")
    proof.steps(
        partman.HandOver(parent, config, (partman.Registered(parent, (("parent_table", "'s.t'"), ("premake", "4"))),)),
        partman.TakeOver(parent, (("premake", "4"),)),
        partman.StartMaintenance(parent),
    )
    proof.database.sql("CREATE SCHEMA IF NOT EXISTS s", "CREATE TABLE s.p (id int) PARTITION BY RANGE (id)")
    proof.database.sql("CREATE TABLE s.p_1 PARTITION OF s.p FOR VALUES FROM (1) TO (2) PARTITION BY RANGE (id)")
    proof.steps(
        partman.RenamePartition(QualifiedName("s", "p_1"), QualifiedName("s", "p_p1"), registered=True),
    )


def scene_own_tables(proof: Proof) -> None:
    for table in SCRIPTS:  # a new one, then one of an older version
        proof.database.sql("DROP SCHEMA IF EXISTS schema_kit CASCADE")
        proof.steps(EnsureTable(table))
        proof.database.sql(*OLDER.get(table, ()))
        proof.steps(EnsureTable(table, Stored.OLDER))


def scene_publication(proof: Proof) -> None:
    proof.database.sql("CREATE TABLE lent (id int PRIMARY KEY)", "CREATE PUBLICATION p FOR TABLE lent")
    proof.steps(publications.SetViaRoot("p", True))


def scene_enum(proof: Proof) -> None:
    proof.database.sql("CREATE TYPE mood AS ENUM ('good')", "CREATE TABLE moods (mood mood)")
    proof.steps(enums.AddEnumValue(QualifiedName("public", "mood"), "bad", "AFTER", "good"))


def decided_by(operate: Operate) -> Callable[[Catalog], Plan]:
    """The decision of the operation that *operate* calls."""
    op = Recorder()
    operate(op)
    return op.tasks[0]


def scene_constraints(proof: Proof) -> None:
    for shape in SHAPES:
        for case in CONSTRAINTS.values():
            build(proof.database, shape)
            proof.database.sql(*case.before)
            proof.run(decided_by(case.operate))


def scene_columns(proof: Proof) -> None:
    for shape in SHAPES:
        for operate, _ in COLUMNS.values():
            build(proof.database, shape)
            proof.database.sql(
                "ALTER TABLE s.t ALTER v SET NOT NULL, ADD PRIMARY KEY (id, k, v), ADD FOREIGN KEY (ref) REFERENCES s.r"
            )
            proof.run(decided_by(operate))
        build(proof.database, shape)
        proof.database.sql("ALTER TABLE s.t ALTER word SET NOT NULL, ADD FOREIGN KEY (ref) REFERENCES s.r")
        proof.run(decided_by(lambda op: op.alter_column_concurrently("t", "word", schema="s", nullable=True)))
        proof.run(decided_by(lambda op: op.drop_column_concurrently("t", "ref", schema="s")))


def scene_copies(proof: Proof) -> None:
    parent = QualifiedName("s", "t")
    proof.database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.place (id bigint PRIMARY KEY)",
        "CREATE TABLE s.t (id bigint, at timestamptz, body text, place_id bigint REFERENCES s.place, "
        "PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE INDEX ON s.t (body)",
        "CREATE TABLE s.t_default PARTITION OF s.t DEFAULT",
        "CREATE TABLE s.t_old PARTITION OF s.t FOR VALUES FROM ('2025-01-01 00:00+00') TO ('2025-04-01 00:00+00')",
        "CREATE TABLE s.child (t_id bigint, t_at timestamptz, FOREIGN KEY (t_id, t_at) REFERENCES s.t)",
        "INSERT INTO s.t SELECT i, timestamptz '2026-01-01 00:00+00' + i * interval '1 day' "
        "FROM generate_series(1, 99) i",
    )
    policy = Partitioning(parent, "at", "1 mon")

    def until(kind: type[Step]) -> None:
        class StopError(Exception):
            pass

        def stop(event: Event) -> None:
            if isinstance(event, StepStarted) and isinstance(event.step, kind):
                raise StopError

        connection = proof.database.sqlalchemy()
        with pytest.raises(StopError):
            execute.run(connection, lambda: drain(Catalog(connection), policy), QUICK, stop)

    until(copy_changes.ReplayKeys)
    default = QualifiedName("s", "t_default")
    proof.run(lambda catalog: abandon(default, catalog.copying(default, catalog.table(parent), policy, "drain")))
    proof.database.sql("DROP SCHEMA schema_kit CASCADE")
    proof.run(lambda catalog: drain(catalog, policy))
    proof.run(lambda catalog: split(catalog, policy, QualifiedName("s", "t_old")))
    target = QualifiedName("s", "t_p20260101")
    proof.beside(copy_chunks.AnalyzeTarget(target), "LOCK TABLE s.t_p20260101 IN SHARE UPDATE EXCLUSIVE MODE")


def scene_a_copied_table(proof: Proof) -> None:
    proof.database.sql(*RICH)

    def by_copy(how: IncomingForeignKeys) -> Callable[[Catalog], Plan]:
        return Convert(POLICY, how, "copy").plan

    proof.run(by_copy("composite"))
    proof.database.sql("DROP SCHEMA s CASCADE", "TRUNCATE schema_kit.copy_run CASCADE", *RICH)
    proof.run(by_copy("drop"))


def scene_a_way_back(proof: Proof) -> None:
    proof.database.sql(*RICH)
    feed = Convert(POLICY, "composite", "copy", keep_old="fed")

    def forward() -> None:
        connection = proof.database.sqlalchemy()
        execute.run(connection, lambda: feed.plan(Catalog(connection)), QUICK, lambda _: None)
        feed.keep_old = True

    forward()
    proof.run(lambda catalog: roll_back(catalog, T))
    assert proof.database.sql("SELECT relkind FROM pg_class WHERE oid = 's.t'::regclass") == [("r",)]
    forward()

    def begin(catalog: Catalog) -> Plan:
        plan = roll_back(catalog, T)
        return replace(plan, steps=plan.steps[:1] if isinstance(plan.steps[0], rollback.BeginReturn) else ())

    proof.run(begin)
    proof.run(lambda catalog: give_up(catalog, T))  # was not fed before
    proof.run(begin)
    proof.database.sql("ALTER TABLE s.t DISABLE TRIGGER schema_kit_copy_back")
    proof.run(begin)
    proof.database.sql("UPDATE schema_kit.copy_run SET fed = true")
    proof.run(lambda catalog: give_up(catalog, T))


def scene_foreign_keys_to_partitions(proof: Proof) -> None:
    proof.database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.r (id varchar(9) PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE s.r1 PARTITION OF s.r FOR VALUES FROM ('a') TO ('m')",
        "CREATE TABLE s.r2 PARTITION OF s.r DEFAULT",
        "CREATE TABLE s.p (id varchar(9), up varchar(9)) PARTITION BY LIST (id)",
        "CREATE TABLE s.p1 PARTITION OF s.p DEFAULT",
        "CREATE TABLE s.t (id varchar(9) PRIMARY KEY, up varchar(9) REFERENCES s.t)",
    )

    def on(table: str) -> list[Operate]:
        column = sa.Column("c", sa.String(9), sa.ForeignKey("s.r.id"))
        schemas = {"source_schema": "s", "referent_schema": "s"}
        return [
            lambda op: op.add_column_concurrently(table, column, schema="s"),
            lambda op: op.create_foreign_key_concurrently(f"{table}_fkey", table, "r", ["up"], ["id"], **schemas),
            lambda op: op.drop_constraint_concurrently(f"{table}_fkey", table, schema="s"),
            lambda op: op.alter_column_concurrently(table, "c", type_=sa.String(20), schema="s"),
            lambda op: op.alter_column_concurrently("t", "id", type_=sa.String(20), schema="s"),
            lambda op: op.drop_column_concurrently(table, "c", schema="s"),
            lambda op: op.drop_table_concurrently(table, schema="s"),
        ]

    for operate in (*on("p"), *on("t")):
        proof.run(decided_by(operate))


LEAVING = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.o (id bigint PRIMARY KEY)",
    "CREATE TABLE s.po (id bigint PRIMARY KEY) PARTITION BY RANGE (id)",
    "CREATE TABLE s.po1 PARTITION OF s.po FOR VALUES FROM (1) TO (100)",
    """CREATE TABLE s.t (id bigint, at date NOT NULL, o bigint REFERENCES s.o, po bigint REFERENCES s.po, word text,
         PRIMARY KEY (id, at)) PARTITION BY RANGE (at)""",
    "CREATE TABLE s.t1 PARTITION OF s.t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
    "CREATE TABLE s.t2 PARTITION OF s.t FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') PARTITION BY LIST (id)",
    "CREATE TABLE s.t2a PARTITION OF s.t2 FOR VALUES IN (1)",
    "CREATE TABLE s.t2b PARTITION OF s.t2 DEFAULT",
    "CREATE TABLE s.c (id bigint PRIMARY KEY, tid bigint, tat date, FOREIGN KEY (tid, tat) REFERENCES s.t)",
    "CREATE TABLE s.pc (id bigint, tid bigint, tat date, FOREIGN KEY (tid, tat) REFERENCES s.t) PARTITION BY LIST (id)",
    "CREATE TABLE s.pc1 PARTITION OF s.pc DEFAULT",
)
IN = {"t1": ("2026-01-01", "2026-02-01"), "t2": ("2026-02-01", "2026-03-01")}


def leave(name: str) -> Callable[[Catalog], Plan]:
    return decided_by(lambda op: op.detach_partition_concurrently("t", name, schema="s"))


def come_in(name: str) -> Callable[[Catalog], Plan]:
    return decided_by(lambda op: op.attach_partition_concurrently("t", name, *IN[name], schema="s"))


def gone(name: str) -> Callable[[Catalog], Plan]:
    return decided_by(lambda op: op.drop_partition_concurrently("t", name, schema="s"))


def scene_partitions_leave(proof: Proof) -> None:
    proof.database.sql(*LEAVING, "CREATE SCHEMA away")
    connection = proof.database.sqlalchemy()
    for name in IN:
        seen = Catalog(connection).detaching(T, QualifiedName("s", name))
        assert seen is not None
        proof.beside(retirement.DetachConcurrently(seen), "SELECT 1 FROM s.pc")  # the lock that it takes last
        proof.run(come_in(name))
        with psycopg.connect(proof.database.url) as holder, proof.database.connect() as other:
            holder.execute("SELECT 1 FROM s.t")
            other.execute("SET lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute(f"ALTER TABLE s.t DETACH PARTITION s.{name} CONCURRENTLY")
        proof.run(leave(name))
        gone_away = Catalog(connection).detaching(T, QualifiedName("s", name))
        assert gone_away is not None
        proof.prove(retirement.MovePartition(gone_away, "away"))
        proof.proved.add(retirement.MovePartition)
        proof.run(gone(name))


def scene_files(proof: Proof) -> None:
    proof.database.sql(*LEAVING)
    file = ArchiveFile("file:///x", T, 1, None, None, None, None, "copy", 0, 0, "", ())
    made = EnsureTable(ARCHIVE_FILE)
    proof.steps(
        made,
        made,
        files.RecordDue(T, T),
        files.RecordFile(file),
        files.RecordFile(file, drops=True),
        files.RecordRestored(file.url, T),
        files.ForgetFile(file.url),
    )
    own, columns = QualifiedName("s", "own"), ("id", "at", "o", "po", "word")
    of = (KeyColumn("id", "bigint"), KeyColumn("at", "timestamp with time zone"))
    loading = files.LoadFile(file.url, own, (), T, columns, "parquet")
    merging = files.MergeFile(file.url, own, T, columns, (), of, "", moved=True)
    proof.steps(loading, files.DropLoaded(own), loading, files.KeepLoaded(own), merging)
    proof.steps(replace(loading, form="copy"), replace(merging, key=(), within="t.at >= '2026-01-01'", moved=False))
    parts = QualifiedName("s", "parts")
    proof.database.sql("CREATE TABLE s.parts (id bigint PRIMARY KEY, at date) PARTITION BY LIST (id)")
    proof.database.sql("CREATE TABLE s.parts1 PARTITION OF s.parts FOR VALUES IN (1)")
    proof.database.sql("CREATE TABLE s.own (LIKE s.parts)")
    proof.steps(files.AttachLoaded(parts, own, "FOR VALUES IN ('2', '3')"))


def scene_partitions_leave_beside_a_default(proof: Proof) -> None:
    proof.database.sql(
        *LEAVING, "CREATE TABLE s.td PARTITION OF s.t DEFAULT", "INSERT INTO s.td VALUES (1, '2030-01-01')"
    )
    for name in IN:
        proof.run(leave(name))
        proof.run(come_in(name))
        proof.run(gone(name))


def scene_partitions_of_a_table_that_refers_to_itself(proof: Proof) -> None:
    proof.database.sql(*LEAVING, "ALTER TABLE s.t ADD up bigint, ADD up_at date")
    proof.database.sql("ALTER TABLE s.t ADD FOREIGN KEY (up, up_at) REFERENCES s.t")
    for name in IN:
        proof.run(leave(name))
        proof.run(come_in(name))


def scene_a_table_becomes_a_partition(proof: Proof) -> None:
    proof.database.sql(*LEAVING, "DROP TABLE s.c, s.pc", "DROP TABLE s.t1", "CREATE INDEX t_word ON s.t (word)")
    proof.database.sql("CREATE TABLE s.t1 (LIKE s.t)", "INSERT INTO s.t1 VALUES (1, '2026-01-05')")
    proof.run(come_in("t1"))
    one = QualifiedName("s", "one")
    proof.database.sql("CREATE TABLE s.one (id bigint, body text)")
    like = retirement.CreateIndexLikeParents("ix", one, "btree (id)", False)
    proof.beside(like, "LOCK TABLE s.one IN ROW EXCLUSIVE MODE")


def scene_archives(proof: Proof) -> None:
    proof.database.sql(
        "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler",
        *LEAVING,
        *load("partman/tables/part_config.sql"),
        register_sql(Partitioning(T, "at", "1 mon")),
        "CREATE TABLE s.tn PARTITION OF s.t FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')",
    )
    policy = ArchivePolicy(T, QualifiedName("s", "t_archive"), "2 months", "partition")
    later = Catalog(proof.database.sqlalchemy(), datetime(2026, 5, 20, tzinfo=UTC))
    named: tuple[dict[str, str], ...] = ({}, {"view": "every"})
    for view in named:
        proof.run(decided_by(partial(_made, view)))
        proof.run(decided_by(lambda op: op.set_archive_policy("t", "2 months", schema="s")))
        proof.run(lambda _: by_partition(later, policy))
        count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 's.t_archive'::regclass"
        assert proof.database.sql(count) == [(2,)]
        proof.run(decided_by(lambda op: op.drop_archive_policy("t", schema="s")))
        proof.run(decided_by(partial(_dropped, view)))
        for name, ends in IN.items():
            proof.database.sql(f"CREATE TABLE s.{name} PARTITION OF s.t FOR VALUES FROM ('{ends[0]}') TO ('{ends[1]}')")
    proof.run(decided_by(partial(_made, {"view": "every"})))
    proof.database.sql("ALTER TABLE s.t ADD more varchar(9) DEFAULT '3'")
    proof.run(decided_by(lambda op: op.repair_archive_table("t", schema="s", view="every")))
    proof.run(decided_by(lambda op: op.alter_column_concurrently("t", "more", schema="s", type_=sa.Text())))
    proof.run(decided_by(lambda op: op.drop_column_concurrently("t", "more", schema="s")))
    proof.run(decided_by(lambda op: op.drop_column_concurrently("t_archive", "more", schema="s")))
    proof.database.sql("CREATE POLICY mine ON s.t USING (true)", "ALTER TABLE s.t ENABLE ROW LEVEL SECURITY")
    proof.database.sql("CREATE POLICY yours ON s.t_archive USING (true)", "GRANT SELECT ON s.t_archive TO pg_monitor")
    proof.run(decided_by(lambda op: op.repair_archive_table("t", schema="s", access=True)))
    proof.run(decided_by(lambda op: op.set_archive_policy("t", "2 months", schema="s")))
    proof.steps(
        access_method.ChangeAccessMethod(QualifiedName("s", "t1"), "heap2", ("id", "at")),
        archives.ForgetMove(QualifiedName("s", "t1"), "a test"),
        retirement.FindRetired(QualifiedName("s", "t")),
        archives.KeepRestored(T, "true"),
        archives.ForgetRestored(T),
    )


def scene_cold(proof: Proof) -> None:
    proof.database.sql(*LEAVING, *LOOPBACK, *load("partman/tables/part_config.sql"))
    proof.database.sql(
        register_sql(Partitioning(T, "at", "1 mon")),
        "ALTER TABLE s.t DROP CONSTRAINT t_o_fkey, DROP CONSTRAINT t_po_fkey",  # they stay behind
        "CREATE TABLE s.tn PARTITION OF s.t FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')",
    )
    archive = QualifiedName("s", "t_archive")
    policy = ArchivePolicy(T, archive, "2 months", "partition", cold_after="3 months")
    proof.run(decided_by(partial(_made, {"view": "every"})))
    proof.run(
        decided_by(lambda op: op.create_cold_archive("t", "cold", schema="s", remote_schema="there", view="every"))
    )
    proof.run(decided_by(lambda op: op.set_archive_policy("t", "2 months", schema="s", cold_after="3 months")))
    later = Catalog(proof.database.sqlalchemy(), datetime(2026, 6, 20, tzinfo=UTC))
    proof.run(lambda _: by_partition(later, policy))
    assert proof.database.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 's.t_cold'::regclass") == [(1,)]
    proof.database.sql("ALTER TABLE s.t ADD later int DEFAULT 1")
    proof.run(decided_by(lambda op: op.repair_archive_table("t", schema="s", view="every")))
    proof.run(decided_by(lambda op: op.restore_archive_table("t", schema="s")))
    proof.run(decided_by(lambda op: op.drop_cold_archive("t", schema="s")))
    proof.run(decided_by(partial(_dropped, {"view": "every"})))


def _made(view: dict[str, str], op: Any) -> None:
    op.create_archive_table("t", schema="s", **view)


def _dropped(view: dict[str, str], op: Any) -> None:
    op.drop_archive_table("t", schema="s", **view)


SCENES: dict[Callable[[Proof], None], set[type[Step]]] = {
    scene_constraints: {
        constraints.AddForeignKey,
        constraints.AddParentKey,
        constraints.AddKeyUsingIndex,
        constraints.SetNotNull,
        constraints.AddCheck,
        constraints.ValidateConstraint,
    },
    scene_columns: {
        columns.AddColumn,
        columns.AlterColumnType,
        columns.DropColumn,
        columns.DropNotNull,
        columns.DropWholeTable,
        columns.SetDefault,
        constraints.DropConstraint,
    },
    scene_foreign_keys_to_partitions: {
        columns.AddColumn,
        columns.AlterColumnType,
        columns.DropColumn,
        columns.DropWholeTable,
        constraints.AddForeignKey,
        constraints.DropConstraint,
    },
    scene_a_way_back: {
        rollback.BeginReturn,
        rollback.StopFeeding,
        rollback.StayPartitioned,
        rollback.SettleReturn,
        rollback.SwapBack,
        rollback.EndReturn,
    },
    scene_a_copied_table: {copied_table.SwapTable, conversion.BuildParent},
    scene_cold: {
        EnsureTable,
        archives.CreateArchiveView,
        cold.CreateColdArchive,
        cold.PrepareCold,
        cold.CopyToCold,
        cold.SwapToCold,
        cold.CopyFromCold,
        cold.SwapFromCold,
        cold.DropCopy,
        cold_columns.AddColumnThere,
        cold_columns.AddColumnsHere,
        cold.DropColdArchive,
    },
    scene_archives: {
        EnsureTable,
        access_method.ChangeAccessMethod,
        archives.CreateArchiveTable,
        archives.CreateArchiveView,
        DropTables,
        archives.DropArchiveTable,
        archives.GiveArchiveAccess,
        archives.RegisterArchivePolicy,
        archives.UnregisterArchivePolicy,
        archives.RecordMove,
        archives.AttachMoved,
        archives.MovePartitionAcross,
        archives.ForgetMove,
        retirement.FindRetired,
        archives.KeepRestored,
        archives.ForgetRestored,
    },
    scene_copies: {
        EnsureTable,
        copying.BeginCopy,
        copying.AbandonCopy,
        copy_chunks.CutChunks,
        copy_chunks.CopyChunk,
        copy_changes.ReplayKeys,
        copy_chunks.BuildIndexes,
        copy_chunks.AnalyzeTarget,
        copy_changes.VerifyCopy,
        copy_swap.Settle,
        copy_swap.SwapCopy,
        copy_swap.DropCopied,
    },
    scene_conversion_with_incoming_keys: {
        EnsureTable,
        conversion.AddBound,
        constraints.ValidateConstraint,
        referring.AddFilledKeyColumn,
        referring.FillKeyColumn,
        conversion.BuildParent,
        partitions.CreatePartition,
        conversion.Swap,
    },
    scene_conversion_drops_incoming_keys: {conversion.Swap},
    scene_conversion_begun_again: {conversion.DropBuiltParent, conversion.BuildParent, conversion.Swap},
    scene_conversion_given_up: {
        referring.DropFilledKeyColumn,
        conversion.DropBuiltParent,
        indexes.DropIndexConcurrently,
        conversion.DropBound,
    },
    scene_way_back: {unpartition_steps.Unswap, constraints.ValidateConstraint},
    scene_way_back_without_foreign_keys: {conversion.Swap, unpartition_steps.Unswap, emptied.DropEmptied},
    scene_published: {conversion.BuildParent, conversion.Swap, unpartition_steps.Unswap},
    scene_published_and_copied: {copied_table.SwapTable, rollback.SwapBack},
    scene_new_partitions: {partitions.CreatePartition},
    scene_partman_stopped: {partitions.StopPartman},
    scene_new_set: {
        EnsureTable,
        partitions.CreatePartitionedTable,
        partitions.CreatePartition,
        partitions.RegisterPolicy,
    },
    scene_new_partitions_beside_a_default: {
        constraints.AddCheck,
        constraints.ValidateConstraint,
        partitions.CreatePartition,
    },
    scene_index_of_a_partition_tree: {indexes.CreateParentIndex, indexes.AttachIndex, indexes.DropParentIndex},
    scene_concurrent_index: {
        indexes.CreateIndexConcurrently,
        indexes.DropIndexConcurrently,
        indexes.WaitForBuild,
    },
    scene_keys_to_a_partitioned_table: {conversion.BuildParent, partitions.CreatePartition, conversion.Swap},
    scene_index_beside_foreign_tables: {indexes.AdoptIndexes},
    scene_reindex: {indexes.ReindexConcurrently},
    scene_replaced_index: {indexes.CreateParentIndex, indexes.RenameIndexes, indexes.DropParentIndex},
    scene_analyze: {partitions.Analyze},
    scene_analyze_of_partitions: {partitions.Analyze},
    scene_update_in_batches: {
        EnsureTable,
        batches.StartBatches,
        batches.FindBatches,
        batches.UpdateBatch,
        batches.EndPass,
        batches.UpdateAtOnce,
    },
    scene_rows_leave: {
        rows.RemoveRows,
        EnsureTable,
        rows.RegisterTtl,
        rows.UnregisterTtl,
        DropTables,
    },
    scene_findings_ignored: {
        EnsureTable,
        health.IgnoreFinding,
        health.HeedFinding,
        DropTables,
        health.RememberCounters,
    },
    scene_refresh: {views.RefreshMaterializedView},
    scene_partitions_leave: {
        EnsureTable,
        retirement.RecordRetired,
        retirement.DetachConcurrently,
        retirement.FinalizeDetach,
        retirement.AttachPartition,
        retirement.MovePartition,
        retirement.DropPartition,
    },
    scene_files: {
        files.AttachLoaded,
        EnsureTable,
        files.DropLoaded,
        files.KeepLoaded,
        files.LoadFile,
        files.MergeFile,
        files.RecordDue,
        files.RecordFile,
        files.RecordRestored,
        files.ForgetFile,
    },
    scene_partitions_leave_beside_a_default: {
        retirement.Detach,
        retirement.AttachPartition,
        constraints.AddCheck,
        constraints.ValidateConstraint,
        retirement.ForgetRetired,
        retirement.DropPartition,
    },
    scene_partitions_of_a_table_that_refers_to_itself: {retirement.Detach, retirement.AttachPartition},
    scene_a_table_becomes_a_partition: {
        retirement.CreateIndexLikeParents,
        constraints.AddKeyUsingIndex,
        constraints.AddForeignKey,
        retirement.AttachPartition,
    },
    scene_partman_sql: {
        partman.InstallPartmanSql,
        partman.RemovePartmanSql,
        partman.HandOver,
        partman.TakeOver,
        partman.RenamePartition,
        partman.StartMaintenance,
    },
    scene_own_tables: {EnsureTable},
    scene_enum: {enums.AddEnumValue},
    scene_publication: {publications.SetViaRoot},
    scene_baseline: {
        EnsureTable,
        DropTables,
        baseline.CreateSchema,
        baseline.DropSchema,
        baseline.CreateTable,
        baseline.DropTable,
        baseline.CreateExtension,
        baseline.CreateType,
        baseline.DropType,
        baseline.DropExtension,
        partitions.RegisterPolicy,
        partitions.RememberMaintenance,
        partitions.UnregisterPolicy,
    },
}


LONGER = (
    *(scene_constraints, scene_columns, scene_archives, scene_copies, scene_a_copied_table, scene_a_way_back),
    *(scene_conversion_with_incoming_keys, scene_way_back, scene_way_back_without_foreign_keys),
    *(scene_foreign_keys_to_partitions, scene_new_partitions_beside_a_default, scene_keys_to_a_partitioned_table),
    *(scene_partitions_leave_beside_a_default, scene_partitions_of_a_table_that_refers_to_itself),
)


@pytest.mark.parametrize("scene", longer(SCENES, *LONGER), ids=lambda scene: scene.__name__.removeprefix("scene_"))
def test_a_step_takes_the_locks_that_it_states(database: Database, scene: Callable[[Proof], None]) -> None:
    proof = Proof(database)
    scene(proof)
    assert proof.proved >= SCENES[scene]
    if scene is scene_constraints and database.sql("SHOW server_version_num") >= [("180000",)]:
        assert constraints.AddNotNull in proof.proved


def test_every_step_has_a_scene() -> None:
    def below(kind: type[Step]) -> Iterator[type[Step]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    ours = {kind for kind in below(Step) if kind.__module__.startswith("schema_kit.")}
    # AddNotNull is of 18 only: scene_constraints meets it there.
    bases = {kind for kind in ours if kind.__name__.startswith("_") or kind.sql is Step.sql}
    # What Citus locks is seen on a cluster alone: tests/postgres/test_citus_cluster.py.
    bases |= {distribution.Distribute, distribution.DistributeConcurrently, distribution.Undistribute}
    bases.add(Export)  # what goes out for it is no step's statement: test_export_shown and test_files hold it
    assert ours - bases == set().union(*SCENES.values()) | {constraints.AddNotNull}
