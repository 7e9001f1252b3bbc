"""The models of docs/models.md, before and after a conversion: autogenerate proposes nothing, the ORM works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from schema_kit import op, operations
from tests.support.database import Database

pytestmark = [pytest.mark.docs, pytest.mark.conversion, pytest.mark.libraries]

PAGE = Path(__file__).parents[2] / "docs" / "models.md"


def shown(title: str) -> str:
    found = re.search(rf"```python\n# {title}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found, title
    return found[1]


def models(title: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": __name__}
    exec(compile(shown(title), title, "exec", dont_inherit=True), names)  # noqa: S102 - the page's own code
    return names


def changes(connection: sa.Connection, names: dict[str, Any]) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, names["Base"].metadata))


def quoted(text: str) -> str:
    return f'"{text}"'


def keywords(options: dict[str, Any]) -> str:
    return ", ".join(f"{name}={quoted(value)}" for name, value in options.items())


def test_models_as_the_page_shows_them(database: Database) -> None:
    before, after = models("before"), models("after")
    engine = sa.create_engine(database.url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        before["Base"].metadata.create_all(connection)
        assert changes(connection, before) == []
    with Session(engine) as session:
        session.add(before["Order"](total=1, items=[before["Item"]()]))
        session.commit()
    with engine.connect() as connection:
        ((called, table, *by, options),) = changes(connection, after)
        del options["default_partition"]  # of a copy
        written = f"op.{called}({', '.join(map(quoted, (table, *by)))}, {keywords(options)})"
        assert written == shown("migration").strip()
    with engine.connect() as connection, operations(connection):
        exec(shown("migration"), {"op": op})  # noqa: S102 - the page's own code
    with engine.connect() as connection:
        assert changes(connection, after) == []
    with Session(engine) as session:
        session.add(after["Order"](total=2, items=[after["Item"]()]))
        session.flush()  # SQLAlchemy 2.0 does not before text
        session.execute(sa.text("INSERT INTO items (order_id) SELECT id FROM orders WHERE total = 2"))
        session.commit()
        first, second = session.scalars(sa.select(after["Order"]).order_by(after["Order"].total))
        assert [len(first.items), len(second.items)] == [1, 2]
        assert session.get(after["Order"], (second.id, second.created_at)) is second
        conflict = "INSERT INTO orders (total) VALUES (3) ON CONFLICT ({}) DO NOTHING"
        session.execute(sa.text(conflict.format("id, created_at")))
        with pytest.raises(ProgrammingError, match="no unique or exclusion constraint"):
            session.execute(sa.text(conflict.format("id")))
    engine.dispose()
