"""Commits that add, prove and drop constraints."""

from __future__ import annotations

from dataclasses import dataclass

from schema_kit.model import ForeignKeyDeclaration, KeyDeclaration
from schema_kit.names import QualifiedName, ident, idents, literal
from schema_kit.steps.step import Lock, LockMode, OnTable, OnTree, Step


def foreign_key_sql(key: ForeignKeyDeclaration) -> str:
    """FOREIGN KEY (...) REFERENCES ..., with what is not the default."""
    return f"FOREIGN KEY ({idents(key.columns)}) {references_sql(key)}"


def references_sql(key: ForeignKeyDeclaration) -> str:
    """REFERENCES ..., with what is not the default."""
    parts = [f"REFERENCES {key.referenced.sql} ({idents(key.referenced_columns)})"]
    parts += [f"MATCH {key.match}"] if key.match != "SIMPLE" else []
    parts += [f"ON UPDATE {key.on_update}"] if key.on_update != "NO ACTION" else []
    parts += [f"ON DELETE {key.on_delete}"] if key.on_delete != "NO ACTION" else []
    return " ".join([*parts, key.deferred]).strip()


def key_sql(key: KeyDeclaration) -> str:
    """UNIQUE (...) or PRIMARY KEY (...), with what is not the default."""
    kind = "PRIMARY KEY" if key.primary else "UNIQUE"
    nulls = " NULLS NOT DISTINCT" if key.nulls_not_distinct else ""
    include = f" INCLUDE ({idents(key.include)})" if key.include else ""
    return f"{kind}{nulls} ({idents(key.columns)}){include} {key.deferred}".strip()


@dataclass(frozen=True)
class AddForeignKey(Step):
    """ADD FOREIGN KEY, not validated; or, up to 17, on a partitioned parent whose leaves have it: those are adopted.

    Args:
        key: the foreign key.
        table: which table of the tree gets it.
        partitions: those below it.
        valid: without NOT VALID.
        referenced: the partitions of the table that it refers to.
    """

    key: ForeignKeyDeclaration
    table: QualifiedName
    partitions: tuple[QualifiedName, ...] = ()
    valid: bool = False
    referenced: tuple[QualifiedName, ...] = ()

    @property
    def summary(self) -> str:
        """Names it."""
        how = ", taking over those of its partitions" if self.valid else ", not validated"
        return f"add foreign key {self.key.name} to {self.table}{how}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Writes to both ends wait briefly; adopting drops triggers of the table it refers to.

        Where that has partitions, it drops the copies of the partitions' keys, too.
        """
        mode = LockMode.ACCESS_EXCLUSIVE if self.valid and self.partitions else LockMode.SHARE_ROW_EXCLUSIVE
        below = mode if self.referenced else LockMode.SHARE_ROW_EXCLUSIVE
        others = dict.fromkeys((self.key.referenced, *self.referenced))
        own = (table for table in (self.table, *self.partitions) if table not in others)
        return (
            *(Lock(mode, table) for table in others),
            *(Lock(below if table in self.partitions else LockMode.SHARE_ROW_EXCLUSIVE, table) for table in own),
        )

    def sql(self) -> tuple[str, ...]:
        """Scan no row that a key of a partition has validated already."""
        suffix = "" if self.valid else " NOT VALID"
        name = ident(self.key.name)
        add = f"ALTER TABLE {self.table.sql} ADD CONSTRAINT {name} {foreign_key_sql(self.key)}{suffix}"
        if self.key.comment is None:
            return (add,)
        return add, f"COMMENT ON CONSTRAINT {name} ON {self.table.sql} IS {literal(self.key.comment)}"


@dataclass(frozen=True)
class AddParentKey(OnTable):
    """ALTER TABLE ONLY a partitioned table ADD UNIQUE or PRIMARY KEY: invalid until each partition's is attached."""

    says = "add {self.name} to {self.table}, without its partitions"

    key: KeyDeclaration
    name: str
    table: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """From this commit on, new partitions get it by themselves."""
        return (f"ALTER TABLE ONLY {self.table.sql} ADD CONSTRAINT {ident(self.name)} {key_sql(self.key)}",)


