"""Enum types, materialized views and publications change."""

from __future__ import annotations

from schema_kit.names import QualifiedName
from schema_kit.plans.views import refresh
from schema_kit.steps import enums, publications, views
from tests.support.lock_scenes.tables import RICH
from tests.support.proof_of_locks import Proof, Scene, Scenes


def scene_refresh(proof: Proof) -> None:
    proof.database.sql(
        *RICH,
        "CREATE MATERIALIZED VIEW s.m AS SELECT id FROM s.t WITH NO DATA",
        "CREATE UNIQUE INDEX m_id ON s.m (id)",
    )
    view = QualifiedName("s", "m")
    for _ in range(2):
        proof.run(lambda catalog: refresh(view, catalog.materialized_view(view)))


def scene_publication(proof: Proof) -> None:
    proof.database.sql("CREATE TABLE lent (id int PRIMARY KEY)", "CREATE PUBLICATION p FOR TABLE lent")
    proof.steps(publications.SetViaRoot("p", True))


def scene_enum(proof: Proof) -> None:
    proof.database.sql("CREATE TYPE mood AS ENUM ('good')", "CREATE TABLE moods (mood mood)")
    proof.steps(enums.AddEnumValue(QualifiedName("public", "mood"), "bad", "AFTER", "good"))


SCENES: Scenes = {
    scene_refresh: {views.RefreshMaterializedView},
    scene_enum: {enums.AddEnumValue},
    scene_publication: {publications.SetViaRoot},
}

LONGER: tuple[Scene, ...] = ()
