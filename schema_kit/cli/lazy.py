"""Groups of commands that import a command when it is used, so that --help needs no database library."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path
from typing import Any

import click


class Lazy(click.Group):
    """A group whose commands are in modules of one package, each under the name of its module.

    Args:
        package: where they are.
        names: the commands; what each does is the first line of its docstring.
        attribute: what a command is called in its module; like the module itself where it is left out.
    """

    def __init__(
        self, *args: Any, package: str, names: Sequence[str], attribute: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._package, self._names, self._attribute = package, names, attribute

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the alphabet."""
        return sorted(self._names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imported now."""
        if cmd_name not in self._names:
            return None
        command = getattr(import_module(f"{self._package}.{_module(cmd_name)}"), self._attribute or cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.text(name)) for name in sorted(self._names)])

    def text(self, name: str) -> str:
        """Return the first line of a command's docstring, read from its file."""
        spec = find_spec(f"{self._package}.{_module(name)}")
        assert spec is not None
        assert spec.origin is not None
        tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body
        called = next(one for one in tree if getattr(one, "name", None) == (self._attribute or name))
        assert isinstance(called, ast.FunctionDef)
        return (ast.get_docstring(called) or "").partition("\n")[0]


def _module(name: str) -> str:
    return name.replace("-", "_") + "_" * iskeyword(name)
