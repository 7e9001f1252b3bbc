"""Events of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schema_kit.steps import Step


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step is about to be sent."""

    step: Step


@dataclass(frozen=True, slots=True)
class StepProgress:
    """A step is in progress; `state` says how far: rows that were changed, or blocks of an index build."""

    step: Step
    state: str
    share: float | None = None
    """Of all there is to do, from 0 to 1, where that is known."""


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step is committed, after `seconds`."""

    step: Step
    seconds: float
    rows: int = 0
    """That it has changed, as far as it counts them."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A try gave up its place in the queue and comes again after `pause` seconds."""

    step: Step
    blockers: tuple[str, ...]
    pause: float
    attempt: int


@dataclass(frozen=True, slots=True)
class Blocked:
    """A step that was sent waits for others, for so many seconds now; it blocks no session needlessly."""

    step: Step
    blockers: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Noted:
    """Something is left alone, and `text` says why."""

    step: Step
    text: str


Event = StepStarted | StepProgress | StepDone | Waiting | Blocked | Noted
Emit = Callable[[Event], None]
