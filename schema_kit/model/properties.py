"""What PostgreSQL prints of a table, thing by thing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a table or of its dependent objects, as PostgreSQL prints it without the table's own name."""

    object: str
    """table, column a, index i, constraint c of s.other, trigger t, policy p, rule r, statistics s.st, sequence q,
    view s.v, publication p."""
    property: str
    """definition, comment, owner, privileges, ..."""
    text: str
