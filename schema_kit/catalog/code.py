"""Which words of a statement are SQL: not what stands in literals, quoted names, comments and dollar quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator

_OPAQUE = re.compile(
    r"""(?P<escaped>\b[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z))
      | (?P<literal>'(?:[^']|'')*(?:'|\Z))
      | (?P<name>"(?:[^"]|"")*(?:"|\Z))
      | (?<![\w$])(?P<tag>\$(?:[^\W\d]\w*)?\$)(?P<body>.*?)(?:(?P=tag)|\Z)
      | --[^\n]*
      | /\*""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")
_RUNS = re.compile(r"\b(DO|EXECUTE)\s+$", re.IGNORECASE)


def code(statement: str) -> Iterator[tuple[str, str]]:
    """Return a statement and the blocks in it that are run with it (DO, EXECUTE), each with what in it is SQL.

    That is as long: of letters of a quoted name ``_`` are left, of literals, comments and bodies of functions blanks.

    Example:
        >>> list(code("SELECT 'FROM s.t' FROM \\"a b\\".t"))
        [('SELECT \\'FROM s.t\\' FROM "a b".t', 'SELECT            FROM "___".t')]
    """
    kept, bodies, at = list[str](), list[str](), 0
    while found := _OPAQUE.search(statement, at):
        between, at = statement[at : found.start()], found.end()
        if found[0] == "/*":
            at = _comment_end(statement, at)
        if _RUNS.search(between) and (body := _body(found)) is not None:
            bodies.append(body)
        length = at - found.start()
        kept += between, f'"{"_" * (length - 2)}"' if found["name"] else " " * length
    yield statement, "".join(kept) + statement[at:]
    for body in bodies:
        yield from code(body)


def _comment_end(statement: str, at: int) -> int:
    depth = 1
    while depth and (mark := _COMMENT.search(statement, at)):
        depth += 1 if mark[0] == "/*" else -1
        at = mark.end()
    return len(statement) if depth else at


def _body(found: re.Match[str]) -> str | None:
    if found["escaped"]:
        return re.sub(r"\\(.)", r"\1", found[0][2:-1].replace("''", "'"), flags=re.DOTALL)
    return found[0][1:-1].replace("''", "'") if found["literal"] else found["body"]


def without_leading_comments(statement: str) -> str:
    """Return a statement without the comments before its first word.

    Example:
        >>> without_leading_comments("-- all of them\\nUPDATE t SET x = 1")
        'UPDATE t SET x = 1'
    """
    if "--" not in statement and "/*" not in statement:
        return statement.strip()
    _, words = next(code(statement))
    return statement[len(words) - len(words.lstrip()) :].strip()
