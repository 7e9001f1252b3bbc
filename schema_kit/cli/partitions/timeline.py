"""``schema_kit partitions timeline``: a picture in the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import click

from schema_kit import execute
from schema_kit.cli.jobs import fail
from schema_kit.cli.output import echo_json, wrapped
from schema_kit.cli.policies import policies
from schema_kit.cli.run import Run, looks
from schema_kit.errors import PlanError
from schema_kit.intervals import Point
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.plans.timeline import Segment, Timeline, folded, timeline, together
from schema_kit.sizes import pretty
from schema_kit.tasks.retirement import archives_of

_STYLES = {
    "current": "bold green",
    "premade": "cyan",
    "gap": "bold red",
    "missing": "bold red",
    "due": "yellow",
    "to archive": "yellow",
    "detach pending": "yellow",
    "default": "magenta",
}
_MARKS = {"current": ">", "gap": "!", "missing": "!", "due": "-", "to archive": "-", "detach pending": "-"}
_COUNTED = ("premade", "missing", "to archive", "due", "detach pending")
_NARROWEST, _WIDEST = 60, 200
_TWO_BARS = 80
"""From how many columns on the rows have a bar, too."""


@click.command("timeline")
@looks("text", "json")
def command(run: Run) -> None:
    """Draw partitions over time, with sizes and rows as bars, gaps and due work.

    Partitions that are due to be retired and those that are due to go to an archive are marked differently. Where no
    TABLE is named, archives with a retention of their own are drawn, too. Long runs of partitions are folded into one
    line, which says how many they are and what they hold; --format json has each of them. The picture is as wide as the
    terminal, between 60 and 200 columns; without one, 80 or COLUMNS.

    Example: schema_kit partitions timeline rag_chat.messages
    """
    wanted = policies(run.catalog, Partitioning, run.tables)
    wanted += [] if run.tables else archives_of(run.catalog, *wanted)
    sets = run.catalog.watched(wanted, execute.not_observed, measured=True)
    drawn = [timeline(seen) for seen in sets]
    if run.form == "json":
        echo_json({"sets": [_as_json(one) for one in drawn]})
    else:
        _draw(drawn)
    if not drawn:
        click.echo("no partitioned sets are registered", err=True)
    troubles = [PlanError(f"{one.policy.parent}: {said}") for one in drawn for said in one.trouble]
    fail(troubles, [one for one in drawn if one.lines])


def _as_json(one: Timeline) -> dict[str, Any]:
    return {
        "parent": str(one.policy.parent),
        "control": one.policy.control,
        "interval": one.policy.interval,
        "timezone": one.policy.timezone,
        "premake": one.policy.premake,
        "retention": one.policy.retention,
        "next_to_go": _next(one, one.next_to_go),
        "archive": str(one.archive.archive) if one.archive else None,
        "archive_after": one.archive.archive_after if one.archive else None,
        "next_to_archive": _next(one, one.next_to_archive),
        "trouble": list(one.trouble),
        "segments": [
            {
                "state": segment.state,
                "name": str(segment.name) if segment.name else None,
                "from": _shown(one, segment.range.lower, "MINVALUE") if segment.state != "default" else None,
                "to": _shown(one, segment.range.upper, "MAXVALUE") if segment.state != "default" else None,
                "windows": segment.windows,
                "rows": segment.rows,
                "bytes": segment.bytes if segment.bytes >= 0 else None,
            }
            for segment in one.segments
        ],
    }


def _next(one: Timeline, next_: tuple[QualifiedName, Point] | None) -> dict[str, str] | None:
    return {"name": str(next_[0]), "at": _shown(one, next_[1], "")} if next_ else None


def _shown(one: Timeline, point: Point | None, end: str) -> str:
    assert one.lines is not None  # there are segments
    return end if point is None else one.lines.shown(point)


def _draw(drawn: Sequence[Timeline]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False)
    width = min(max(console.width, _NARROWEST), _WIDEST)
    bars = _BLOCKS if (console.encoding or "").lower().startswith("utf") else _ASCII
    for one in drawn:
        policy = one.policy
        head = f"by {policy.control}, every {policy.interval}, {policy.timezone}, premake {policy.premake}"
        named = Text(wrapped(f"{policy.parent}  {head}"))
        named.stylize("bold", 0, len(str(policy.parent)))
        console.print(named, soft_wrap=True)
        if one.segments:
            for line in _summary(one).splitlines():
                console.print(Text(wrapped(f"  {line.strip()}", "  ")), soft_wrap=True)
        for text, style in _lines(one, width, bars, whole=not console.is_terminal):
            console.print(Text(text, style=style), soft_wrap=True)
        console.print()


def _summary(one: Timeline) -> str:
    everything = [segment for segment in one.segments if segment.partitions]
    states = Counter(segment.state for segment in one.segments)
    known = [segment.rows for segment in everything if segment.rows is not None]
    rows = f"about {sum(known):,} rows" + ("" if len(known) == len(everything) else " where analyzed")
    said = [_plural(len(everything), "partition"), pretty(together(everything).bytes if everything else 0), rows]
    said += [f"{states[state]} {state}" for state in _COUNTED if states[state]]
    said += [_plural(states["gap"], "gap")] if states["gap"] else []
    text = ", ".join(said)
    if one.next_to_go:
        name, point = one.next_to_go
        text += f"\n  retention {one.policy.retention} takes {name} next, at {_shown(one, point, '')}"
    if one.archive and one.next_to_archive:
        name, point = one.next_to_archive
        text += f"\n  archive after {one.archive.archive_after} takes {name} next, at {_shown(one, point, '')}"
    return text


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


_BLOCKS = "▏▎▍▌▋▊▉█"
_ASCII = "#"


def bar(value: int, most: int, width: int, blocks: str) -> str:
    """As long as *value* is against *most*; what is more than nothing shows."""
    if value <= 0 or most <= 0:
        return ""
    parts = max(1, value * width * len(blocks) // most)
    full, rest = divmod(parts, len(blocks))
    return blocks[-1] * full + (blocks[rest - 1] if rest else "")


def _lines(one: Timeline, width: int, blocks: str, *, whole: bool = False) -> Iterator[tuple[str, str]]:
    from rich.cells import cell_len, set_cell_size

    shown = folded(one.segments)
    if not shown:
        return
    single = [segment for segment in one.segments if segment.partitions == 1]
    most_bytes = max((segment.bytes for segment in single), default=0)
    most_rows = max((segment.rows or 0 for segment in single), default=0)
    begins = [_begin(one, segment) for segment in shown]
    said = [_said(segment, one.policy.parent.schema) for segment in shown]
    if blocks == _ASCII:
        said = [words.replace("…", "...") for words in said]
    begin_width = max(map(cell_len, begins))
    room = width - begin_width - 27  # the mark, two figures, and what stands between
    names_width = min(max(map(cell_len, said)), max(18, room // 2))
    bars = max(room - names_width - 2, 6)
    first = bars if width < _TWO_BARS else (bars + 1) // 2
    for segment, begin, words in zip(shown, begins, said, strict=True):
        mark = _MARKS.get(segment.state, " ")
        alone = segment.partitions == 1
        cells = [
            mark,
            set_cell_size(begin, begin_width),
            set_cell_size(bar(segment.bytes, most_bytes, first, blocks) if alone else "", first),
            f"{pretty(segment.bytes):>10}" if segment.partitions else " " * 10,
            set_cell_size(bar(segment.rows or 0, most_rows, bars - first, blocks) if alone else "", bars - first),
            f"{_short(segment.rows):>7}" if segment.partitions else " " * 7,
            words
            if whole or cell_len(words) <= names_width
            else set_cell_size(words, names_width - 1) + ("~" if blocks == _ASCII else "…"),
        ]
        yield " ".join(cells).rstrip(), _STYLES.get(segment.state, "")


def _begin(one: Timeline, segment: Segment) -> str:
    return "DEFAULT" if segment.state == "default" else _shown(one, segment.range.lower, "MINVALUE")


def _said(segment: Segment, schema: str) -> str:
    if segment.state in ("gap", "missing"):
        return f"{segment.state}, {_plural(segment.windows, 'window')}"
    if segment.name:
        name = str(segment.name) if segment.name.schema != schema else segment.name.name
        return name if segment.state == "past" else f"{segment.state}, {name}"
    held = [_plural(segment.partitions, "partition")] if segment.partitions else []
    held += [f"{segment.windows:,} ranges without"] if segment.windows else []
    return f"… {', '.join(held)}" + (f", {segment.state}" if segment.state not in ("past", "several") else "")


def _short(count: int | None) -> str:
    """Return ``1.2 M``; a question mark where it was never analyzed."""
    if count is None:
        return "?"
    for unit, least in ((" G", 10**9), (" M", 10**6), (" k", 10**4)):
        if count >= least:
            scaled = count / (1000 if unit == " k" else least)
            return f"{scaled:.1f}{unit}" if scaled < 100 else f"{scaled:.0f}{unit}"
    return f"{count:,}"
