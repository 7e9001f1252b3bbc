"""Scripts in which a statement sets search_path: a name without a schema is not the table of public any more."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from schema_kit.errors import PlanError
from tests.support.offline import write

pytestmark = [pytest.mark.offline, pytest.mark.projects, pytest.mark.libraries]

OWN = 'op.create_index_concurrently("ix{}", "a", ["n"])'
ELSEWHERE = (
    "op.execute('SET search_path TO tenant')",
    "op.execute('SET LOCAL search_path = \"tenant\", public')",
    "op.execute(\"SELECT 1; set session search_path = 'tenant'\")",
    "op.execute(\"SET SCHEMA 'tenant'\")",
    "op.get_bind().execute(sa.text(\"SELECT set_config('search_path', 'tenant', false)\"))",
    "op.get_context().execute('SET search_path TO tenant')",
)
NOT_SO = (
    "op.execute('SET search_path TO public, tenant')",
    "op.execute('RESET search_path')",
    "op.execute('ALTER ROLE app SET search_path TO tenant')",
    "op.execute('CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = tenant AS $$ SELECT 1 $$')",
)


def script(folder: Path, chain: Sequence[str]) -> str:
    write(folder, *chain)
    text = io.StringIO()
    command.upgrade(Config(folder / "alembic.ini", output_buffer=text), "head", sql=True)
    return text.getvalue()


@pytest.mark.parametrize("statement", ELSEWHERE)
def test_a_name_without_a_schema_is_refused(tmp_path: Path, statement: str) -> None:
    chain = (OWN.format(0), statement, OWN.format(1))
    with pytest.raises((PlanError, CommandError), match=r"search_path to tenant.*\ba\b"):
        script(tmp_path, chain)


@pytest.mark.parametrize("statement", ELSEWHERE)
def test_one_with_a_schema_is_not(tmp_path: Path, statement: str) -> None:
    own = OWN.format(1).replace('["n"]', '["n"], schema="tenant"')
    assert 'ON "tenant"."a"' in script(tmp_path, (statement, own))


@pytest.mark.parametrize("statement", NOT_SO)
def test_what_leaves_public_first_is_followed(tmp_path: Path, statement: str) -> None:
    found = script(tmp_path, (OWN.format(0), statement, OWN.format(1)))
    assert found.count("CREATE INDEX CONCURRENTLY") == 2
    sets = statement.startswith(("op.execute('SET", "op.execute('RESET"))
    assert found.count("IF current_schema() IS DISTINCT") == 1 + sets  # looked at again where it may have changed
