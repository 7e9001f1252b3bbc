"""Steps that begin and abort a copy of a live table: the tables for its rows, and a log of changed keys.

Right under rules that the tests break one by one: the log is committed before the first chunk looks; chunks are ranges
of the key; nothing is replayed while a chunk is open; a batch takes keys from the log, then deletes them from the
targets, then inserts what the source holds; the source is looked at before each step, and under the lock of the swap.
Chunks are in copy_chunks.py, replay and comparison in copy_changes.py, the swap in copy_swap.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from schema_kit.marks import LOG_TRIGGER, staging_name
from schema_kit.model import Branch, Copy, KeyColumn
from schema_kit.names import OWN_PATH, QualifiedName, asking_sql, constant, ident, idents, literal, within
from schema_kit.steps.dependents import Owned, made_sql
from schema_kit.steps.emptied import droppable_sql
from schema_kit.steps.partitions import CreatePartition, for_values, replica_identity_sql
from schema_kit.steps.step import Lock, LockMode, Step, exclusive, expect_sql
from schema_kit.storage import COPY_CHUNK, COPY_RUN, COPY_TARGET

BOUNDS_CHECK = "schema_kit_bounds"
"""The CHECK of a target that spares ATTACH its scan; it goes with the swap."""

PLAIN_TEXT = (
    # Keys of chunks are kept as text, which means the same in every session.
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
)

READ_COMMITTED = ("transaction_isolation", "read committed")

ONE_SNAPSHOT = ("transaction_isolation", "repeatable read")

# A crash takes rows and the mark that they exist together; the commits behind are on disk with the next that waits.
NO_WAIT_FOR_DISK = ("synchronous_commit", "off")


def equals(left: str, right: str, column: KeyColumn) -> str:
    """Return the = of a key's own operators, whatever search_path is."""
    return f"{left} {column.operator('=')} {right}"


def same_key(left: str, right: str, key: Sequence[KeyColumn]) -> str:
    """Return SQL: two rows have the same key."""
    return " AND ".join(
        equals(f"{left}.{ident(column.name)}", f"{right}.{ident(column.name)}", column) for column in key
    )


def key_names(key: Sequence[KeyColumn]) -> str:
    """Return the columns of a key, as a list in SQL."""
    return idents(tuple(column.name for column in key))


def where_run(copy: Copy) -> str:
    """Return SQL: a row of our tables belongs to that copy."""
    return f"source_table = {literal(str(copy.source))}"


def run_is(copy: Copy, state: str) -> str:
    """Return SQL for whether the copy is remembered, and that is so of its row in copy_run."""
    return f"EXISTS (SELECT 1 FROM {COPY_RUN.sql} WHERE {where_run(copy)} AND {state})"


def all_copied(copy: Copy) -> str:
    """Return SQL for whether every chunk is in the targets."""
    left = f"EXISTS (SELECT 1 FROM {COPY_CHUNK.sql} WHERE {where_run(copy)} AND done_at IS NULL)"
    return f"{run_is(copy, 'cut_at IS NOT NULL')} AND NOT {left}"


def all_equal(copy: Copy) -> str:
    """Return SQL for whether every target was compared, and holds what the source holds."""
    equal = "((source_rows, source_sum) = (target_rows, target_sum)) IS TRUE"
    return f"NOT EXISTS (SELECT 1 FROM {COPY_TARGET.sql} WHERE {where_run(copy)} AND NOT {equal})"


def alone_sql(copy: Copy, condition: str) -> tuple[str, str]:
    """Waits until no session writes the targets, keeps others from it, and looks whether the copy is where it was seen.

    Two runs at once may know nothing of each other. LOCK TABLE takes no snapshot, so that whatever comes behind it sees
    what was committed before.
    """
    lock = f"LOCK TABLE ONLY {copy.staging.sql} IN {LockMode.SHARE_ROW_EXCLUSIVE.value} MODE"
    return lock, expect_sql(condition, f"another run has gone on with the copy of {copy.source}")


