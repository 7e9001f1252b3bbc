"""Projects for `schema_kit lint`: an env.py, revisions, a schema that exists before them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from alembic import op
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from schema_kit.lint import Finding, Report, judge, rules
from schema_kit.lint.facts import Failure, Observation
from schema_kit.lint.watch import Watch

ENV = """
from alembic import context
from sqlalchemy import engine_from_config, pool

config = context.config
section = config.get_section(config.config_ini_section, {})
engine = engine_from_config(section, prefix="sqlalchemy.", poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
"""As `alembic init` writes it."""

ELSEWHERE = "postgresql+psycopg://owner:secret@production.invalid:5499/live"

REVISION = '''"""{name}"""
import sqlalchemy as sa
from alembic import op
from schema_kit import op as kit

revision, down_revision, depends_on = {name!r}, {below!r}, {depends!r}


def upgrade():
{up}


def downgrade():
{down}
'''


@dataclass
class Project:
    """A project in a folder, judged on the server of the tests.

    Args:
        folder: of its env.py and versions.
        scratch: a URL of the scratch server.
    """

    folder: Path
    scratch: str

    @classmethod
    def new(cls, folder: Path, scratch: str, env: str = ENV) -> Project:
        """An empty one, whose alembic.ini names production."""
        (folder / "versions").mkdir(parents=True)
        (folder / "env.py").write_text(env, encoding="utf-8")
        ini = f"[alembic]\nscript_location = %(here)s\nsqlalchemy.url = {ELSEWHERE}\n"
        (folder / "alembic.ini").write_text(ini, encoding="utf-8")
        return cls(folder, scratch)

    @property
    def config(self) -> Config:
        """Alembic's."""
        return Config(self.folder / "alembic.ini")

    def revision(
        self,
        name: str,
        up: str,
        down: str = "pass",
        below: str | tuple[str, ...] | None = None,
        depends: str | None = None,
    ) -> Path:
        """Write one."""
        body = {"up": _indented(up), "down": _indented(down)}
        path = self.folder / "versions" / f"{name}.py"
        path.write_text(REVISION.format(name=name, below=below, depends=depends, **body), encoding="utf-8")
        return path

    def sql(self, name: str, *statements: str) -> Path:
        """Write a script: a dump, or rows."""
        path = self.folder / name
        path.write_text("".join(f"{statement};\n" for statement in statements), encoding="utf-8")
        return path

    def judge(self, *revisions: str, **more: Any) -> Report:
        """Judge some of its revisions."""
        return judge(self.config, revisions, **{"url": self.scratch, **more})


class Scene:
    """Tables that bodies of revisions meet one after the other: each is watched, judged and taken back.

    Args:
        url: a database of its own.
        tables: what exists.
    """

    def __init__(self, url: str, tables: Sequence[str]) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            for one in tables:
                connection.execute(one.encode())
        self._engine = sa.create_engine(
            sa.make_url(url).set(drivername="postgresql+psycopg"),
            poolclass=sa.NullPool,
            connect_args={"prepare_threshold": None},
        )
        self._watch = Watch()

    def found(self, up: str, folder: Path) -> tuple[Finding, ...]:
        """What is found in one body, which has no commit of its own."""
        path = folder / "body.py"
        path.write_text(f"def upgrade():\n{_indented(up)}\n", encoding="utf-8")
        self._watch.restart()
        failure = None
        with self._engine.connect() as connection:
            self._watch.attach(cast(Any, connection.connection.dbapi_connection))
            with Operations.context(MigrationContext.configure(connection)):
                names = {"op": op, "sa": sa}
                exec(compile(path.read_text(encoding="utf-8"), path.resolve(), "exec"), names)  # noqa: S102
                try:
                    with self._watch.during(str(path)):
                        cast(Any, names["upgrade"])()
                except sa.exc.DBAPIError as error:
                    failure = Failure(getattr(error.orig, "sqlstate", "") or "", str(error.orig))
            connection.rollback()
        return rules.judge(
            Observation("body", str(path), tuple(self._watch.statements), failure, roots=self._watch.roots)
        )


def kinds(report: Report) -> set[str]:
    """The kinds of all findings, those that are folded among them."""
    assert not report.unjudged, report.text()
    return {kind for one in report.findings for kind in one.kinds}


def _indented(body: str) -> str:
    return textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
