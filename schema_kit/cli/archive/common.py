"""What the commands of archives and files have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, TypeVar

import click
import sqlalchemy as sa

from schema_kit.catalog import Catalog
from schema_kit.cli import options
from schema_kit.errors import DeclarationError
from schema_kit.model import ArchivePolicy

Command = TypeVar("Command", bound=Callable[..., Any])


def policies(catalog: Catalog, tables: Sequence[str]) -> list[ArchivePolicy]:
    """The policies of the tables that were named, or all.

    Raises:
        PlanError: a table has none.
    """
    known = {policy.table: policy for policy in catalog.archive_policies()}
    if not tables:
        return list(known.values())
    return options.named(tables, known, "archive_policy", "; op.set_archive_policy registers one")


def tells(option: str = "--format") -> Callable[[Command], Command]:
    """The options of each: --url, and how it is told."""

    def decorate(command: Command) -> Command:
        told = click.option(option, "form", type=click.Choice(("text", "json")), default="text", show_default=True)
        return click.option("--url", help="postgresql://user@host/database")(told(command))

    return decorate


def needed() -> None:
    """The libraries that files need, asked for before anything is begun.

    Raises:
        DeclarationError: they are not installed.
    """
    try:
        for library in ("pyarrow", "numpy", "fsspec", "adbc_driver_postgresql"):
            import_module(library)
    except ImportError as error:
        raise DeclarationError(
            f"files need more libraries ({error}): pip install 'schema-kit[files]'. Nothing was changed."
        ) from error


def database(url: str | None) -> AbstractContextManager[tuple[sa.Connection, Catalog]]:
    """The database, where the libraries are."""
    needed()
    return options.database(url, None)
