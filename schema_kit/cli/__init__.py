"""The command line: ``schema_kit NOUN VERB [TABLE...]``. stdout is data, stderr is talk.

A noun's module is imported when the noun is used, so that --help needs no database library.
"""

from __future__ import annotations

import signal
import sys

import click

from schema_kit.cli.lazy import Lazy
from schema_kit.cli.output import be_patient
from schema_kit.errors import Refusal, SchemaKitError, saying_unchanged

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
    (partitions check, health, status, lint, diff).
    """
    ctx.obj = debug


_INTERRUPTED, _TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM
"""As shells have it: Ctrl-C 130, SIGTERM 143."""


class _Terminated(KeyboardInterrupt):
    """What a service manager sends is an interrupt, too: the statement that runs is cancelled."""


def _interrupt(*_: object) -> None:
    raise _Terminated


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, _interrupt)
    be_patient()
    try:
        with saying_unchanged():
            code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt) as interrupt:
        click.echo("interrupted; what was committed stays, and running it again resumes there", err=True)
        code = _TERMINATED if isinstance(interrupt.__context__ or interrupt, _Terminated) else _INTERRUPTED
    except SchemaKitError as error:
        if "--debug" in sys.argv[1:]:
            raise
        click.echo(f"error: {error}", err=True)
        code = SchemaKitError.exit_code if isinstance(error, Refusal) and not error.unchanged else error.exit_code
    sys.exit(code if isinstance(code, int) else 0)
