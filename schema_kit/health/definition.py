"""An index's definition, as pg_get_indexdef prints it: its parts, and the call that makes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from schema_kit.names import QualifiedName, unquoted

_QUOTED = r"\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'"
_PIECE = re.compile(rf"{_QUOTED}|[()]|,| (?:USING|INCLUDE|NULLS NOT DISTINCT|WITH|TABLESPACE|WHERE) |.", re.DOTALL)
_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*|\"(?:[^\"]|\"\")+\"")


@dataclass(frozen=True, slots=True)
class Definition:
    """The parts of a definition; two indexes with equal ones serve the same queries."""

    method: str
    keys: tuple[str, ...]
    """Columns or expressions, each with its operator class, collation and order."""
    include: tuple[str, ...] = ()
    nulls_not_distinct: bool = False
    predicate: str = ""
    options: str = ""
    """What WITH and TABLESPACE say."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that its keys begin with; an expression ends them."""
        found = []
        for key in self.keys:
            name = column_of(key)
            if name is None:
                break
            found.append(name)
        return tuple(found)


def column_of(key: str) -> str | None:
    """Return the column that a key is, whatever its order; None where it is an expression."""
    match = _PLAIN.match(key)
    if match is None or key[match.end() : match.end() + 1] not in ("", " "):
        return None
    return unquoted(match[0])


def parse(text: str) -> Definition:
    """Take a definition apart."""
    pieces = list(_top(text))
    at = pieces.index(" USING ")
    rest = "".join(pieces[at + 1 :])
    method, _, behind = rest.partition(" (")
    keys, tail = _list(behind)
    include: tuple[str, ...] = ()
    if tail.startswith(" INCLUDE ("):
        include, tail = _list(tail.removeprefix(" INCLUDE ("))
    apart = " NULLS NOT DISTINCT"
    not_distinct = tail.startswith(apart)
    tail = tail.removeprefix(apart)
    pieces = list(_top(tail))
    where = pieces.index(" WHERE ") if " WHERE " in pieces else len(pieces)
    predicate = "".join(pieces[where + 1 :])
    return Definition(method, keys, include, not_distinct, predicate, "".join(pieces[:where]).strip())


def _top(text: str) -> Iterator[str]:
    """Pieces of a text; a word that means something only outside of parentheses is one piece there alone."""
    depth = 0
    for match in _PIECE.finditer(text):
        piece = match[0]
        depth += (piece == "(") - (piece == ")")
        if depth and len(piece) > 1 and piece[0] == " ":
            yield from piece
        else:
            yield piece


def _list(text: str) -> tuple[tuple[str, ...], str]:
    """Return what stands between commas up to the parenthesis that closes, and what follows it."""
    found, depth, begin = list[str](), 0, 0
    for match in _PIECE.finditer(text):
        piece = match[0]
        if piece == ")" and depth == 0:
            return (*found, text[begin : match.start()].strip()), text[match.end() :]
        depth += (piece == "(") - (piece == ")")
        if piece == "," and depth == 0:
            found.append(text[begin : match.start()].strip())
            begin = match.end()
    return (*found, text[begin:].strip()), ""


def index_call(
    operation: str,
    name: str,
    table: QualifiedName,
    definition: Definition,
    unique: bool = False,
    where: str | None = None,
    using: str = "",
) -> str:
    """Return the call of an operation that makes an index, with literal arguments.

    Args:
        operation: create_index_concurrently or replace_index_concurrently.
        name: of the index.
        table: its table.
        definition: what it is.
        unique: whether it is unique.
        where: another predicate.
        using: another access method.
    """
    keys = ", ".join(_key(key) for key in definition.keys)
    said = f"op.{operation}({name!r}, {table.name!r}, [{keys}], schema={table.schema!r}"
    method, predicate = using or definition.method, definition.predicate if where is None else where
    said += ", unique=True" if unique else ""
    said += f", postgresql_using={method!r}" if method != "btree" else ""
    said += f", postgresql_include={[unquoted(one) for one in definition.include]!r}" if definition.include else ""
    said += ", postgresql_nulls_not_distinct=True" if definition.nulls_not_distinct else ""
    said += f", postgresql_where=sa.text({_text(predicate)})" if predicate else ""
    return f"{said}{_options(definition.options)})"


def _key(key: str) -> str:
    name = column_of(key)
    return repr(name) if name is not None and _PLAIN.fullmatch(key) else f"sa.text({_text(key)})"


def _text(sql: str) -> str:
    """Return SQL for sa.text(), in which a colon before a word would be a parameter."""
    return repr(re.sub(r"(?<!:):(?=\w)", r"\\:", sql))


def _options(options: str) -> str:
    """WITH and TABLESPACE, as keywords."""
    said = ""
    if match := re.search(r"WITH \((.*?)\)", options):
        pairs = dict(re.findall(r"(\w+)='?([^',]*)'?", match[1]))
        said += f", postgresql_with={pairs!r}"
    if match := re.search(rf"TABLESPACE ({_PLAIN.pattern})", options):
        said += f", postgresql_tablespace={unquoted(match[1])!r}"
    return said


def drop_call(name: QualifiedName, table: QualifiedName) -> str:
    """Return the call that drops an index without stopping writers."""
    return f"op.drop_index_concurrently({name.name!r}, {table.name!r}, schema={name.schema!r}, if_exists=True)"
