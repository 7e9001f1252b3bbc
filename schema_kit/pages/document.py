"""A report as one page of HTML, that loads nothing and runs nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files

from schema_kit.pages import sections, words
from schema_kit.pages.facts import Seen
from schema_kit.pages.html import Child, Html, items, joined, paragraph, section, tag
from schema_kit.pages.outlook import AT_ONCE, SOON, Outlook, Told, figures, outlook, told
from schema_kit.plans.check import Severity

LIMIT = 290_000
"""Bytes of a page, at most."""

_ACTIONS = 6
"""What needs action: so many kinds are shown on the first screen."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def document(seen: Seen) -> str:
    """Return the page; of many tables and findings as many as fit, and how many are left out."""
    found, findings = outlook(seen), told(seen)
    for most in (20, 12, 6, 3):
        page = _page(seen, found, findings, most)
        if len(page.encode()) <= LIMIT:
            break
    return page


def _page(seen: Seen, found: Outlook, findings: Sequence[Told], most: int) -> str:
    parts = [part for part in sections.all_of(seen, found, findings, most) if part]
    links = [tag("a", title, href=f"#{key}") for key, title, _ in parts]
    title = f"{seen.database}: {seen.period.name} report, {words.day(seen.at)}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("title", title),
        tag("style", Html(files("schema_kit.pages").joinpath("page.css").read_text("utf-8"))),
    )
    body = tag(
        "body",
        tag(
            "header",
            paragraph(f"{seen.period.name} report", class_="kind"),
            tag("h1", tag("bdi", seen.database)),
            paragraph(_about(seen), class_="soft"),
            tag("nav", items(links), aria_label="Parts of this report"),
        ),
        tag(
            "main",
            tag("div", _actions(seen, found, findings), _figures(seen, found, findings), class_="first"),
            [section(key, title, *children) for key, title, children in parts],
        ),
        tag(
            "footer",
            paragraph(
                f"Written by schema_kit report --{seen.period.name.lower()}. It read the catalog, statistics and the "
                "tables of schema_kit, and changed nothing. Counts of rows are the planner's estimates."
            ),
        ),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _about(seen: Seen) -> str:
    kind = "standby" if seen.standby else "primary"
    compared = "with the 24 hours before" if seen.period.days == 1 else f"with the {seen.period.days} before"
    return f"{words.moment(seen.at)} · PostgreSQL {seen.server}, {kind} · compares the {seen.period.last} {compared}"


def urgency(seen: Seen, found: Outlook) -> Severity | None:
    """Return how much the day matters on which the disk is full; None where it is far off, or not known."""
    if found.full is None:
        return None
    days = (found.full - seen.at.date()).days
    return Severity.BROKEN if days <= AT_ONCE else Severity.DUE if days <= SOON else None


def _actions(seen: Seen, found: Outlook, findings: Sequence[Told]) -> Html:
    """Return what a person on call has to do, one line for each kind of it."""
    kinds = dict[str, list[Told]]()
    for one in findings:
        if one.severity is not Severity.NOTICE:
            kinds.setdefault(one.code, []).append(one)
    if severity := urgency(seen, found):
        assert found.full is not None
        said = f"The disk is full on {words.day(found.full)}, if tables grow as they did."
        said = said if seen.disk and seen.disk.room else "The disk is full."
        kinds = {"disk_full": [Told(severity, "disk_full", seen.database, said)], **kinds}
    order = list(Severity)
    ranked = sorted(kinds.values(), key=lambda group: order.index(group[0].severity))
    shown = items((_action(group) for group in ranked[:_ACTIONS]), class_="findings")
    more = len(ranked) - _ACTIONS
    rest = paragraph(f"And {words.count(more, 'more kind')}: see ", tag("a", "Findings", href="#findings"), ".")
    if not ranked:
        calm = paragraph(tag("span", "all is well", class_="badge good"), "Nothing is broken and nothing is due.")
        return section("action", "Needs action", tag("div", calm, class_="calm"))
    return section("action", "Needs action", shown, rest if more > 0 else None)


def _action(group: Sequence[Told]) -> Html:
    one, more = group[0], len(group) - 1
    others = f" And {words.count(more, 'more', 'more')} like it." if more else ""
    severity = str(one.severity)
    head = joined([tag("span", severity, class_=f"badge {severity}"), sections.subject(one.table)])
    return joined([head, paragraph(words.cut(one.said, 160), others)])


def _figures(seen: Seen, found: Outlook, findings: Sequence[Told]) -> Html:
    """Return the figures of the first screen."""
    said = list(_told(seen, found, findings))
    entries = [
        tag("div", tag("dt", term), tag("dd", value, tag("small", why) if why else None), class_=kind)
        for term, value, why, kind in said
    ]
    return section("figures", "In figures", tag("dl", entries, class_="figures"))


def _told(seen: Seen, found: Outlook, findings: Sequence[Told]) -> Iterator[tuple[str, str, Child, str | None]]:
    recent = [one.recent for _, one in found.tables if one.recent is not None]
    before = [one.before for _, one in found.tables if one.before is not None]
    grown = f"{words.change(sum(recent))} in the {seen.period.last}" if recent else "growth is not known yet"
    yield "Database", words.size(seen.bytes), grown, None
    yield "The period before", words.change(sum(before)) if before else "–", "of the same tables", None
    yield _disk(seen, found)
    sets = [figures(one) for one in seen.sets]
    due = sum(bool(one.due) for one in sets)
    yield "Partitioned tables", f"{len(sets):,}", f"{due:,} with work due" if due else "none with work due", None
    counted = {severity: sum(one.severity is severity for one in findings) for severity in Severity}
    worst = next((str(severity) for severity in (Severity.BROKEN, Severity.DUE) if counted[severity]), None)
    yield "Findings", f"{len(findings):,}", ", ".join(f"{many:,} {one}" for one, many in counted.items()), worst
    done = words.count(len(seen.events), "act", "acts")
    vacuumed = f"{seen.upkeep.vacuumed:,} tables vacuumed" if seen.upkeep else None
    yield "Maintenance", done, vacuumed, None


def _disk(seen: Seen, found: Outlook) -> tuple[str, str, Child, str | None]:
    if seen.disk is None:
        return "Disk full", "not known", "say how big it is: --disk 500GB", None
    room = f"{words.size(seen.disk.room)} of {words.size(seen.disk.total)} free"
    if found.full is None:
        return "Disk full", "not in 5 years", room, None
    severity = urgency(seen, found)
    return "Disk full", words.day(found.full), room, str(severity) if severity else None
