"""What commands print: exact for machines, readable on a terminal of 80 columns, whatever reads it or stops reading."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from schema_kit.errors import DeclarationError


class _Patient(io.FileIO):
    """A stream whose reader may go away (``| head -1``): what is written then is lost, and the work goes on."""

    failed: OSError | None = None
    """Why something that has a reader was lost: a disk is full."""

    def write(self, data: Any) -> int:
        """As FileIO does."""
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            return len(data)
        except OSError as error:
            self.failed = error
            return len(data)


def lost() -> str | None:
    """Return why some of what was written to stdout is lost, if it is, at the end of a command."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if not isinstance(raw, _Patient):
        return None
    sys.stdout.flush()
    return raw.failed.strerror if raw.failed else None


def be_patient() -> None:
    """Let no reader of stdout and stderr stop a command, nor a letter that their encoding does not have.

    One that is closed (``>&-``) is /dev/null: no file and no connection takes its place.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper):
            continue  # a test's, or a program's
        stream.flush()
        raw = io.BufferedWriter(_Patient(stream.fileno(), "wb", closefd=False))
        own = io.TextIOWrapper(
            raw, stream.encoding, "backslashreplace", line_buffering=name == "stderr" or stream.line_buffering
        )
        setattr(sys, name, own)


def writes(text: str) -> bool:
    """Return whether stdout's encoding has all letters of a text."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def echo_json(value: Any) -> None:
    """One document on stdout; where its encoding lacks a letter, escaped as JSON has it."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    click.echo(text if writes(text) else json.dumps(value, indent=2, default=str))


def as_json(value: Any, output: Path | None) -> str:
    """Return JSON for a file, or for what stdout can write."""
    return json.dumps(value, indent=2, ensure_ascii=not (output or writes(str(value)))) + "\n"


OUTPUT = click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write there, all at once, not to stdout."
)


def deliver(text: str, output: Path | None) -> None:
    """Write a text to stdout, or whole to a file."""
    if output:
        write_whole(output, text)
    else:
        click.echo(text, nl=False)


def write_whole(output: Path, text: str) -> None:
    """Under another name first: who reads the file sees the old one or the new one, whole.

    The collector reads every ``*.prom`` of its folder, so the other name ends otherwise.
    """
    beside = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(output)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise DeclarationError(
            f"{output} cannot be written: {error.strerror}. The database was only looked at."
        ) from error


def echo_sql(text: str) -> None:
    """A script on stdout; in UTF-8 where stdout's encoding lacks a letter: an escaped name would be another one."""
    click.echo(text if writes(text) else text.encode())


def width() -> int:
    """Return the columns of the terminal that stdout is; 0 where it is not one, and no line is broken."""
    return max(shutil.get_terminal_size().columns, 40) if sys.stdout.isatty() else 0


def wrapped(line: str, indent: str = "    ") -> str:
    """Return a line, broken between words where a terminal is narrower; what follows is indented. Words stay whole."""
    columns = width()
    if not columns or len(line) <= columns:
        return line
    first = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        line.strip(),
        columns,
        initial_indent=first,
        subsequent_indent=first + indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(rows: Sequence[Sequence[str]], indent: str = "  ") -> str:
    """Return rows in columns; where a terminal is too narrow for them, each first cell has a line of its own."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    whole = len(indent) + sum(widths) + 2 * (len(widths) - 1)
    narrow = 0 < width() < whole
    lines = []
    for row in rows:
        cells = [cell.ljust(columns) for cell, columns in zip(row, widths, strict=True)]
        if narrow:
            lines.append(f"{indent}{row[0]}")
            cells = [indent, *cells[1:]]
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)
