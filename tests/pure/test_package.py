"""Importing is cheap, and the pure half stays pure: looked at in interpreters of their own."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

import schema_kit

pytestmark = pytest.mark.cli

DATABASE = {"alembic", "psycopg", "sqlalchemy", "sqlglot"}
TERMINAL = {"click", "rich"}
PURE = ["errors", "names", "intervals", "keys", "model", "steps", "plans", "script"]
MODULES = [
    *PURE,
    *("steps.step", "steps.baseline", "steps.conversion", "steps.indexes", "steps.partitions"),
    *("plans.baseline", "plans.conversion", "plans.indexes", "plans.partitions"),
]


def imported_by(code: str) -> set[str]:
    """The top-level packages that are loaded after *code* ran in a fresh interpreter."""
    script = f"import sys\n{code}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(result.stdout.split())


def test_the_probe_sees_what_is_imported() -> None:
    assert "sqlalchemy" in imported_by("import sqlalchemy")


@pytest.mark.parametrize("module", ["schema_kit", "schema_kit.cli"])
def test_importing_the_package_imports_no_database_library(module: str) -> None:
    found = imported_by(f"import {module}")
    assert "schema_kit" in found
    assert not found & DATABASE


def test_the_errors_and_the_policy_come_without_a_database_library() -> None:
    names = [name for name in schema_kit.__all__ if name not in ("assert_no_diff", "op", "operations")]
    found = imported_by(f"from schema_kit import {', '.join(names)}")
    assert not found & (DATABASE | TERMINAL)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_no_database_library(arguments: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "schema_kit", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in result.stderr.splitlines()}
    assert "click" in loaded, "the probe sees what is imported"
    assert not loaded & DATABASE


@pytest.mark.parametrize("module", MODULES)
def test_the_pure_half_knows_no_database_library_and_no_terminal(module: str) -> None:
    found = imported_by(f"import schema_kit.{module}")
    assert not found & (DATABASE | TERMINAL)


def test_the_public_names_are_sorted_and_each_loads() -> None:
    assert sorted(schema_kit.__all__) == schema_kit.__all__
    assert len(set(schema_kit.__all__)) == len(schema_kit.__all__)
    for name in schema_kit.__all__:
        assert getattr(schema_kit, name) is not None
    assert set(schema_kit.__all__) <= set(dir(schema_kit))


def test_the_public_names_are_the_things_themselves() -> None:
    for name in schema_kit.__all__:
        thing = getattr(schema_kit, name)
        home = thing.__name__ if isinstance(thing, ModuleType) else thing.__module__
        loaded = import_module(home)
        assert thing is getattr(loaded, name, loaded)


def test_an_unknown_name_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match="'nothing'"):
        schema_kit.nothing  # noqa: B018


def test_the_version_is_the_distribution_s() -> None:
    from importlib.metadata import version

    assert schema_kit.__version__ == version("schema-kit")
