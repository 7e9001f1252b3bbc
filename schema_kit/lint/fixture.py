"""The fixture schema_kit_lint for pytest: `judge` for the project that is tested.

In conftest.py: pytest_plugins = ["schema_kit.lint.fixture"]. Then

def test_the_new_revisions(schema_kit_lint):
    assert schema_kit_lint(since_git="main").exit_code == 0
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from alembic.config import Config

from schema_kit.embedded import find_alembic_folder
from schema_kit.lint.judging import judge
from schema_kit.lint.report import Report


@pytest.fixture
def schema_kit_lint(pytestconfig: pytest.Config) -> Callable[..., Report]:
    """`schema_kit.lint.judge` for the project whose alembic.ini is at pytest's root or above it."""

    def judged(*revisions: str, **more: Any) -> Report:
        folder = find_alembic_folder(pytestconfig.rootpath)
        return judge(Config(folder / "alembic.ini", toml_file=folder / "pyproject.toml"), revisions, **more)

    return judged
