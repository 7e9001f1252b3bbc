"""What a statement is called: its text without what differs between two calls of it."""

from __future__ import annotations

import re
from functools import lru_cache

_SPARED = re.compile(
    r"""
    (?P<kept> "(?:[^"]|"")*" )                                      # a quoted identifier
  | (?P<comment> --[^\n]* | /\*.*?\*/ )
  | (?P<value> [eE]?'(?:[^'\\]|''|\\.)*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$   # texts
             | %\([^)]*\)s | %s | \$\d+ | (?<!:):[A-Za-z_]\w*       # parameters of each driver
             | (?<![\w.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b )         # numbers
    """,
    re.VERBOSE | re.DOTALL,
)
_LIST = re.compile(r"\(\s*\?(?:::[\w\[\] ]+)?(?:\s*,\s*\?(?:::[\w\[\] ]+)?)+\s*\)")
_ROWS = re.compile(r"(\(\?\+?\))(?:\s*,\s*\(\?\+?\))+")


@lru_cache(maxsize=2000)
def normalized(statement: str) -> str:
    """Return a statement with `?` for each value, one row of many, one line; names stay.

    Example: `normalized("SELECT *\\nFROM t WHERE id IN (1, 2)")` is `SELECT * FROM t WHERE id IN (?+)`
    """

    def replace(found: re.Match[str]) -> str:
        return found["kept"] or ("?" if found["value"] else " ")

    text = " ".join(_SPARED.sub(replace, statement).split())
    return _ROWS.sub(r"\1", _LIST.sub("(?+)", text))


@lru_cache(maxsize=2000)
def verb(statement: str) -> str:
    """Return the first word of a normalized statement, in capitals: a label that has few values.

    Example: `verb("insert into t values (?)")` is `INSERT`
    """
    word = statement.lstrip("( ").partition(" ")[0].upper()
    return word if word in _VERBS else "OTHER"


_VERBS = {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "COPY", "CALL", "VALUES"}


def short(statement: str) -> str:
    """Return as much of a statement as a line holds."""
    return statement if len(statement) <= 120 else f"{statement[:117]}..."
