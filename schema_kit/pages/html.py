"""HTML by small functions: whatever is not marked as HTML is text, and escaped. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from schema_kit.names import QualifiedName

# Controls are not allowed in HTML, and those that turn the direction of a text would turn what follows a name.
_NOT_SHOWN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


class Html(str):
    """Text that is HTML."""

    __slots__ = ()


Child = str | Iterable["Child"] | None
"""What an element holds: text, HTML, several of those, or nothing."""


def text(value: str) -> Html:
    """Text as HTML."""
    return value if isinstance(value, Html) else Html(escape(_NOT_SHOWN.sub("\ufffd", value)))


def tag(element: str, /, *children: Child, **attributes: str | float | None) -> Html:
    """Return an element.

    Args:
        element: its name.
        children: what it holds; None is left out.
        attributes: ``class_`` is class, ``aria_label`` is aria-label; None is left out.
    """
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    said = "".join(f' {key}="{text(str(value))}"' for key, value in given.items())
    return Html(f"<{element}{said}>" if element == "meta" else f"<{element}{said}>{joined(children)}</{element}>")


def joined(children: Iterable[Child]) -> Html:
    """Several children as one."""
    return Html(
        "".join(text(child) if isinstance(child, str) else joined(child) for child in children if child is not None)
    )


def name(of: QualifiedName | str) -> Html:
    """Return the name of a table, that keeps the direction of its letters to itself."""
    return tag("bdi", str(of), class_="name")


def code(said: str) -> Html:
    """Return what is typed, or a statement."""
    return tag("code", said, dir="ltr")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Args:
        title: its heading.
        number: its cells stand to the right.
        wide: its cells take the whole width on a phone.
    """

    title: str
    number: bool = False
    wide: bool = False


def numbers(*titles: str) -> list[Column]:
    """Several columns of numbers."""
    return [Column(title, number=True) for title in titles]


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[Child]]) -> Html:
    """A table, its first cells heading their rows; on a narrow screen each row is a block, with the headings in it.

    Args:
        caption: what it shows.
        columns: its headings.
        rows: the cells.
    """

    def cell(column: Column, child: Child, first: bool) -> Html:
        classes = " ".join(filter(None, ("number" * column.number, "wide" * column.wide))) or None
        if first:
            return tag("th", child, scope="row", role="rowheader")
        return tag("td", child, class_=classes, data_label=column.title, role="cell")

    body = [tag("tr", (cell(columns[n], child, n == 0) for n, child in enumerate(row)), role="row") for row in rows]
    if not body:
        return Html("")
    head = (
        tag("th", one.title, scope="col", role="columnheader", class_="number" if one.number else None)
        for one in columns
    )
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", head, role="row"), role="rowgroup"),
        tag("tbody", body, role="rowgroup"),
        role="table",
    )


def section(key: str, title: str, *children: Child) -> Html:
    """Return a part of the page, that its heading names."""
    return tag("section", tag("h2", title, id=f"{key}-title"), *children, id=key, aria_labelledby=f"{key}-title")


def paragraph(*children: Child, class_: str | None = None) -> Html:
    """Return a paragraph."""
    return tag("p", *children, class_=class_)


def items(children: Iterable[Child], class_: str | None = None) -> Html:
    """Return a list; nothing where it is empty."""
    found = [tag("li", child) for child in children]
    return tag("ul", found, class_=class_) if found else Html("")
