"""Plan what `partitions check` reports: what is wrong with a partitioned table, what is due, and the repair."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from schema_kit.errors import PlanError, SchemaKitError
from schema_kit.intervals import Point
from schema_kit.model import DefaultRows, Partition, Range, Strategy, Table, Watched
from schema_kit.model.grid import MOST_AHEAD, Grid, grid, partitioned_table
from schema_kit.model.ranges import Placed, besides, held_in_part, missing, placed, stretches, wide, windows_within
from schema_kit.names import QualifiedName, ident, literal
from schema_kit.plans import archives, drift, statistics
from schema_kit.plans.drift import several
from schema_kit.plans.retention import doubtful, due, grace_is_over
from schema_kit.storage import PART_CONFIG


class Severity(StrEnum):
    """How much a finding matters: the first two make the command's exit code 4."""

    BROKEN = "broken"
    """Something does not work, or will not when its time comes."""
    DUE = "due"
    """Work that a command does."""
    NOTICE = "notice"
    """Nothing has to be done now."""


CODES = {
    "unseen": Severity.BROKEN,
    "shard_differs": Severity.BROKEN,
    "policy_unreadable": Severity.BROKEN,
    "table_missing": Severity.BROKEN,
    "key_differs": Severity.BROKEN,
    "current_missing": Severity.BROKEN,
    "off_grid_ahead": Severity.BROKEN,
    "index_missing": Severity.BROKEN,
    "index_invalid": Severity.BROKEN,
    "constraint_missing": Severity.BROKEN,
    "not_null_missing": Severity.BROKEN,
    "trigger_differs": Severity.BROKEN,
    "generated_differs": Severity.BROKEN,
    "bound_left": Severity.BROKEN,
    "archive_missing": Severity.BROKEN,
    "ahead_missing": Severity.DUE,
    "gap": Severity.DUE,
    "default_rows": Severity.DUE,
    "detach_pending": Severity.DUE,
    "retention_overdue": Severity.DUE,
    "retired_due": Severity.DUE,
    "retired_unlike": Severity.DUE,
    "archive_overdue": Severity.DUE,
    "cold_unfinished": Severity.DUE,
    "constraint_not_valid": Severity.DUE,
    "index_leftover": Severity.DUE,
    "copy_unfinished": Severity.DUE,
    "emptied_left": Severity.DUE,
    "published_by_leaf": Severity.DUE,
    "statistics_stale": Severity.DUE,
    "default_unseen": Severity.NOTICE,
    "default_strays": Severity.NOTICE,
    "gap_wide": Severity.NOTICE,
    "archive_restored": Severity.NOTICE,
    "old_kept": Severity.NOTICE,
    "control_nullable": Severity.NOTICE,
    "interval_differs": Severity.NOTICE,
    "off_grid": Severity.NOTICE,
    "default_differs": Severity.NOTICE,
}
"""Every finding there is, and how much it matters."""

LEAVING = frozenset(
    {"detach_pending", "retention_overdue", "retired_due", "retired_unlike", "statistics_stale", "shard_differs"}
)
"""What can be due of an archive: nothing is made in it ahead of the clock."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or due.

    Args:
        code: what kind of thing, one of CODES.
        set: the partitioned table.
        object: the table, index, constraint, trigger or column that it is about.
        sentence: what it is, why it matters, and the command that sets it right.
    """

    code: str
    set: str
    object: str
    sentence: str

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return CODES[self.code]


@dataclass(frozen=True, slots=True)
class Examined:
    """A partitioned table with its findings, and what a monitor draws of it."""

    seen: Watched
    findings: tuple[Finding, ...] = ()
    lines: Grid | None = None
    """None where its policy and its table disagree."""
    parts: Placed = ()
    missing: tuple[Range, ...] = ()
    """Ranges from the current position's on that should have a partition."""
    gaps: tuple[Range, ...] = ()
    """Stretches without one before those or after them, as far as the retention reaches."""
    overdue: tuple[Partition, ...] = ()
    """Partitions that have outlived the retention."""


