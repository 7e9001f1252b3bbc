"""What is done to a table while all sessions use it: how it begins, which commands, where its rows are in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.chaos.beginnings import AFTER, archive, before, default_only, months, policy, rows_archive, ttl
from tests.chaos.disturbance import DDL
from tests.chaos.tables import SPAN, Shape
from tests.chaos.writers import RECENT

Command = tuple[str, ...]


@dataclass(frozen=True)
class Scenario:
    """A row of the table of scenarios.

    Args:
        commands: one after the other, each until it is done.
        begin: SQL behind that of the table, before rows are in it.
        ready: operations behind the rows.
        partitioned: the table is partitioned from the start.
        windows: how far back writers write, in seconds.
        view: what readers read, instead of the table.
        where: which rows readers count, and none takes away.
        ddl: kinds of DDL that others send.
        old_snapshots: a snapshot from before its swap may see another table, which is counted apart.
        leave: untouched rows that are older than AFTER are gone in the end.
        then: what is true in the end, as SQL that gives nothing.
    """

    commands: tuple[Command, ...]
    begin: Callable[[Shape], Sequence[str]] = lambda _: ()
    ready: Callable[[Shape], None] | None = None
    partitioned: bool = True
    windows: int = RECENT
    view: str = ""
    where: str = "who IN (0, -1)"
    ddl: tuple[str, ...] = tuple(DDL)
    old_snapshots: bool = False
    leave: bool = False
    then: tuple[str, ...] = field(default=())


CONVERT = ("partitions", "convert", "{t}", "--control", "at", "--interval", "1 month", "--yes")
# A column that only one side has is refused by archives; what left before others came has no index of theirs.
_OF_BOTH = tuple(
    kind for kind in DDL if kind not in ("index", "column", "check", "default", "storage", "statistics target")
)


def referred(shape: Shape) -> tuple[str, ...]:
    """What a migration needs besides the table: another one to refer to, and an index to replace."""
    return (
        "CREATE TABLE chaos.ours_referred AS SELECT generate_series(-1, 20) AS id",
        "ALTER TABLE chaos.ours_referred ADD PRIMARY KEY (id)",
        f"CREATE INDEX ours_before ON {shape.table} (body)",
    )


SCENARIOS: dict[str, Scenario] = {
    "convert by attach": Scenario(
        commands=((*CONVERT, "--strategy", "attach"),),
        partitioned=False,
        windows=SPAN,
    ),
    "convert by copy": Scenario(
        commands=((*CONVERT, "--strategy", "copy"), ("partitions", "convert", "{t}", "--finish", "--yes")),
        partitioned=False,
        windows=SPAN,
        old_snapshots=True,
    ),
    "convert fed and back": Scenario(
        commands=(
            (*CONVERT, "--strategy", "copy", "--feed", "--workers", "2"),
            ("partitions", "convert", "{t}", "--rollback", "--yes"),
        ),
        partitioned=False,
        windows=SPAN,
        old_snapshots=True,
    ),
    "undo": Scenario(
        commands=(("partitions", "undo", "{t}", "--yes"),),
        begin=months,
        ready=policy,
        windows=SPAN,
    ),
    "drain": Scenario(
        commands=(("partitions", "drain-default", "{t}"),),
        begin=default_only,
        ready=policy,
        windows=SPAN,
        old_snapshots=True,
    ),
    "split": Scenario(
        commands=(("partitions", "split", "chaos.before", "--workers", "2"),),
        begin=before,
        ready=policy,
        windows=SPAN,
        old_snapshots=True,
    ),
    "maintain": Scenario(
        commands=(("partitions", "maintain"),),
        begin=default_only,
        ready=lambda shape: policy(shape, premake=6),
        windows=SPAN,
        old_snapshots=True,
    ),
    "retire": Scenario(
        commands=(("partitions", "retire", "--no-grace", "--yes"),),
        begin=months,
        ready=lambda shape: policy(shape, retention=AFTER),
        where="(who = -1 OR who = 0 AND {recent})",
        ddl=_OF_BOTH,
    ),
    "archive partitions": Scenario(
        commands=(("archive", "run"),),
        begin=months,
        ready=archive,
        view="chaos.everything",
        ddl=_OF_BOTH,
    ),
    "archive rows": Scenario(
        commands=(("archive", "run"),),
        begin=months,
        ready=rows_archive,
        view="chaos.everything",
        ddl=_OF_BOTH,
        then=("SELECT count(*) FROM {t} WHERE who = 0 AND n = 0",),
    ),
    "ttl": Scenario(
        commands=(("ttl", "run", "--yes"),),
        begin=lambda shape: (f"CREATE INDEX ON {shape.table} (at)",),
        partitioned=False,
        ready=ttl,
        where="(who = -1 OR who = 0 AND {recent})",
        leave=True,
    ),
    "migration": Scenario(
        commands=(("migration", "objects", "{t}"),),
        begin=lambda shape: (*months(shape), *referred(shape)),
        ready=policy,
        windows=SPAN,
    ),
    "migration of a plain table": Scenario(
        commands=(("migration", "objects", "{t}"),),
        begin=referred,
        partitioned=False,
        windows=SPAN,
    ),
    "batches": Scenario(
        commands=(("migration", "batches", "{t}"),),
        begin=months,
        ready=policy,
        windows=SPAN,
        then=("SELECT count(*) FROM {t} WHERE batch IS NULL AND (who IN (0, -1) OR id IN ({first}))",),
    ),
}
CONTROL = Scenario(commands=(), begin=months, ready=policy, windows=SPAN)
"""The control run: a table that is partitioned from the start, and only the writers change it."""
