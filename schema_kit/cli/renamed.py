"""Options that had another name: the old one works for one minor version, and a note on stderr says the new one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

ENDS = {"--from": "--since", "--to": "--until"}
"""Of a range."""


class Renamed(click.Command):
    """A command with options that had another name.

    Args:
        old: names that were, each with the one that is; "--format copy" is that name with that value; a flag that is
            not needed any more has an empty one.
    """

    def __init__(self, *args: Any, old: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.old = old

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """With the new names."""
        return super().parse_args(ctx, list(self._renamed(args)))

    def _renamed(self, args: list[str]) -> Iterator[str]:
        end = args.index("--") if "--" in args else len(args)
        for word, following in zip(args[:end], [*args[1:end], ""], strict=False):
            name, equals, value = word.partition("=")
            new = self.old.get(f"{name} {value if equals else following}", self.old.get(name))
            if new is None:
                yield word
                continue
            if "--quiet" not in args:
                click.echo(f"{name} is called {new} now" if new else f"{name} is not needed any more", err=True)
            if new:
                yield f"{new}{equals}{value}"
        yield from args[end:]