def examine(seen: Watched) -> Examined:
    """Return all that can be said of one set."""
    name = str(seen.policy.parent)
    examined = Examined(seen)
    found = [("unseen", name, f"{name} could not be looked at as a whole: {said}") for said in seen.unseen]
    if seen.table is None:
        found += [] if seen.unseen else [_table_missing(seen)]
    else:
        found += drift.sentences(seen.drift, seen.table)
        found += [*_detached(seen.table), *_statistics(seen, seen.table), *_shards(seen)]
        try:
            disagreement = _disagree(seen, seen.table)
            found += disagreement
            if not disagreement:
                examined, more = _on_the_line(seen, seen.table)
                found += more
        except SchemaKitError as error:
            found.append(_unreadable(seen, error))
    order = list(CODES)
    findings = (Finding(code, name, object_, sentence) for code, object_, sentence in found)
    return replace(examined, findings=tuple(sorted(findings, key=lambda each: order.index(each.code))))


def no_policy(parent: str, error: SchemaKitError) -> Finding:
    """Return a row of part_config that cannot be read."""
    said = (
        f"the row of {parent} in part_config is not a policy: {error} Every run of maintenance fails on it. "
        f"{_row(parent)}"
    )
    return Finding("policy_unreadable", parent, parent, said)


def command(verb: str, parent: QualifiedName, *options: str) -> str:
    """Return what to type into a shell; ... stands for what only a person knows."""
    return " ".join(("schema_kit partitions", verb, shlex.quote(str(parent)), *options))


Told = tuple[str, str, str]
"""Code, object, sentence."""


def _table_missing(seen: Watched) -> Told:
    name = str(seen.registered)
    said = f"{name} has a policy in part_config, and there is no such table: every run of maintenance fails on it. "
    return "table_missing", name, said + _row(name)


def _policy(parent: QualifiedName, **changes: object) -> str:
    """Return the operation that changes a policy; ... stands for what only a person knows."""
    said = "".join(f", {name}={'...' if value is ... else repr(value)}" for name, value in changes.items())
    return f"op.set_partition_policy({parent.name!r}{said}, schema={parent.schema!r})"


def _row(parent: str) -> str:
    return f"If it is not wanted any more: DELETE FROM {PART_CONFIG} WHERE parent_table = {literal(parent)};"


def _disagree(seen: Watched, table: Table) -> list[Told]:
    try:
        partitioned_table(seen.policy, table)
    except PlanError as error:
        said, name = f"{error.reason} Nothing is made ahead.", seen.registered
        if table.partition_strategy == Strategy.RANGE and len(table.partitioned_by) == 1:
            said += f" To follow the table, in a migration: {_policy(name, control=table.partitioned_by[0])}"
            return [("key_differs", str(table.name), said)]
        return [("key_differs", str(table.name), f"{said} {_row(str(name))}")]
    return []


def _unreadable(seen: Watched, error: SchemaKitError) -> Told:
    return (
        "policy_unreadable",
        str(seen.registered),
        f"nothing can be planned for {seen.policy.parent}: {error.reason} Nothing is made ahead until its policy says "
        f"what is meant. In a migration: {_policy(seen.registered, interval=..., timezone=..., premake=...)}",
    )


def _detached(table: Table) -> Iterator[Told]:
    for one in table.partitions:
        if one.detach_pending:
            yield (
                "detach_pending",
                str(one.name),
                f"the concurrent detach of {one.name} was interrupted: queries of {table.name} do not see its rows, "
                "its range is still taken, and nothing else can be detached concurrently. To end it: "
                f"ALTER TABLE {table.name.sql} DETACH PARTITION {one.name.sql} FINALIZE;",
            )


