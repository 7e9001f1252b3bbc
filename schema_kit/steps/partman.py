"""Commits that install and remove the functions in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from schema_kit.names import QualifiedName, ident
from schema_kit.steps.step import Lock, LockMode, Step, Transaction

_SAFE_PATH = (
    "SELECT pg_catalog.set_config('schema_kit.search_path', pg_catalog.current_setting('search_path'), true)",
    "SET LOCAL search_path TO pg_catalog, pg_temp",
)
_PATH_AGAIN = "SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('schema_kit.search_path'), true)"


@dataclass(frozen=True)
class InstallPartmanSql(Step):
    """The functions in SQL, those that are missing, older or changed: all of them or none.

    Args:
        schema: where they live.
        names: what is made or replaced.
        statements: what makes it.
        replaced: tables and views that were there, and are changed.
        commented: tables that were there, and only get a comment.
    """

    transaction: ClassVar[Transaction] = Transaction.SHARED

    schema: str
    names: tuple[str, ...]
    statements: tuple[str, ...]
    replaced: tuple[QualifiedName, ...] = ()
    commented: tuple[QualifiedName, ...] = ()

    @property
    def summary(self) -> str:
        """Says how many, or which."""
        some = ", ".join(self.names) if len(self.names) <= 3 else f"{len(self.names)} objects"
        return f"install pg_partman's functions in schema {self.schema}: {some}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """For an instant."""
        changed = tuple(Lock(LockMode.ACCESS_EXCLUSIVE, table) for table in self.replaced)
        return (*changed, *(Lock(LockMode.SHARE_UPDATE_EXCLUSIVE, table) for table in self.commented))

    def sql(self) -> tuple[str, ...]:
        """No search_path of the session has a say in what they mean; it is put back."""
        return (*_SAFE_PATH, *self.statements, _PATH_AGAIN)


@dataclass(frozen=True)
class RemovePartmanSql(Step):
    """The functions in SQL go, and their schema where nothing else is in it; policies and partitions stay.

    Args:
        schema: where they live.
        views: its views.
        drops: what drops the rest.
        with_schema: nothing else is in it.
    """

    transaction: ClassVar[Transaction] = Transaction.SHARED

    schema: str
    views: tuple[QualifiedName, ...]
    drops: tuple[str, ...]
    with_schema: bool

    @property
    def summary(self) -> str:
        """Names the schema."""
        return f"remove pg_partman's functions from schema {self.schema}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Whoever reads the views."""
        return tuple(Lock(LockMode.ACCESS_EXCLUSIVE, view) for view in self.views)

    def sql(self) -> tuple[str, ...]:
        """RESTRICT: nothing that uses them is taken along."""
        views = (f"DROP VIEW {', '.join(view.sql for view in self.views)}",) if self.views else ()
        schema = (f"DROP SCHEMA {ident(self.schema)}",) if self.with_schema else ()
        return (*views, *self.drops, *schema)
