"""Others change an archive while a partition of it is copied to the other server: what came since is not dropped."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from schema_kit import execute
from schema_kit.steps import Step
from tests.support.cold import Cold, foreign, run, with_cold
from tests.support.database import Database

pytestmark = [pytest.mark.archives, pytest.mark.distributed, pytest.mark.majors]

CHANGES = {
    "a column": "ALTER TABLE s.t_archive ADD COLUMN since text",
    "exchanged names": "ALTER TABLE s.t_archive RENAME word TO since; ALTER TABLE s.t_archive ADD COLUMN word text",
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("change", CHANGES)
def test_a_column_that_came_since_the_copy_stays(database: Database, cold: Cold, change: str) -> None:
    with_cold(database, cold)
    sent, said = execute._send, list[str]()

    def send(connection: Any, step: Step, *arguments: Any) -> None:
        if type(step).__name__ == "SwapToCold" and not said:
            said.append(change)
            database.sql(*CHANGES[change].split("; "), "UPDATE s.t_archive SET since = 'value ' || id")
        sent(connection, step, *arguments)

    with mock.patch.object(execute, "_send", send):
        ended = run(database)
    assert said
    assert ended.returncode != 0
    assert "t_archive" in ended.stderr
    assert foreign(database) == []
    assert database.sql("SELECT count(*) > 60, count(*) = count(since) FROM s.t_archive") == [(True, True)]
