"""The files in sql/: find one, render it for a schema, split it into statements, say what a statement is."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from schema_kit.errors import DeclarationError
from schema_kit.model.scripts import SqlObject
from schema_kit.storage import CONFIG_SCHEMA

PARTMAN = "partman"
"""The schema of pg_partman's functions, where no other one was chosen."""

_TABLES = ("partman/tables/part_config", "tables/retired_partition", "tables/archive_policy")
_TABLES_OF_SQL = "partman/tables/part_config_sub"
_KINDS = {"types": "TYPE", "functions": "FUNCTION", "views": "VIEW", "procedures": "PROCEDURE"}


@cache
def load(name: str, schema: str = CONFIG_SCHEMA) -> tuple[str, ...]:
    """Return the statements of ``sql/<name>``, each as it is written there.

    Args:
        name: the path below sql/.
        schema: what ``@schema@`` stands for.
    """
    return split(render(read(name), schema))


def read(name: str) -> str:
    """Return the text of ``sql/<name>``, as it is written there."""
    return (_folder() / name).read_text(encoding="utf-8")


def names() -> tuple[str, ...]:
    """Return every file below sql/, without its ending."""
    found = (path.relative_to(_folder()).as_posix() for path in _folder().rglob("*.sql"))
    return tuple(sorted(name.removesuffix(".sql") for name in found))


def named(name: str) -> str:
    """Return the file that a person means: its path below sql/ without the ending, or the last part of it.

    Raises:
        DeclarationError: there is none, or several end so.
    """
    bare = name.removesuffix(".sql")
    found = [one for one in names() if one == bare] or [one for one in names() if one.endswith(f"/{bare}")]
    if len(found) != 1:
        several = f"there are {', '.join(found)}" if found else "schema_kit sql list shows those that exist"
        raise DeclarationError(f"{name!r} is not the name of one script: {several}.")
    return found[0]


def render(text: str, schema: str = CONFIG_SCHEMA, partman: str = PARTMAN) -> str:
    """A script for the schemas that were chosen, quoted; a dollar quote that a schema's name would end is renamed.

    Args:
        text: the script.
        schema: what ``@schema@`` stands for: where the tables live.
        partman: what ``@partman@`` stands for: where pg_partman's functions live.
    """
    from sqlglot import exp

    for tag in {found for found in re.findall(r"\$[a-z]+\$", text) if found in schema + partman}:
        number = next(n for n in range(1, 100) if f"{tag[:-1]}{n}$" not in text + schema + partman)
        text = text.replace(tag, f"{tag[:-1]}{number}$")
    for place, chosen in (("@schema@", schema), ("@partman@", partman)):
        text = text.replace(place, exp.to_identifier(chosen, quoted=True).sql("postgres"))
    return text


@cache
def partman_objects(schema: str = PARTMAN) -> tuple[SqlObject, ...]:
    """Return the objects of sql/partman/ in the order in which they are made, the tables that they work on first.

    Args:
        schema: where they live.
    """
    tables = [*_TABLES, _TABLES_OF_SQL]
    found = [_object("TABLE", "part_config_sub", "".join(read(f"{name}.sql") for name in tables), schema)]
    for folder, kind in _KINDS.items():
        files = [name for name in names() if name.startswith(f"partman/{folder}/")]
        found += [_object(kind, name.rpartition("/")[2], read(f"{name}.sql"), schema) for name in files]
    return tuple(found)


def _object(kind: str, name: str, text: str, schema: str) -> SqlObject:
    first = re.match(r"(?:-- .*\n)+", text)
    purpose = re.sub(r"\n?-- ", " ", first[0]).strip() if first and kind != "TABLE" else "How sub-partitions are made."
    rendered = render(text, partman=schema)
    _, _, rest = rendered.partition(" AS $body")
    body = re.sub(r"\A\d*\$|\$body\d*\$;\s*\Z", "", rest) if kind in ("FUNCTION", "PROCEDURE") else None
    header = text.partition(" AS $body$")[0].partition("CREATE OR REPLACE")[2] if body is not None else kind
    return SqlObject(kind, name, split(rendered), _checksum(text, 12), _checksum(header, 8), purpose, body)


def _checksum(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def classify(statement: str) -> str:
    """What a statement is: ``CREATE FUNCTION``, ``ALTER TABLE``, ``DO``, ``SELECT``; by its first words alone."""
    from sqlglot.dialects.postgres import Postgres

    words = [token.text.upper() for token in Postgres().tokenize(statement)[:8]]
    if not words or words[0] not in ("CREATE", "ALTER", "DROP", "COMMENT"):
        return words[0] if words else ""
    skipped = {"OR", "REPLACE", "UNIQUE", "TEMP", "TEMPORARY", "UNLOGGED", "MATERIALIZED", "ON", "RECURSIVE"}
    return f"{words[0]} {next((word for word in words[1:] if word not in skipped), '')}".strip()


def split(text: str) -> tuple[str, ...]:
    """Split a script at its semicolons: not those in literals, comments, parentheses, or BEGIN ATOMIC ... END."""
    from sqlglot import TokenType
    from sqlglot.dialects.postgres import Postgres

    statements, begin, last, parentheses, bodies = [], None, 0, 0, 0
    tokens = Postgres().tokenize(text)
    for token, following in zip(tokens, [*tokens[1:], None], strict=False):
        word = token.text.upper() if token.token_type is not TokenType.STRING else ""
        parentheses += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if (word == "BEGIN" and following and following.text.upper() == "ATOMIC") or (bodies and word == "CASE"):
            bodies += 1
        elif bodies and word == "END":
            bodies -= 1
        if token.token_type is TokenType.SEMICOLON and not parentheses and not bodies:
            if begin is not None:
                statements.append(text[begin : last + 1])
            begin = None
            continue
        begin = token.start if begin is None else begin
        last = token.end
    if begin is not None:
        statements.append(text[begin : last + 1])
    return tuple(statements)


def _folder() -> Path:
    installed = Path(__file__).parent / "_sql"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "sql"
