"""How one of schema_kit's own tables stands."""

from __future__ import annotations

from enum import Enum


class Stored(Enum):
    """Whether an own table exists as this version makes it; true only of one that is."""

    MISSING = "missing"
    OLDER = "of an older version"
    """It is altered, under ACCESS EXCLUSIVE."""
    CURRENT = "current"

    def __bool__(self) -> bool:
        return self is Stored.CURRENT

    @classmethod
    def of(cls, there: bool, current: bool) -> Stored:
        """As observed."""
        return cls.CURRENT if current else cls.OLDER if there else cls.MISSING
