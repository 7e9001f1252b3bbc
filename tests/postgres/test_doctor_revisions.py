"""`schema_kit doctor` on revisions that Alembic cannot run, or that the database does not match."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from click.testing import CliRunner

from schema_kit.cli import cli
from tests.support.database import Database

pytestmark = [pytest.mark.cli, pytest.mark.projects, pytest.mark.libraries]

Files = dict[str, str]


def revision(name: str, before: object = None, more: str = "") -> str:
    return f"revision = {name!r}\ndown_revision = {before!r}\n{more}\ndef upgrade(): pass\ndef downgrade(): pass\n"


CHAIN = {"a.py": revision("aaa"), "b.py": revision("bbb", "aaa")}
WRONG: dict[str, tuple[Files, tuple[str, ...]]] = {
    "several heads": ({"c.py": revision("ccc", "aaa")}, ("2 heads, bbb, ccc", "alembic merge heads")),
    "several bases": ({"c.py": revision("ccc")}, ("2 heads, bbb, ccc", "alembic merge heads")),
    "one head has a label": (
        {"c.py": revision("ccc", "aaa", "branch_labels = ('shop',)")},
        ("2 heads, bbb, ccc", "alembic merge heads"),
    ),
    "a syntax error": ({"c.py": "revision = 'ccc'\ndef f(:\n"}, ("c.py cannot be loaded", "in line 2")),
    "an import that fails": (
        {"c.py": f"import nothing_of_that_name\n{revision('ccc', 'bbb')}"},
        ("c.py cannot be loaded", "nothing_of_that_name"),
    ),
    "it exits": ({"c.py": f"raise RuntimeError('100% no')\n{revision('ccc', 'bbb')}"}, ("c.py", "100% no")),
    "no revision": ({"c.py": "def upgrade(): pass\n"}, ("c.py declares no revision",)),
    "missing down_revision": ({"c.py": revision("ccc", "gone")}, ("c.py comes after the revision gone",)),
    "half of a down_revision": ({"c.py": revision("ccc", "bb")}, ("c.py comes after the revision bb",)),
    "one of two is missing": ({"c.py": revision("ccc", ("bbb", "gone"))}, ("c.py comes after the revision gone",)),
    "missing depends_on": (
        {"c.py": revision("ccc", "bbb", "depends_on = 'gone'")},
        ("c.py comes after the revision gone",),
    ),
    "twice": ({"c.py": revision("bbb", "aaa")}, ("2 files declare the revision bbb", "c.py")),
    "a circle": ({"a.py": revision("aaa", "bbb")}, ("in a circle",)),
}
RIGHT: dict[str, Files] = {
    "a chain": {},
    "two branches with labels": {
        "b.py": revision("bbb", "aaa", "branch_labels = ('bots',)"),
        "c.py": revision("ccc", None, "branch_labels = ('shop',)"),
        "d.py": revision("ddd", "ccc"),
    },
    "merged": {"c.py": revision("ccc", "aaa"), "d.py": revision("ddd", ("bbb", "ccc"))},
    "it depends on a label": {
        "b.py": revision("bbb", "aaa", "branch_labels = ('bots',)"),
        "c.py": revision("ccc", "bbb", "depends_on = 'bots'"),
    },
}


def project(folder: Path, files: Files) -> None:
    command.init(Config(folder / "alembic.ini", stdout=None), str(folder / "migrations"))  # type: ignore[arg-type]
    for name, text in (CHAIN | files).items():
        (folder / "migrations" / "versions" / name).write_text(text, encoding="utf-8")


def examined(database: Database, code: Sequence[int] = (4,)) -> list[dict[str, object]]:
    done = CliRunner().invoke(cli, ["doctor", "--url", database.url, "--format", "json"])
    assert done.exit_code in code, done.output
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def said(found: list[dict[str, object]], *, wrong: bool, codes: Sequence[str]) -> str:
    return "\n".join(str(one["text"]) for one in found if one["wrong"] is wrong and one["code"] in codes)


CODES = ("revision", "revisions", "heads")


@pytest.mark.parametrize("case", WRONG)
def test_what_alembic_cannot_run(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    files, words = WRONG[case]
    project(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    text = said(examined(database), wrong=True, codes=CODES)
    for word in words:
        assert word in text


@pytest.mark.parametrize("case", RIGHT)
def test_what_is_right(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    project(tmp_path, RIGHT[case])
    monkeypatch.chdir(tmp_path)
    found = examined(database, (0, 4))
    assert said(found, wrong=True, codes=(*CODES, "stamp")) == ""
    assert "head" in said(found, wrong=False, codes=CODES)


@pytest.mark.parametrize(("stamped", "wrong"), [("bbb", False), ("gone", True)])
def test_what_the_database_is_stamped_with(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stamped: str, wrong: bool
) -> None:
    project(tmp_path, {})
    monkeypatch.chdir(tmp_path)
    database.sql(
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
        f"INSERT INTO alembic_version VALUES ('{stamped}')",
    )
    text = said(examined(database), wrong=wrong, codes=("stamp",))
    assert f"alembic_version holds {stamped}" in text
    assert ("alembic stamp --purge" in text) is wrong


def test_versions_in_several_folders(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, {})
    (tmp_path / "shop" / "deep").mkdir(parents=True)
    (tmp_path / "shop" / "deep" / "c.py").write_text(revision("ccc", "gone"), encoding="utf-8")
    ini = tmp_path / "alembic.ini"
    lines = (
        "[alembic]\nversion_locations = %(here)s/migrations/versions:%(here)s/shop\nrecursive_version_locations = true"
    )
    text = ini.read_text(encoding="utf-8").replace("[alembic]", lines, 1).replace("path_separator = os\n", "")
    ini.write_text(f"{text}".replace(lines, f"{lines}\npath_separator = os"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert "c.py comes after the revision gone" in said(examined(database), wrong=True, codes=CODES)
