"""What the commands of files have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, TypeVar

import click
import sqlalchemy as sa

from schema_kit.catalog import Catalog
from schema_kit.cli.partitions import common
from schema_kit.errors import DeclarationError, ExecutionError, SchemaKitError

Command = TypeVar("Command", bound=Callable[..., Any])


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
    return common.database(url, None)


def fail(failed: Sequence[SchemaKitError], done: Sequence[object] = ()) -> None:
    """Raise what went wrong, if something has.

    Raises:
        SchemaKitError: the only one; or how many files failed, each said on stderr.
    """
    if len(failed) == 1 and not done:
        raise failed[0]
    for error in failed:
        click.echo(f"error: {error}", err=True)
    if failed:
        raise ExecutionError(f"{len(failed)} of {len(failed) + len(done)} files failed; the others are done.")
