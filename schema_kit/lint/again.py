"""Run a revision again: after it was cancelled in the middle, and after its downgrade; and compare the catalogs."""

from __future__ import annotations

from dataclasses import dataclass

from schema_kit.lint import run, snapshot
from schema_kit.lint.facts import Again, Failure
from schema_kit.lint.prepare import Before, described
from schema_kit.lint.snapshot import Snapshot
from schema_kit.lint.standstill import Standstill
from schema_kit.lint.watch import Watch


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
        """All trials, on the database *name* where the revision has just run; whether that one is as it was."""
        after = self._take(name)
        cut = self._cut_off(after) if watch.bare else ()
        back, clean = self._back(name, after)
        return (*cut, *back), clean

    def _take(self, name: str) -> Snapshot:
        return snapshot.take(self.before.scratch.session(name))

    def _cut_off(self, after: Snapshot) -> tuple[Again, ...]:
        """Cancel the first statement that runs in no transaction, and run all of it again."""
        scratch, config = self.before.scratch, self.before.config
        with scratch.copy(self.state) as name:
            standstill = Standstill(scratch.libpq(name), cancel=True)
            self.before.make_room(name, self.revision)
            watch = Watch(standstill=standstill)
            run.upgrade(config, self.before.script, scratch.url(name), self.revision, watch)
            if not standstill.cancelled:
                return ()
            at = next((one.sql for one in watch.statements if one.failure), "")
            ran = (
                run.upgrade(config, self.before.script, scratch.url(name), self.revision)
                if not self._is_done(name)
                else run.Ran()
            )
            if ran.error is not None:  # it says so loudly
                return (Again("cancelled", at, Failure("", described(ran.error))),)
            known = set(snapshot.invalid(scratch.session(name))) - {
                line for line, text in after.items() if text.endswith(" INVALID")
            }
            return (Again("cancelled", at, None, tuple(sorted(known)), snapshot.differences(after, self._take(name))),)

    def _is_done(self, name: str) -> bool:
        """Whether the revision has mended itself within the run that was cancelled."""
        return self.revision in self.before.stamps(name)

    def _back(self, name: str, after: Snapshot) -> tuple[tuple[Again, ...], bool]:
        scratch, config = self.before.scratch, self.before.config
        watch = Watch()
        ran = run.downgrade(config, self.before.script, scratch.url(name), self.revision, watch)
        if isinstance(ran.error, NotImplementedError):  # it says that there is no way back
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
