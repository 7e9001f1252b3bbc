"""Comments in a revision that ignore a finding, with the reason: ``# schema_kit: ignore blocks t: it has 12 rows``."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from schema_kit.lint.finding import KINDS, Finding

_COMMENT = re.compile(
    r"#\s*schema_kit:\s*ignore\b\s*(?P<kind>\w*)\s*(?P<table>[^:\s]*)\s*(?::\s*(?P<reason>.*\S))?\s*$"
)


@dataclass(frozen=True, slots=True)
class Ignored:
    """One comment.

    Args:
        line: where it stands.
        kind: the kind of finding that it ignores.
        table: of this table only; of all tables where it is empty.
        reason: why.
    """

    line: int
    kind: str
    table: str
    reason: str

    def covers(self, one: Finding) -> bool:
        """Return whether a finding is meant, by kind and table."""
        names = {str(one.table), one.table.name} if one.table else set()
        return bool(self.reason) and one.kind == self.kind and (not self.table or self.table in names)


def comments(source: str) -> tuple[Ignored, ...]:
    """Yield the comments of a revision; text that looks like one in a string is left out."""
    found = list[Ignored]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        match = _COMMENT.match(token.string) if token.type == tokenize.COMMENT else None
        if match:
            found.append(Ignored(token.start[0], match["kind"], match["table"] or "", match["reason"] or ""))
    return tuple(found)


def heeded(
    findings: Sequence[Finding], given: Sequence[Ignored], revision: str, path: str
) -> tuple[tuple[Finding, ...], tuple[tuple[Finding, str], ...]]:
    """The findings that are left, those of comments that ignore nothing among them; and what is ignored, with why."""
    left, ignored = list[Finding](), list[tuple[Finding, str]]()
    used = set[Ignored]()
    for one in findings:
        kept = list[Finding]()
        for part in (replace(one, also=()), *one.also):
            by = next((comment for comment in given if comment.covers(part)), None)
            if by:
                used.add(by)
                ignored.append((part, by.reason))
            else:
                kept.append(part)
        if kept:
            left.append(replace(kept[0], also=tuple(kept[1:])))
    left += _unneeded(given, used, revision, path)
    return tuple(left), tuple(ignored)


def _unneeded(given: Sequence[Ignored], used: set[Ignored], revision: str, path: str) -> Iterator[Finding]:
    for comment in given:
        if comment in used:
            continue
        if comment.kind not in KINDS:
            what = f"{comment.kind or 'nothing'} is not a kind of finding: {', '.join(KINDS)}"
        elif not comment.reason:
            what = "the comment gives no reason, and ignores nothing: write one after a colon"
        else:
            of = f" of {comment.table}" if comment.table else ""
            what = f"there is no finding {comment.kind}{of} in this revision"
        text = f"line {comment.line}: {what}"
        yield Finding(
            "ignore_unneeded", revision, path, comment.line, 0, None, text, "remove the comment, or correct it"
        )
