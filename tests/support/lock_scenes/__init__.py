"""Scenes in which each step is sent, one module a subject; each says which steps its scenes prove."""

from __future__ import annotations

from tests.support.lock_scenes import (
    archives,
    columns,
    conversion,
    copies,
    indexes,
    leaving,
    objects,
    own_tables,
    partitions,
    rows,
)
from tests.support.proof_of_locks import Scene, Scenes

_MODULES = (
    columns,
    archives,
    conversion,
    copies,
    partitions,
    indexes,
    leaving,
    rows,
    objects,
    own_tables,
)

SCENES: Scenes = {scene: steps for module in _MODULES for scene, steps in module.SCENES.items()}
LONGER: tuple[Scene, ...] = tuple(scene for module in _MODULES for scene in module.LONGER)
