"""Run a revision again: after it was cancelled in the middle, and after its downgrade; and compare the catalogs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schema_kit.lint import run, snapshot
from schema_kit.lint.facts import Again, Failure
from schema_kit.lint.prepare import Before, described
from schema_kit.lint.snapshot import Snapshot
from schema_kit.lint.standstill import Standstill
from schema_kit.lint.watch import Commit, Watch


@dataclass(frozen=True)
class Trials:
    """The trials of one revision.

    Args:
        before: how the state before it is made.
        revision: which.
        state: a database as it was before the revision.
    """

    before: Before
    revision: str
    state: str

    def run(self, name: str, watch: Watch) -> tuple[tuple[Again, ...], bool]:
        """Return all trials, on the database *name* where the revision has just run; whether that one is as it was."""
        after = self._take(name)
        cut = self._cut_off(after) if watch.bare else ()
        cut += tuple(self._killed(after, number, one) for number, one in _between(watch.commits))
        back, clean = self._back(name, after)
        return (*cut, *back), clean

    def _take(self, name: str) -> Snapshot:
        return snapshot.take(self.before.scratch.session(name))

    def _cut_off(self, after: Snapshot) -> tuple[Again, ...]:
        """Cancel the first statement that runs in no transaction, and run all of it again."""
        scratch = self.before.scratch
        with scratch.copy(self.state) as name:
            standstill = Standstill(scratch.libpq(name), cancel=True)
            watch = Watch(standstill=standstill)
            self._stopped(name, watch)
            if not standstill.cancelled:
                return ()
            at = next((one.sql for one in watch.statements if one.failure), "")
            return (self._again("cancelled", at, name, after),)

    def _killed(self, after: Snapshot, number: int, commit: Commit) -> Again:
        """End the session after a commit of its own, and run all of it again."""
        with self.before.scratch.copy(self.state) as name:
            self._stopped(name, Watch(killed_after=number))
            return self._again("killed", commit.sql, name, after)

    def _stopped(self, name: str, watch: Watch) -> None:
        self.before.make_room(name, self.revision)
        run.upgrade(self.before.config, self.before.script, self.before.scratch.url(name), self.revision, watch)

    def _again(self, how: str, at: str, name: str, after: Snapshot) -> Again:
        """Run the revision on what a first run has left, and compare."""
        if not self._is_done(name):
            ran = run.upgrade(self.before.config, self.before.script, self.before.scratch.url(name), self.revision)
            if ran.error is not None:  # it says so loudly
                return Again(how, at, Failure("", described(ran.error)))
        known = set(snapshot.invalid(self.before.scratch.session(name))) - {
            line for line, text in after.items() if text.endswith(" INVALID")
        }
        return Again(how, at, None, tuple(sorted(known)), snapshot.differences(after, self._take(name)))

    def _is_done(self, name: str) -> bool:
        """Return whether the revision has mended itself within the run that was cancelled."""
        return self.revision in self.before.stamps(name)

    def _back(self, name: str, after: Snapshot) -> tuple[tuple[Again, ...], bool]:
        scratch, config = self.before.scratch, self.before.config
        watch = Watch()
        ran = run.downgrade(config, self.before.script, scratch.url(name), self.revision, watch)
        if isinstance(ran.error, NotImplementedError):  # it says that it cannot be reversed
            return (), True
        if ran.error is not None or ran.refused:
            message = described(ran.error) if ran.error else ran.refused[0]
            return (Again("back", "", Failure("", message)),), False
        if not watch.statements:  # a downgrade that does nothing promises nothing
            return (), not run.forward(config, self.before.script, scratch.url(name), self.revision).error
        ran = run.upgrade(config, self.before.script, scratch.url(name), self.revision)
        if ran.error is not None:
            return (Again("again", "", Failure("", described(ran.error))),), False
        differs = snapshot.differences(after, self._take(name))
        return (Again("again", "", None, (), differs),), not differs


def _between(commits: Sequence[Commit]) -> Iterator[tuple[int, Commit]]:
    """Commits after which the revision goes on.

    Each step of our operations can be run again, so of several operations in a row the first one and the last one do.
    """
    first = True
    for number, one in enumerate(commits, 1):
        following = commits[number] if number < len(commits) else None
        if one.ours and following and following.ours and (following.line == one.line or not first):
            continue
        first = not (one.ours and following and following.ours)
        yield number, one
