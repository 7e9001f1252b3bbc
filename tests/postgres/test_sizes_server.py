"""Sizes are those of pg_size_pretty(), for any number and around every change of unit."""

from __future__ import annotations

import random

import pytest

from schema_kit.sizes import pretty
from tests.support.database import Database

pytestmark = [pytest.mark.cli, pytest.mark.majors]


_NEAR = range(-1500, 1500, 37)


def test_any_number(database: Database) -> None:
    chance = random.Random(7)
    edges = [unit * 2**bits + off for unit in (1, 10, 20) for bits in range(0, 53, 10) for off in _NEAR]
    halves = [(2**bits * 10240) - 2 ** max(bits - 1, 0) + off for bits in range(0, 50, 10) for off in range(-3, 4)]
    some = [chance.getrandbits(chance.randrange(63)) for _ in range(5000)]
    sizes = [size for size in (*edges, *halves, *some) if size >= 0]
    with database.connect() as connection:
        rows = connection.execute("SELECT n, pg_size_pretty(n) FROM unnest(%s::bigint[]) n", [sizes]).fetchall()
    assert [(size, pretty(size)) for size, _ in rows] == rows
