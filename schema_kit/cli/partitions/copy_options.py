"""Options of the commands that copy rows while writes continue."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import click

from schema_kit.cli.run import options
from schema_kit.model import MAX_REPLICA_LAG, MAX_SLOT_BYTES, CopyLimits

_UNITS = {"": 2**20, "MB": 2**20, "GB": 2**30, "TB": 2**40}


def copies(command: Callable[..., None]) -> Callable[..., None]:
    """The options --workers, --max-replica-lag and --max-slot-size; the command is given `workers` and `limits`."""

    @functools.wraps(command)
    def with_limits(*args: Any, max_replica_lag: float, max_slot_size: int, **others: Any) -> None:
        command(*args, limits=CopyLimits(max_replica_lag or None, max_slot_size or None), **others)

    return options(
        click.option(
            "--max-slot-size",
            callback=as_bytes,
            default=f"{MAX_SLOT_BYTES // 2**30}GB",
            show_default=True,
            help="Pause while a replication slot holds back more WAL; 0: never.",
        ),
        click.option(
            "--max-replica-lag",
            type=click.FloatRange(0),
            default=MAX_REPLICA_LAG,
            show_default=True,
            help="Pause while a replica is more seconds behind; 0: never.",
        ),
        click.option(
            "--workers", type=click.IntRange(1), default=1, show_default=True, help="Sessions that copy at once."
        ),
    )(with_limits)


def as_bytes(_context: click.Context, _parameter: click.Parameter, text: str) -> int:
    """Return what a person writes for a size: 512MB, 16GB, 1TB."""
    found = re.fullmatch(r"(\d+) *(MB|GB|TB|)", text.strip(), re.IGNORECASE)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a size. Write 512MB, 16GB, 1TB, or 0")
    return int(found[1]) * _UNITS[found[2].upper()]
