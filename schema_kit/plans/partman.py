"""The functions in SQL: what a schema lacks of them, and what removes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from schema_kit.errors import DeclarationError, PlanError
from schema_kit.model.scripts import SeenObject, SqlObject, SqlSchema
from schema_kit.names import QualifiedName, ident, literal
from schema_kit.sqlscripts import PARTMAN, partman_objects, render
from schema_kit.steps import Plan
from schema_kit.steps.partman import InstallPartmanSql, RemovePartmanSql
from schema_kit.storage import CONFIG_SCHEMA

_MARK = re.compile(r"\(schema_kit ([0-9a-f]+)\.([0-9a-f]+)\)$")
_ALTERED = ("part_config", "retired_partition", "archive_policy")
"""Tables whose files add columns that came later."""
_ORDER = ("PROCEDURE", "FUNCTION", "TYPE")


def refuse_schema(schema: str) -> None:
    """Refuse a schema that cannot hold them.

    Raises:
        DeclarationError: it is PostgreSQL's or schema_kit's own, or no name at all.
    """
    ident(schema)
    if schema == CONFIG_SCHEMA or schema.startswith("pg_") or schema == "information_schema":
        raise DeclarationError(
            f"schema {schema!r} cannot hold pg_partman's functions: it belongs to "
            f"{'schema_kit' if schema == CONFIG_SCHEMA else 'PostgreSQL'}. Name another one: 'partman'."
        )


def state(script: SqlObject, seen: SqlSchema) -> str:
    """Return how an object stands.

    Returns:
        missing, current, older (another version of schema_kit made it), changed (by hand), or not schema_kit's.
    """
    found = _found(script, seen)
    if found is None:
        return "missing"
    mark = _MARK.search(found.comment)
    if mark is None:
        return "missing" if script.kind == "TABLE" else "not schema_kit's"
    if mark[1] != script.checksum:
        return "older"
    return "current" if script.body == found.body else "changed"


def _found(script: SqlObject, seen: SqlSchema) -> SeenObject | None:
    kind = "OWN" if script.kind == "TABLE" else script.kind
    return next((one for one in seen.objects if (one.kind, one.name) == (kind, script.name)), None)


def install(schema: str, scripts: Sequence[SqlObject], seen: SqlSchema) -> Plan:
    """Make what is missing, replace what is older or changed, drop what the package no longer has.

    Args:
        schema: where to.
        scripts: the objects, in the order in which they are made.
        seen: what exists.

    Raises:
        PlanError: the real pg_partman lives there, or functions of the same names that are not schema_kit's.
    """
    title = f"install pg_partman's functions in schema {schema}"
    other = f"{schema}_sql"
    if seen.extension:
        raise PlanError(
            f"cannot {title}: the extension pg_partman lives there. Choose another schema, --schema {other}, or hand "
            "sets over to the extension: schema_kit partitions hand-over"
        )
    foreign = [one.name for one in scripts if state(one, seen) == "not schema_kit's"]
    foreign += [one.name for one in seen.objects if one.kind == "TABLE" and one.name == "part_config"]
    if foreign:
        raise PlanError(
            f"cannot {title}: it holds {', '.join(foreign[:5])}, which schema_kit has not made (pg_partman's files, "
            f"installed without the extension?). Choose another schema: --schema {other}"
        )
    due = [one for one in scripts if state(one, seen) != "current"]
    gone = list(_superseded(scripts, seen))
    if not due and not gone:
        return Plan(title)
    statements = [] if seen.exists else [f"CREATE SCHEMA {ident(schema)}"]
    statements += [f"DROP {one.kind} {_named(schema, one)}" for one in gone]
    for one in due:
        statements += [*one.statements, comment_sql(schema, one)]
    views = [QualifiedName(schema, one.name) for one in due if one.kind == "VIEW" and _found(one, seen)]
    own = [one.name for one in seen.objects if one.kind == "OWN" and any(script.kind == "TABLE" for script in due)]
    altered = [QualifiedName(CONFIG_SCHEMA, name) for name in own if name in _ALTERED]
    commented = [QualifiedName(CONFIG_SCHEMA, name) for name in own if name == "part_config_sub"]
    names = tuple(dict.fromkeys([*(one.name for one in due), *(one.name for one in gone)]))
    return Plan(
        title, (InstallPartmanSql(schema, names, tuple(statements), tuple(views), tuple(altered), tuple(commented)),)
    )


def comment_sql(schema: str, one: SqlObject) -> str:
    """COMMENT ON, by which the object is known again."""
    name = QualifiedName(CONFIG_SCHEMA if one.kind == "TABLE" else schema, one.name)
    return f"COMMENT ON {one.kind} {name.sql} IS {literal(one.comment)}"


def whole_script(schema: str = PARTMAN) -> str:
    """Return what makes pg_partman's functions and the tables that they work on in an empty database, for psql."""
    quoted = render("@partman@", partman=schema)
    lines = ["BEGIN;", "SET LOCAL search_path TO pg_catalog, pg_temp;", f"CREATE SCHEMA IF NOT EXISTS {quoted};"]
    for one in partman_objects(schema):
        lines += [f"\n{statement};" for statement in one.statements]
        lines.append(f"{comment_sql(schema, one)};")
    return "\n".join([*lines, "\nCOMMIT;"])


def _superseded(scripts: Sequence[SqlObject], seen: SqlSchema) -> Iterator[SeenObject]:
    """Yield what an earlier version made that this one does not have, or has with other parameters or results."""
    known = {(one.kind, one.name): one for one in scripts}
    for found in seen.objects:
        mark = _MARK.search(found.comment)
        now = known.get((found.kind, found.name))
        if mark and found.kind in ("FUNCTION", "PROCEDURE") and (now is None or now.header != mark[2]):
            yield found


def _named(schema: str, one: SeenObject) -> str:
    name = QualifiedName(schema, one.name).sql
    return f"{name}({one.arguments})" if one.arguments is not None and one.kind in ("FUNCTION", "PROCEDURE") else name


def remove(schema: str, seen: SqlSchema) -> Plan:
    """Drop what schema_kit has made there, and the schema where nothing else is in it.

    Args:
        schema: where from.
        seen: what exists.
    """
    ours = [one for one in seen.objects if one.kind not in ("TABLE", "OWN") and _MARK.search(one.comment)]
    title = f"remove pg_partman's functions from schema {schema}"
    if not ours:
        return Plan(title)
    named = {kind: [_named(schema, one) for one in ours if one.kind == kind] for kind in _ORDER}
    drops = [f"DROP {kind} {', '.join(names)}" for kind, names in named.items() if names]
    views = tuple(QualifiedName(schema, one.name) for one in ours if one.kind == "VIEW")
    alone = not seen.more and len(ours) == sum(one.kind not in ("TABLE", "OWN") for one in seen.objects)
    return Plan(title, (RemovePartmanSql(schema, views, tuple(drops), alone),))


def installed(scripts: Sequence[SqlObject]) -> SqlSchema:
    """Return a schema in which all of them are, and may be more."""
    return SqlSchema(True, False, tuple(SeenObject(one.kind, one.name, comment=one.comment) for one in scripts), True)
