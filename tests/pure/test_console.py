"""The console script itself: every command exists, and says how it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from schema_kit.cli import NOUNS, cli
from tests.support.cli import called
from tests.support.matrix import thinned

pytestmark = pytest.mark.cli

SCRIPT = Path(sys.executable).parent / "schema_kit"


def verbs() -> list[tuple[str, str]]:
    context, found = click.Context(cli), []
    for noun in sorted(NOUNS):
        group = cli.get_command(context, noun)
        found += (
            [(noun, verb) for verb in group.list_commands(context)] if isinstance(group, click.Group) else [(noun, "")]
        )
    return found


@pytest.mark.parametrize("process", thinned(["this one", "its own"], "this one"))
@pytest.mark.parametrize(("noun", "verb"), verbs())
def test_each_command_has_help_with_an_example(noun: str, verb: str, process: str) -> None:
    words = [noun, verb] if verb else [noun]
    argv, own = [str(SCRIPT), *words, "--help"], process == "its own"
    done = subprocess.run(argv, capture_output=True, text=True, check=False) if own else called(argv)
    assert (done.returncode, done.stderr) == (0, "")
    example = done.stdout.partition("Example: ")[2].replace("\n  ", " ")
    assert f"schema_kit {' '.join(words)}" in example


def test_the_script_is_installed() -> None:
    done = subprocess.run([SCRIPT, "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(noun in done.stdout for noun in NOUNS)
