"""What a server can is said in one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import schema_kit
from schema_kit.server import NEWEST, OLDEST, Server

pytestmark = pytest.mark.steps

PACKAGE = Path(schema_kit.__file__).parent
SQL = {"catalog/obstacles.py": "the server compares by itself, in its SQL"}


def test_a_capability_comes_with_its_version() -> None:
    assert not Server(179999).analyze_only
    assert Server(180000).analyze_only
    assert Server(149999).security_invoker < Server(150000).security_invoker
    assert NEWEST.virtual_columns
    assert not OLDEST.moves_referenced_rows


def test_version_numbers_are_compared_in_one_file() -> None:
    comparing = re.compile(r"[<>]=? *1[4-9]0000\b")
    found = {
        str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if comparing.search(path.read_text("utf-8"))
    }
    assert found == set(SQL)
