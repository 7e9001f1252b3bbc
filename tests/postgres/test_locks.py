"""Every step's stated locks, compared with what the server says it took; the scenes: tests/support/lock_scenes/."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from schema_kit.files.export import Export
from schema_kit.steps import Step, constraints, distribution
from tests.support.database import Database
from tests.support.lock_scenes import LONGER, SCENES
from tests.support.lock_scenes.columns import scene_constraints
from tests.support.matrix import longer
from tests.support.proof_of_locks import Proof

pytestmark = [pytest.mark.steps, pytest.mark.majors]


@pytest.mark.parametrize("scene", longer(SCENES, *LONGER), ids=lambda scene: scene.__name__.removeprefix("scene_"))
def test_a_step_takes_the_locks_that_it_states(database: Database, scene: Callable[[Proof], None]) -> None:
    proof = Proof(database)
    scene(proof)
    assert proof.proved >= SCENES[scene]
    if scene is scene_constraints and database.sql("SHOW server_version_num") >= [("180000",)]:
        assert constraints.AddNotNull in proof.proved


def test_every_step_has_a_scene() -> None:
    def below(kind: type[Step]) -> Iterator[type[Step]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    ours = {kind for kind in below(Step) if kind.__module__.startswith("schema_kit.")}
    # AddNotNull is of 18 only: scene_constraints meets it there.
    bases = {kind for kind in ours if kind.__name__.startswith("_") or kind.sql is Step.sql}
    # What Citus locks is seen on a cluster alone: tests/postgres/test_citus_cluster.py.
    bases |= {distribution.Distribute, distribution.DistributeConcurrently, distribution.Undistribute}
    bases.add(Export)  # what goes out for it is not a step's statement: test_export_shown and test_files hold it
    assert ours - bases == set().union(*SCENES.values()) | {constraints.AddNotNull}
