"""The command line: ``schema_kit NOUN VERB [TABLE...]``. stdout is data, stderr is talk.

A noun's module is imported when the noun is used, so that --help needs no database library.
"""

from __future__ import annotations

import os
import signal
import sys

import click

from schema_kit.cli.lazy import Lazy
from schema_kit.cli.output import be_patient, lost
from schema_kit.errors import Refusal, SchemaKitError, saying_unchanged
from schema_kit.interrupts import SAID, code_of, terminate

NOUNS = (
    "advise",
    "archive",
    "db",
    "diff",
    "doctor",
    "health",
    "init",
    "lint",
    "partitions",
    "refresh",
    "report",
    "sql",
    "status",
    "ttl",
)


@click.group(cls=Lazy, package=__name__, names=NOUNS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="schema-kit", prog_name="schema_kit")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Change big, live PostgreSQL tables without an outage.

    Example: schema_kit partitions create-next --dry-run

    Exit codes: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 refused before anything was written, 4 work is due
    (partitions check, archive verify, health, status, doctor, lint, diff).
    """
    ctx.obj = debug


def _read(word: str) -> str:
    """Return a word of the command line: where the locale is C, Python has not read its letters."""
    unread = any("\udc80" <= letter <= "\udcff" for letter in word)
    return os.fsencode(word).decode("utf-8", "replace") if unread else word


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, terminate)
    be_patient()
    sys.argv = [_read(word) for word in sys.argv]
    try:
        with saying_unchanged():
            code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt) as interrupt:
        click.echo(SAID, err=True)
        code = code_of(interrupt)
    except SchemaKitError as error:
        if "--debug" in sys.argv[1:]:
            raise
        click.echo(f"error: {error}", err=True)
        code = SchemaKitError.exit_code if isinstance(error, Refusal) and not error.unchanged else error.exit_code
    if why := lost():
        click.echo(f"error: stdout cannot be written: {why}.", err=True)
        code = SchemaKitError.exit_code if code in (None, 0, 4) else code  # what was due was not read
    sys.exit(code if isinstance(code, int) else 0)
