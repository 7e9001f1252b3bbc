"""Random models and random changes to them: what autogenerate writes runs up next to a writer, down and up again.

A failure names its seed; ``SCHEMA_KIT_MODELS=100:200`` tries the seeds from 100 to 199 in the deep test.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from tests.support.autogenerate import ENVS
from tests.support.database import Database
from tests.support.models import changed, some
from tests.support.round_trips import round_trip

pytestmark = [
    pytest.mark.autogenerate,
    pytest.mark.majors,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.filterwarnings("ignore:Expression #"),  # Alembic's, of an operator class within an expression
]

FIRST, LAST = map(int, os.environ.get("SCHEMA_KIT_MODELS", "0:40").split(":"))


def tried(database: Database, folder: Path, seed: int, env: str) -> None:
    random, version = Random(seed), database.connect().info.server_version
    before = some(random, version)
    after = changed(random, before, version) if seed % 3 else some(random, version)
    round_trip(database, folder, before, after, env, version)


@pytest.mark.exhaustive
@pytest.mark.parametrize("env", ENVS)
def test_up_down_up(database: Database, tmp_path: Path, env: str) -> None:
    for seed in range(ENVS.index(env), 8, 2):
        tried(database, tmp_path / str(seed), seed, env)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(FIRST, LAST))
def test_up_down_up_of_many(database: Database, tmp_path: Path, seed: int) -> None:
    tried(database, tmp_path, seed, ENVS[seed % 2])
