"""What `schema_kit doctor` finds wrong with a project's revisions, and with what its database is stamped with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError, load_python_file

from schema_kit.catalog.session import rows

Finding = tuple[str, bool, str]
"""Its code, whether it is wrong, and a sentence."""

_A_REVISION = re.compile(r"(?!\.#|__init__).*\.py")
_STAMPED = """
SELECT pg_catalog.format('SELECT version_num FROM %s', c.oid::regclass), c.oid::regclass::text,
       pg_catalog.has_table_privilege(c.oid, 'SELECT'), current_user
FROM pg_class c WHERE c.oid = CAST(pg_catalog.to_regclass('alembic_version') AS oid)
"""


@dataclass(frozen=True)
class _Revision:
    """A revision, as its file declares it."""

    file: Path
    name: str
    before: tuple[str, ...]
    needs: tuple[str, ...]
    labels: tuple[str, ...]


def of_project(config: Config) -> Iterator[Finding]:
    """Load the files of all revisions, as Alembic does, and yield what stops it from working with them."""
    revisions, broken = list[_Revision](), False
    try:
        files = list(_files(config))
    except CommandError as error:
        yield "revisions", True, f"Alembic cannot read the project: {error}"
        return
    for file in files:
        try:
            module: Any = load_python_file(str(file.parent), file.name)
            revisions.append(_declared(file, module))
        except AttributeError:
            broken = True
            yield "revision", True, f"{file} declares no revision: give it `revision = ...`, or move it elsewhere"
        except Exception as error:  # it is the user's code, and runs
            broken = True
            where = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
            said = error.msg if isinstance(error, SyntaxError) else f"{type(error).__name__}: {error}"
            yield "revision", True, f"{file} cannot be loaded, and so Alembic runs nothing: {said}{where}; repair it"
    yield from _graph(revisions, broken=broken)


def of_database(config: Config, connection: sa.Connection) -> Iterator[Finding]:
    """Yield whether a database is stamped with revisions that the project does not have."""
    seen = rows(connection, _STAMPED)
    if not seen:
        yield "stamp", False, "the database has no alembic_version: no revision was run on it"
        return
    query, table, readable, role = seen[0]
    if not readable:
        yield "stamp", True, f"{role} lacks SELECT on {table}: GRANT SELECT ON {table} TO {role}"
        return
    try:
        known = set(_known(config))
    except Exception:  # said by of_project
        return
    stamped = [str(row[0]) for row in rows(connection, query)]
    unknown = [one for one in stamped if one not in known]
    if unknown:
        yield (
            "stamp",
            True,
            f"{table} holds {', '.join(unknown)}, and no file declares that revision: check out the code that has it, "
            "or compare the schema with the models and then `alembic stamp --purge REVISION`",
        )
    else:
        yield "stamp", False, f"{table} holds {', '.join(stamped) or 'no revision'}"


def _files(config: Config) -> Iterator[Path]:
    scripts = ScriptDirectory.from_config(config)
    places = scripts.version_locations or [str(Path(scripts.dir) / "versions")]
    for place in dict.fromkeys(places):
        folder = Path(place)
        found = folder.rglob("*.py") if scripts.recursive_version_locations else folder.glob("*.py")
        yield from sorted(one for one in found if _A_REVISION.fullmatch(one.name) and "__pycache__" not in one.parts)


def _known(config: Config) -> Iterator[str]:
    for file in _files(config):
        yield _declared(file, load_python_file(str(file.parent), file.name)).name


def _declared(file: Path, module: Any) -> _Revision:
    return _Revision(
        file,
        str(module.revision),
        _tuple(getattr(module, "down_revision", None)),
        _tuple(getattr(module, "depends_on", None)),
        _tuple(getattr(module, "branch_labels", None)),
    )


def _tuple(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _graph(revisions: list[_Revision], *, broken: bool) -> Iterator[Finding]:
    by_name = {one.name: one for one in revisions}
    labels = {label for one in revisions for label in one.labels}
    for name, count in Counter(one.name for one in revisions).items():
        if count > 1:
            files = ", ".join(str(one.file) for one in revisions if one.name == name)
            yield "revision", True, f"{count} files declare the revision {name}: {files}; give each one of its own"
    for one in () if broken else revisions:  # what is missing may be what cannot be loaded
        needs = (name for name in one.needs if not any(known.startswith(name) for known in (*by_name, *labels)))
        for name in (*(name for name in one.before if name not in by_name), *needs):
            yield (
                "revision",
                True,
                f"{one.file} comes after the revision {name}, and no file declares that: restore its file, or repair "
                "down_revision",
            )
    yield from _heads(by_name, broken=broken)


def _heads(by_name: Mapping[str, _Revision], *, broken: bool) -> Iterator[Finding]:
    followed = {name for one in by_name.values() for name in one.before}
    heads = sorted(name for name in by_name if name not in followed)
    if by_name and not heads:
        yield "heads", True, "each revision comes after another one, in a circle: repair down_revision of one of them"
    elif len(heads) > 1 and not broken:
        labelled = all(_labels(by_name, head) for head in heads)
        rather = "run them with `alembic upgrade heads`" if labelled else "`alembic merge heads` makes one of them"
        yield "heads", not labelled, f"there are {len(heads)} heads, {', '.join(heads)}: {rather}"
    elif heads and not broken:
        yield "heads", False, f"the head is {heads[0]}, of {len(by_name)} revisions"


def _labels(by_name: Mapping[str, _Revision], head: str) -> set[str]:
    """Return the labels of the branch that ends there."""
    found, left, seen = set[str](), [head], set[str]()
    while left:
        name = left.pop()
        if name in by_name and name not in seen:
            seen.add(name)
            found |= set(by_name[name].labels)
            left += by_name[name].before
    return found
