"""SQL that publishes the table that takes another one's place as that was published.

A publication that lists a table by name lists a table, not a name: it has to be changed to the table that has the name
now. One of all tables, or of all of a schema, needs no change; but it would publish what is written inside the commit,
to subscribers that do not have those tables or have those rows, and so publishes nothing while that is written. No
session sees a publication between its first and its last state.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from schema_kit.model import Table
from schema_kit.names import PATH_KEPT, commands, ident, idents, literal, own_path, sending_sql
from schema_kit.steps.step import SharedStep

_QUIET = "schema_kit.publishes"


@dataclass(frozen=True)
class SetViaRoot(SharedStep):
    """ALTER PUBLICATION ... SET (publish_via_partition_root): a row of a catalog; no table is locked."""

    publication: str
    value: bool

    @property
    def summary(self) -> str:
        """Names the publication, and what it publishes from then on."""
        how = "as rows of the partitioned table" if self.value else "under the names of the partitions"
        return f"let publication {self.publication} publish rows of partitions {how}"

    def sql(self) -> tuple[str, ...]:
        """One statement."""
        value = "true" if self.value else "false"
        return (f"ALTER PUBLICATION {ident(self.publication)} SET (publish_via_partition_root = {value})",)


def lock_sql(table: Table) -> tuple[str, ...]:
    """Statements of a DO block that lock the publications that list it, as ALTER PUBLICATION does: before the table.

    The same comment again changes nothing, and takes just this lock: it conflicts with those of ALTER PUBLICATION ...
    ADD TABLE (from 15 on) and of DROP PUBLICATION.
    """
    names = ", ".join(literal(one.name) for one in table.publications if one.named)
    comment = "format('COMMENT ON PUBLICATION %I IS %L', p.pubname, obj_description(p.oid, 'pg_publication'))"
    each = f"SELECT {comment} FROM pg_publication p WHERE p.pubname IN ({names}) ORDER BY p.oid"
    return (commands(each).removesuffix(";"),) if names else ()


def leave_sql(table: Table) -> Iterable[str]:
    """The publications that list it do not any more."""
    for one in table.publications:
        if one.named:
            yield f"ALTER PUBLICATION {ident(one.name)} DROP TABLE ONLY {table.name.sql}"


def join_sql(table: Table) -> Iterable[str]:
    """They list what has its name now: the same columns of the same rows."""
    for one in table.publications:
        if one.named:
            columns = f" ({idents(one.columns)})" if one.columns else ""
            where = f" WHERE ({one.where})" if one.where else ""
            yield f"ALTER PUBLICATION {ident(one.name)} ADD TABLE ONLY {table.name.sql}{columns}{where}"


def unpublished_sql(table: Table, statements: Iterable[str], *, own: bool = False) -> Iterable[str]:
    """Yield statements whose writes no publication publishes that holds the table because it holds others, too.

    Args:
        table: the table.
        statements: what is to be sent.
        own: whether they write tables of schema_kit, which only a publication of all tables holds.
    """
    wide = [one for one in table.publications if (one.wide == "all tables" if own else one.wide) and not one.closed]
    if not wide:
        yield from statements
        return
    names = ", ".join(literal(one.name) for one in wide)
    operations = " || ".join(
        f"CASE WHEN p.pub{operation} THEN '{operation},' ELSE '' END"
        for operation in ("insert", "update", "delete", "truncate")
    )
    read = (
        f"PERFORM set_config('{_QUIET}', jsonb_set(coalesce(nullif(current_setting('{_QUIET}', true), ''), "
        f"'{{}}')::jsonb, ARRAY[name], to_jsonb(rtrim({operations}, ',')))::text, true) "
        "FROM pg_publication p WHERE p.pubname = name;"
    )
    # The first ALTER says what is so already: from then on no other session changes what is read after it.
    quiet = f"""DECLARE {PATH_KEPT}name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[{names}] LOOP
    EXECUTE pg_catalog.format('ALTER PUBLICATION %I SET (publish_via_partition_root = true)', name);
    {own_path(read)}
    EXECUTE pg_catalog.format('ALTER PUBLICATION %I SET (publish = '''')', name);
  END LOOP;
END"""
    loud = (
        "SELECT format('ALTER PUBLICATION %I SET (publish = %L)', one.key, one.value) "
        f"FROM jsonb_each_text(current_setting('{_QUIET}')::jsonb) one"
    )
    yield f"DO {literal(quiet)}"
    yield from statements
    yield sending_sql(loud)
