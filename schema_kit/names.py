"""Identifiers: the only place where they are quoted, truncated to PostgreSQL's length, and parsed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from schema_kit.errors import DeclarationError

MAX_BYTES = 63
"""NAMEDATALEN - 1: PostgreSQL shortens longer identifiers without an error."""
TABLE_BYTES = 62
"""A table's array type has its name with an underscore in front. Where that makes it too long, PostgreSQL up to 15
creates some 70 tables that begin alike, and then refuses the next (42710)."""


def ident(name: str) -> str:
    """Quote one identifier, always: reserved words, capitals and dots need no special case.

    Raises:
        DeclarationError: it is empty, holds a NUL, or is longer than 63 bytes.
    """
    if not name or "\0" in name:
        raise DeclarationError(f"{name!r} is not an identifier: it is empty or holds a NUL character")
    if len(name.encode()) > MAX_BYTES:
        raise DeclarationError(
            f"the name {name!r} has {len(name.encode())} bytes; PostgreSQL keeps {MAX_BYTES} and would truncate it "
            "silently. Give a shorter one."
        )
    return '"' + name.replace('"', '""') + '"'


def idents(names: tuple[str, ...]) -> str:
    """Several identifiers, quoted, with commas between them."""
    return ", ".join(ident(name) for name in names)


def constant(value: str | float | bool | None) -> str:
    """Return a value as SQL: NULL, true, a number, or a literal."""
    if value is None:
        return "NULL"
    return literal(value) if isinstance(value, str) else repr(value).lower()


def literal(text: str) -> str:
    """Quote a string literal, safe whatever standard_conforming_strings says."""
    if "\0" in text:
        raise DeclarationError(f"{text!r} holds a NUL character, which PostgreSQL cannot store")
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def unquoted(name: str) -> str:
    """Return the name that an identifier as PostgreSQL prints it means."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def fit(stem: str, suffix: str = "", room: int = MAX_BYTES) -> str:
    """Shorten *stem* on a character boundary so that stem + suffix keep within 63 bytes, or *room*.

    A short stem carries six digits of its hash, so that two long names that begin alike stay apart.
    """
    if len((stem + suffix).encode()) <= room:
        return stem + suffix
    mark = "_" + hashlib.sha256(stem.encode()).hexdigest()[:6]
    left = room - len((mark + suffix).encode())
    if left < 1:
        raise DeclarationError(f"the suffix {suffix!r} leaves no room for a name of at most {room} bytes")
    return stem.encode()[:left].decode(errors="ignore") + mark + suffix


@dataclass(frozen=True, order=True, slots=True)
class QualifiedName:
    """A table, index, view or sequence: its schema and its name, both as the catalog holds them."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{_display(self.schema)}.{_display(self.name)}"

    @property
    def sql(self) -> str:
        """Both parts quoted, for statements."""
        return f"{ident(self.schema)}.{ident(self.name)}"

    def sibling(self, name: str) -> QualifiedName:
        """Another name in the same schema."""
        return QualifiedName(self.schema, name)

    @classmethod
    def parse(cls, text: str, default_schema: str | Callable[[str], str] | None = None) -> QualifiedName:
        """Read ``schema.table`` or ``"Schema"."ta.ble"``; unquoted parts are taken as written.

        Case is kept: Python code and ``--help`` examples say names as the catalog holds them.

        Args:
            text: the name.
            default_schema: the schema of ``table`` alone, or what says it of the name.

        Raises:
            DeclarationError: it has another form, or names no schema where there is none by default.
        """
        part = r'"((?:[^"]|"")+)"|([^".]+)'
        match = re.fullmatch(rf"(?:(?:{part})\.)?(?:{part})", text)
        if match is None:
            raise DeclarationError(f'{text!r} is not a table name. Write table, schema.table or "Schema"."Table".')
        quoted_schema, schema, quoted_name, name = match.groups()
        own = quoted_name.replace('""', '"') if quoted_name else name
        within = quoted_schema.replace('""', '"') if quoted_schema else schema
        if not within:
            within = default_schema(own) if callable(default_schema) else default_schema
        if not within:
            raise DeclarationError(f"{text!r} names no schema. Write schema.table.")
        found = cls(within, own)
        ident(found.schema), ident(found.name)
        return found


def _display(name: str) -> str:
    return name if re.fullmatch(r"[^\W\d]\w*", name) else '"' + name.replace('"', '""') + '"'


def within(control: str, lower: str | None, upper: str | None) -> str:
    """Return SQL: the control column lies between two bounds."""
    ends = [f"{control} >= {literal(lower)}"] if lower is not None else []
    ends += [f"{control} < {literal(upper)}"] if upper is not None else []
    return " AND ".join(ends) or "true"


def outside(control: str, lower: str | None, upper: str | None) -> str:
    """Return SQL: the control column does not lie between two bounds."""
    ends = [f"{control} < {literal(lower)}"] if lower is not None else []
    ends += [f"{control} >= {literal(upper)}"] if upper is not None else []
    return " OR ".join(ends) or "false"


def ended(sql: str) -> str:
    """A comment at its end takes nothing along that follows."""
    return f"{sql}\n" if "--" in sql else sql


def archive_name(table: QualifiedName, name: str | None, schema: str | None) -> QualifiedName:
    """Return what an archive is called: the table's name and _archive, in its schema, unless something else is said."""
    return QualifiedName(schema or table.schema, name or fit(table.name, "_archive"))


OWN_PATH = "pg_catalog, pg_temp"
"""The search_path under which functions, operators and types by name are PostgreSQL's own, whatever users have made.

A function of theirs whose arguments fit more exactly wins otherwise, wherever its schema stands in the path.
"""

PATH_KEPT = "schema_kit_path text := pg_catalog.current_setting('search_path'); "
"""What a DO block declares that has an `own_path` in it."""


def own_path(statements: str) -> str:
    """Return statements of a DO block under OWN_PATH; then the session's holds again, as event triggers may need it."""
    setting = "PERFORM pg_catalog.set_config('search_path', {}, true);"
    return f"{setting.format(literal(OWN_PATH))} {statements} {setting.format('schema_kit_path')}"


def asking_sql(statements: str, declared: str = "") -> str:
    """Return a DO block that looks at something under OWN_PATH; *declared* has no queries."""
    return f"DO {literal(f'DECLARE {PATH_KEPT}{declared}BEGIN {own_path(statements)} END')}"


def commands(query: str, before: str = "") -> str:
    """Return statements of a DO block that has COMMANDS_KEPT: what a query returns is sent, not under OWN_PATH."""
    found = own_path(f"schema_kit_commands := ARRAY({query});")
    return f"{found} {before}FOREACH command IN ARRAY schema_kit_commands LOOP EXECUTE command; END LOOP;"


COMMANDS_KEPT = f"{PATH_KEPT}schema_kit_commands text[]; command text; "
"""What a DO block declares that has `commands` in it."""


def sending_sql(query: str) -> str:
    """Return a DO block that asks a query under OWN_PATH, and sends what it returns."""
    return f"DO {literal(f'DECLARE {COMMANDS_KEPT}BEGIN {commands(query)} END')}"