def _on_the_line(seen: Watched, table: Table) -> tuple[Examined, list[Told]]:
    lines, odd = grid(seen.policy, table), list[Partition]()
    parts = placed(lines, table, odd)
    ahead, overdue = tuple[Range, ...](), tuple[Partition, ...]()
    if seen.here is not None:
        ahead, overdue = tuple(lines.ahead(seen.here)), due(seen.policy, table, seen.here)[0]
    here = replace(lines, policy=archives.kept(lines, seen.archive, seen.here))
    gaps = tuple(besides(stretches(here, parts, seen.here), ahead))
    examined = Examined(seen, (), lines, parts, tuple(missing(ahead, parts)), gaps, overdue)
    found = [*_column(seen, table), *_off_grid(lines, parts, odd, ahead, seen.registered)]
    found += _interval(lines, parts, seen.registered)
    found += [*_ahead(examined, ahead), *_gaps(examined), *_default(examined, table)]
    found += [*_overdue(examined), *_retired(seen), *_to_archive(seen, table)]
    return examined, found


def _overdue(examined: Examined) -> Iterator[Told]:
    policy, lines = examined.seen.policy, examined.lines
    assert lines is not None  # they lie on them
    names = [part.name for part in examined.overdue]
    if names:
        until = lines.shown(lines.range_of(examined.overdue[-1]).upper)
        what = "partition has" if len(names) == 1 else "partitions have"
        yield (
            "retention_overdue",
            str(names[0]),
            f"{len(names):,} {what} outlived the retention of {policy.parent} ({policy.retention}), up to {until}: "
            f"{several(names)}. Run {command('retire', examined.seen.registered)}, which says why if one has to stay.",
        )


def _to_archive(seen: Watched, table: Table) -> Iterator[Told]:
    if seen.archive is None or seen.here is None:
        return
    run = f"schema_kit archive run {shlex.quote(str(seen.archive.table))}"
    names = archives.due(seen.archive, seen.policy, table, seen.here)[0]
    back, due_ = (
        [name for name in names if name in seen.restored],
        [name for name in names if name not in seen.restored],
    )
    if due_:
        yield (
            "archive_overdue",
            str(due_[0]),
            f"{several(due_)} of {seen.policy.parent}: due for {seen.archive.archive} "
            f"({seen.archive.when}). Run {run}, which says why if one has to stay.",
        )
    if back:
        yield (
            "archive_restored",
            str(back[0]),
            f"{several(back)} of {seen.policy.parent}: due for {seen.archive.archive} and restored from there, so it "
            f"stays until it is asked for: {run} --restored",
        )


def _shards(seen: Watched) -> Iterator[Told]:
    for one in seen.shards:
        yield (
            "shard_differs",
            str(one.table),
            f"{one.sentence}: queries of these rows go without it, or fail. An index is built again everywhere by "
            f"op.reindex_concurrently(table_name={one.table.name!r}, schema={one.table.schema!r}); a shard that is "
            "gone is the cluster's to bring back (citus_copy_shard_placement, or its node).",
        )


def _statistics(seen: Watched, table: Table) -> Iterator[Told]:
    if statistics.stale(table):
        only = "ONLY " if seen.server.analyze_only else ""
        known = f"{table.rows:,} rows" if table.rows >= 0 else "nothing"
        yield (
            "statistics_stale",
            str(table.name),
            f"the planner knows {known} of {table.name} as a whole, whose partitions have about "
            f"{table.held:,}: queries of the table are planned by that, and autovacuum never gathers it. "
            f"{command('maintain', seen.registered)} does, or by hand: ANALYZE {only}{table.name.sql};",
        )


