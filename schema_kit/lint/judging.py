"""Judge revisions: run each on a scratch database, watch it, run it again and back, and turn facts into findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

import psycopg
from alembic.config import Config
from alembic.script import Script, ScriptDirectory

from schema_kit.errors import PlanError, SchemaKitError
from schema_kit.lint import again, choose, ignore, nested, roles, rules, run, snapshot
from schema_kit.lint.facts import Failure, Observation
from schema_kit.lint.finding import Finding
from schema_kit.lint.prepare import Before, CannotPrepare, described, stand_ins
from schema_kit.lint.promises import Promise
from schema_kit.lint.report import KEPT, Fixed, Report, Unfixed, Unjudged
from schema_kit.lint.server import Scratch
from schema_kit.lint.sizes import Sizes
from schema_kit.lint.standstill import Standstill
from schema_kit.lint.watch import Watch

_PRESUPPOSED = {"42P01", "42703", "42704", "42883", "3F000", "42P07", "42701", "42710", "42P06", "42723", "3D000"}
"""What a revision takes for there, or for not there: the scratch database may be the one that is wrong."""


def judge(
    config: Config,
    revisions: Sequence[str] = (),
    *,
    since: str | None = None,
    since_git: str | None = None,
    schema: Path | None = None,
    rows: Path | None = None,
    sizes: Sizes | None = None,
    url: str | None = None,
    twice: bool = True,
    fix: bool = False,
) -> Report:
    """Run revisions on a scratch database and say what they would do to a database in use.

    Only the scratch server is connected to. Tables that one of the judged revisions makes are new: no session waits
    for them.

    Args:
        config: the project's.
        revisions: identifiers; the heads where nothing else chooses either.
        since: those after this revision.
        since_git: those that this branch of git does not have.
        schema: a dump of the state before them; without one the old revisions are run.
        rows: SQL that fills tables before they run.
        sizes: production's rows and bytes, with which findings say how long.
        url: another scratch server than the embedded one; databases are made and dropped on it.
        twice: also interrupt each and run it again, and run its downgrade and its upgrade again.
        fix: also write those in which something is found with operations of schema_kit, and try that; it is in
            `Report.fixed`, and `Fixed.write` writes it. Needs libcst.

    Raises:
        PlanError: *fix*, and libcst is not installed.
        DeclarationError: there is no such revision, or the input contradicts itself.
        EmbeddedServerError: the scratch server cannot be had.

    Example:
        report = judge(Config("alembic.ini"), since="a1b2c3")
    """
    if fix and find_spec("libcst") is None:
        raise PlanError("--fix needs libcst, which is not installed: pip install 'schema-kit[lint]'")
    script = ScriptDirectory.from_config(config)
    wanted = choose.chosen(script, revisions, since, since_git)
    scratch = Scratch.start(url)
    try:
        return _Judge(
            Before(config, script, scratch, schema, rows), wanted, sizes or Sizes(), twice=twice, fix=fix
        ).report()
    finally:
        scratch.close()
        with suppress(psycopg.Error):
            roles.drop_unused(scratch.sql)


@dataclass
class _Judge:
    before: Before
    wanted: tuple[Script, ...]
    sizes: Sizes
    twice: bool
    fix: bool = False
    fixed: list[Fixed] = field(default_factory=list)
    unfixed: list[Unfixed] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    ignored: list[tuple[Finding, str]] = field(default_factory=list)
    unjudged: list[Unjudged] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    _late: set[str] = field(default_factory=set)
    _ran: set[str] = field(default_factory=set)
    _old: frozenset[int] | None = None
    _relied: frozenset[Promise] | None = None

    def report(self) -> Report:
        """Judge all of them, in order."""
        names = tuple(one.revision for one in self.wanted)
        outside = {name for one in self.wanted for name in choose.parents(one)} - set(names)
        self._late = {name for name in outside if self.before.below([name]) & set(names)}
        heads = sorted(outside - self._late)
        try:
            if self.wanted:
                self._judge(self.before.template(self._tops(heads), self.notes))
        except (CannotPrepare, SchemaKitError, psycopg.Error) as error:
            why = f"the scratch server: {described(error)}" if isinstance(error, psycopg.Error) else str(error)
            judged = {one.revision for one in self.unjudged} | {one.revision for one in self.findings} | self.done
            for one in self.wanted:
                if one.revision not in judged:
                    self._cannot(one, why)
        return Report(
            names,
            tuple(self.findings),
            tuple(self.ignored),
            tuple(self.unjudged),
            tuple(self.notes),
            tuple(self.fixed),
            tuple(self.unfixed),
        )

    def _tops(self, heads: Sequence[str]) -> list[str]:
        """Of several revisions those that none of the others rests on."""
        return [one for one in heads if not any(one in self.before.below([other]) - {other} for other in heads)]

    def _judge(self, template: str) -> None:
        if len(self.wanted) > 1 and not (self.twice or self.fix or self._late) and self._together(template):
            return
        scratch, names = self.before.scratch, {one.revision for one in self.wanted}
        with ExitStack() as stack:
            name = stack.enter_context(scratch.copy(template))
            for one in self.wanted:
                if lacking := [parent for parent in choose.parents(one) if parent in names - self._ran]:
                    self._cannot(one, f"{', '.join(lacking)}, which it rests on, did not run to its end")
                    continue
                if why := self._catch_up(one, name):
                    self._cannot(one, why)
                    continue
                # without a second run few end in another state than they should; what it was is made again then
                before = stack.enter_context(scratch.copy(name)) if self._ran and (self.twice or self.fix) else template
                if not self._one(one, name, before):
                    name = stack.enter_context(scratch.copy(before))
                    for other in self.wanted:
                        if other.revision in self._ran and (before == template or other is one):
                            run.upgrade(self.before.config, self.before.script, scratch.url(name), other.revision)

    def _together(self, template: str) -> bool:
        """Judge all by one run of env.py, which is faster; False where that does not go, and nothing was judged."""
        scratch, seen = self.before.scratch, list[tuple[Script, Observation]]()
        by_name = {one.revision: one for one in self.wanted}
        with scratch.copy(template) as name:
            watch = Watch(standstill=Standstill(scratch.libpq(name)))

            @contextmanager
            def around(revision: str, ran: run.Ran) -> Iterator[None]:
                limit = self.before.make_room(name, revision)
                watch.restart()
                yield
                one = by_name[revision]
                done = tuple(watch.statements)
                invalid = snapshot.invalid(scratch.session(name))
                path = _shown(one.path)
                seen.append((one, Observation(revision, path, done, None, (), invalid, ran.models, limit, watch.roots)))

            ran = run.upgrade_all(self.before.config, self.before.script, scratch.url(name), [*by_name], watch, around)
            if ran.error is not None or ran.refused or len(seen) < len(self.wanted):
                return False
            notes = stand_ins(scratch, name) + ([nested.MISSING] if watch.nested.missing else [])
        self.notes += [note for note in (*notes, *ran.notes) if note not in self.notes]
        for one, what in seen:
            self._heed(one, what, template)
        return True

    def _heed(self, one: Script, seen: Observation, state: str) -> None:
        """Take down the findings of a revision that its comments leave; or what is left in it, written again."""
        given = ignore.comments(Path(one.path).read_text(encoding="utf-8"))
        left, ignored = ignore.heeded(rules.judge(seen, self.sizes), given, one.revision, _shown(one.path))
        if self.fix and any(kind not in KEPT for finding in left for kind in finding.kinds):
            left = self._fixed(one, state, left)
        self.findings += left
        self.ignored += ignored
        self.done.add(one.revision)

    def _catch_up(self, one: Script, name: str) -> str:
        """Run what it rests on and what itself rests on a judged revision; why that fails."""
        for parent in choose.parents(one):
            if parent in self._late:
                ran = run.bring(self.before.config, self.before.scratch.url(name), parent)
                if ran.error or ran.refused:
                    return f"{parent}, which it rests on: {ran.refused[0] if ran.refused else described(ran.error)}"
        return ""

    def _one(self, one: Script, name: str, before: str) -> bool:
        """Judge one; whether the database is as it should be before the next."""
        scratch, config = self.before.scratch, self.before.config
        limit = self.before.make_room(name, one.revision)
        watch = Watch(standstill=Standstill(scratch.libpq(name)))
        watch.old, watch.relied = self._old, self._relied
        ran = run.upgrade(config, self.before.script, scratch.url(name), one.revision, watch)
        self._old, self._relied = watch.old, watch.relied
        self.notes += [note for note in (*ran.notes, *stand_ins(scratch, name)) if note not in self.notes]
        if watch.nested.missing and nested.MISSING not in self.notes:
            self.notes.append(nested.MISSING)
        if (why := _why_not(ran, one.path)) is not None:
            self._cannot(one, why)
            return False
        seen = Observation(
            one.revision,
            _shown(one.path),
            tuple(watch.statements),
            models=ran.models,
            name_limit=limit,
            roots=watch.roots,
        )
        clean = True
        if ran.error is not None:
            seen = _with(seen, failure=_failure(ran.error))
            clean = False
        else:
            seen = _with(seen, invalid=snapshot.invalid(scratch.session(name)))
            if self.twice:
                found, clean = again.Trials(self.before, one.revision, before).run(name, watch)
                seen = _with(seen, again=found)
            self._ran.add(one.revision)
        self._heed(one, seen, before)
        return clean

    def _fixed(self, one: Script, state: str, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """Write one again; what is found in it then."""
        from schema_kit.lint.fix.trial import Fixing  # libcst is an extra

        fixing = Fixing(self.before, one, state, self._old, _shown(one.path), self.sizes)
        how, left = fixing.fixed(found)
        if isinstance(how, Fixed):
            self.fixed.append(how)
            return left
        self.unfixed.append(how)
        return found

    def _cannot(self, one: Script, why: str) -> None:
        self.unjudged.append(Unjudged(one.revision, _shown(one.path), why))


def _with(seen: Observation, **changes: object) -> Observation:
    return replace(seen, **changes)  # type: ignore[arg-type]


_DRIVER = re.compile(r"^\s*(from|import)\s+(psycopg2|asyncpg|pg8000)\b", re.MULTILINE)


def _why_not(ran: run.Ran, path: str) -> str | None:
    """Return why a revision cannot be judged by how it ran; None where it can."""
    if ran.refused:
        return ran.refused[0]
    if ran.error is None:
        return None
    state = _failure(ran.error).sqlstate
    if isinstance(ran.error, ImportError):
        return f"an import fails: {described(ran.error)}"
    if not ran.inside:
        return f"env.py fails: {described(ran.error)}"
    of_psycopg = isinstance(getattr(ran.error, "obj", None), psycopg.Connection | psycopg.Cursor)
    if of_psycopg or (not state and _DRIVER.search(Path(path).read_text(encoding="utf-8"))):
        return f"it is written for another driver than psycopg 3, on which it runs here: {described(ran.error)}"
    if state in _PRESUPPOSED:
        return f"it presupposes what the scratch database does not have, or has already: {described(ran.error)}"
    if state in ("58P01", "0A000") and "extension" in described(ran.error):
        return f"an extension is missing: {described(ran.error)}"
    return None


def _failure(error: BaseException) -> Failure:
    origin: BaseException | None = getattr(error, "orig", None) or error
    if isinstance(error, SchemaKitError):
        return Failure(getattr(error, "sqlstate", None) or "", str(error))
    state = origin.sqlstate or "" if isinstance(origin, psycopg.Error) else ""
    return Failure(state, described(error))


def _shown(path: str) -> str:
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except ValueError:
        return path
