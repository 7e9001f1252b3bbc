"""Which revisions are judged: those that are named, those after another one, or those that a branch of git adds."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from schema_kit.errors import DeclarationError


def chosen(script: ScriptDirectory, named: Sequence[str], since: str | None, branch: str | None) -> tuple[Script, ...]:
    """Return the revisions, each after those that it rests on; the heads where nothing is said.

    Args:
        script: the project's revisions.
        named: identifiers, or the beginnings of some, ``head``, ``heads``.
        since: those after this one, ``base`` for all.
        branch: those whose files this branch of git does not have, or has otherwise.

    Raises:
        DeclarationError: there is no such revision or branch, or two ways to choose were given.
    """
    if sum(map(bool, (named, since, branch))) > 1:
        raise DeclarationError("name revisions, or --since, or --since-git: one of them")
    try:
        ordered = list(script.walk_revisions())[::-1]
        if branch:
            files = _changed(branch, [Path(one.path) for one in ordered])
            wanted = {one.revision for one in ordered if Path(one.path).resolve() in files}
        elif since:
            former = {one.revision for one in script.iterate_revisions(since, "base")} if since != "base" else set()
            wanted = {one.revision for one in ordered} - former
        else:
            wanted = {one.revision for name in named or ("heads",) for one in script.get_revisions(name) if one}
    except CommandError as error:
        raise DeclarationError(f"{error}. Name a revision of this project.") from error
    return tuple(_sorted([one for one in ordered if one.revision in wanted], script))


def parents(revision: Script) -> tuple[str, ...]:
    """Return what has to be there before it: the revisions below it, and those that it depends on."""
    return tuple(dict.fromkeys((*revision._versioned_down_revisions, *revision._resolved_dependencies)))


def _sorted(revisions: Sequence[Script], script: ScriptDirectory) -> list[Script]:
    """In an order in which they can run, the same one each time: depends_on is looked at, too."""
    names = {one.revision for one in revisions}
    left, done = sorted(revisions, key=lambda one: one.revision), list[Script]()
    rests = {one.revision: below(script, parents(one)) & names for one in revisions}
    while left:
        ready = next(one for one in left if rests[one.revision] <= {other.revision for other in done})
        left.remove(ready)
        done.append(ready)
    return done


def below(script: ScriptDirectory, heads: Sequence[str]) -> set[str]:
    """Return these revisions and all that they rest on."""
    found, queue = set[str](), [*heads]
    while queue:
        name = queue.pop()
        if name not in found:
            found.add(name)
            other = script.get_revision(name)
            queue += parents(other) if other else ()
    return found


def _changed(branch: str, paths: Sequence[Path]) -> set[Path]:
    """Return the files that differ from the common ancestor with a branch, and those that git does not know yet."""
    if not paths:
        return set()
    folder = paths[0].parent
    root = Path(_git(folder, "rev-parse", "--show-toplevel").strip())
    base = _git(folder, "merge-base", branch, "HEAD").strip()
    names = _git(root, "diff", "--name-only", "-z", "--diff-filter=d", base)
    names += _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return {(root / name).resolve() for name in names.split("\0") if name}


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)  # noqa: S607
    except FileNotFoundError as error:
        raise DeclarationError("--since-git needs git, which is not installed") from error
    except subprocess.CalledProcessError as error:
        raise DeclarationError(f"git {' '.join(arguments)}: {error.stderr.strip()}") from error
    return done.stdout
