"""The state before a revision, as a template: from a dump, or made by the old revisions themselves."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from alembic.config import Config
from alembic.script import Script, ScriptDirectory

from schema_kit.embedded import find_psql
from schema_kit.errors import EmbeddedServerError
from schema_kit.lint import dump, roles, run, standins
from schema_kit.lint.choose import below, parents
from schema_kit.lint.nowhere import NOWHERE
from schema_kit.lint.server import Scratch
from schema_kit.server import Server

_BY_ALEMBIC, _ENDLESS = 32, 1 << 30
_ROOM = """
SELECT a.atttypmod FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
WHERE c.relname = 'alembic_version' AND c.relkind = 'r' AND a.attname = 'version_num' ORDER BY c.oid
"""
_NOT_COUNTED = (
    "UPDATE pg_catalog.pg_class SET reltuples = -1, relpages = 0 WHERE reltuples = 0 AND relkind IN ('r', 'm')"
)
"""A table that was counted when it was empty is read without its indexes: the planner knows better."""
_HEADER = 4
"""By so much the width of a varchar is less than what the catalog has of it."""


class CannotPrepare(Exception):
    """The state before a revision is not available: why."""


@dataclass(frozen=True)
class Before:
    """What a template is made from.

    Args:
        config: the project.
        script: its revisions.
        scratch: where.
        schema: a dump that takes the place of the old revisions.
        rows: a script that fills tables after them.
    """

    config: Config
    script: ScriptDirectory
    scratch: Scratch
    schema: Path | None = None
    rows: Path | None = None
    _digests: dict[Path, str] = field(default_factory=dict)
    _histories: dict[str, str] = field(default_factory=dict)

    def template(self, heads: Sequence[str], notes: list[str]) -> str:
        """The template with the revisions *heads*; built, if it is not kept, on that of an older revision, if that is.

        Raises:
            CannotPrepare: the dump, the rows, env.py or an old revision fails on the scratch server.
        """
        kept = {str(row[0]) for row in self.scratch.sql("SELECT datname FROM pg_database")}
        if (name := self.scratch.template_name(self._key(heads))) in kept:
            return name
        older = next((name for name in self._older(heads) if name in kept), None)
        return self.scratch.template(self._key(heads), lambda name: self._build(name, heads, notes, older), older)

    def _older(self, heads: Sequence[str]) -> Iterator[str]:
        """Yield names of the templates below, the nearest first."""
        while len(heads) == 1 and self.schema is None and self.rows is None:
            heads = parents(self._script(heads[0]))
            yield self.scratch.template_name(self._key(heads))

    def _key(self, heads: Sequence[str]) -> str:
        """Of all that a template comes from: another byte is another template."""
        digest = hashlib.sha256(f"3 {self.scratch.version} {sorted(heads)} {self._extra()}".encode())
        for path in (Path(self.script.dir) / "env.py", *(path for path in (self.schema, self.rows) if path)):
            digest.update(f"{path.name}\0{self._read(path)}\0".encode())
        if self.schema is None:
            digest.update("".join(sorted(map(self._history, heads))).encode())
        return digest.hexdigest()

    def _history(self, head: str) -> str:
        """Of a revision's file and those of all that it rests on; each is looked at once."""
        queue = [head]
        while queue:
            name = queue[-1]
            below = parents(self._script(name))
            if missing := [one for one in below if one not in self._histories]:
                queue += missing
                continue
            path = Path(self._script(queue.pop()).path)
            whole = " ".join((path.name, self._read(path), *sorted(self._histories[one] for one in below)))
            self._histories[name] = hashlib.sha256(whole.encode()).hexdigest()
        return self._histories[head]

    def _extra(self) -> str:
        """Return what env.py receives with -x."""
        return repr(getattr(self.config.cmd_opts, "x", None) or [])

    def _read(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest()
        return self._digests[path]

    def below(self, heads: Sequence[str]) -> set[str]:
        """These revisions and all that they rest on."""
        return below(self.script, heads)

    def _script(self, name: str) -> Script:
        found = self.script.get_revision(name)
        assert found is not None  # it came from the project itself
        return found

    def _build(self, name: str, heads: Sequence[str], notes: list[str], older: str | None) -> None:
        url = self.scratch.url(name)
        if older is None:
            self._lead_nowhere(name)
        if self.schema is not None and older is None:
            self._load(name, self.schema)
            if heads and not self.stamps(name):
                self._check(run.stamp(self.config, url, heads), "stamping the dump", notes)
        for head in heads:
            self._check(run.bring(self.config, url, head), f"bringing the scratch database to {head}", notes)
        if self.rows is not None:
            self._load(name, self.rows)
        self.scratch.session(name).execute(_NOT_COUNTED.encode())

    def _check(self, ran: run.Ran, what: str, notes: list[str]) -> None:
        notes += [note for note in ran.notes if note not in notes]
        if ran.refused:
            raise CannotPrepare(f"{what}: {ran.refused[0]}")
        if ran.error is not None:
            raise CannotPrepare(f"{what} failed: {described(ran.error)}")

    def stamps(self, name: str) -> set[str]:
        """Return the revisions that a database says it has."""
        session = self.scratch.session(name)
        found = session.execute(
            "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n "
            "ON n.oid = c.relnamespace WHERE c.relname = 'alembic_version' ORDER BY 1"
        ).fetchall()
        return {
            str(row[0]) for (table,) in found for row in session.execute(f"SELECT version_num FROM {table}".encode())
        }

    def _lead_nowhere(self, name: str) -> None:
        try:
            self.scratch.session(name).execute(NOWHERE.encode())
        except psycopg.errors.InsufficientPrivilege as error:
            raise CannotPrepare(
                "the scratch server has to be reached as a superuser: an event trigger makes foreign servers lead "
                "nowhere"
            ) from error

    def make_room(self, name: str, revision: str) -> int:
        """Let a database take an identifier that Alembic's table is too narrow for; how many letters that took."""
        session = self.scratch.session(name)
        found = session.execute(_ROOM).fetchone()
        limit = found[0] - _HEADER if found and found[0] > 0 else _ENDLESS if found else _BY_ALEMBIC
        if len(revision) <= limit:
            return 0
        session.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num text PRIMARY KEY)")
        session.execute("ALTER TABLE alembic_version ALTER version_num TYPE text")
        return limit

    def _load(self, name: str, path: Path) -> None:
        """Load a script as psql does: COPY ... FROM stdin and \\commands stand in dumps."""
        try:
            psql = find_psql()
        except EmbeddedServerError as error:
            raise CannotPrepare(f"{path} is loaded by psql: {error}") from error
        session = self.scratch.session(name)
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        script = dump.read(text, Server(self.scratch.version).transaction_timeout)
        if script.refused:
            raise CannotPrepare(f"{path} reaches outside of one database: {script.refused[0]}")
        owners = (f"OWNER TO {one};" for one in script.roles)
        roles.stand_in("\n".join((text, *owners)), lambda sql: _rows(session.execute(sql.encode())))
        command = [str(psql), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.scratch.libpq(name), "-f", "-"]
        given = script.text.encode(errors="surrogateescape")
        done = subprocess.run(command, input=given, capture_output=True, check=False)
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").replace("psql:<stdin>", f"psql:{path}").strip()
            raise CannotPrepare(f"{path} cannot be loaded: {said[-600:]}")


def _rows(cursor: psycopg.Cursor[Any]) -> list[tuple[Any, ...]]:
    return cursor.fetchall() if cursor.description else []


def stand_ins(scratch: Scratch, name: str) -> list[str]:
    """Return what is to be said of the stand-ins that a database has."""
    found = [row[0] for row in scratch.session(name).execute(standins.QUERY.encode())]
    owners = [row[0] for row in scratch.session(name).execute(roles.QUERY.encode())]
    return [
        *(f"the extension {one} is a stand-in: the scratch server does not have it" for one in found),
        *(f"the role {one} is a stand-in: the scratch server does not have it" for one in owners),
    ]


def described(error: BaseException | None) -> str:
    """Return an error in one line, with PostgreSQL's own words where it has some."""
    origin = getattr(error, "orig", None) or error
    diag = getattr(origin, "diag", None)
    text = getattr(diag, "message_primary", None) or str(origin).strip() or type(origin).__name__
    name = "" if isinstance(origin, psycopg.Error) else f"{type(origin).__name__}: "
    return f"{name}{' '.join(text.split())}"
