"""Groups of commands that import a command when it is used, so that --help needs no database library."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click


class Lazy(click.Group):
    """A group whose commands are in modules of one package, each under the name of its module.

    Args:
        package: where they are.
        texts: the commands, each with what it does.
        attribute: what a command is called in its module; like the module itself where it is left out.
    """

    def __init__(
        self, *args: Any, package: str, texts: Mapping[str, str], attribute: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._package, self.texts, self._attribute = package, texts, attribute

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the alphabet."""
        return sorted(self.texts)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imported now."""
        if cmd_name not in self.texts:
            return None
        name = cmd_name.replace("-", "_") + "_" * iskeyword(cmd_name)
        command = getattr(import_module(f"{self._package}.{name}"), self._attribute or name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(self.texts.items()))
