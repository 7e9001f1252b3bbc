"""Commits of the manifest: which rows lie in which file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from schema_kit.marks import BEING_RESTORED
from schema_kit.model import ArchiveFile, Distribution, KeyColumn
from schema_kit.names import QualifiedName, asking_sql, constant, ident, idents, literal
from schema_kit.steps.step import Lock, LockMode, SharedStep, Step, refuse_sql
from schema_kit.steps.storage import upsert_sql, written_sql
from schema_kit.storage import ARCHIVE_FILE, ARCHIVE_FILE_DUE

TEXTS = (
    ("search_path", ""),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("client_encoding", "UTF8"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("lc_monetary", "C"),
    ("xmloption", "content"),
)
"""How values are written and read as text, whatever the session's own settings are."""


@dataclass(frozen=True)
class RecordDue(SharedStep):
    """The row that says that a partition is about to be detached for a file, so that the next run finds it again."""

    once = True
    says = "record that {self.name} leaves {self.parent} for a file"

    parent: QualifiedName
    name: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """One row."""
        values = {"table_name": str(self.name), "parent_table": str(self.parent)}
        return (upsert_sql(ARCHIVE_FILE_DUE, values),)


@dataclass(frozen=True)
class RecordFile(SharedStep):
    """The row that says what lies in a file, which is complete and was read back.

    Args:
        file: what lies where.
        drops: whether the table goes in the same commit.
        known: False in a dry run, where the file is still to be written: psql's variables stand for what it holds.
    """

    once = True

    file: ArchiveFile
    drops: bool = False
    known: bool = True

    @property
    def summary(self) -> str:
        """Names the file and the table."""
        count = f"{self.file.rows:,} rows" if self.known else "the rows"
        return f"record {self.file.url} with {count} of {self.file.table}"

    def sql(self) -> tuple[str, ...]:
        """A file that was registered before begins again: its rows are where they are now."""
        file = self.file
        columns = [dict(zip(("name", "type", "stored", "checksum"), column, strict=True)) for column in file.columns]
        values = {
            "file_url": literal(file.url),
            "table_name": literal(str(file.table)),
            "table_oid": str(file.oid),
            "parent_table": constant(str(file.parent) if file.parent else None),
            "control": constant(file.control),
            "lower_bound": constant(file.lower),
            "upper_bound": constant(file.upper),
            "format": literal(file.format),
            "row_count": str(file.rows),
            "byte_count": str(file.bytes),
            "sha256": literal(file.sha256),
            "columns": literal(json.dumps(columns, ensure_ascii=False)),
            "dropped_at": "pg_catalog.now()" if self.drops else "NULL",
            "restored_at": "NULL",
            "restored_to": "NULL",
        }
        if not self.known:
            values |= {"row_count": ":rows", "byte_count": ":bytes", "sha256": ":'sha256'", "columns": ":'columns'"}
        return (
            f"{written_sql(ARCHIVE_FILE, values)}, written_at = pg_catalog.now()",
            *((f"DELETE FROM {ARCHIVE_FILE_DUE.sql} WHERE table_name = {values['table_name']}",) if self.drops else ()),
        )


@dataclass(frozen=True)
class RecordRestored(SharedStep):
    """The rows of a file are back in the database."""

    once = True
    says = "record that the rows of {self.url} are in {self.to}"

    url: str
    to: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (
            f"UPDATE {ARCHIVE_FILE.sql} SET restored_at = pg_catalog.now(), restored_to = {literal(str(self.to))} "
            f"WHERE file_url = {literal(self.url)}",
        )


def _no_data() -> Iterator[bytes]:
    yield from ()


@dataclass(frozen=True)
class ForgetFile(SharedStep):
    """The row of a file in the manifest goes; the file itself is not touched."""

    says = "forget {self.url}; the file stays where it is"

    url: str

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (f"DELETE FROM {ARCHIVE_FILE.sql} WHERE file_url = {literal(self.url)}",)