def _retired(seen: Watched) -> Iterator[Told]:
    policy, late, unmoved = seen.policy, list[QualifiedName](), list[QualifiedName]()
    for one in seen.retired:
        if one.doubt:
            yield "retired_unlike", str(one.name), doubtful(one)
        if not (one.there and one.by_policy and seen.now):
            continue
        if policy.retention_schema:
            unmoved += [one.name] if one.name.schema != policy.retention_schema else []
        elif not policy.retention_keep_table:
            late += [one.name] if grace_is_over(policy, one.since, seen.now) else []
    for names, what in (
        (late, f"out of it for longer than the grace period ({policy.retention_grace}), and still there"),
        (unmoved, f"out of it, and not yet in schema {policy.retention_schema}"),
    ):
        if names:
            yield (
                "retired_due",
                str(names[0]),
                f"{several(names)} of {policy.parent}: retired, {what}. Run "
                f"{command('retire', seen.registered, '--yes')}",
            )


def _column(seen: Watched, table: Table) -> Iterator[Told]:
    column = table.column(seen.policy.control)
    if column and not column.not_null:
        yield (
            "control_nullable",
            column.name,
            f"column {column.name} of {table.name} may be NULL: such a row is refused, or lies in the default "
            "partition, where no retention finds it. In a migration: "
            f"op.set_not_null_concurrently({table.name.name!r}, {column.name!r}, schema={table.name.schema!r})",
        )


def _off_grid(
    lines: Grid, parts: Placed, odd: Sequence[Partition], ahead: Sequence[Range], registered: QualifiedName
) -> Iterator[Told]:
    on: dict[Point, bool] = {}

    def fits(point: Point) -> bool:
        if point not in on:
            on[point] = lines.begins_at(point)
        return on[point]

    off = [(one, part) for one, part in parts if not (fits(one.lower) and fits(one.upper))]
    crossed = [window for window in ahead if held_in_part(window, parts)]
    if parts and not fits(parts[-1][0].upper):  # the next one cannot begin there
        crossed.append(lines.window(parts[-1][0].upper))
    late = [part for one, part in off if any(one.overlaps(window) for window in crossed)]
    names = {part.name for part in late}
    early = [part for _, part in off if part.name not in names] + list(odd)
    for code, found, why in (
        ("off_grid_ahead", late, "create-next is refused there, now or when its time comes"),
        ("off_grid", early, "they hold their rows all the same, but no retention takes them"),
    ):
        if found:
            yield (
                code,
                str(found[0].name),
                f"the bounds of {several([part.name for part in found])} do not lie where the policy of "
                f"{lines.policy.parent} asks for ({lines.policy.interval}, {lines.policy.timezone}; the first reaches "
                f"from {lines.span(found[0])}): {why}. To follow the "
                f"partitions, in a migration: {_policy(registered, interval=..., timezone=..., origin=...)}",
            )


def _interval(lines: Grid, parts: Placed, registered: QualifiedName) -> Iterator[Told]:
    if not parts:
        return
    newest, part = parts[-1]
    if newest.lower is None or newest.upper is None or not (lines.begins_at(newest.lower) and len(parts) > 1):
        return
    if lines.after(newest.lower) != newest.upper and lines.begins_at(newest.upper):
        yield (
            "interval_differs",
            str(part.name),
            f"the newest partition, {part.name}, reaches from {lines.told(newest)}, and the policy of "
            f"{lines.policy.parent} makes one every {lines.policy.interval}: the next one will be of another width. If "
            f"that is not meant, in a migration: {_policy(registered, interval=...)}. If it is, and this one must be "
            f"split too: {command('split', part.name)}",
        )


def _ahead(examined: Examined, ahead: Sequence[Range]) -> Iterator[Told]:
    seen, lines, lacking = examined.seen, examined.lines, examined.missing
    assert lines is not None  # there are ranges
    if not lacking:
        return
    first, until = lines.shown(lacking[0].lower), lines.shown(lacking[-1].upper)
    run = f"{command('create-next', seen.registered)}"
    default = any(part.default for part in seen.table.partitions) if seen.table else False
    if lacking[0] == ahead[0]:
        what = "go into the default partition" if default else "are refused"
        yield (
            "current_missing",
            str(seen.policy.parent),
            f"no partition of {seen.policy.parent} holds the current position, {first} to "
            f"{lines.shown(lacking[0].upper)}: rows of now {what}. Now: {run}",
        )
    if lacking[-1] != ahead[0]:
        yield (
            "ahead_missing",
            str(seen.policy.parent),
            f"{len(lacking)} of the {len(ahead)} partitions that the policy of {seen.policy.parent} keeps from the "
            f"current one on (premake {seen.policy.premake}) are missing, from {first} to {until}: when their time "
            f"comes, rows {'go into the default partition' if default else 'are refused'}. Run {run}",
        )


