"""A script that psql loads, a dump or rows: what is of the whole server in it is left out, or refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_DATA = re.compile(r"COPY\s.*\bFROM\s+stdin\b.*;\s*$", re.IGNORECASE)
_TAG = re.compile(r"\$(?:[^\W\d]\w*)?\$")
_NAME = r'"(?:[^"]|"")+"|[\w$]+'
_LEFT_OUT = re.compile(
    rf"\\c(?:onnect)?\s+(?:-reuse-previous=on\s+)?(?P<database>\S+)"
    rf"|CREATE\s+(?:ROLE|USER|GROUP)\s+(?!MAPPING\b)(?P<role>{_NAME})"
    r"|(?:CREATE|DROP|ALTER)\s+DATABASE\b|COMMENT\s+ON\s+(?:DATABASE|ROLE)\b|(?:GRANT|REVOKE)\b.*\bON\s+DATABASE\b"
    r"|SET\s+(?P<setting>transaction_timeout)\s*="
    r"|ALTER\s+TABLE\s.*\bSET\s+\(pg_attver=\d+\);",
    re.IGNORECASE,
)
"""Lines that pg_dump writes of the database itself, for a later server, or of what a server keeps for itself."""
_REFUSED = re.compile(
    r"\\(?:!|copy\b|o\b|g\b|w\b|i\b|ir\b|setenv\b|cd\b)|ALTER\s+SYSTEM\b|(?:CREATE|DROP|ALTER)\s+TABLESPACE\b"
    r"|(?:ALTER|DROP)\s+(?:ROLE|USER|GROUP)\s+(?!MAPPING\b)|COPY\s.*\b(?:FROM|TO)\s+(?:PROGRAM\b|E?')"
    r"|(?:CREATE|ALTER)\s+SUBSCRIPTION\b(?!.*\bconnect\s*=\s*false)|IMPORT\s+FOREIGN\s+SCHEMA\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Script:
    """What psql is given.

    Args:
        text: as many lines as the file has, so that errors name them.
        refused: lines that reach outside of the database.
        roles: their names, which it would create.
    """

    text: str
    refused: tuple[str, ...]
    roles: tuple[str, ...]


def read(text: str, timeouts: bool) -> Script:
    """Return a script without the lines that are not of one database.

    Args:
        text: of the file.
        timeouts: the server has transaction_timeout.
    """
    kept, refused, roles, databases = list[str](), list[str](), list[str](), set[str]()
    for line, is_statement in _lines(text):
        found = _LEFT_OUT.match(line) if is_statement else None
        if found and found["setting"] and timeouts:
            found = None
        if found and found["role"]:
            roles.append(found["role"])
        another = bool(found and found["database"] and databases - {found["database"]})
        if found and found["database"]:
            databases.add(found["database"])
        if another or (is_statement and _REFUSED.match(line)):
            refused.append(line)
        kept.append("" if found else line)
    return Script("\n".join(kept), tuple(refused), tuple(roles))


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each line; whether a statement or a command of psql can begin there: not in data, nor in a body."""
    is_data, tag = False, ""
    for line in text.split("\n"):
        yield line, not is_data and not tag
        if is_data:
            is_data = line.rstrip() != "\\."
            continue
        is_data = not tag and bool(_DATA.match(line))
        for found in _TAG.findall(line):
            tag = "" if found == tag else tag or found
