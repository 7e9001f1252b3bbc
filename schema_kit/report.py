"""Events, told: on a terminal with bars, as JSON lines for machines, or through logging for Alembic."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from schema_kit.execute import Blocked, Emit, Event, Noted, StepDone, StepProgress, StepStarted, Waiting


def sentence(event: Event) -> str:
    """One line of text."""
    match event:
        case StepStarted(step):
            return step.summary
        case StepProgress(step, state):
            return f"{step.summary}: {state}"
        case StepDone(step, seconds):
            return f"done in {seconds:.2f} s: {step.summary}"
        case Noted(_, text):
            return text
        case Waiting(step, blockers, pause, attempt):
            who = "; ".join(blockers) or "nobody is seen who is in the way"
            after = f" after try {attempt}" if attempt else ""
            return f"waiting {pause:.1f} s{after} to {step.summary}: {who}"
        case Blocked(step, blockers, seconds):
            return f"waiting for {seconds:.0f} s now to {step.summary}: {'; '.join(blockers)}"


def to_logging(event: Event) -> None:
    """Under Alembic: its own log format, and no second line for short steps."""
    log = logging.getLogger("schema_kit")
    if isinstance(event, Waiting | Blocked | Noted):
        log.warning(sentence(event))
    elif isinstance(event, StepStarted):
        log.info(sentence(event))
    elif isinstance(event, StepDone) and event.seconds >= 1:
        log.info("  %.1f s", event.seconds)
    elif isinstance(event, StepProgress):
        log.debug(sentence(event))


def to_json(event: Event) -> None:
    """JSON lines on stderr; stdout stays for data."""
    line: dict[str, Any] = {"event": type(event).__name__, "step": event.step.summary}
    match event:
        case Noted(_, text):
            line = {"event": "Noted", "text": text}
        case StepProgress(_, state, share):
            line |= {"state": state, "share": share}
        case StepDone(_, seconds):
            line["seconds"] = round(seconds, 3)
        case Waiting(_, blockers, pause, attempt):
            line |= {"blockers": list(blockers), "pause": round(pause, 3), "attempt": attempt}
        case Blocked(_, blockers, seconds):
            line |= {"level": "warning", "blockers": list(blockers), "seconds": round(seconds, 3)}
    sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")  # in one write: several may tell at a time


@contextmanager
def terminal() -> Iterator[Emit]:
    """A line for each step on stderr, with a spinner and a count while it runs where stderr is a terminal."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with console.status("") as status:

        def emit(event: Event) -> None:
            if isinstance(event, StepDone | Waiting | Blocked | Noted):
                console.print(sentence(event), markup=False)
            else:
                status.update(sentence(event).replace("[", r"\["))

        yield emit
