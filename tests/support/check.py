"""The findings of `schema_kit partitions check`."""

from __future__ import annotations

import json
from typing import Any

from schema_kit.names import QualifiedName
from tests.support.cli import shell
from tests.support.database import Database

NOW = "2026-03-15"
T = QualifiedName("app", "t")


def check(database: Database, *arguments: str, now: str = NOW) -> list[dict[str, Any]]:
    """The findings; and the exit code says the same."""
    done = shell(database, "partitions", "check", "--format", "json", "--now", now, *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    assert done.returncode == (4 if any(one["severity"] != "notice" for one in found) else 0), done.stderr
    return found


def codes(database: Database, *arguments: str, now: str = NOW) -> list[str]:
    return [one["code"] for one in check(database, *arguments, now=now)]


MONTHS = "2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01", "2026-06-01"
