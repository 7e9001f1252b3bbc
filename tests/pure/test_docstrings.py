"""The docstring of each operation has all that its reference page is made of."""

from __future__ import annotations

import ast
import inspect
import re

import alembic.op
import pytest

from schema_kit.ops.operation import OPERATIONS
from tools.operations_chapter import EXAMPLES
from tools.reference import PYTHON, docstring

pytestmark = pytest.mark.docs


def calls(code: str) -> list[str]:
    return [ast.unparse(statement) for statement in ast.parse(code).body]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_documents_its_locks_and_each_parameter(name: str) -> None:
    sections = docstring(getattr(alembic.op, name))
    summary = sections["text"].splitlines()[0]
    assert summary.endswith(".")
    assert re.search(r"^Locks: \w", sections["text"], re.MULTILINE)
    parameters = inspect.signature(OPERATIONS[name].function).parameters
    assert re.findall(r"^(\w+): \S", sections["Args"], re.MULTILINE) == list(parameters)
    errors = "DeclarationError|PlanError|ExecutionError|LockNotAvailable"
    assert re.search(rf"^({errors}): \w", sections["Raises"], re.MULTILINE)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_shows_the_calls_whose_plans_are_documented(name: str) -> None:
    documented = dict.fromkeys(call for _, call, _ in EXAMPLES[name])
    assert calls(docstring(getattr(alembic.op, name))["Example"]) == [
        line for call in documented for line in calls(call)
    ]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_links_to_the_manual_of_postgresql(name: str) -> None:
    for link in docstring(getattr(alembic.op, name))["See Also"].split():
        assert re.fullmatch(r"https://www\.postgresql\.org/docs/current/[\w-]+\.html(#[A-Z-]+)?", link)


@pytest.mark.parametrize("name", PYTHON)
def test_what_is_public_in_python_documents_each_parameter_and_shows_a_call(name: str) -> None:
    sections = docstring(PYTHON[name])
    parameters = list(inspect.signature(PYTHON[name]).parameters)
    assert re.findall(r"^(\w+): \S", sections["Args"], re.MULTILINE) == parameters
    assert name.rpartition(".")[2] in sections["Example"]
    ast.parse(sections["Example"])
