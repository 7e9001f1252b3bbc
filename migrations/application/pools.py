"""Connection pools: presets by environment, and by how many bots share a server."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Preset:
    """What a pool is made with.

    Args:
        size: connections that stay open.
        overflow: connections beyond them that are opened when all are in use, and closed again.
        timeout: seconds that a caller waits for a connection before `sqlalchemy.exc.TimeoutError`.
        recycle: seconds after which a connection is replaced, when it is next taken.
        pre_ping: whether a connection is tried before it is handed out: one round trip each time, and no error after
            a restart of the server.
    """

    size: int
    overflow: int
    timeout: float
    recycle: int
    pre_ping: bool = False

    @property
    def most(self) -> int:
        """Connections that one process can have open."""
        return self.size + self.overflow

    @property
    def options(self) -> dict[str, Any]:
        """Keywords for `create_engine` and `create_async_engine`."""
        return {
            "pool_size": self.size,
            "max_overflow": self.overflow,
            "pool_timeout": self.timeout,
            "pool_recycle": self.recycle,
            "pool_pre_ping": self.pre_ping,
        }


PRODUCTION = Preset(20, 30, timeout=30, recycle=3600)
DEVELOPMENT = Preset(5, 10, timeout=10, recycle=1800)
CHAT = Preset(10, 20, timeout=30, recycle=3600, pre_ping=True)
"""The chat over documents: few statements beside long calls of a model, over which a connection may die."""

PRESETS = {"production": PRODUCTION, "development": DEVELOPMENT, "chat": CHAT}


def for_fleet(bots: int, *, per_second: float = 2.0, seconds: float = 0.05) -> Preset:
    """A preset for one process with so many bots.

    Connections in use are statements a second times seconds each (Little's law); the overflow, one and a half times as
    many, takes the moments when bots answer at once. The systems' 200 bots come to production's 20 and 30.

    Args:
        bots: how many run in the process.
        per_second: statements that a bot sends a second.
        seconds: how long a statement takes, and the transaction around it: 50 ms is the systems' p95.

    Raises:
        ValueError: there is nothing to do, or less.

    Example: `for_fleet(120).options`
    """
    if bots < 1 or per_second <= 0 or seconds <= 0:
        message = f"a fleet has bots that send statements: {bots} bots, {per_second} a second, {seconds} s each."
        raise ValueError(message)
    size = max(DEVELOPMENT.size, math.ceil(bots * per_second * seconds))
    return replace(PRODUCTION, size=size, overflow=math.ceil(1.5 * size))


def shared(preset: Preset, processes: int, *, connections: int) -> Preset:
    """A preset, made smaller so that all processes together stay within what the server has for them.

    Args:
        preset: what one process would have.
        processes: how many there are: workers times hosts, those of the next release too while it is rolled out.
        connections: max_connections less what is reserved for superusers, maintenance and others.

    Raises:
        ValueError: there is less than one connection for each process: put PgBouncer between them.

    Example: `shared(PRODUCTION, processes=8, connections=180)`
    """
    each = connections // processes
    if each < 1:
        message = f"{processes} processes cannot share {connections} connections: put PgBouncer between them."
        raise ValueError(message)
    if preset.most <= each:
        return preset
    size = max(1, preset.size * each // preset.most)
    return replace(preset, size=size, overflow=each - size)


def engine(url: str | sa.URL, preset: Preset | str = "production", **more: Any) -> sa.Engine:
    """An engine with that pool.

    Args:
        url: the database.
        preset: a preset, or its name in `PRESETS`.
        more: further keywords of `create_engine`.

    Example: `schema_kit.timings.watch(engine(url), slow=0.1)`
    """
    chosen = PRESETS[preset] if isinstance(preset, str) else preset
    return sa.create_engine(url, **{**chosen.options, **more})
