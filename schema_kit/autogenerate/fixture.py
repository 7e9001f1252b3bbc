"""For pytest: a test that fails while models and database differ.

pytest_plugins = ["schema_kit.autogenerate.fixture"]

def test_models(assert_no_diff, engine):
    assert_no_diff(engine, Base.metadata)
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from schema_kit.autogenerate import diff


@pytest.fixture
def assert_no_diff() -> Callable[..., None]:
    """`schema_kit.assert_no_diff`."""
    return diff.assert_no_diff
