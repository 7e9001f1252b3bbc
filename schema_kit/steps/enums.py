"""A commit that adds a value to an enum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schema_kit.names import QualifiedName, literal
from schema_kit.steps.step import Step


@dataclass(frozen=True)
class AddEnumValue(Step):
    """ALTER TYPE ... ADD VALUE: a row of a catalog. The value can be used once that is committed."""

    enum: QualifiedName
    value: str
    where: Literal["BEFORE", "AFTER"] | None = None
    neighbour: str = ""

    @property
    def summary(self) -> str:
        """Names the value and where it comes."""
        place = f" {self.where.lower()} {self.neighbour!r}" if self.where else ""
        return f"add value {self.value!r} to enum {self.enum}{place}"

    def sql(self) -> tuple[str, ...]:
        """Locks the type against other changes, and no table."""
        place = f" {self.where} {literal(self.neighbour)}" if self.where else ""
        return (f"ALTER TYPE {self.enum.sql} ADD VALUE IF NOT EXISTS {literal(self.value)}{place}",)
