"""Alembic's template multidb: one call writes for several databases, in revisions that run up, down and up."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from tests.support.database import Database

pytestmark = [pytest.mark.autogenerate, pytest.mark.projects, pytest.mark.majors, pytest.mark.exhaustive]

MODELS = """
import sqlalchemy as sa

def models(more):
    made = {}
    for name in ("engine1", "engine2"):
        made[name] = metadata = sa.MetaData()
        kind = sa.Enum("x", "y", name="kind")
        t = sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", kind))
        if more:
            t.append_column(sa.Column("b", sa.Integer, index=True))
            t.append_constraint(sa.UniqueConstraint("a", name="once"))
            sa.Table("n", metadata, sa.Column("id", sa.Integer, primary_key=True))
            if name == "engine1":
                t.append_constraint(sa.CheckConstraint("id > 0", name="positive"))
    return made
"""


@pytest.mark.parametrize("begins", [True, False], ids=["as the template has it", "without its transaction"])
def test_revisions_for_two_databases(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begins: bool
) -> None:
    database.sql("DROP DATABASE IF EXISTS engine2", "CREATE DATABASE engine2")
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    places = {"engine1": url, "engine2": url.set(database="engine2")}
    config = _project(tmp_path, places, begins)
    monkeypatch.setenv("MORE", "")
    command.revision(config, "one", autogenerate=True)
    command.upgrade(config, "head")
    monkeypatch.setenv("MORE", "1")
    made = command.revision(config, "two", autogenerate=True)
    scripts = [Path(one.path).read_text() for one in (made if isinstance(made, list) else [made]) if one]
    assert len(scripts) == (1 if begins else 3)
    written = [call for text in scripts for call in _calls(text)]
    assert ("create_unique_constraint" if begins else "create_unique_constraint_concurrently") in written
    for step in (command.upgrade, command.downgrade, command.upgrade):
        step(config, "head" if step is command.upgrade else "base")
    command.check(config)
    for place in places.values():
        engine = sa.create_engine(place, poolclass=sa.NullPool)
        assert sorted(sa.inspect(engine).get_table_names()) == ["alembic_version", "n", "t"]


def _project(folder: Path, places: dict[str, sa.URL], begins: bool) -> Config:
    config = Config(str(folder / "alembic.ini"))
    command.init(config, str(folder / "p"), template="multidb")
    for name, place in places.items():
        shown = place.render_as_string(hide_password=False).replace("%", "%%")
        config.set_section_option(name, "sqlalchemy.url", shown)
    (folder / "p" / "multidb_models.py").write_text(MODELS)
    replace: Callable[[str], str] = lambda text: (  # noqa: E731
        text
        if begins
        else text.replace("conn.begin()", "None")
        .replace('rec["transaction"].', 'rec["connection"].')
        .replace(
            "\n            context.run_migrations(engine_name=name)",
            "\n            with context.begin_transaction():\n                context.run_migrations(engine_name=name)",
            1,
        )
    )
    env = folder / "p" / "env.py"
    head = "import os, runpy\nimport schema_kit.ops\n"
    models = f"runpy.run_path({str(folder / 'p' / 'multidb_models.py')!r})['models'](os.environ['MORE'])"
    env.write_text(head + replace(env.read_text().replace("target_metadata = {}", f"target_metadata = {models}")))
    return config


def _calls(text: str) -> list[str]:
    return [
        node.func.attr
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