@dataclass(frozen=True)
class LoadFile(Step):
    """A table with the rows of a file, made and filled in one commit: all of them exist, or it is not.

    Args:
        url: where the file lies.
        name: the table that is made.
        columns: the definitions of its columns, where it is like no other.
        like: the table that it is like, save for indexes and keys.
        copied: the columns that COPY reads; none that are generated.
        form: parquet, of which it gets CSV, or copy.
        read: makes what COPY reads, from the beginning.
        colocated: how Citus distributes it while it is empty, and the table with which it is colocated.
    """

    may_block = True  # no session knows the table yet
    reads_rows = True
    settings = TEXTS
    says = "load {self.url} into {self.name}"

    url: str
    name: QualifiedName
    columns: tuple[str, ...]
    like: QualifiedName | None
    copied: tuple[str, ...]
    form: str
    read: Callable[[], Iterator[bytes]] = field(default=_no_data, compare=False, repr=False)
    colocated: tuple[Distribution, QualifiedName] | None = None

    @property
    def data(self) -> Iterator[bytes]:
        """The file's rows."""
        return self.read()

    def sql(self) -> tuple[str, ...]:
        """Where a column's source may be gone, its values are loaded as they are."""
        like = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMPRESSION"
        shape = f"LIKE {self.like.sql} {like}" if self.like else ", ".join(self.columns)
        how = " (FORMAT csv)" if self.form == "parquet" else ""
        return (
            f"CREATE TABLE {self.name.sql} ({shape})",
            f"COMMENT ON TABLE {self.name.sql} IS {literal(BEING_RESTORED + self.url)}",
            *((self.colocated[0].call(self.name.sql, self.colocated[1].sql),) if self.colocated else ()),
            f"COPY {self.name.sql} ({idents(self.copied)}) FROM STDIN{how}",
        )


@dataclass(frozen=True)
class KeepLoaded(Step):
    """The table that a file was loaded into holds its rows, which have been compared."""

    says = "keep {self.name}, which holds what the file does"

    name: QualifiedName

    @property
    def locks(self) -> tuple[Lock, ...]:
        """No session uses it yet."""
        return (Lock(LockMode.SHARE_UPDATE_EXCLUSIVE, self.name),)

    def sql(self) -> tuple[str, ...]:
        """Release it from the run."""
        return (f"COMMENT ON TABLE {self.name.sql} IS NULL",)


@dataclass(frozen=True)
class AttachLoaded(Step):
    """ALTER TABLE ... ATTACH PARTITION by LIST, HASH or several columns, of a table that no session uses yet.

    Its rows are looked at and its indexes built under the lock. The parent has no default partition, which would be
    read under a lock of its own, and no foreign keys, whose tables would be locked for as long.

    Args:
        parent: the partitioned table.
        name: the table.
        bounds: FOR VALUES ..., as PostgreSQL has printed it.
    """

    may_block = True  # of the parent, other DDL alone
    says = "attach {self.name} to {self.parent} {self.bounds}"

    parent: QualifiedName
    name: QualifiedName
    bounds: str

    @property
    def locks(self) -> tuple[Lock, ...]:
        """The parent stays open for reads and writes."""
        return (Lock(LockMode.SHARE_UPDATE_EXCLUSIVE, self.parent), Lock(LockMode.ACCESS_EXCLUSIVE, self.name))

    def sql(self) -> tuple[str, ...]:
        """One statement."""
        return (f"ALTER TABLE {self.parent.sql} ATTACH PARTITION {self.name.sql} {self.bounds}",)


@dataclass(frozen=True)
class DropLoaded(Step):
    """DROP TABLE of what a file was loaded into, and which is not what the file holds."""

    says = "drop {self.name}, which is not what the file holds"

    name: QualifiedName

    @property
    def locks(self) -> tuple[Lock, ...]:
        """No session uses it yet."""
        return (Lock(LockMode.ACCESS_EXCLUSIVE, self.name),)

    def sql(self) -> tuple[str, ...]:
        """Looked at again under the lock: it is a run's own, and no partition."""
        own = f"{literal(self.name.sql)}::pg_catalog.regclass"
        marked = f"pg_catalog.starts_with(pg_catalog.obj_description({own}, 'pg_class'), {literal(BEING_RESTORED)})"
        attached = f"EXISTS (SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = {own})"
        used, message = f"{marked} IS NOT TRUE OR {attached}", f"{self.name} is in use by now"
        return (
            f"LOCK TABLE ONLY {self.name.sql} IN ACCESS EXCLUSIVE MODE",
            refuse_sql(used, "object_in_use", message),
            f"DROP TABLE {self.name.sql}",
        )


