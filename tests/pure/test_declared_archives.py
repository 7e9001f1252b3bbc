"""What autogenerate writes of an archive's policy: every field that an operation sets, so that a downgrade has it."""

from __future__ import annotations

from dataclasses import fields

import pytest
import sqlalchemy as sa

from schema_kit.autogenerate.declared import _set_archive
from schema_kit.model import ArchivePolicy
from schema_kit.names import QualifiedName

pytestmark = [pytest.mark.autogenerate, pytest.mark.archives]

VALUES = {
    "table": QualifiedName("s", "t"),
    "archive": QualifiedName("other", "old"),
    "archive_after": "90 days",
    "way": "rows",
    "control": "at",
    "condition": "done",
    "archived_at": "archived_at",
    "tree": '{"child": {}}',
    "restored": (),
    "max_rows": 1000,
    "access_method": "columnar",
    "cold_after": "1 year",
    "beside_cold": False,
}


def test_each_field_of_a_policy_is_written() -> None:
    assert {one.name for one in fields(ArchivePolicy)} == VALUES.keys()
    table = sa.Table("t", sa.MetaData(), schema="s")
    written = _set_archive(table, ArchivePolicy(**VALUES))  # type: ignore[arg-type]
    assert written.positional == ("t", "90 days")
    assert written.keywords == {
        "schema": "s",
        "archive_table_name": "old",
        "archive_schema": "other",
        "condition": "done",
        "way": "rows",
        "control": "at",
        "archived_at": "archived_at",
        "tree": {"child": {}},
        "max_rows": 1000,
        "access_method": "columnar",
        "cold_after": "1 year",
    }
