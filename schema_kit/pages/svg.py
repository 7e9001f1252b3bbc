"""Pictures as inline SVG: shapes grow with the page, text keeps its size; each has a title and a description. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schema_kit.pages.html import Child, Html, tag

WIDTH, HEIGHT = 1000, 100
"""Of the area that shapes are drawn in, whatever it measures on the screen."""

Point = tuple[float, float]
"""Shares of the width, from the left, and of the height, from below."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark on an axis: where, as a share of it, and what stands there."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from *left* to *right*, *height* high: shares of the whole."""

    left: float
    right: float
    height: float


def picture(key: str, title: str, said: str, height: int, *children: Child, class_: str = "picture") -> Html:
    """Return a picture as wide as its place.

    Args:
        key: an id that no other picture has.
        title: what it is of.
        said: what it shows, for those who do not see it.
        height: pixels.
        children: shapes and text.
        class_: for the style.
    """
    return tag(
        "svg",
        tag("title", title, id=f"{key}-t"),
        tag("desc", said, id=f"{key}-d"),
        *children,
        id=key,
        role="img",
        aria_labelledby=f"{key}-t {key}-d",
        class_=class_,
        width="100%",
        height=height,
    )


def area(key: str, top: int, height: int, *shapes: Child) -> Html:
    """Return where shapes are drawn, *height* pixels high from *top*; it stretches."""
    box = f"0 0 {WIDTH} {HEIGHT}"
    drawn = tag("symbol", *shapes, id=key, viewBox=box, preserveAspectRatio="none")
    return Html(drawn + tag("use", href=f"#{key}", y=top, width="100%", height=height))


def bars(class_: str, found: Iterable[Bar], fill: str | None = None) -> Html:
    """Bars of one kind, as one shape."""
    said = "".join(map(_bar, found))
    return tag("path", d=said, class_=class_, fill=fill) if said else Html("")


def _bar(one: Bar) -> str:
    left, right, top = _short(one.left * WIDTH), _short(one.right * WIDTH), _short(HEIGHT * (1 - one.height))
    return f"M{left} {HEIGHT}V{top}H{right}V{HEIGHT}z"


def line(class_: str, points: Sequence[Point]) -> Html:
    """Return a line through points."""
    return tag("path", d=_through(points), class_=class_) if len(points) > 1 else Html("")


def band(class_: str, low: Sequence[Point], high: Sequence[Point]) -> Html:
    """Return what lies between two lines."""
    return tag("path", d=f"{_through([*low, *reversed(high)])}z", class_=class_) if len(low) > 1 else Html("")


def across(class_: str, at: float) -> Html:
    """Return a line from the left to the right."""
    return line(class_, [(0, at), (1, at)])


def upright(class_: str, at: float) -> Html:
    """Return a line from the bottom to the top."""
    return line(class_, [(at, 0), (at, 1)])


def below(marks: Sequence[Mark], y: int) -> list[Html]:
    """Return the labels of the axis from left to right; of many every second is left out on a narrow screen."""
    often = len(marks) > 4
    return [label(one.label, one.at, y, "tick wide" if often and n % 2 else "tick") for n, one in enumerate(marks)]


def label(said: str, at: float, y: float, class_: str = "tick", anchor: str = "") -> Html:
    """Text at a share of the width; near the edges it stays inside."""
    anchor = anchor or ("start" if at < 0.04 else "end" if at > 0.96 else "middle")
    return tag("text", said, x=f"{_short(100 * at)}%", y=_short(y), class_=class_, text_anchor=anchor)


def stripes(key: str) -> Html:
    """Return a pattern for what is due: not by its colour alone is it distinct from the rest."""
    stroke = tag("path", d=f"M1 0V{HEIGHT}", class_="stripe")
    return tag("pattern", stroke, id=key, width=5, height=HEIGHT, patternUnits="userSpaceOnUse")


def spark(key: str, title: str, said: str, past: Sequence[float], ahead: Sequence[float]) -> Html:
    """Return a small line: what was, and dashed what is to be expected."""
    most, steps = max([*past, *ahead, 0.0]) or 1.0, max(len(past) + len(ahead) - 1, 1)
    points = [(n / steps, 0.06 + 0.88 * max(value, 0) / most) for n, value in enumerate([*past, *ahead])]
    return picture(
        key,
        title,
        said,
        28,
        area(f"{key}-a", 0, 28, line("past", points[: len(past)]), line("ahead", points[len(past) - 1 :])),
        class_="spark",
    )


def _through(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{_short(x * WIDTH)} {_short(HEIGHT * (1 - y))}" for x, y in points)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
