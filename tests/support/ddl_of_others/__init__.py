"""DDL that another session commits while a table is being converted, and how its effect is seen afterwards."""

from __future__ import annotations

from tests.support.ddl_of_others import columns, constraints, dependents, obstacles, publications, rights, shape

CHANGES = (
    *constraints.CHANGES,
    *rights.CHANGES,
    *columns.CHANGES,
    *dependents.CHANGES,
    *shape.CHANGES,
    *publications.CHANGES,
    *obstacles.CHANGES,
)
"""All of them; none needs another."""

BESIDE = tuple(
    change
    for change in CHANGES
    if change.name.startswith(("grant", "revoke", "comment on"))
    or change.name
    in (
        "set a statistics object's target",
        "alter an identity's sequence",
        "set an index's option",
        "publish some of what is done to it",
    )
)
"""What asks for no lock on the table, or for none that conflicts in some version: it may come next to any lock."""
