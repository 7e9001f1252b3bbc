"""A role that has no right at all, and gets those that messages name, one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.cli import ROOT
from tests.support.database import Database

PAGE = ROOT / "docs" / "rights.md"
_GRANT = re.compile(r'GRANT [^;()]+ TO (?:"[^"]+"|\w+)')


@dataclass(frozen=True)
class Limited:
    """The database as its owner sees it, and as a role does that may only connect."""

    database: Database
    role: str
    owner: str

    @property
    def own(self) -> Database:
        """Connections of that role."""
        return Database(self.url, self.database.stack)

    @property
    def url(self) -> str:
        return self.database.url.replace("postgres@", f"{self.role}@")

    def owned(self, *schemas: str) -> None:
        """Tables, views and types of these schemas belong to a role that is not a superuser."""
        for schema in schemas:
            self.database.sql(f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {self.owner}")
            for kind, name in self.database.sql(
                "SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, "
                f"oid::regclass::text FROM pg_class WHERE relnamespace = '{schema}'::regnamespace "
                "AND relkind IN ('r', 'p', 'v', 'm')"
            ):
                self.database.sql(f"ALTER {kind} {name} OWNER TO {self.owner}")


@contextmanager
def limited(database: Database) -> Iterator[Limited]:
    """Two roles of the test's own, dropped afterwards with all that they own."""
    suffix = database.sql("SELECT current_database()")[0][0]
    roles = f"sk_few_{suffix}", f"sk_owner_{suffix}"
    for role in roles:
        database.sql(f"DROP ROLE IF EXISTS {role}", f"CREATE ROLE {role} LOGIN")
    try:
        yield Limited(database, *roles)
    finally:
        for role in roles:
            database.sql(f"DROP OWNED BY {role} CASCADE")
        for role in roles:
            database.sql(f"DROP ROLE {role}")


def until_it_goes_on(some: Limited, run: Callable[[], str], most: int = 12) -> list[str]:
    """Run it, grant what the message names, run it again, until it says nothing more; what was granted."""
    granted: list[str] = []
    for _ in range(most):
        said = run()
        if not said:
            return granted
        assert "permission denied" not in said, said
        assert "must be owner" not in said, said
        assert "Traceback" not in said, said
        assert some.role in said, said
        grants = [grant for grant in _GRANT.findall(said) if grant not in granted]
        assert grants, f"nothing new is named after {granted}: {said}"
        for grant in grants:
            some.database.sql(grant)
        granted += grants
    raise AssertionError(f"it never goes on: {granted}")


def row_of(name: str, granted: list[str]) -> str:
    """The row of docs/rights.md: what was granted on schema_kit's own tables, and on the others."""
    return f"| `{name}` | {_on_own_tables(granted)} | {_on_tables(granted)} |"


def _on_own_tables(granted: list[str]) -> str:
    """What was granted on schema_kit's own schema and its tables, or to make that schema, as docs/rights.md has it."""
    found = [re.fullmatch(r"GRANT (.*) ON (SCHEMA )?schema_kit(?:\.(\w+))? TO .*", one) for one in granted]
    words = [f"`{one[1]}`" + ("" if one[2] else f" on `{one[3]}`") for one in found if one]
    words += ["`CREATE` on the database" for one in granted if one.startswith("GRANT CREATE ON DATABASE ")]
    return ", ".join(dict.fromkeys(words)) or "—"


def _on_tables(granted: list[str]) -> str:
    """The others; a role that is granted owns the tables."""
    words = []
    for one in granted:
        if found := re.fullmatch(r"GRANT (.*) ON (SCHEMA )?s(?:\.(\w+))? TO .*", one):
            on = "the schema" if found[2] else "the archive" if found[3].endswith("_archive") else "the table"
            words.append(f"`{found[1]}` on {on}")
        elif " ON " not in one:
            words.append("ownership")
    return ", ".join(dict.fromkeys(words)) or "—"
