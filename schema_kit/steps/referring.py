"""Commits that give a referring table the key column too: by id alone, none can refer to a partitioned table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from schema_kit.marks import being_built, fill_function
from schema_kit.model import ForeignKey
from schema_kit.names import OWN_PATH, QualifiedName, ident, idents, literal
from schema_kit.steps.copying import tried_sql
from schema_kit.steps.dependents import comment_sql
from schema_kit.steps.step import Lock, LockMode, Step, exclusive


@dataclass(frozen=True)
class AddFilledKeyColumn(Step):
    """A table that refers to another by id gets that row's key next to it, and a trigger that fills it.

    Old application code goes on inserting the id alone. The function looks the key up with the rights of its owner, as
    a foreign key does, and locks the row against a change of key until the transaction ends. The longer foreign key
    comes in the same commit: from the first row that is filled, a change of key cascades to it.
    """

    says = "add {self.column} to {self.key.table}, filled by a trigger"

    key: ForeignKey
    column: str
    type: str
    control: str

    @property
    def locks(self) -> tuple[Lock, ...]:
        """All access waits briefly: the column has no default, and nothing is scanned."""
        return (Lock(LockMode.SHARE_ROW_EXCLUSIVE, self.key.referenced), *exclusive((self.key.table,)))

    def sql(self) -> tuple[str, ...]:
        """The column, the function, the trigger, the foreign key."""
        table, function = self.key.table, fill_function(self.key, self.column)
        column, own, id_ = (
            ident(self.column),
            ident(self.key.columns[0]),
            ident(self.key.referenced_columns[0]),
        )
        equal = f"OPERATOR({ident(self.key.operators[0])}.=)"
        other = f"(NEW.{own} {equal} OLD.{own}) IS NOT TRUE"
        body = (
            "BEGIN\n"
            f"  IF NEW.{own} IS NULL THEN\n"
            f"    NEW.{column} := NULL;\n"
            f"  ELSIF NEW.{column} IS NULL OR (TG_OP = 'UPDATE' AND {other}"
            f" AND NEW.{column} IS NOT DISTINCT FROM OLD.{column}) THEN\n"
            f"    SELECT t.{ident(self.control)} INTO NEW.{column} FROM {self.key.referenced.sql} t"
            f" WHERE t.{id_} {equal} NEW.{own} FOR KEY SHARE;\n"
            "    IF NOT FOUND THEN\n"
            "      RAISE foreign_key_violation USING\n"
            f"        MESSAGE = {literal(f'no row of {self.key.referenced} has this {self.key.columns[0]}')},\n"
            f"        DETAIL = pg_catalog.format('Key (%s)=(%s) is not present.',"
            f" {literal(self.key.columns[0])}, NEW.{own}),\n"
            f"        SCHEMA = {literal(table.schema)}, TABLE = {literal(table.name)},"
            f" CONSTRAINT = {literal(self.key.name)};\n"
            "    END IF;\n"
            "  END IF;\n"
            "  RETURN NEW;\n"
            "END"
        )
        return (
            f"ALTER TABLE {table.sql} ADD COLUMN {column} {self.type}",
            f"CREATE FUNCTION {function.sql}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
            f"SET search_path = {OWN_PATH} SET row_security = off AS {literal(body)}",
            tried_sql(f"{other} AND new.{column} IS NOT DISTINCT FROM old.{column}", table.sql, f"{own}, {column}"),
            f"CREATE TRIGGER {ident(function.name)} BEFORE INSERT OR UPDATE ON {table.sql} "
            f"FOR EACH ROW EXECUTE FUNCTION {function.sql}()",
            *composite_fk_sql(self.key, self.column, being_built(self.key.name), self.key.referenced, self.control),
        )


@dataclass(frozen=True)
class DropFilledKeyColumn(Step):
    """The key column goes, with its trigger and the longer foreign key: the conversion is canceled."""

    says = "drop {self.column} of {self.key.table}, which a conversion has left"

    key: ForeignKey
    column: str
    provisional: str

    @property
    def locks(self) -> tuple[Lock, ...]:
        """All access waits, at both ends briefly."""
        return exclusive((self.key.referenced, self.key.table))

    def sql(self) -> tuple[str, ...]:
        """The index that found unfilled rows goes with the column."""
        return tuple(drop_filled_sql(self.key, self.provisional, self.column))


def drop_filled_sql(key: ForeignKey, constraint: str, column: str) -> Iterable[str]:
    """The longer foreign key, the trigger, its function and the key column go."""
    function = fill_function(key, column)
    yield f"ALTER TABLE {key.table.sql} DROP CONSTRAINT {ident(constraint)}"
    yield f"DROP TRIGGER {ident(function.name)} ON {key.table.sql}"
    yield f"DROP FUNCTION {function.sql}()"
    yield f"ALTER TABLE {key.table.sql} DROP COLUMN {ident(column)}"


def composite_fk_sql(key: ForeignKey, column: str, name: str, referenced: QualifiedName, control: str) -> Iterable[str]:
    """Yield the longer foreign key, not validated. MATCH FULL: a row with an id but no key is refused."""
    longer = replace(key, delete_columns=(*key.delete_columns, column) if key.delete_columns else ())
    yield (
        f"ALTER TABLE {key.table.sql} ADD CONSTRAINT {ident(name)} "
        f"FOREIGN KEY ({idents((*key.columns, column))}) "
        f"REFERENCES {referenced.sql} ({idents((*key.referenced_columns, control))}) MATCH FULL "
        f"ON UPDATE CASCADE ON DELETE {longer.deletes} NOT VALID"
    )
    if key.comment is not None:
        yield comment_sql("CONSTRAINT", f"{ident(name)} ON {key.table.sql}", key.comment)


def shorter_fk_sql(key: ForeignKey, referenced: QualifiedName) -> Iterable[str]:
    """Yield the foreign key as it was before it was made longer, not validated."""
    shorter = replace(key, delete_columns=key.delete_columns[:-1])
    yield (
        f"ALTER TABLE {key.table.sql} ADD CONSTRAINT {ident(key.name)} "
        f"FOREIGN KEY ({idents(key.columns[:-1])}) "
        f"REFERENCES {referenced.sql} ({idents(key.referenced_columns[:-1])}) "
        f"ON DELETE {shorter.deletes} NOT VALID"
    )
    if key.comment is not None:
        yield comment_sql("CONSTRAINT", f"{ident(key.name)} ON {key.table.sql}", key.comment)


@dataclass(frozen=True)
class FillKeyColumn(Step):
    """The trigger fills the rows that were there before it, a batch a commit; rows locked by others come later."""

    repeats = True
    reads_rows = True
    says = "fill {self.column} of {self.key.table}"

    key: ForeignKey
    column: str
    batch: int = 5000

    def sql(self) -> tuple[str, ...]:
        """Locks rows only."""
        table, own = self.key.table.sql, ident(self.key.columns[0])
        return (
            f"UPDATE {table} SET {own} = {own} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} "
            f"WHERE {own} IS NOT NULL AND {ident(self.column)} IS NULL "
            f"LIMIT {self.batch} FOR UPDATE SKIP LOCKED))",
        )
