"""Ways to write a revision again: run, judged, and kept only where they end as the original does."""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import libcst as cst
import psycopg
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionMap
from psycopg import pq

from schema_kit.lint import again, ignore, rules, run, snapshot
from schema_kit.lint.facts import Observation
from schema_kit.lint.fence import refuse_statement
from schema_kit.lint.finding import Finding
from schema_kit.lint.fix.chain import Part, chained
from schema_kit.lint.fix.rewrite import Asked, rewritten
from schema_kit.lint.fix.source import Source
from schema_kit.lint.fix.statements import CannotRewrite
from schema_kit.lint.prepare import Before, described
from schema_kit.lint.report import KEPT, Fixed, Unfixed
from schema_kit.lint.sizes import Sizes
from schema_kit.lint.snapshot import Snapshot
from schema_kit.lint.standstill import Standstill
from schema_kit.lint.watch import Watch


class _NotAsGood(Exception):
    """Why a way to write it was not kept."""


class _ChecksLeft(_NotAsGood):
    """A detached partition keeps a check of its bounds, which the original does not leave."""

    def __init__(self, why: str, checks: dict[str, str]) -> None:
        super().__init__(why)
        self.checks = checks


def _refuse_new(left: Sequence[Finding], findings: Sequence[Finding]) -> None:
    """Refuse what breaks between two revisions of a chain, and not in the one, where that was seen to its end."""
    was = {kind for one in findings for kind in one.kinds}
    for one in left if "fails" not in was else ():
        if one.kind not in was:
            raise _NotAsGood(f"written with our operations it has {one.kind}: {one.evidence}")


