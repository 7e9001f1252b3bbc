"""What differs between models and database: for ``schema_kit diff``, and for tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import RevisionContext, produce_migrations
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op
from alembic.config import Config
from alembic.operations.ops import MigrationScript, OpContainer
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from schema_kit import ops as ops  # the operations, and what they register, in every env.py
from schema_kit.app_context import app_context
from schema_kit.autogenerate.schemas import of_the_models, several
from schema_kit.autogenerate.work import SENTENCES, Sentence
from schema_kit.errors import PlanError, SchemaKitError

FORMATS = ("text", "json", "github")
SAME, DIFFERENT = 0, 4

_RENDERED = {
    "sqlalchemy_module_prefix": "sa.",
    "alembic_module_prefix": "op.",
    "user_module_prefix": None,
    "render_as_batch": False,
    "render_item": None,
}
"""What env.py's context.configure() has by itself."""


@dataclass(frozen=True)
class Differences:
    """What a revision would do, and what no operation does.

    Args:
        operations: as autogenerate writes them.
        sentences: differences without an operation.
        notes: what is not known, or worth a look.
    """

    operations: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 for none, 4 for some."""
        return DIFFERENT if self.operations or self.sentences else SAME

    def render(self, form: str = "text") -> str:
        """Return all of it, in one of FORMATS."""
        return {"text": self.text, "json": self.json, "github": self.github}[form]()

    def text(self) -> str:
        """For a person."""
        lines = [*self.operations, *self.sentences] or ["models and database are the same"]
        return "".join(f"{line}\n" for line in (*lines, *(f"note: {note}" for note in self.notes)))

    def json(self) -> str:
        """For programs."""
        value = {"operations": self.operations, "sentences": self.sentences, "notes": self.notes}
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"

    def github(self) -> str:
        """Workflow commands: an annotation for each difference."""
        errors = [("error", line) for line in (*self.operations, *self.sentences)]
        return "".join(_annotation(*one) for one in (*errors, *(("notice", note) for note in self.notes)))


def _annotation(level: str, text: str) -> str:
    for letter in "%\r\n":
        text = text.replace(letter, f"%{ord(letter):02X}")
    return f"::{level} title=models and database differ::{text}\n"


def differences(config: Config) -> Differences:
    """Compare as ``alembic check`` does, with the project's env.py.

    Args:
        config: the project's.

    Raises:
        PlanError: Alembic refuses, for example because the database is not at the newest revision.
    """
    with app_context(config) as config:
        return _differences(config)


def _differences(config: Config) -> Differences:
    script = ScriptDirectory.from_config(config)
    words = ("message", "branch_label", "version_path", "rev_id", "depends_on")
    given: dict[str, Any] = dict.fromkeys(words) | {"autogenerate": True, "sql": False, "head": "head", "splice": False}
    revision = RevisionContext(config, script, given)
    migrations: list[MigrationContext] = []

    def compare(heads: Any, context: MigrationContext) -> list[Any]:
        revision.run_autogenerate(heads, context)
        migrations.append(context)
        return []

    try:
        with EnvironmentContext(
            config,
            script,
            fn=compare,
            as_sql=False,
            template_args=revision.template_args,
            revision_context=revision,
        ):
            script.run_env()
    except CommandError as error:
        raise error.__cause__ if isinstance(error.__cause__, SchemaKitError) else PlanError(f"{error}") from error
    return _seen(revision.generated_revisions, migrations)


def assert_no_diff(
    connectable: sa.Engine | sa.Connection, metadata: sa.MetaData | Sequence[sa.MetaData], **options: Any
) -> None:
    """Fail unless the models and the database are the same, as autogenerate compares them.

    Args:
        connectable: an engine, or a connection, of the database.
        metadata: the models; one or several.
        options: those of ``context.configure``: ``include_object``, ``compare_server_default`` and others;
            ``schema_kit_drift=False`` compares what Alembic compares.

    Raises:
        AssertionError: they differ; the message has each operation that autogenerate would write.

    Example:
        def test_models(engine):
            assert_no_diff(engine, Base.metadata)
    """
    with _connected(connectable) as connection:
        found = compared(connection, metadata, **options)
    if found.exit_code:
        raise AssertionError(found.text())


def compared(connection: sa.Connection, metadata: sa.MetaData | Sequence[sa.MetaData], **options: Any) -> Differences:
    """Compare models and database, without a project.

    Args:
        connection: to the database.
        metadata: the models; one or several.
        options: those of ``context.configure``.
    """
    scope = {"include_schemas": True, "include_name": of_the_models(several(metadata), options)}
    given = {key: one for key, one in options.items() if key != "include_name"}
    context = MigrationContext.configure(connection, opts={"target_metadata": metadata, **scope, **given})
    return _seen([produce_migrations(context, metadata)], [context])  # type: ignore[arg-type]


@contextmanager
def _connected(connectable: sa.Engine | sa.Connection) -> Iterator[sa.Connection]:
    if isinstance(connectable, sa.Connection):
        yield connectable
        return
    with connectable.connect() as connection:
        yield connection


def _seen(scripts: Iterable[MigrationScript], migrations: Sequence[MigrationContext]) -> Differences:
    if not migrations:
        return Differences()
    context = AutogenContext(migrations[-1], autogenerate=False, opts={**_RENDERED, **migrations[-1].opts})
    lines = [line for script in scripts for upgrade in script.upgrade_ops_list for line in _lines(context, upgrade)]
    said: list[Sentence] = [one for migration in migrations for one in migration.opts.get(SENTENCES, ())]
    return Differences(
        tuple(lines),
        tuple(one.text for one in said if one.difference),
        tuple(one.text for one in said if not one.difference),
    )


def _lines(context: AutogenContext, container: OpContainer) -> Iterator[str]:
    for operation in container.ops:
        if isinstance(operation, OpContainer):
            yield from _lines(context, operation)
        else:
            yield "\n".join(render_op(context, operation))
