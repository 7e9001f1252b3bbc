"""Keywords that an operation took without an effect: a revision that passes them does the same, and is warned."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from schema_kit.errors import DeclarationError
from schema_kit.ops.operation import OPERATIONS
from tests.support.archives import archived
from tests.support.database import Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.archives, pytest.mark.majors]

FORMER = {"destination": "s3://bucket/archive", "compression": "zstd"}
POLICY = "SELECT to_jsonb(p) FROM schema_kit.archive_policy p"


def test_a_former_keyword_has_no_effect_but_a_warning(database: Database) -> None:
    archived(database)
    assert not FORMER.keys() & inspect.signature(OPERATIONS["set_archive_policy"].function).parameters.keys()

    def set_policy(**former: Any) -> Any:
        perform(database, lambda op: op.set_archive_policy("t", "4 months", schema="s", **former))
        return database.sql(POLICY)

    expected = set_policy()
    database.sql("UPDATE schema_kit.archive_policy SET archive_after = '9 months'")
    for name, value in FORMER.items():
        with pytest.warns(DeprecationWarning, match=rf"op\.set_archive_policy\({name}=\.\.\.\)"):
            assert set_policy(**{name: value}) == expected
    with pytest.raises(DeclarationError, match="no such keyword"):
        set_policy(destinations="s3://bucket")


def test_a_table_that_has_columns_for_them_is_written_and_read(database: Database) -> None:
    archived(database)
    database.sql("ALTER TABLE schema_kit.archive_policy ADD destination text, ADD compression text")
    perform(database, lambda op: op.set_archive_policy("t", "4 months", schema="s"))
    assert database.sql("SELECT archive_after, destination FROM schema_kit.archive_policy") == [("4 months", None)]