@dataclass(frozen=True)
class Fixing:
    """What a revision is tried on.

    Args:
        before: how the state before it is made.
        one: the revision.
        state: a database as it was before it.
        old: relations that others use.
        path: its file as it is shown.
        sizes: production's.
    """

    before: Before
    one: Script
    state: str
    old: frozenset[int] | None
    path: str
    sizes: Sizes

    def fixed(self, findings: Sequence[Finding]) -> tuple[Fixed | Unfixed, tuple[Finding, ...]]:
        """The first way to write it that is as good, with what is found in that; or why there is none."""
        every = [part for one in findings for part in (one, *one.also) if part.kind not in KEPT]
        lines = frozenset(part.line for part in every if part.line and part.kind != "fails")
        maybe = frozenset(part.line for part in every) - lines
        text = Path(self.one.path).read_bytes().decode()  # its line ends are kept, too
        try:
            source = Source(text)
        except cst.ParserSyntaxError as error:
            return self._unfixed(f"libcst cannot read it: {error.message}"), ()
        why, asked = "", [Asked(lines, maybe)]
        with ExitStack() as stack:
            end: _End | None = None
            for given in asked:
                for parts in self._ways(source, given):
                    if isinstance(parts, str):
                        why = why or parts
                        continue
                    try:
                        end = end or self._end(stack)
                        left = self._tried(parts, end)
                        _refuse_new(left, findings)
                        return self._written(text, parts), left
                    except _ChecksLeft as error:
                        asked += [replace(given, left=error.checks)] if not given.left else []
                        why = why or str(error)
                        break
                    except _NotAsGood as error:
                        why = why or str(error)
        return self._unfixed(why or "nothing of it can be written in another way"), ()

    def _unfixed(self, why: str) -> Unfixed:
        return Unfixed(self.one.revision, self.path, why)

    def _ways(self, source: Source, asked: Asked) -> Iterator[tuple[Part, ...] | str]:
        """Return ways to write it, the one that changes least first; or why there is none."""
        taken = frozenset(one.revision for one in self.before.script.walk_revisions())
        seen: set[tuple[str, ...]] = {(source.text,)}
        for whole in (False, True):
            for back in (True, False):
                try:
                    new = rewritten(source, replace(asked, whole=whole, back=back))
                    parts = chained(Source(new.code), self.one.revision, taken)
                except CannotRewrite as error:
                    yield str(error)
                    continue
                texts = tuple(part.text for part in parts)
                if texts not in seen:
                    seen.add(texts)
                    yield parts

    def _end(self, stack: ExitStack) -> _End:
        """Return how the original ends, and its downgrade; one that PostgreSQL refuses, as it was meant."""
        why: BaseException | None = None
        for watch in (None, _AsMeant()):
            name = stack.enter_context(self.before.scratch.copy(self.state))
            self.before.make_room(name, self.one.revision)
            ran = self._up(self.before.script, name, self.one.revision, watch)
            if ran.error is None and not ran.refused:
                after = self._snapshot(name)
                back = self._down(self.before.script, name, self.one.revision)
                return _End(after, None if back.error or back.refused else self._snapshot(name))
            why = why or ran.error
        raise _NotAsGood(f"it fails, and nothing says how it was meant to end: {described(why)}")

    def _tried(self, parts: Sequence[Part], end: _End) -> tuple[Finding, ...]:
        """Return what is left to find in one way to write it.

        Raises:
            _NotAsGood: it fails, is not clean, or ends otherwise.
        """
        scratch, found, watches = self.before.scratch, list[Finding](), list[Watch]()
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            before = replace(self.before, script=self._script(parts, folder))
            name = stack.enter_context(scratch.copy(self.state))
            for part in parts:
                state = stack.enter_context(scratch.copy(name))
                found += self._judged(before, part, name, state, watches)
            if differs := snapshot.differences(end.after, self._snapshot(name)):
                text = f"written with our operations it ends in another catalog: {'; '.join(differs[:3])}"
                checks = [_CHECK_LEFT.fullmatch(line) for line in differs]
                raise _ChecksLeft(text, {one[2]: one[1] for one in checks if one}) if all(checks) else _NotAsGood(text)
            for part in reversed(parts):
                back = self._down(before.script, name, part.revision)
                if end.back is not None and (back.error or back.refused):
                    raise _NotAsGood(f"written with our operations its downgrade fails: {described(back.error)}")
            if end.back is not None and (differs := snapshot.differences(end.back, self._snapshot(name))):
                raise _NotAsGood(f"its downgrade would end in another catalog: {'; '.join(differs[:3])}")
        return tuple(found)

    def _judged(self, before: Before, part: Part, name: str, state: str, watches: list[Watch]) -> tuple[Finding, ...]:
        limit = before.make_room(name, part.revision)
        watch = Watch(standstill=Standstill(before.scratch.libpq(name)))
        watch.old = self.old
        watch.chain = next((one for one in watches if one.relied is not None), None)
        watches.append(watch)
        ran = self._up(before.script, name, part.revision, watch)
        if ran.error is not None or ran.refused:
            raise _NotAsGood(
                f"written with our operations it fails: {described(ran.error) if ran.error else ran.refused[0]}"
            )
        trials, _ = again.Trials(before, part.revision, state).run(name, watch)
        seen = Observation(
            part.revision,
            self.path,
            tuple(watch.statements),
            models=ran.models,
            name_limit=limit,
            again=trials,
            invalid=snapshot.invalid(before.scratch.session(name)),
            roots=watch.roots,
        )
        left, _ = ignore.heeded(rules.judge(seen, self.sizes), ignore.comments(part.text), part.revision, self.path)
        for one in left:
            for each in (one, *one.also):
                if each.kind not in KEPT:
                    raise _NotAsGood(f"written with our operations it still has {each.kind}: {each.evidence}")
        return left

    def _up(self, script: ScriptDirectory, name: str, revision: str, watch: Watch | None = None) -> run.Ran:
        return run.upgrade(self.before.config, script, self.before.scratch.url(name), revision, watch)

    def _down(self, script: ScriptDirectory, name: str, revision: str) -> run.Ran:
        return run.downgrade(self.before.config, script, self.before.scratch.url(name), revision)

    def _snapshot(self, name: str) -> Snapshot:
        return snapshot.take(self.before.scratch.session(name), whole=True)

    def _script(self, parts: Sequence[Part], folder: Path) -> ScriptDirectory:
        """Return the project's revisions with these in the place of the original."""
        script = ScriptDirectory.from_config(self.before.config)
        kept = [one for one in script._load_revisions() if one.revision != self.one.revision]
        for part in parts:
            path = folder / f"{part.revision}.py"
            path.write_text(part.text, encoding="utf-8")
            new = Script._from_path(script, path)
            assert new is not None
            kept.append(new)
        script.revision_map = RevisionMap(lambda: kept)
        return script

    def _written(self, text: str, parts: Sequence[Part]) -> Fixed:
        script, path = self.before.script, Path(self.one.path)
        files, diff = list[tuple[Path, str]](), ""
        for part in parts:
            to, was, shown = path, text, self.path
            if part.revision != self.one.revision:
                message = str(self.one.module.__doc__ or "").strip().partition("\n")[0]
                to, was = script._rev_path(path.parent, part.revision, message, script._generate_create_date()), ""
                to = to if not to.exists() else path.with_name(f"{part.revision}.py")
                shown = str(Path(self.path).with_name(to.name))
            files.append((to, part.text))
            lines = (was.splitlines(keepends=True), part.text.splitlines(keepends=True))
            diff += "".join(difflib.unified_diff(*lines, shown if was else "/dev/null", shown))
        return Fixed(self.one.revision, self.path, tuple(part.revision for part in parts), tuple(files), diff)


_CHECK_LEFT = re.compile(r"\+ constraint (\w+) of \w+\.(\w+) CHECK .*")


@dataclass(frozen=True)
class _End:
    after: Snapshot
    back: Snapshot | None


class _AsMeant(Watch):
    """An original that PostgreSQL refuses, as it was meant: without CONCURRENTLY, a commit after each ADD VALUE."""

    def attach(self, connection: psycopg.Connection[Any]) -> None:
        """Give a connection the cursor of ours."""
        connection.cursor_factory = _Meant


_CONCURRENTLY = re.compile(r"^(\s*(?:CREATE|DROP|REINDEX|REFRESH|ALTER)\b[^(;']*?)\bCONCURRENTLY\b", re.IGNORECASE)
_ADDS_VALUE = re.compile(r"\s*ALTER\s+TYPE\b.*\bADD\s+VALUE\b", re.IGNORECASE | re.DOTALL)


class _Meant(psycopg.Cursor[Any]):
    def execute(self, query: Any, params: Any = None, **kw: Any) -> _Meant:
        text = (
            query.decode() if isinstance(query, bytes) else query if isinstance(query, str) else query.as_string(self)
        )
        refuse_statement(text)
        super().execute(_CONCURRENTLY.sub(r"\1", text).encode(), params, **kw)
        if _ADDS_VALUE.match(text) and self.connection.info.transaction_status == pq.TransactionStatus.INTRANS:
            super().execute(b"COMMIT")
        return self
