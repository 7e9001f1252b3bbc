"""Options that had another name: each old one does what the new one does, is not in --help, and a note says which."""

from __future__ import annotations

import click
import pytest

from schema_kit.cli.renamed import Renamed
from tests.support.commands import commands

pytestmark = [pytest.mark.cli]

RENAMED = {name: command for name, command in commands() if isinstance(command, Renamed)}
CASES = [(name, old) for name, command in RENAMED.items() for old in command.old]


def parsed(command: click.Command, *words: str) -> dict[str, object]:
    names = ["-h", "--help"]  # which the command remembers
    context = click.Context(command, resilient_parsing=True, help_option_names=names)  # no argument is required
    command.parse_args(context, list(words))
    return context.params


def value_of(option: click.Option) -> list[str]:
    return [] if option.is_flag else ["json" if isinstance(option.type, click.Choice) else "2026-01-01"]


@pytest.mark.parametrize(("name", "old"), CASES)
def test_an_old_name_works_and_says_the_new_one(name: str, old: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = RENAMED[name]
    new, (word, *value) = command.old[old], old.split()
    options = {text: one for one in command.params if isinstance(one, click.Option) for text in one.opts}
    if not new:
        assert parsed(command, word) == parsed(command)
        assert capsys.readouterr().err.splitlines() == [f"{word} is not needed any more"]
        return
    value = value or value_of(options[new])
    expected = parsed(command, new, *value)
    assert expected != parsed(command) or "parquet" in value, "that is the default"
    assert capsys.readouterr().err == ""
    for words in ([word, *value], ["=".join((word, *value))], [word, *value, "--", word]):
        found = parsed(command, *words) | ({"tables": expected["tables"]} if "tables" in expected else {})
        assert {**found, "files": expected.get("files")} == {**expected, "files": expected.get("files")}
        assert capsys.readouterr().err.splitlines() == [f"{word} is called {new} now"]


@pytest.mark.parametrize("name", RENAMED)
def test_an_old_name_is_not_shown(name: str) -> None:
    command = RENAMED[name]
    shown = {text for option in command.params for text in option.opts}
    assert {old for old in command.old if " " not in old} & shown == set()
    assert {new for new in command.old.values() if new} <= shown


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    parsed(RENAMED["archive run"], "--yes", "--quiet")
    assert capsys.readouterr().err == ""


def test_ends_of_ranges_have_one_name() -> None:
    """And the column and the width of a partition are named as the operations name them."""
    for name, command in commands():
        texts = {text for option in command.params if isinstance(option, click.Option) for text in option.opts}
        if not name.startswith("advise "):  # where its --from is a database
            assert texts & {"--from", "--to-bound", "--by", "--every", "--before", "--after"} == set(), name
        assert "--to" not in texts or name == "archive export", "where files go"
        forms = [one for one in command.params if "--format" in one.opts and isinstance(one.type, click.Choice)]
        assert all("text" in one.type.choices for one in forms if isinstance(one.type, click.Choice)), name
