"""The page of a report in a browser: desktop and phone, light and dark, on paper. Chromium, where it is installed."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
from dataclasses import replace
from html import escape, unescape
from pathlib import Path

import pytest

from schema_kit.names import QualifiedName
from schema_kit.pages.document import document
from schema_kit.pages.facts import Seen
from tests.support.pages import hostile, usual

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.health,
    pytest.mark.exhaustive,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt install chromium, to look at the page in a browser"),
]

WIDTHS = {"desktop": (1280, 900), "phone": (360, 740)}
LIGHT, DARK = "rgb(251, 250, 247)", "rgb(20, 23, 27)"

PROBE = """
<script>
const wide = document.documentElement.clientWidth;
const shown = [...document.body.querySelectorAll("*")].filter(e => e.getClientRects().length && !e.closest("thead"));
parent.document.body.dataset.probe = JSON.stringify({
  wide, whole: document.documentElement.scrollWidth,
  over: shown.filter(e => e.getBoundingClientRect().right > wide + 1).map(e => e.outerHTML.slice(0, 200)),
  cut: [...document.querySelectorAll("svg text")].filter(e => e.getClientRects().length).filter(
    e => e.getBoundingClientRect().left < -1).map(e => e.textContent),
  small: shown.filter(e => parseFloat(getComputedStyle(e).fontSize) < 11).map(e => e.tagName),
  ground: getComputedStyle(document.body).backgroundColor,
  top: document.querySelector("#action").getBoundingClientRect().top,
  height: document.documentElement.scrollHeight,
});
</script>
"""


def browser(folder: Path, page: str, *arguments: str, size: str = "desktop", dark: bool = False) -> str:
    """Open a page in a browser of its own."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    wide, high = WIDTHS[size]
    assert CHROMIUM is not None
    done = subprocess.run(
        [
            CHROMIUM,
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-pdf-header-footer"),
            f"--user-data-dir={folder / 'profile'}",
            f"--window-size={wide},{high}",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            *arguments,
            path.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


def probed(folder: Path, seen: Seen, size: str, dark: bool = False) -> dict[str, object]:
    """What a script finds that is put into the page for that, which itself allows none.

    The page is in a frame of the size that is asked for: a window of Chromium's is never narrower than 500 pixels.
    """
    page = re.sub(r'<meta http-equiv="[^>]*>', "", document(seen)).replace("</body>", f"{PROBE}</body>")
    wide, high = WIDTHS[size]
    frame = f'<iframe width="{wide}" height="{high}" style="border: 0" srcdoc="{escape(page)}"></iframe>'
    dom = browser(folder, f"<!DOCTYPE html><body>{frame}</body>", "--dump-dom", dark=dark)
    probe = re.search(r'<body data-probe="([^"]*)"', dom)
    assert probe is not None, dom[:500]
    found: dict[str, object] = json.loads(unescape(probe[1]))
    return found


def long_names() -> Seen:
    """Names as long as PostgreSQL keeps them, without a place to break."""
    seen = usual()
    name = QualifiedName("s" * 63, "t" * 63)
    return replace(seen, sizes={**seen.sizes, name: seen.sizes[QualifiedName("app", "calm")]}, notes=("n" * 300,))


@pytest.mark.parametrize("size", WIDTHS)
@pytest.mark.parametrize("seen", [usual, hostile, long_names])
def test_nothing_is_wider_than_the_screen_or_too_small_to_read(tmp_path: Path, size: str, seen: object) -> None:
    assert callable(seen)
    found = probed(tmp_path, seen(), size)
    assert found["wide"] == WIDTHS[size][0]
    assert found["whole"] == found["wide"]
    assert (found["over"], found["cut"], found["small"]) == ([], [], [])


@pytest.mark.parametrize("size", WIDTHS)
def test_what_needs_action_is_on_the_first_screen(tmp_path: Path, size: str) -> None:
    found = probed(tmp_path, usual(), size)
    top = found["top"]
    assert isinstance(top, float | int)
    assert top < WIDTHS[size][1] / 2


@pytest.mark.parametrize("dark", [False, True])
def test_it_follows_the_colours_that_the_reader_prefers(tmp_path: Path, dark: bool) -> None:
    assert probed(tmp_path, usual(), "desktop", dark)["ground"] == (DARK if dark else LIGHT)


def test_a_screenshot_shows_it_and_paper_takes_it(tmp_path: Path) -> None:
    page = document(usual())
    for size, (wide, high) in WIDTHS.items():
        shot = tmp_path / f"{size}.png"
        browser(tmp_path, page, f"--screenshot={shot}", size=size)
        assert struct.unpack(">II", shot.read_bytes()[16:24]) == (wide, high)
        assert shot.stat().st_size > 10_000, "more than a blank page"
    paper = tmp_path / "page.pdf"
    browser(tmp_path, page, f"--print-to-pdf={paper}", dark=True)
    pages = len(re.findall(rb"/Type ?/Page\b", paper.read_bytes()))
    assert 2 <= pages <= 12
