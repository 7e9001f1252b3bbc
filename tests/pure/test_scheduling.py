"""What docs/scheduling/ calls is what there is."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import click
import pytest

from schema_kit.cli import cli

pytestmark = pytest.mark.docs

FOLDER = Path(__file__).parents[2] / "docs" / "scheduling"
FILES = {"crontab": 5, "schema_kit-partitions.service": 1, "cronjob.yaml": 1, "pg_cron.sql": 1}
"""How often each calls the program."""


def calls(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if not line.startswith(("#", "--"))]
    found = [shlex.split(match) for line in lines for match in re.findall(r"bin/schema_kit ([^'>&]*)", line)]
    return found + [json.loads(match)[1:] for line in lines for match in re.findall(r"command: (\[.*\])", line)]


@pytest.mark.parametrize("name", FILES)
def test_each_call_is_one_that_the_program_takes(name: str) -> None:
    found = calls((FOLDER / name).read_text(encoding="utf-8"))
    assert len(found) == FILES[name]
    for noun, *arguments in found:
        context = click.Context(cli)
        command = cli.get_command(context, noun)
        if isinstance(command, click.Group):
            command = command.get_command(context, arguments.pop(0))
        assert command is not None, noun
        command.make_context(noun, list(arguments), help_option_names=["-h", "--help"])
        asks = any(
            "--yes" in option.opts and not option.hidden
            for option in command.params
            if isinstance(option, click.Option)
        )
        assert ("--yes" in arguments) == asks, "a scheduler has no terminal"


def test_no_file_is_left_out() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*FILES, "schema_kit-partitions.timer"}
