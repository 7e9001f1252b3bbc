"""Statements that are asked of production: from a file, from a log of PostgreSQL; pure."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

SETS = 4
"""How many groups of values a statement is judged with, at most."""

_TOKEN = re.compile(
    r"[eE]'(?:\\.|''|[^'\\])*'"
    r"|'(?:[^']|'')*'"
    r"|\"(?:[^\"]|\"\")*\""
    r"|--[^\n]*|/\*.*?\*/"
    r"|\$(?P<tag>[A-Za-z_]\w*|)\$.*?\$(?P=tag)\$"
    r"|\$(?P<place>\d+)"
    r"|%\((?P<named>\w+)\)s|%s"
    r"|(?<![:\w\]]):(?P<colon>[A-Za-z_]\w*)"
    r"|[A-Za-z_][\w$]*"
    r"|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
    r"|;",
    re.DOTALL,
)
_TYPED = re.compile(
    r"\b(interval|timestamptz|timestamp(?:\s+with(?:out)?\s+time\s+zone)?|date|time)\s+(\$\d+)", re.IGNORECASE
)
_CALLS = re.compile(r"--\s*calls(?: a day)?:\s*([\d_.]+)", re.IGNORECASE)

Values = tuple[str | None, ...]
Given = TypeVar("Given", str, Values)


@dataclass(frozen=True)
class Statement:
    """A statement, whatever its values.

    Args:
        shown: without its values: ``?`` stands for each.
        text: with ``$1`` where it has parameters.
        calls: in a day.
        sets: values of its parameters, as text; none: they are taken from the statistics.
        seconds: that it takes in a day, where that is known.
        texts: the same with other literals.
    """

    shown: str
    text: str
    calls: float = 1.0
    sets: tuple[Values, ...] = ()
    seconds: float = 0.0
    texts: tuple[str, ...] = ()


def made(text: str, calls: float = 1.0, values: Values | None = None, seconds: float = 0.0) -> Statement:
    """Return a statement of a text, whatever marks its parameters: ``$1``, ``:name``, ``%(name)s`` or ``%s``."""
    text = numbered(text.strip().rstrip(";").strip())
    return Statement(shown(text), text, calls, (values,) if values else (), seconds, (text,))


def numbered(text: str) -> str:
    """Return the text with ``$1``, ``$2``, ... for parameters, and ``$1::interval`` for ``interval $1``."""
    names = list[str]()

    def place(found: re.Match[str]) -> str:
        name = found["named"] or found["colon"]
        if found[0] == "%s":
            names.append("")
            return f"${len(names)}"
        if name is None:
            return found[0]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _TYPED.sub(r"\2::\1", _TOKEN.sub(place, text))


def parameters(text: str) -> int:
    """Return how many parameters a text has."""
    return max((int(found["place"]) for found in _TOKEN.finditer(text) if found["place"]), default=0)


def bound(text: str, values: Sequence[str]) -> str:
    """Return the text with SQL in place of its parameters."""
    return _TOKEN.sub(lambda found: values[int(found["place"]) - 1] if found["place"] else found[0], text)


def parsable(text: str) -> str:
    """Return the text with ``:p1`` for ``$1``, as sqlglot reads it."""
    return _TOKEN.sub(lambda found: f":p{found['place']}" if found["place"] else found[0], text)


def shown(text: str) -> str:
    """Return the text without values and comments, in one line."""

    def masked(found: re.Match[str]) -> str:
        piece = found[0]
        if piece[:2] in ("--", "/*"):
            return " "
        word = piece[0].isalpha() and piece[:2].lower() != "e'"
        return piece if word or piece[0] in '_";:' else "?"

    return re.sub(r"\?(?:, ?\?)+", "?, ...", " ".join(_TOKEN.sub(masked, text).split()))


def grouped(found: Iterable[Statement]) -> list[Statement]:
    """One statement for those that differ in their values alone."""
    groups = dict[str, list[Statement]]()
    for one in found:
        groups.setdefault(one.shown, []).append(one)
    return [
        Statement(
            name,
            same[0].text,
            sum(one.calls for one in same),
            _spread([values for one in same for values in one.sets if one.text == same[0].text]),
            sum(one.seconds for one in same),
            _spread([one.text for one in same]),
        )
        for name, same in groups.items()
    ]


def _spread(found: list[Given]) -> tuple[Given, ...]:
    """Return some of them: those that come often, and one that does not."""
    counts = Counter(found)
    often: list[Given] = sorted(counts, key=lambda one: -counts[one])
    return tuple(often if len(often) <= SETS else often[: SETS - 1] + often[-1:])


def of_file(text: str) -> list[Statement]:
    """Return statements of a file, each ended by a semicolon; ``-- calls: 1000`` before one says how often a day."""
    found, begin = list[Statement](), 0
    ends = [match.end() for match in _TOKEN.finditer(text) if match[0] == ";"]
    for end in (*ends, len(text)):
        piece, begin = text[begin:end], end
        if asks(piece):
            calls = _CALLS.search(piece)
            found.append(made(piece, float(calls[1].replace("_", "")) if calls else 1.0))
    return grouped(found)


def asks(text: str) -> bool:
    """Return whether a text is a statement that the planner plans."""
    words = shown(text).lstrip("( ").partition(" ")[0].upper()
    return words in ("SELECT", "WITH", "UPDATE", "DELETE", "INSERT", "MERGE", "VALUES", "TABLE")


@dataclass
class _Line:
    """What a line of a log says, with the lines that belong to it."""

    message: str
    detail: str = ""


_LOGGED = re.compile(r"(?:duration: (?P<ms>[\d.]+) ms\s+)?(?:statement|execute [^:]*): (?P<text>.*)", re.DOTALL)
_GIVEN = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")
_LEVEL = re.compile(r"\b(LOG|DETAIL|ERROR|STATEMENT|CONTEXT|HINT|WARNING|FATAL|NOTICE|DEBUG\d?|INFO|PANIC):  ")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d")


def of_log(text: str) -> list[Statement]:
    """Return statements of a log that log_statement or log_min_duration_statement has written: text, CSV or JSON.

    Args:
        text: of the file. Calls are counted over the time between its first and its last line.
    """
    moments = list(_moments(text))
    lines = _json(text) if text.lstrip().startswith("{") else _csv(text) if _is_csv(text) else _plain(text)
    days = 1.0
    if moments:
        days = max((max(moments) - min(moments)).total_seconds(), 3600.0) / 86400
    found = list[Statement]()
    for line in lines:
        logged = _LOGGED.match(line.message)
        if logged and asks(logged["text"]):
            given = _GIVEN.findall(line.detail)
            values = tuple(None if value == "NULL" else value[1:-1].replace("''", "'") for _, value in given)
            seconds = float(logged["ms"] or 0) / 1000 / days
            found.append(made(logged["text"], 1 / days, values or None, seconds))
    return grouped(found)


def _moments(text: str) -> Iterator[datetime]:
    """Yield when each line was written: what stands further on, in a statement, is a value."""
    for line in text.splitlines():
        found = _MOMENT.search(line[:60])
        if found and not line[0].isspace():
            with suppress(ValueError):
                yield datetime.fromisoformat(found[0].replace("T", " "))


def _plain(text: str) -> Iterator[_Line]:
    """Lines of a text log; those that begin with a tab go on."""
    last, level = _Line(""), ""
    for line in text.splitlines():
        if (found := _LEVEL.search(line)) and not line.startswith("\t"):
            level = found[1]
            if level == "DETAIL":
                last.detail += line[found.end() :]
                continue
            if last.message:
                yield last
            last = _Line(line[found.end() :] if level == "LOG" else "")
        elif not line.startswith("\t"):  # an incomplete one, or another program's
            continue
        elif level == "DETAIL":
            last.detail += "\n" + line.removeprefix("\t")
        elif last.message:
            last.message += "\n" + line.removeprefix("\t")
    yield last


def _is_csv(text: str) -> bool:
    return bool(re.match(r"[^,\n]*\d\d:\d\d:\d\d[^,\n]*,", text)) and text.split("\n", 1)[0].count(",") >= 12


def _csv(text: str) -> Iterator[_Line]:
    rows = csv.reader(io.StringIO(text))
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:  # an incomplete line, or one that is too long
            continue
        if len(row) > 14:
            yield _Line(row[13], row[14])


def _json(text: str) -> Iterator[_Line]:
    for line in text.splitlines():
        with suppress(ValueError):  # an incomplete line
            told = json.loads(line)
            if isinstance(told, dict):
                yield _Line(str(told.get("message", "")), str(told.get("detail", "")))
