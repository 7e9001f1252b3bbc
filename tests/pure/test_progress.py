"""How far a step is: one line that is written over on a terminal, a line each few seconds elsewhere."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from schema_kit import report
from schema_kit.execute import StepDone, StepProgress, StepStarted
from schema_kit.names import QualifiedName
from schema_kit.steps.partitions import Analyze

pytestmark = [pytest.mark.cli]

STEP = Analyze(QualifiedName("s", "t"))


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def told(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(report, "_told", 0.0)
    log = logging.getLogger("schema_kit")
    monkeypatch.setattr(log, "level", logging.NOTSET)
    monkeypatch.setattr(log, "isEnabledFor", lambda level: False)
    for event in (
        StepStarted(STEP),
        StepProgress(STEP, "250 of 1,000 rows", 0.25),
        StepProgress(STEP, "500 of 1,000 rows", 0.5),
        StepDone(STEP, 2.0),
    ):
        report.to_alembic(event)
    return stream.getvalue()


def test_a_terminal_has_a_bar_that_goes_when_the_step_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    text = told(monkeypatch, Terminal())
    first, *over = text.split("\r\x1b[K")
    assert first.startswith("INFO  [schema_kit] ")
    assert first.endswith(f"\n█████░░░░░░░░░░░░░░░  25% {STEP.summary}: 250 of 1,000 rows"[:80])
    assert over[0].startswith("██████████░░░░░░░░░░  50% ")
    assert over[1] == "INFO  [schema_kit]   2.0 s\n"


def test_elsewhere_it_is_a_line_each_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    text = told(monkeypatch, io.StringIO())
    assert text.splitlines() == [
        f"INFO  [schema_kit] {STEP.summary}",
        f"INFO  [schema_kit] {STEP.summary}: 250 of 1,000 rows",
        "INFO  [schema_kit]   2.0 s",
    ]


@pytest.mark.parametrize(("encoding", "text"), [("utf-8", "██████████░░░░░░░░░░  50% "), ("ascii", "##########")])
def test_the_bar_is_of_letters_that_the_terminal_has(encoding: str, text: str) -> None:
    assert report.with_bar(StepProgress(STEP, "half", 0.5), encoding).startswith(text)


def test_where_the_share_is_not_known_there_is_no_bar() -> None:
    assert report.with_bar(StepProgress(STEP, "9 rows"), "utf-8") == f"{STEP.summary}: 9 rows"
