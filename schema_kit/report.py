"""Report events: on a terminal with bars, as JSON lines for machines, or through logging for Alembic."""

from __future__ import annotations

import json
import logging
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from schema_kit.execute import Blocked, Emit, Event, Noted, StepDone, StepProgress, StepStarted, Waiting
from schema_kit.stderr import say


def sentence(event: Event) -> str:
    """Return one line of text."""
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
            who = "; ".join(blockers) or "no blocking session is seen"
            after = f" after try {attempt}" if attempt else ""
            return f"waiting {pause:.1f} s{after} to {step.summary}: {who}"
        case Blocked(step, blockers, seconds):
            return f"waiting for {seconds:.0f} s now to {step.summary}: {'; '.join(blockers)}"


_PROGRESS_SECONDS = 5.0
"""Between two lines that say how far a step is, without a progress bar."""

_told = 0.0


def to_logging(event: Event) -> None:
    """Through the logger schema_kit: no second line for short steps, and how far a long one is each few seconds."""
    level, text = _line(event)
    if text:
        logging.getLogger("schema_kit").log(level, "%s", text)


def to_alembic(event: Event) -> None:
    """The same under Alembic's commands: in its format on stderr, where the user's alembic.ini has no logger for it.

    On a terminal, how far a step is stands in a line that is written over; elsewhere it is a line each few seconds.
    """
    if sys.stderr is not None and sys.stderr.isatty():
        clear()
        if isinstance(event, StepProgress):
            _overwrite(with_bar(event, sys.stderr.encoding))
            return
    log = logging.getLogger("schema_kit")
    if log.level or log.isEnabledFor(logging.INFO):
        to_logging(event)
        return
    level, text = _line(event)
    if text and level >= logging.INFO:
        say(f"{logging.getLevelName(level):5.5} [schema_kit] {text}\n")


def refusal_to_alembic(text: str) -> None:
    """Say on stderr, too, what Alembic prints on stdout: where a logger is configured, it does so itself."""
    if not logging.getLogger("schema_kit").hasHandlers():
        say(f"ERROR [schema_kit] {text}\n")


_written_over = False
"""Whether the cursor stands behind a line that goes with the next one."""


def clear() -> None:
    """Take away the line that says how far a step is, before anything else is written."""
    global _written_over
    if _written_over:
        _written_over = False
        say("\r\x1b[K")


def _overwrite(text: str) -> None:
    global _written_over
    _written_over = True
    say(text[: max(shutil.get_terminal_size().columns, 20) - 1])


_BAR_WIDTH = 20


def with_bar(event: StepProgress, encoding: str | None) -> str:
    """Return how far a step is: a bar, where its share is known, then what it does, and its state."""
    if event.share is None:
        return sentence(event)
    full, empty = ("█", "░") if (encoding or "").lower().startswith("utf") else ("#", ".")
    count = round(min(max(event.share, 0.0), 1.0) * _BAR_WIDTH)
    return f"{full * count}{empty * (_BAR_WIDTH - count)} {event.share:4.0%} {sentence(event)}"


def _line(event: Event) -> tuple[int, str]:
    """Return a level and a text; none for what is not worth a line."""
    global _told
    if isinstance(event, Waiting | Blocked):
        return logging.WARNING, sentence(event)
    if isinstance(event, StepDone):
        return logging.INFO, f"  {event.seconds:.1f} s" if event.seconds >= 1 else ""
    if isinstance(event, StepProgress):
        if time.monotonic() - _told < _PROGRESS_SECONDS:
            return logging.DEBUG, sentence(event)
        _told = time.monotonic()
    return logging.INFO, sentence(event)


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
    plain = (sys.stderr.encoding or "utf-8").lower().replace("-", "") != "utf8"
    sys.stderr.write(json.dumps(line, ensure_ascii=plain) + "\n")  # in one write: several may tell at a time


@contextmanager
def terminal() -> Iterator[Emit]:
    """Waits and notes on stderr; where that is a terminal, a line for each step, with a spinner and a count, too."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    watched = console.is_terminal
    with console.status("") as status:

        def emit(event: Event) -> None:
            if isinstance(event, Waiting | Blocked | Noted) or (watched and isinstance(event, StepDone)):
                console.print(sentence(event), markup=False)
            else:
                text = with_bar(event, console.encoding) if isinstance(event, StepProgress) else sentence(event)
                status.update(text.replace("[", r"\["))

        yield emit