@dataclass(frozen=True)
class AddKeyUsingIndex(OnTable):
    """ADD UNIQUE or PRIMARY KEY USING INDEX: the index that was built concurrently becomes the constraint's."""

    key: KeyDeclaration
    name: str
    table: QualifiedName

    @property
    def summary(self) -> str:
        """Names it."""
        return f"add {'primary key' if self.key.primary else 'unique constraint'} {self.name} to {self.table}"

    def sql(self) -> tuple[str, ...]:
        """The index has the constraint's name already."""
        kind = "PRIMARY KEY" if self.key.primary else "UNIQUE"
        name = ident(self.name)
        sql = f"ALTER TABLE {self.table.sql} ADD CONSTRAINT {name} {kind} USING INDEX {name} {self.key.deferred}"
        return (sql.strip(),)


@dataclass(frozen=True)
class AddCheck(OnTree):
    """ADD CONSTRAINT ... CHECK ... NOT VALID: holds for new rows from this commit on, without a scan."""

    says = "add check {self.name} to {self.table}, not validated"

    table: QualifiedName
    name: str
    expression: str
    replaces: str | None = None
    """A check that goes in the same commit."""
    partitions: tuple[QualifiedName, ...] = ()
    """Those below the table."""

    def sql(self) -> tuple[str, ...]:
        """No scan: VALIDATE does that later, while writers continue."""
        add = f"ALTER TABLE {self.table.sql} ADD CONSTRAINT {ident(self.name)} CHECK ({self.expression}) NOT VALID"
        drop = f"ALTER TABLE {self.table.sql} DROP CONSTRAINT {ident(self.replaces)}" if self.replaces else ""
        return (drop, add) if drop else (add,)


@dataclass(frozen=True)
class ValidateConstraint(OnTree):
    """VALIDATE CONSTRAINT: one scan, while readers and writers continue."""

    mode = LockMode.SHARE_UPDATE_EXCLUSIVE
    says = "validate {self.name} of {self.table}"

    table: QualifiedName
    name: str
    culprits: str | None = None
    """The SELECT that says which rows stand in the way."""
    partitions: tuple[QualifiedName, ...] = ()
    """Those that are locked with it, though they have nothing left to prove."""

    @property
    def diagnosis(self) -> str | None:
        """Which rows stand in the way."""
        return self.culprits

    def sql(self) -> tuple[str, ...]:
        """A repeated one is free."""
        return (f"ALTER TABLE {self.table.sql} VALIDATE CONSTRAINT {ident(self.name)}",)


@dataclass(frozen=True)
class AddNotNull(OnTree):
    """ADD NOT NULL ... NOT VALID, which PostgreSQL has from 18 on: holds for new rows, without a scan."""

    says = "make {self.column} of {self.table} NOT NULL for new rows"

    table: QualifiedName
    name: str
    column: str
    partitions: tuple[QualifiedName, ...] = ()

    def sql(self) -> tuple[str, ...]:
        """The partitions get it too."""
        column = ident(self.column)
        return (f"ALTER TABLE {self.table.sql} ADD CONSTRAINT {ident(self.name)} NOT NULL {column} NOT VALID",)


@dataclass(frozen=True)
class SetNotNull(OnTree):
    """SET NOT NULL: free of a scan, by a validated check.

    Args:
        table: the table.
        column: its column.
        partitions: those below it.
        proof: the check that was made for it, and goes in the same commit.
    """

    says = "set {self.column} of {self.table} NOT NULL, validated by a check"

    table: QualifiedName
    column: str
    partitions: tuple[QualifiedName, ...] = ()
    proof: str | None = None

    def sql(self) -> tuple[str, ...]:
        """The partitions get it too."""
        alter = f"ALTER TABLE {self.table.sql}"
        statements = [f"{alter} ALTER COLUMN {ident(self.column)} SET NOT NULL"]
        if self.proof:
            statements.append(f"{alter} DROP CONSTRAINT {ident(self.proof)}")
        return tuple(statements)


@dataclass(frozen=True)
class DropConstraint(OnTree):
    """DROP CONSTRAINT: of a foreign key, it locks both ends, each with its partitions.

    Args:
        table: the table.
        name: its constraint.
        others: the tables that a foreign key refers to, with their partitions.
        partitions: those of the table.
        kind: what it is, in words.
    """

    says = "drop {self.kind} {self.name} of {self.table}"

    table: QualifiedName
    name: str
    others: tuple[QualifiedName, ...] = ()
    partitions: tuple[QualifiedName, ...] = ()
    kind: str = "foreign key"

    def sql(self) -> tuple[str, ...]:
        """The partitions lose it, too."""
        return (f"ALTER TABLE {self.table.sql} DROP CONSTRAINT {ident(self.name)}",)
