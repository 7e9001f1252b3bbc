"""The page of a report: nothing in it is taken for HTML, a screen reader finds its way, and it stays small."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files

import pytest

from schema_kit.health.finding import Finding as HealthFinding
from schema_kit.health.finding import Repair
from schema_kit.pages.document import document
from schema_kit.pages.facts import PERIODS, Disk, Event, Seen, Statement
from schema_kit.plans.check import Finding
from tests.support.pages import HOSTILE, MB, NOW, Element, database, hostile, odd, partitioned, read, usual

pytestmark = pytest.mark.health

CLEAN = dict.fromkeys(map(ord, "\x01\x9b\u202e\u202c"), "\ufffd")
"""What the page shows instead of controls."""


PAGES: dict[str, Callable[[], Seen]] = {
    "usual": usual,
    "hostile": hostile,
    "daily": lambda: replace(usual(), period=PERIODS["daily"], standby=True),
    "monthly": lambda: replace(usual(), period=PERIODS["monthly"], disk=None, statements=None, statements_note="None."),
    "nothing": lambda: Seen(NOW, PERIODS["weekly"], "empty", "18.1"),
}


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> Element:
    return read(document(PAGES[request.param]()))


def test_names_and_texts_are_shown_and_are_no_html() -> None:
    root = read(document(hostile()))
    kinds = {one.tag for one in root.all()}
    assert not kinds & {"script", "img", "b", "iframe", "object", "link", "form", "image", "foreignobject"}
    shown = root.text
    for text in HOSTILE:
        assert text.translate(CLEAN) in shown
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    assert len(list(root.all("style"))) == 1


def test_nothing_is_loaded_and_nothing_runs(page: Element) -> None:
    ids = {one.attributes["id"] for one in page.all() if "id" in one.attributes}
    for one in page.all():
        assert not [name for name in one.attributes if name.startswith("on") or name in ("src", "style", "srcset")]
        for name in ("href", "xlink:href", "fill"):
            target = one.attributes.get(name, "").removeprefix("url(").removesuffix(")")
            assert not target or target.removeprefix("#") in ids, (one.tag, target)
    css = next(page.all("style")).text
    assert "@import" not in css
    assert "url(" not in css
    policy = next(one for one in page.all("meta") if one.attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy.attributes["content"].startswith("default-src 'none'")


def test_a_screen_reader_finds_its_way(page: Element) -> None:
    (html,) = page.all("html")
    assert html.attributes["lang"] == "en"
    assert [len(list(page.all(tag))) for tag in ("header", "nav", "main", "footer", "h1", "title")][:5] == [1] * 5
    levels = [int(one.tag[1]) for one in page.all("h1", "h2", "h3", "h4")]
    assert all(later <= one + 1 for one, later in itertools.pairwise(levels)), levels
    names = [one.attributes["id"] for one in page.all() if "id" in one.attributes]
    assert len(names) == len(set(names))
    by_id = {one.attributes["id"]: one for one in page.all() if "id" in one.attributes}
    for one in page.all("section"):
        assert by_id[one.attributes["aria-labelledby"]].tag == "h2"
    for one in page.all("h1", "h2", "h3", "caption", "th", "a", "li", "dt", "dd"):
        assert one.text.strip(), one.tag


def test_tables_have_captions_and_their_cells_have_headings(page: Element) -> None:
    for table in page.all("table"):
        assert table.children[0].tag == "caption"
        assert table.children[0].text.strip()
        head, *body = table.all("tr")
        assert {one.attributes["scope"] for one in head.all("th")} == {"col"}
        titles = [one.text for one in head.all("th")]
        for row in body:
            first, *cells = row.all("th", "td")
            assert (first.tag, first.attributes["scope"]) == ("th", "row")
            assert [one.attributes["data-label"] for one in cells] == titles[1:]


def test_pictures_have_titles_and_say_what_they_show(page: Element) -> None:
    for picture in page.all("svg"):
        assert picture.attributes["role"] == "img"
        title, said = next(iter(picture.all("title"))), next(iter(picture.all("desc")))
        assert picture.attributes["aria-labelledby"] == f"{title.attributes['id']} {said.attributes['id']}"
        assert title.text.strip()
        assert said.text.strip()
        for label in picture.all("text"):
            assert 0 <= float(label.attributes["x"].removesuffix("%")) <= 100
        for shape in picture.all("path"):
            numbers = [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", shape.attributes["d"])]
            assert all(-1 <= one <= 1001 for one in numbers)


def test_partitions_of_every_kind_are_drawn() -> None:
    """Of hours, of ids, without an end, to the end of the calendar, with gaps, and a table that has none."""
    root = read(document(database(*odd())))
    drawn = {one.attributes["id"] for one in root.all("svg")}
    assert len([key for key in drawn if key.startswith("s")]) == len(odd())
    assert "without an end" in root.text
    assert "1,000 ids each" in root.text


def test_colour_is_never_alone() -> None:
    root = read(document(usual()))
    badges = {one.text for one in root.all("span") if "badge" in one.attributes.get("class", "")}
    assert badges <= {"broken", "due", "notice"}
    assert "striped" in root.text
    assert "dashed" in root.text


def luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_stands_out_from_its_ground_in_light_and_in_dark() -> None:
    css = files("schema_kit.pages").joinpath("page.css").read_text("utf-8")
    palettes = [dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in re.findall(r":root \{([^}]*)\}", css)]
    assert len(palettes) == 3
    for own in palettes:
        palette = dict(own.items())
        ground = palette.get("paper", "#ffffff")
        for text in ("ink", "soft", "blue", "broken", "due", "good"):
            on = palette.get(f"{text}-paper", ground)
            pair = sorted((luminance(palette.get(text, "#000000")), luminance(on)), reverse=True)
            assert (pair[0] + 0.05) / (pair[1] + 0.05) >= 4.5, (text, own)


def test_the_first_screen_says_what_needs_action() -> None:
    seen = usual()
    root = read(document(seen))
    action, figures, *_ = root.all("section")
    assert action.attributes["id"] == "action"
    assert next(one.text for one in action.all("span") if "badge" in one.attributes.get("class", "")) == "broken"
    assert "index i is not valid." in action.text
    assert "2 partitions of app.messages are missing" in action.text
    assert "Disk full" in figures.text
    calm = replace(seen, partitions=(), health=())
    assert "Nothing is broken and nothing is due." in document(calm)
    near = replace(calm, disk=Disk(seen.bytes + 100 * MB, seen.bytes, "--disk"))
    assert re.search(r"The disk is full on \d+ \w{3} 202\d", next(read(document(near)).all("section")).text)
    far = replace(calm, disk=Disk(10**15, seen.bytes, "--disk"))
    assert "not in 5 years" in document(far)
    assert "--disk 500GB" in document(replace(calm, disk=None))


def test_findings_of_one_kind_are_one_line_of_action() -> None:
    more = [Finding("gap", f"app.t{n}", "", f"app.t{n} has a gap.") for n in range(30)]
    action = next(read(document(replace(usual(), partitions=more, health=()))).all("section"))
    assert len(list(action.all("li"))) == 1
    assert "And 29 more like it." in action.text


def test_a_thousand_tables_fit_and_what_is_left_out_is_counted() -> None:
    long = "ตาราง" * 4
    sets = [partitioned(f"{long}{n}", months=6, size=lambda month: month * MB, retention="6 months") for n in range(20)]
    sets = [
        replace(one, policy=replace(one.policy, parent=one.policy.parent.sibling(f"{long}{n}_{k}")))
        for k in range(50)
        for n, one in enumerate(sets)
    ]
    seen = database(*sets, plain=1000)
    said = "a sentence that names <tables> & more: " + long * 20
    seen = replace(
        seen,
        partitions=[Finding("gap", f"app.{long}{n}", "", said) for n in range(1000)],
        health=[HealthFinding("index_invalid", one.policy.parent, "i", said, Repair(said)) for one in sets],
        statements=[Statement("<" * 4000, 2, 1.0, 0.1, 1.0, 1.0)] * 40,
        events=[Event(NOW - timedelta(hours=n), "retired", long, said) for n in range(1000)],
        notes=[said] * 3,
    )
    page = document(seen)
    assert len(page.encode()) <= 300_000
    text = read(page).text
    for what in ("tables more", "partitioned tables more", "findings more", "acts more"):
        assert re.search(rf"And [\d,]+ {what}", text), what
