"""Write a revision of the repairs: operations that block no session, their evidence, and a downgrade."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError, rev_id

from schema_kit.errors import PlanError
from schema_kit.health.finding import Finding

_SAFE = re.compile(r"op\.(\w+_concurrently|validate_constraint)\(")


def writable(finding: Finding) -> bool:
    """Return whether its repair is an operation that commits on its own, both ways, and needs no decision."""
    repair = finding.repair
    return bool(_SAFE.match(repair.call)) and not repair.why and (not repair.back or bool(_SAFE.match(repair.back)))


def write(findings: Sequence[Finding], config: Config) -> Path:
    """Write a revision of the repairs that *writable* lets through.

    Args:
        findings: those to repair, each writable.
        config: of the project.

    Returns:
        The file.

    Raises:
        PlanError: Alembic cannot write it: several heads, no folder.
    """
    return make(
        "repairs that schema_kit health names",
        [f"{one.code}: {one.evidence}" for one in findings],
        [one.repair.call for one in findings],
        [one.repair.back for one in reversed(findings) if one.repair.back],
        config,
    )


def make(title: str, evidence: Sequence[str], up: Sequence[str], down: Sequence[str], config: Config) -> Path:
    """Write a revision of calls of operations.

    Args:
        title: the first line of its docstring.
        evidence: the others.
        up: calls for upgrade().
        down: calls for downgrade().
        config: of the project.

    Returns:
        The file.

    Raises:
        PlanError: Alembic cannot write it: several heads, no folder.
    """
    try:
        scripts = ScriptDirectory.from_config(config)
        template = Path(scripts.dir, "script.py.mako")
        imports = "" if "import sqlalchemy as sa" in template.read_text(encoding="utf-8") else "import sqlalchemy as sa"
        with redirect_stdout(sys.stderr):  # Alembic says which file it writes
            made = scripts.generate_revision(
                rev_id(),
                "\n".join((title, "", *map(_wrapped, evidence))),
                refresh=True,
                imports=imports,
                upgrades=_body(up),
                downgrades=_body(down),
            )
    except (CommandError, OSError) as error:
        raise PlanError(f"no revision was written: {error}.") from error
    assert made is not None  # Alembic gives none only where it does not look again
    return Path(made.path)


def _wrapped(evidence: str) -> str:
    text = f"- {evidence}".replace("\\", "\\\\").replace('"', '\\"')
    return "\n".join(textwrap.wrap(text, 110, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))


def _body(calls: Sequence[str]) -> str:
    return "\n    ".join(calls)
