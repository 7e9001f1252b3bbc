"""The question that a command asks before it drops something for good."""

from __future__ import annotations

import sys

import click

from schema_kit.errors import DeclarationError, PlanError


def confirm(what: str, sure: bool) -> None:
    """Ask whether to go on; without a terminal, require --yes.

    Args:
        what: what happens, as a clause: "this drops s.t_01 with all rows".
        sure: --yes was given, or --dry-run: no question.

    Raises:
        DeclarationError: there is no terminal to ask on.
        PlanError: the answer was no.
    """
    if sure:
        return
    if not sys.stdin.isatty():
        raise DeclarationError(f"{what}; there is no terminal to ask on: add --yes.")
    if not click.confirm(f"{what}. Go on?", err=True):
        raise PlanError("the answer was no.")
