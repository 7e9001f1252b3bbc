"""The parts of a report below its first screen. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from schema_kit.model import ArchiveFile
from schema_kit.names import QualifiedName
from schema_kit.pages import pictures, svg, words
from schema_kit.pages.facts import Seen, Statement
from schema_kit.pages.growth import DAYS, Growth
from schema_kit.pages.html import Child, Column, Html, code, items, joined, name, numbers, paragraph, table, tag
from schema_kit.pages.outlook import Outlook, SetFacts, Told, about_indexes, figures
from schema_kit.plans.timeline import Timeline

Part = tuple[str, str, list[Child]]
"""Its id, its heading, and what is below that."""


def all_of(seen: Seen, found: Outlook, findings: Sequence[Told], most: int) -> Iterator[Part]:
    """Yield every part that has something to say.

    Args:
        seen: what was read.
        found: what was worked out of it.
        findings: of partitions and of health, the worst first.
        most: how many tables, statements and findings are shown.
    """
    yield "growth", "Growth and forecast", _growth(seen, found, most)
    yield "sets", "Partitioned tables over time", _sets(seen, most)
    yield "statements", "Slowest statements", _statements(seen, most)
    yield "findings", "Findings", _findings(seen, [one for one in findings if not about_indexes(one)], most)
    yield "indexes", "Index advice", _indexes(seen, [one for one in findings if about_indexes(one)], most)
    yield "archives", "Archives and files", _archives(seen, most)
    yield "maintenance", "What maintenance did", _maintenance(seen, most)
    if seen.notes:
        yield "unseen", "What was not seen", [items(dict.fromkeys(seen.notes), class_="findings")]


def subject(of: str) -> Html:
    """Return what a finding is about."""
    return tag("bdi", of, class_="name")


def _more(left: int, what: str, how: str = "") -> Html:
    """Return how many are left out."""
    return paragraph(f"And {words.count(left, what)} more{how}.", class_="soft") if left > 0 else Html("")


def _growth(seen: Seen, found: Outlook, most: int) -> list[Child]:
    known = [one for _, one in found.tables if one.curve]
    unknown = [(of, one) for of, one in found.tables if not one.curve]
    said = _foretold(seen, found)
    parts: list[Child] = []
    if known:
        legend = paragraph(
            "Solid: what snapshots have seen. Dashed: what is likely. Shaded: four of five outcomes.", class_="soft"
        )
        parts.append(tag("figure", pictures.forecast("forecast", seen, found, said), legend))
    parts.append(paragraph(said, class_="lead"))
    columns = [
        Column("Table"),
        *numbers("Size", "Rows", seen.period.last.capitalize(), "Before", "In 30 days", "In 91 days", "In a year"),
        Column("Trend", wide=True),
    ]
    shown = [_grown(f"t{n}", of, one) for n, (of, one) in enumerate(found.tables[:most])]
    parts.append(table("Tables by size, with their partitions, indexes and TOAST", columns, shown))
    rest = found.tables[most:]
    size = words.size(sum(one.size.bytes for _, one in rest))
    parts.append(_more(len(rest), "table", f", {size} in all"))
    if unknown:
        parts.append(
            paragraph(
                f"{words.count(len(unknown), 'table has', 'tables have')} no history yet, "
                f"{words.size(sum(one.size.bytes for _, one in unknown))} in all, and count as they are. ",
                "To remember their sizes, run once a day: ",
                code("schema_kit health --remember"),
                class_="soft",
            )
        )
    return parts


def _foretold(seen: Seen, found: Outlook) -> str:
    """Return the forecast in a sentence or two."""
    if not any(one.curve for _, one in found.tables):
        said = "No table has a history yet, so nothing is foretold."
    else:
        days = seen.period.ahead
        n = DAYS.index(days)
        low, likely, high = (
            words.size(max(seen.bytes + curve[n], 0)) for curve in (found.low, found.likely, found.high)
        )
        between = "" if low == high else f", between {low} and {high}"
        said = f"The database has {words.size(seen.bytes)}. In {days} days it is likely to have {likely}{between}."
    if seen.disk is None:
        return (
            f"{said} How big its disk is cannot be seen from here: PostgreSQL does not report it. Name it with --disk "
            "500GB to learn when it is full."
        )
    room = f"{words.size(seen.disk.room)} of {words.size(seen.disk.total)} are free ({seen.disk.how})."
    if found.full is None:
        worst = f", or on {words.day(found.at_worst)} at the worst" if found.at_worst else ""
        return f"{said} {room} The disk is not full within five years{worst}."
    if not seen.disk.room:
        return f"{said} Nothing is free of {words.size(seen.disk.total)} ({seen.disk.how})."
    worst = f", as early as {words.day(found.at_worst)}" if found.at_worst and found.at_worst < found.full else ""
    return f"{said} {room} The disk is full on {words.day(found.full)}{worst}."


def _grown(key: str, of: QualifiedName, one: Growth) -> list[Child]:
    basis = tag("small", f"from {one.basis}" if one.basis[0].isdigit() else one.basis) if one.basis else None
    drawn: Child = None
    if one.past:
        what = "Bytes a day" if "partition" in one.basis else "Size"
        last, ahead = words.size(one.past[-1]), words.size(one.ahead[-1] if one.ahead else None)
        drawn = svg.spark(key, f"{what} of {of}", f"Last {last}; later about {ahead}.", one.past[-24:], one.ahead)
    return [
        joined([name(of), basis]),
        words.size(one.size.bytes),
        f"{one.size.rows:,}",
        words.change(one.recent),
        words.change(one.before),
        *(words.size(one.after(days)) for days in (30, 91, 364)),
        drawn,
    ]


_KEY = (
    ("past", "past"),
    ("current", "current"),
    ("ahead", "made ahead, empty"),
    ("due", "due to leave, striped"),
    ("missing", "no partition, dashed"),
)


def _sets(seen: Seen, most: int) -> list[Child]:
    if not seen.sets:
        return [paragraph("No partitioned table has a policy.", class_="lead")]
    ranked = sorted(
        ((one, figures(one)) for one in seen.sets),
        key=lambda each: (not (each[1].due or each[0].trouble), -each[1].bytes, str(each[0].policy.parent)),
    )
    keys = [tag("li", tag("i", class_=f"k-{kind}", aria_hidden="true"), said) for kind, said in _KEY]
    drawn = [_set(f"s{n}", seen, *each) for n, each in enumerate(ranked[:most])]
    columns = [Column("Table"), *numbers("Partitions", "Size"), Column("Made"), Column("Due", wide=True)]
    rest = [
        [name(one.policy.parent), f"{own.partitions:,}", words.size(own.bytes), own.until, ", ".join(own.due) or "–"]
        for one, own in ranked[most : 4 * most]
    ]
    left = ranked[4 * most :]
    size = words.size(sum(own.bytes for _, own in left))
    due = sum(bool(own.due) for _, own in left)
    return [
        tag("ul", keys, class_="key"),
        drawn,
        table("The other partitioned tables", columns, rest),
        _more(len(left), "partitioned table", f", {size} in all, {due:,} of them with work due"),
    ]


def _set(key: str, seen: Seen, one: Timeline, own: SetFacts) -> Html:
    policy = one.policy
    cut = f"{policy.interval} each, by {policy.control}, on the clock of {policy.timezone}"
    if one.lines is not None and one.lines.of_ids:
        cut = f"{int(policy.interval):,} ids each, by {policy.control}"
    kept = f"kept for {policy.retention}" if policy.retention else "kept without limit"
    if one.archive is not None and one.archive.archive_after:
        kept = (
            f"to the archive after {one.archive.archive_after}, {kept}"
            if policy.retention
            else f"to the archive after {one.archive.archive_after}"
        )
    said = list(_said(one, own))
    head = tag("figcaption", tag("h3", name(policy.parent)), paragraph(f"{cut}; {kept}", class_="soft"))
    due = paragraph(tag("span", "due", class_="badge due"), " ", ", ".join(own.due), class_="duty") if own.due else None
    picture = pictures.partitions(key, one, seen.at, " ".join([*said, *(f"Due: {what}." for what in own.due)]))
    return tag("figure", head, picture, paragraph(" ".join(said), class_="soft"), due)


def _said(one: Timeline, own: SetFacts) -> Iterator[str]:
    rows = f"{own.rows:,} rows"
    rows += f" in those that were analyzed, {own.uncounted:,} were not" if own.uncounted else ""
    yield f"{words.count(own.partitions, 'partition')}, {words.size(own.bytes)}, {rows}."
    if own.until:
        ahead = own.states["premade"]
        yield f"{words.count(ahead, 'partition is', 'partitions are')} made ahead, {own.until}."
    default = next((each for each in one.segments if each.state == "default"), None)
    if default is not None and default.rows:
        yield f"The default partition holds about {default.rows:,} rows."
    for what, next_ in (("leaves", one.next_to_go), ("goes to the archive", one.next_to_archive)):
        if next_ is not None and one.lines is not None:
            yield f"Next, {next_[0].name} {what} at {one.lines.shown(next_[1])}."
    yield from one.trouble


def _statements(seen: Seen, most: int) -> list[Child]:
    if seen.statements is None:
        return [paragraph(seen.statements_note or "Statements were not looked at.", class_="lead")]
    since = f"since {words.moment(seen.statements_since)}" if seen.statements_since else "since the last reset"
    if not seen.statements:
        return [paragraph(f"pg_stat_statements has counted no statement of this database {since}.", class_="lead")]
    columns = [Column("Statement"), *numbers("Time in all", "Share", "Calls", "On average", "Longest")]

    def row(one: Statement) -> list[Child]:
        return [
            code(words.cut(one.text, 400)),
            words.seconds(one.seconds),
            f"{one.share:.0%}",
            f"{one.calls:,}",
            words.milliseconds(one.mean),
            words.milliseconds(one.longest),
        ]

    by_time = sorted(seen.statements, key=lambda one: -one.seconds)[: most // 2]
    often = (one for one in seen.statements if one.calls > 1)
    by_mean = sorted(often, key=lambda one: -one.mean)[: most // 4 + 1]
    return [
        paragraph(f"As pg_stat_statements has counted them {since}, without values.", class_="lead"),
        table("Most time in all", columns, map(row, by_time)),
        table("Slowest on average, of those that were called more than once", columns, map(row, by_mean)),
    ]


_BY = joined(["What ", code("schema_kit partitions check"), " and ", code("schema_kit health")])


def _findings(seen: Seen, findings: Sequence[Told], most: int) -> list[Child]:
    ignored = (
        f" {words.count(seen.ignored, 'finding is', 'findings are')} ignored by migrations." if seen.ignored else ""
    )
    if not findings:
        return [paragraph(f"Neither partitions check nor health has found anything.{ignored}", class_="lead")]
    return [
        paragraph(_BY, f" found.{ignored}", class_="lead"),
        _listed(findings, most),
    ]


def _listed(findings: Sequence[Told], most: int) -> Html:
    def one(each: Told) -> Html:
        severity = str(each.severity)
        return joined(
            [
                tag("span", severity, class_=f"badge {severity}"),
                subject(each.table),
                tag("span", each.code, class_="soft code"),
                paragraph(each.said),
                paragraph(each.repair, class_="repair") if each.repair else None,
            ]
        )

    shown = findings[: 2 * most]
    counted = Counter(str(each.severity) for each in findings[2 * most :])
    left = f" ({', '.join(f'{many:,} {severity}' for severity, many in counted.items())})"
    return joined([items(map(one, shown), class_="findings"), _more(len(findings) - len(shown), "finding", left)])


def _indexes(seen: Seen, findings: Sequence[Told], most: int) -> list[Child]:
    since = f"Counters count since {words.moment(seen.since)}. " if seen.since else ""
    how = paragraph(
        f"{since}What the catalog shows is here. Which new indexes your statements require, with the cost before and "
        "after, takes an empty copy to find out: ",
        code("schema_kit advise index"),
        class_="lead",
    )
    columns = [Column("Table"), *numbers("Rows", "Scans of all rows", "Rows read by them")]
    rows = (
        [name(one.name), f"{round(one.rows):,}", f"{one.seq_scans:,}", f"{one.seq_rows:,}"]
        for one in seen.read_whole[:most]
    )
    return [
        how,
        _listed(findings, most) if findings else paragraph("No index is to be dropped, and no foreign key lacks one."),
        table("Big tables that are read from end to end; some statement may require an index", columns, rows),
    ]


def _archives(seen: Seen, most: int) -> list[Child]:
    if not (seen.archives or seen.files or seen.ttl):
        return [paragraph("No table has an archive, a file or a time-to-live.", class_="lead")]
    next_ = {one.policy.parent: one for one in seen.sets}

    def soon(of: QualifiedName) -> str:
        one = next_.get(of)
        if one is None or one.next_to_archive is None or one.lines is None:
            return "–"
        return f"{one.next_to_archive[0].name}, {one.lines.shown(one.next_to_archive[1])}"

    archives = [
        [
            joined([name(one.table), tag("small", "to ", name(one.archive))]),
            "whole partitions" if one.way == "partition" else "rows in batches",
            one.archive_after or one.condition or "–",
            words.size(seen.sizes[one.archive].bytes) if one.archive in seen.sizes else "–",
            f"{seen.in_transit.get(one.archive, 0):,}",
            soon(one.table),
        ]
        for one in seen.archives[:most]
    ]
    columns = [
        Column("Table"),
        Column("By"),
        Column("After"),
        *numbers("Size of the archive", "In transit"),
        Column("Next", wide=True),
    ]
    expiring = [
        [
            name(one.table),
            f"{one.age} after {one.column}" if one.age else f"at {one.column}",
            "to the archive" if one.archive_first else "for good",
        ]
        for one in seen.ttl[:most]
    ]
    return [
        table("Archives", columns, archives),
        _more(len(seen.archives) - most, "archive"),
        _files(seen.files, most),
        table("Time-to-live", [Column("Table"), Column("A row expires"), Column("It goes")], expiring),
        _more(len(seen.ttl) - most, "table"),
    ]


def _files(found: Sequence[ArchiveFile], most: int) -> Html:
    by_table = defaultdict[str, list[ArchiveFile]](list)
    for file in found:
        by_table[str(file.parent or file.table)].append(file)
    columns = [Column("Table"), *numbers("Files", "Rows", "Size", "In files alone"), Column("Last written")]

    def row(of: str, files: Sequence[ArchiveFile]) -> list[Child]:
        last = max((file.written for file in files if file.written is not None), default=None)
        alone = sum(file.rows for file in files if file.alone)
        return [
            name(of),
            f"{len(files):,}",
            f"{sum(file.rows for file in files):,}",
            words.size(sum(file.bytes for file in files)),
            words.count(alone, "row"),
            words.moment(last) if last else "–",
        ]

    ranked = sorted(by_table.items(), key=lambda each: -sum(file.bytes for file in each[1]))
    shown = table("Files, as the manifest has them", columns, (row(*each) for each in ranked[:most]))
    return joined([shown, _more(len(ranked) - most, "table with files", "")])


def _maintenance(seen: Seen, most: int) -> list[Child]:
    upkeep = ""
    if seen.upkeep:
        upkeep = (
            f"In the {seen.period.last}, {seen.upkeep.vacuumed:,} of {seen.upkeep.tables:,} tables and partitions were "
            f"vacuumed and {seen.upkeep.analyzed:,} analyzed, by autovacuum or by hand. "
        )
    samples = [one for one in seen.samples.get("", ()) if one.at >= seen.at - seen.period.length]
    said = f"{words.count(len(samples), 'snapshot')} of counters and sizes were taken."
    rows = [[one.what, name(one.table), one.detail, words.moment(one.at)] for one in seen.events[:most]]
    columns = [Column("What"), Column("Table"), Column("Details", wide=True), Column("When")]
    counted = Counter(one.what for one in seen.events)
    done = ", ".join(f"{many:,} {what}" for what, many in counted.most_common()) or "nothing"
    return [
        paragraph(f"{upkeep}{said}", class_="lead"),
        paragraph(
            f"The tables of schema_kit remember: {done}. Partitions are counted from one snapshot to the next: "
            "schema_kit health --remember takes them."
        ),
        table("What was done, the last first", columns, rows),
        _more(len(seen.events) - most, "act"),
        tag("h3", "In progress") if seen.work else None,
        items(seen.work[:most], class_="findings"),
        _more(len(seen.work) - most, "task"),
    ]