@dataclass(frozen=True)
class BeginCopy(Step):
    """The targets, the log of keys and the trigger that fills it, and the row that remembers them: all, or nothing.

    Args:
        copy: what is copied, and where to.
        purpose: drain, split or convert.
        identity: identifies the source, among tables of its name.
        like: what a partition is made like; its parent is what the targets have their columns from.
        options: the source's storage parameters, which those that take its place get.
        tablespace: where it lies, likewise; None: in the database's own, or it was a plain table.
        own: what gives those that take its place what it has of its own.
    """

    fresh = True
    left_behind = "This step changed nothing."

    copy: Copy
    purpose: str
    identity: str
    like: CreatePartition
    options: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    tablespace: str | None = None

    @property
    def summary(self) -> str:
        """Names the source, and how many targets it has."""
        return f"log the keys of {self.copy.source} that change, and make {len(self.copy.targets)} tables for its rows"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Writers of the source wait briefly: the trigger comes last."""
        return (Lock(LockMode.SHARE_ROW_EXCLUSIVE, self.copy.source),)

    @property
    def lingers(self) -> str:
        """The log grows until then."""
        source, log = self.copy.source, self.copy.log
        return f"trigger {LOG_TRIGGER} of {source} logs each key that changes into {log}, which grows"

    def sql(self) -> tuple[str, ...]:
        """Without indexes, foreign keys and triggers: those would make each row dearer, or fire."""
        return (*self._targets(), *log_sql(self.copy, LOG_TRIGGER, self.like), *self._memory())

    def _targets(self) -> Iterable[str]:
        copy, control = self.copy, ident(self.copy.control.name)
        yield (
            f"CREATE TABLE {copy.staging.sql} (LIKE {self.like.parent.sql} INCLUDING ALL EXCLUDING IDENTITY "
            f"EXCLUDING INDEXES EXCLUDING STATISTICS) PARTITION BY RANGE ({control})"
        )
        yield from made_sql(copy.staging, self.like)
        for target in copy.targets:
            heir = target.default or self.purpose == "split"
            like = replace(self.like, grants=()) if heir else self.like
            if heir and self.purpose != "convert":
                like = replace(like, tablespace=self.tablespace)
            options = Branch(options=self.options if heir else self.like.options)
            yield from like.make(target.built, options, " EXCLUDING INDEXES")
            if like.replica_identity in ("FULL", "NOTHING"):
                yield replica_identity_sql(like.parent, target.built, like.replica_identity)
            values = "DEFAULT" if target.default else for_values(target.lower, target.upper)
            if not target.default:
                yield (
                    f"ALTER TABLE {target.built.sql} ADD CONSTRAINT {ident(BOUNDS_CHECK)} "
                    f"CHECK ({control} IS NOT NULL AND {within(control, target.lower, target.upper)})"
                )
            yield f"ALTER TABLE {copy.staging.sql} ATTACH PARTITION {target.built.sql} {values}"
        yield from self.own

    def _memory(self) -> Iterable[str]:
        copy, source = self.copy, literal(str(self.copy.source))
        yield f"DELETE FROM {COPY_RUN.sql} WHERE {where_run(copy)}"
        yield (
            f"INSERT INTO {COPY_RUN.sql} (source_table, parent_table, purpose, identity) VALUES "
            f"({source}, {literal(str(copy.parent))}, {literal(self.purpose)}, {literal(self.identity)})"
        )
        rows = ", ".join(
            f"({source}, {literal(str(target.name))}, {literal(str(target.built))}, {constant(target.lower)}, "
            f"{constant(target.upper)}, {str(target.default).lower()})"
            for target in copy.targets
        )
        columns = "source_table, target_table, built_as, lower_bound, upper_bound, is_default"
        yield f"INSERT INTO {COPY_TARGET.sql} ({columns}) VALUES {rows}"


def log_sql(copy: Copy, trigger: str, like: Owned) -> Iterable[str]:
    """A log of the keys that change in the source, and the trigger that fills it, which goes with the function."""
    keys, log, source = key_names(copy.key), copy.log.sql, copy.source.sql
    old, new = (", ".join(f"{row}.{ident(column.name)}" for column in copy.key) for row in ("OLD", "NEW"))
    moved = f"({same_key('NEW', 'OLD', copy.key)}) IS NOT TRUE"
    body = (
        "BEGIN\n"
        "  IF TG_OP <> 'INSERT' THEN\n"
        f"    INSERT INTO {log} ({keys}) VALUES ({old});\n"
        "  END IF;\n"
        f"  IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND {moved}) THEN\n"
        f"    INSERT INTO {log} ({keys}) VALUES ({new});\n"
        "  END IF;\n"
        "  RETURN NULL;\n"
        "END"
    )
    # Rows come and go: the log is vacuumed by their number, not by its size.
    options = "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000"
    yield f"CREATE TABLE {log} WITH ({options}) AS SELECT {keys} FROM {source} WITH NO DATA"
    yield droppable_sql([copy.log])  # its swap drops it, and an event trigger may refuse that
    yield from made_sql(copy.log, like)
    # A publication of all tables would refuse the deletes of a replay.
    yield f"ALTER TABLE {log} REPLICA IDENTITY FULL"
    # Writers of the source have no rights on the log: the function has its owner's.
    yield (
        f"CREATE FUNCTION {log}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path = {OWN_PATH} AS {literal(body)}"
    )
    yield f"REVOKE ALL ON FUNCTION {log}() FROM PUBLIC"
    yield tried_sql(moved, source, keys)
    if like.owner:
        yield f"ALTER FUNCTION {log}() OWNER TO {ident(like.owner)}"
    yield (
        f"CREATE TRIGGER {ident(trigger)} AFTER INSERT OR UPDATE OR DELETE ON {source} "
        f"FOR EACH ROW EXECUTE FUNCTION {log}()"
    )
    # A replication worker, and a session that sets session_replication_role, would write past it otherwise.
    yield f"ALTER TABLE {source} ENABLE ALWAYS TRIGGER {ident(trigger)}"


def tried_sql(condition: str, table: str, columns: str) -> str:
    """Ask of a row what a trigger will ask of OLD and NEW, before a write depends on it.

    PostgreSQL looks into the body of a function when it is called, not when it is made.
    """
    rows = ", ".join(f"(SELECT {columns} FROM {table} LIMIT 1) AS {row}" for row in ("old", "new"))
    return asking_sql(f"PERFORM {condition} FROM {rows};")


@dataclass(frozen=True)
class AbandonCopy(Step):
    """All that a copy has made goes, and the source is as before: canceled, or the source is another table now."""

    clears = True
    says = "abort the copy of {self.source}: drop its log and the tables for its rows"

    source: QualifiedName
    log: QualifiedName
    tables: tuple[QualifiedName, ...]
    """Those that it has made and exist still."""
    logged: QualifiedName | None
    """The table that has its trigger: the source, which may have another name by now."""
    remembered: bool = True

    @property
    def locks(self) -> tuple[Lock, ...]:
        """All access waits briefly."""
        tables = (*((self.logged,) if self.logged else ()), *self.tables)
        return exclusive(tables)

    def sql(self) -> tuple[str, ...]:
        """RESTRICT: nothing that depends on them is taken along; and never what a swap has made partitions."""
        run = f"source_table = {literal(str(self.source))}"
        known = f"EXISTS (SELECT 1 FROM {COPY_RUN.sql} WHERE {run}"
        before = f"{known} AND swapped_at IS NULL)" if self.remembered else f"NOT {known})"
        return (
            expect_sql(before, f"the copy of {self.source} is over"),
            *self._made(),
            *((f"DROP TRIGGER {ident(LOG_TRIGGER)} ON {self.logged.sql}",) if self.logged else ()),
            f"DROP FUNCTION IF EXISTS {self.log.sql}()",
            *((f"DROP TABLE {', '.join(table.sql for table in self.tables)}",) if self.tables else ()),
            f"DELETE FROM {COPY_RUN.sql} WHERE {run}",
        )

    def _made(self) -> Iterable[str]:
        """What has the names of the tables for its rows by now are those tables, or nothing of it goes."""
        built = [table for table in self.tables if table not in (self.log, staging_name(self.source))]
        if built:
            names = ", ".join(literal(table.sql) for table in built)
            staging = f"to_regclass({literal(staging_name(self.source).sql)})"
            other = (
                f"(SELECT string_agg(n, ', ') FROM unnest(ARRAY[{names}]) n WHERE to_regclass(n) IS NOT NULL AND NOT "
                f"EXISTS (SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass(n) AND inhparent = {staging}))"
            )
            told = f"'these are not what the copy of ' || {literal(str(self.source))} || ' has made; rename them: '"
            check = (
                f"other := {other}; IF other IS NOT NULL THEN RAISE "
                f"object_in_use USING MESSAGE = {told} || other; END IF;"
            )
            yield asking_sql(check, "other text; ")
