"""Sizes are as psql prints them."""

from __future__ import annotations

import pytest

from schema_kit.sizes import pretty

pytestmark = [pytest.mark.cli]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (10_239, "10239 bytes"),
        (10_240, "10 kB"),
        (10_751, "10 kB"),
        (10_752, "11 kB"),
        (10_485_247, "10239 kB"),
        (10_485_248, "10 MB"),
        (12_582_912, "12 MB"),
        (2**60, "1024 PB"),
        (2**62, "4096 PB"),
    ],
)
def test_the_unit_changes_where_psql_changes_it(size: int, text: str) -> None:
    assert pretty(size) == text
