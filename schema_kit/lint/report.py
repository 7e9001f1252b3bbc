"""What was judged, as text, JSON, SARIF, or annotations for GitHub: pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schema_kit.lint.finding import KINDS, Finding

CLEAN, CANNOT, FOUND = 0, 1, 4
KEPT = frozenset({"rows_gone", "code_breaks"})
"""What no other way to write a revision takes away."""
FORMATS = ("text", "json", "sarif", "github")


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A revision that could not be judged, and why."""

    revision: str
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """A revision that was written again.

    Args:
        revision: its identifier.
        path: its file.
        revisions: what it has become: itself, or a chain that ends in it.
        files: what is to be written where.
        diff: against what exists.
    """

    revision: str
    path: str
    revisions: tuple[str, ...]
    files: tuple[tuple[Path, str], ...]
    diff: str

    def write(self) -> None:
        """Write the files."""
        for path, text in self.files:
            path.write_bytes(text.encode())


@dataclass(frozen=True, slots=True)
class Unfixed:
    """A revision that stays as it is though something is found in it, and why."""

    revision: str
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """The end of a run.

    Args:
        revisions: what was judged, in the order in which it runs.
        findings: revision by revision, the worst first.
        ignored: findings that a comment ignores, each with the reason.
        unjudged: what could not be judged, and why.
        notes: what was not the project's own while it ran.
        fixed: revisions that were written again; `findings` are then what is left.
        unfixed: revisions for which that was not possible.
    """

    revisions: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    ignored: tuple[tuple[Finding, str], ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    notes: tuple[str, ...] = ()
    fixed: tuple[Fixed, ...] = ()
    unfixed: tuple[Unfixed, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 clean, 4 findings, 1 something could not be judged."""
        return CANNOT if self.unjudged else FOUND if self.findings else CLEAN

    def render(self, form: str = "text") -> str:
        """Return all of it, in one of FORMATS."""
        return {"text": self.text, "json": self.json, "sarif": self.sarif, "github": self.github}[form]()

    def text(self) -> str:
        """For a person."""
        lines = list[str]() if self.revisions else ["no revision to judge"]
        for revision in self.revisions:
            own = [one for one in self.findings if one.revision == revision]
            why = [one.why for one in self.unjudged if one.revision == revision]
            lines.append(f"{revision}: {_verdict(len(own), why)}")
            lines += [f"  not judged: {line}" for line in why]
            for one in own:
                lines += _told(one)
        for fixed in self.fixed:
            chain = f", as {' and '.join(fixed.revisions)}" if len(fixed.revisions) > 1 else ""
            lines.append(f"fixed: {fixed.revision} ({fixed.path}){chain}")
        lines += [f"not fixed: {one.revision} ({one.path}): {one.why}" for one in self.unfixed]
        lines += [f"ignored: {one.revision} {one.kind}: {reason}" for one, reason in self.ignored]
        lines += [f"note: {note}" for note in self.notes]
        return "".join(f"{line}\n" for line in lines)

    def json(self) -> str:
        """For programs."""
        value = {
            "revisions": list(self.revisions),
            "findings": [_document(one) for one in self.findings],
            "ignored": [_document(one) | {"reason": reason} for one, reason in self.ignored],
            "unjudged": [{"revision": one.revision, "path": one.path, "why": one.why} for one in self.unjudged],
            "notes": list(self.notes),
            "fixed": [
                {"revision": one.revision, "path": one.path, "revisions": list(one.revisions), "diff": one.diff}
                for one in self.fixed
            ],
            "unfixed": [{"revision": one.revision, "path": one.path, "why": one.why} for one in self.unfixed],
        }
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"

    def sarif(self) -> str:
        """Return SARIF 2.1.0, which code hosts show next to the lines."""
        results = [_result(one.kind, one.path, one.line, _sentence(one), "error") for one in self.findings]
        results += [_result("cannot_judge", one.path, 0, one.why, "error") for one in self.unjudged]
        rules = [{"id": kind, "shortDescription": {"text": text}} for kind, text in {**KINDS, **_CANNOT}.items()]
        driver = {"name": "schema_kit lint", "rules": rules}
        value = {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{"tool": {"driver": driver}, "results": results}],
        }
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"

    def github(self) -> str:
        """Workflow commands: an annotation at the line of each finding."""
        lines = [
            _annotation(one.path, one.line, f"{one.kind} in {one.revision}", _sentence(one)) for one in self.findings
        ]
        lines += [_annotation(one.path, 0, f"not judged: {one.revision}", one.why) for one in self.unjudged]
        return "".join(f"{line}\n" for line in lines)


_CANNOT = {"cannot_judge": "the revision could not be judged"}


def _verdict(found: int, why: list[str]) -> str:
    if why:
        return "not judged"
    return f"{found} finding{'s' * (found != 1)}" if found else "clean"


def _told(one: Finding) -> Iterator[str]:
    yield f"  {one.kind}: {one.evidence}"
    yield f"    instead: {one.instead}"
    for other in one.also:
        yield f"    also {other.kind}: {other.evidence}"


def _sentence(one: Finding) -> str:
    also = "".join(f" Also {other.kind}: {other.evidence}." for other in one.also)
    return f"{one.evidence}. Instead: {one.instead}.{also}"


def _document(one: Finding) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "revision": one.revision,
        "path": one.path,
        "line": one.line,
        "transaction": one.transaction,
        "table": str(one.table) if one.table else None,
        "evidence": one.evidence,
        "instead": one.instead,
        "also": [{"kind": other.kind, "evidence": other.evidence} for other in one.also],
    }


def _result(rule: str, path: str, line: int, text: str, level: str) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": path}, "region": {"startLine": max(line, 1)}}
    return {"ruleId": rule, "level": level, "message": {"text": text}, "locations": [{"physicalLocation": place}]}


def _annotation(path: str, line: int, title: str, text: str) -> str:
    def escaped(value: str, more: str = "") -> str:
        for letter in f"%\r\n{more}":
            value = value.replace(letter, f"%{ord(letter):02X}")
        return value

    return f"::error file={escaped(path, ':,')},line={max(line, 1)},title={escaped(title, ':,')}::{escaped(text)}"
