"""What a step says of itself names attributes that it has."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from string import Formatter
from typing import Any, get_type_hints

import pytest

from schema_kit import steps
from schema_kit.steps import Step

pytestmark = pytest.mark.steps

for module in pkgutil.iter_modules(steps.__path__, "schema_kit.steps."):
    importlib.import_module(module.name)


def _below(cls: type[Step]) -> set[type[Step]]:
    return {cls}.union(*(_below(one) for one in cls.__subclasses__()))


STEPS = sorted(
    (
        one
        for one in _below(Step)
        if one.__module__.startswith(steps.__name__) and one.__name__[0] != "_" and one.sql is not Step.sql
    ),
    key=lambda one: one.__qualname__,
)


def _type(owner: Any, name: str) -> Any:
    """Of an attribute: a field's, or what a property returns."""
    if name in get_type_hints(owner):
        return get_type_hints(owner)[name]
    found = getattr(owner, name)
    assert isinstance(found, property)
    return get_type_hints(found.fget)["return"]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__qualname__)
def test_it_says_something_of_what_it_has(step: type[Step]) -> None:
    own = next(one for one in step.__mro__ if "says" in vars(one) or "summary" in vars(one))
    assert own is not Step, "it says nothing"
    assert not {"says", "summary"} <= vars(own).keys(), "one of both is never read"
    if "summary" in vars(own):
        return
    assert step.summary is Step.summary, "a class between has a summary that hides what this one says"
    for _, path, _, _ in Formatter().parse(step.says):
        first, *names = path.split(".") if path else ["self"]
        assert first == "self"
        owner: Any = step
        for name in names:
            assert dataclasses.is_dataclass(owner), f"{path}: {owner}"
            owner = _type(owner, name)
