"""With a writer in the middle of a transaction, no other waits longer than the lock budget and the held time."""

from __future__ import annotations

import time

import pytest

from tests.support.database import QUICK, Database
from tests.support.locks import HELD_SECONDS, busy, probing
from tests.support.matrix import SHAPES, Operate, build, perform, thinned
from tests.support.operations import COLUMNS, CONSTRAINTS

pytestmark = [pytest.mark.steps, pytest.mark.majors]

OPERATIONS: dict[str, Operate] = {
    "create_index": lambda op: op.create_index_concurrently("ix", "t", ["v"], schema="s"),
    "replace_index": lambda op: op.replace_index_concurrently("there", "t", ["word", "v"], schema="s"),
    "reindex": lambda op: op.reindex_concurrently("there", schema="s"),
    "drop_index": lambda op: op.drop_index_concurrently("there", "t", schema="s"),
    "update_in_batches": lambda op: op.update_in_batches("t", {"word": "x"}, schema="s"),
    **{f"constraint_{name}": case.operate for name, case in CONSTRAINTS.items() if not case.before},
    **{f"column_{name}": operate for name, (operate, _) in COLUMNS.items()},
}
KEYED = ("update", "column")


@pytest.mark.parametrize("shape", thinned(SHAPES, "plain"))
@pytest.mark.parametrize("name", thinned(OPERATIONS, *list(OPERATIONS)[::3]))
def test_no_session_waits_longer_than_the_budget(database: Database, name: str, shape: str) -> None:
    build(database, shape)
    database.sql("CREATE INDEX there ON s.t (word)")
    if name.startswith(KEYED):
        database.sql("ALTER TABLE s.t ALTER v SET NOT NULL, ADD PRIMARY KEY (id, k, v)")
    last = name == "column_drop_table"  # what the probe asks for is gone then
    with probing(database) as probe, busy(database, "INSERT INTO s.t VALUES (1000, 1, 1, 1)"):
        if last:
            time.sleep(0.1)
            probe.ended.set()
            probe.join()
        perform(database, OPERATIONS[name])
    assert probe.rounds > 3
    assert probe.longest < QUICK.longest / 1000 + HELD_SECONDS
