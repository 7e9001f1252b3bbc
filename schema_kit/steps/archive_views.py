"""Views over a table and its archive, which a commit makes again around what PostgreSQL refuses under a view."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from schema_kit.model import Grant, Table
from schema_kit.names import QualifiedName, ident, idents
from schema_kit.steps.dependents import access_sql, comment_sql, made_sql, owner_sql
from schema_kit.steps.step import Lock, LockMode


@dataclass(frozen=True)
class ArchiveView:
    """A view that shows the same columns of a table and of its archive, and nothing else.

    Args:
        view: its columns, access and comments.
        tables: what it shows, in its order.
    """

    view: Table
    tables: tuple[QualifiedName, ...]

    @property
    def lock(self) -> Lock:
        """All access waits briefly."""
        # A change of owner to the same owner takes just this lock, and changes nothing.
        name = self.view.name
        return Lock(LockMode.ACCESS_EXCLUSIVE, name, f"ALTER VIEW {name.sql} OWNER TO {owner_sql(self.view)}")

    @property
    def drop_sql(self) -> str:
        """RESTRICT: what reads it stops this."""
        return f"DROP VIEW {self.view.name.sql}"

    def again_sql(self, without: str | None) -> Iterable[str]:
        """Yield the same view, but for a column."""
        view, name = self.view, self.view.name.sql
        columns = tuple(column.name for column in view.columns if column.name != without)
        options = f" WITH ({', '.join(view.options)})" if view.options else ""
        selects = " UNION ALL ".join(f"SELECT {idents(columns)} FROM {table.sql}" for table in self.tables)
        yield f"CREATE VIEW {name}{options} AS {selects}"
        yield from made_sql(view.name, view)
        grants = (replace(one, what=what) for one in view.grants if (what := _but(one, without)))
        yield from access_sql(replace(view, grants=tuple(grants)), view.name)
        if view.comment is not None:
            yield comment_sql("VIEW", name, view.comment)
        for kind, column, text in view.comments:
            if kind == "COLUMN" and column != without:
                yield comment_sql("COLUMN", f"{name}.{ident(column)}", text)


def _but(grant: Grant, column: str | None) -> str:
    """Return what is granted, but for a column."""
    gone = {f"({column})", f"({ident(column)})"} if column else set()
    return ", ".join(part for part in grant.what.split(", ") if part.partition(" ")[2] not in gone)