def _gaps(examined: Examined) -> Iterator[Told]:
    lines, name = examined.lines, examined.seen.policy.parent
    assert lines is not None  # there are gaps
    shown, count, table = [], 0, examined.seen.table
    default = any(part.default for part in table.partitions) if table else False
    for stretch in examined.gaps:
        windows = list(islice(windows_within(lines, stretch), MOST_AHEAD + 1))
        if wide(lines, stretch, default=default):
            since = f"--since {shlex.quote(lines.shown(windows[0].lower))}"
            many = f"more than {MOST_AHEAD}" if len(windows) > MOST_AHEAD else f"{len(windows)}"
            yield (
                "gap_wide",
                str(name),
                f"{name} has no partition from {lines.told(Range(windows[0].lower, stretch.upper))}, {many} "
                "ranges, and so many are not made unasked: one odd row or partition may lie before them. If they are "
                f"wanted: {command('fill-gaps', examined.seen.registered, since)}",
            )
            continue
        count = min(count + len(windows), MOST_AHEAD + 1)
        if windows:
            shown.append(f"{lines.told(Range(windows[0].lower, stretch.upper))}")
    if shown:
        number = f"{count} ranges" if count <= MOST_AHEAD else f"more than {MOST_AHEAD} ranges"
        yield (
            "gap",
            str(name),
            f"{name} has no partition for {'one range' if count == 1 else number} between the oldest and the current "
            f"position or the newest ({several(shown)}): rows of then are refused, or go into the default partition. "
            f"Run {command('fill-gaps', examined.seen.registered)}",
        )


def _default(examined: Examined, table: Table) -> Iterator[Told]:
    name = next((part.name for part in table.partitions if part.default), None)
    held, lines = examined.seen.default, examined.lines
    if name is None or held is None:
        return
    assert lines is not None  # its ranges were reported
    if held.filled and (held.windows or held.more or not held.strays):
        yield "default_rows", str(name), _default_rows(held, lines, name, examined.seen.registered)
    if held.strays:
        column = ident(lines.policy.control)
        wrong = " OR ".join(f"{column} {stray.condition}" for stray in held.strays)
        reach = command("drain-default", examined.seen.registered, "--until ...")
        yield (
            "default_strays",
            str(name),
            f"{name} holds {' and '.join(stray.told for stray in held.strays)} that no partition is made for: farther "
            "ahead than partitions are kept, or beyond what can be planned with. They stay there, and no retention "
            f"finds them. If they are right, {reach} gives those up to there partitions; to look at them: "
            f"SELECT * FROM {name.sql} WHERE {wrong};",
        )
    if held.filled is None:
        yield (
            "default_unseen",
            str(name),
            f"whether {name} holds rows could not be seen (the planner guesses {max(held.estimate, 0):,}): {held.why}",
        )


def _default_rows(held: DefaultRows, lines: Grid, name: QualifiedName, parent: QualifiedName) -> str:
    spans = [lines.told(one) for one in held.windows]
    of = ", ".join([*spans, "others"] if held.more and spans else spans) or "ranges that were not looked for"
    count = f"about {held.estimate:,} rows" if held.estimate > 0 else "rows"
    return (
        f"{name} holds {count}, of {of}: every query reads it, no retention finds them, and PostgreSQL makes "
        f"no partition for those ranges while they lie there. Run {command('drain-default', parent)}"
    )
