"""What was timed, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schema_kit.timings.watching import Watched


def report(watched: Watched, limit: int) -> str:
    """Return tables in plain text."""
    lines = ["   calls  errors     total       p50       p95       p99  statement"]
    lines += [
        f"{timed.calls:8,d}{timed.errors:8,d}{timed.total:9.2f} s"
        + "".join(f"{1000 * seconds:7.1f} ms" for seconds in (timed.p50, timed.p95, timed.p99))
        + f"  {timed.statement}"
        for timed in watched.statements()[:limit]
    ]
    if slow := watched.slowest()[:limit]:
        lines += ["", f"slow, {1000 * watched.slow:.0f} ms or more: {watched.slow_calls:,d} calls"]
        lines += [f"{1000 * call.seconds:9.0f} ms  {call.statement}" for call in slow]
    if repeated := watched.repeated()[:limit]:
        lines += ["", f"repeated {watched.repeats} times or more in one unit of work"]
        lines += [f"{found.times:8,d} x  {found.statement}  ({found.where or 'unknown'})" for found in repeated]
    pool = watched.pool()
    most = "" if pool.limit is None else f" of at most {pool.limit}"
    return "\n".join([*lines, "", f"pool: {pool.in_use} in use, {pool.idle} idle{most}"])
