"""Judge a migration by running it.

choose.py      which revisions
server.py      the scratch server: templates that are kept, copies that are dropped; standins.py, its extensions
prepare.py     the state before a revision; dump.py, what psql loads
roles.py       roles that are named and missing: stand-ins
fence.py       nothing else is connected to; shared.py, nothing else on the server is changed
run.py         env.py and a revision, on a scratch database
watch.py       every statement, by whatever way it goes out
look.py, difference.py, standstill.py   what one statement does
nested.py      the statements within one
again.py       cancelled and run again; back and forth; snapshot.py, the catalogs that are compared
promises.py    what code relies on besides names; reach.py, rows that nothing limits, by a plan
facts.py       what was seen
rules.py       facts -> findings; finding.py, instead.py, sizes.py, ignore.py: pure
report.py      text, JSON, SARIF, GitHub
judging.py     all of it, in order
fix/           a revision written again with our operations, and tried
guard.py       the same knowledge at run time, before a statement is sent; heavy.py, what is heavy
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from schema_kit.lint.finding import KINDS, Finding
    from schema_kit.lint.judging import judge
    from schema_kit.lint.report import Report, Unjudged

__all__ = ["KINDS", "Finding", "Report", "Unjudged", "judge"]

_HOMES = {"KINDS": "finding", "Finding": "finding", "Report": "report", "Unjudged": "report", "judge": "judging"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