@dataclass(frozen=True)
class MergeFile(Step):
    """Rows of a file whose range is not free: what is missing is inserted, and the loaded table goes.

    What exists already, equal in every column, is passed over; where a row of the same key differs, all of it is
    rolled back. Without a key, rows of the range are the file's, or there are none.

    Args:
        url: where the file lies.
        name: the table that holds its rows, compared.
        into: the table that gets them.
        columns: all of its columns.
        generated: those of them that are.
        key: the columns of its primary key.
        within: what the rows of the file's range fulfil, of a row `t`; empty where it has none.
        moved: whether the rows are nowhere else, and the manifest says in this commit that they are back.
    """

    may_block = True  # the table that goes is only this run's
    reads_rows = True
    settings = TEXTS
    counted = 0
    left_behind = "Nothing was inserted, and the second table has the file's rows."
    says = "insert what is missing of {self.url} into {self.into}"

    url: str
    name: QualifiedName
    into: QualifiedName
    columns: tuple[str, ...]
    generated: tuple[str, ...]
    key: tuple[KeyColumn, ...]
    within: str
    moved: bool

    @property
    def locks(self) -> tuple[Lock, ...]:
        """As any INSERT; it may wait for rows of the same keys."""
        return (Lock(LockMode.ROW_EXCLUSIVE, self.into), Lock(LockMode.ACCESS_EXCLUSIVE, self.name))

    def sql(self) -> tuple[str, ...]:
        """Insert, compare, record, and drop the loaded table."""
        columns = idents(tuple(column for column in self.columns if column not in self.generated))
        insert = (
            f"INSERT INTO {self.into.sql} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {self.name.sql}"
        )
        return (
            f"{insert} ON CONFLICT DO NOTHING"
            if self.key
            else f"{insert} WHERE NOT EXISTS (SELECT 1 FROM {self.into.sql} t{self._where})",
            self._guard,
            *(RecordRestored(self.url, self.into).sql() if self.moved else ()),
            f"DROP TABLE {self.name.sql}",
        )

    @property
    def _where(self) -> str:
        return f" WHERE {self.within}" if self.within else ""

    def _row(self, alias: str) -> str:
        return "ROW(" + ", ".join(f"{alias}.{ident(column)}" for column in self.columns) + ")::pg_catalog.text"

    @property
    def _guard(self) -> str:
        """Refuses, and names the first few keys that differ."""
        if not self.key:
            missing = (
                f"SELECT {self._row('l')} FROM {self.name.sql} l EXCEPT ALL "
                f"SELECT {self._row('t')} FROM {self.into.sql} t{self._where}"
            )
            message = f"{self.into} has no primary key, and rows of that range that are not the file's"
            return refuse_sql(f"EXISTS ({missing})", "unique_violation", message)
        same = " AND ".join(f"t.{ident(c.name)} {c.operator('=')} l.{ident(c.name)}" for c in self.key)
        values = ", ".join(f"l.{ident(column.name)}" for column in self.key)
        equal = f"SELECT 1 FROM {self.into.sql} t WHERE {same} AND {self._row('t')} = {self._row('l')}"
        named = f"pg_catalog.concat('(', pg_catalog.concat_ws(', ', {values}), ')')"
        wrong = f"SELECT {named} AS named FROM {self.name.sql} l WHERE NOT EXISTS ({equal}) LIMIT 5"
        begin = literal(
            f"rows of the same key differ in {self.into}, or another unique index has taken their values: "
            f"({', '.join(column.name for column in self.key)}) = "
        )
        body = (
            f"SELECT pg_catalog.string_agg(named, ', ') INTO differing FROM ({wrong}) wrong; "
            f"IF differing IS NOT NULL THEN RAISE unique_violation USING MESSAGE = {begin} || differing; END IF;"
        )
        return asking_sql(body, "differing text; ")
