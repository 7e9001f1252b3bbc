"""Which database: every source next to every other, given, empty, or missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config

from schema_kit.errors import DeclarationError
from schema_kit.url import alembic_config, database_url

pytestmark = [pytest.mark.cli, pytest.mark.libraries]

A, B = "postgresql://u:secret@a/db", "postgresql://u:secret@b/db"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("SCHEMA_KIT_EMBEDDED", "never")
    return written(tmp_path, A)


def written(folder: Path, url: str) -> Config:
    (folder / "alembic.ini").write_text(f"[alembic]\nscript_location = x\nsqlalchemy.url = {url}\n", encoding="utf-8")
    return Config(folder / "alembic.ini")


def host(given: str | None, config: Config | None) -> str | None:
    return database_url(given, config).host


def test_what_is_given_comes_first_then_the_variable_then_the_file(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert host(None, config) == "a"
    monkeypatch.setenv("DATABASE_URL", B)
    assert host(None, config) == "b"
    assert host("postgresql://c/db", config) == "c"
    assert host(None, None) == "b"


def test_a_url_that_a_program_has_set_is_never_left_for_another(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.set_main_option("sqlalchemy.url", B)
    assert host(None, config) == "b"
    monkeypatch.setenv("DATABASE_URL", B.replace("postgresql:", "postgresql+asyncpg:"))
    assert host(None, config) == "b"
    monkeypatch.setenv("DATABASE_URL", A)
    with pytest.raises(DeclarationError, match=r"@b/db, and DATABASE_URL is .*@a/db") as refused:
        database_url(None, config)
    assert "secret" not in str(refused.value)
    assert host(A, config) == "a"


def test_a_config_without_a_file_was_made_by_a_program(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    of_a_program = Config()
    of_a_program.set_main_option("sqlalchemy.url", B)
    assert host(None, of_a_program) == "b"
    monkeypatch.setenv("DATABASE_URL", A)
    with pytest.raises(DeclarationError, match="Unset one of them"):
        database_url(None, of_a_program)


@pytest.mark.parametrize("empty", ["", "  "])
def test_set_but_empty_is_wrong_usage(config: Config, monkeypatch: pytest.MonkeyPatch, empty: str) -> None:
    with pytest.raises(DeclarationError, match="set but empty"):
        database_url(empty, config)
    monkeypatch.setenv("DATABASE_URL", empty)
    with pytest.raises(DeclarationError, match="DATABASE_URL is set but empty"):
        database_url(None, config)


def test_so_it_is_in_the_file_and_by_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    empty = written(tmp_path, "")
    with pytest.raises(DeclarationError, match=r"sqlalchemy\.url of alembic\.ini is set but empty"):
        database_url(None, empty)
    monkeypatch.setenv("DATABASE_URL", B)
    assert host(None, empty) == "b"
    full = written(tmp_path, A)
    full.set_main_option("sqlalchemy.url", "")
    with pytest.raises(DeclarationError, match=r"sqlalchemy\.url is set but empty"):
        database_url(None, full)


def test_without_any_the_embedded_server_can_be_forbidden(config: Config) -> None:
    config.remove_main_option("sqlalchemy.url")
    with pytest.raises(DeclarationError, match="SCHEMA_KIT_EMBEDDED=never"):
        database_url(None, config)
    with pytest.raises(DeclarationError, match="SCHEMA_KIT_EMBEDDED=never"):
        database_url(None, None)


def test_what_the_file_does_not_define_is_a_sentence_without_the_password(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = written(tmp_path, "postgresql://%(DB_USER)s:secret@h/db")
    with pytest.raises(DeclarationError, match="refers to a value that the file does not define") as refused:
        database_url(None, config)
    assert "secret" not in str(refused.value)
    config.set_main_option("DB_USER", "somebody")
    assert database_url(None, config).username == "somebody"
    monkeypatch.setenv("DATABASE_URL", B)
    assert host(None, written(tmp_path, "postgresql://%(DB_USER)s@h/db")) == "b"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("driver://user:pass@localhost/dbname", "placeholder of a new alembic.ini"),
        ("mysql://h/db", "a database of mysql"),
        ("h/db", "cannot be read"),
        ("postgresql://h:port/db", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said(config: Config, url: str, why: str) -> None:
    with pytest.raises(DeclarationError, match=why):
        database_url(url)
    config.set_main_option("sqlalchemy.url", url)
    with pytest.raises(DeclarationError, match=why):
        database_url(None, config)


@pytest.mark.parametrize(
    ("query", "translated"),
    [
        ("ssl=disable", {"sslmode": "disable"}),
        ("ssl=true", {"sslmode": "require"}),
        ("prepared_statement_cache_size=0&application_name=x", {"application_name": "x"}),
    ],
)
def test_what_only_asyncpg_understands_is_translated(config: Config, query: str, translated: dict[str, str]) -> None:
    url = database_url(f"postgresql+asyncpg://h/db?{query}", config)
    assert (url.drivername, dict(url.query)) == ("postgresql+psycopg", translated)


def test_commands_find_the_file_above_them(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert host(None, alembic_config()) == "a"


def test_commands_read_the_file_that_alembic_would(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    written(tmp_path / "other", B)
    monkeypatch.setenv("ALEMBIC_CONFIG", "other/alembic.ini")
    assert host(None, alembic_config()) == "b"
    monkeypatch.setenv("ALEMBIC_CONFIG", "gone.ini")
    with pytest.raises(DeclarationError, match=r"ALEMBIC_CONFIG is gone\.ini, and that file does not exist"):
        alembic_config()


def test_a_project_may_have_pyproject_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("SCHEMA_KIT_EMBEDDED", "never")
    (tmp_path / "pyproject.toml").write_text('[tool.alembic]\nscript_location = "%(here)s/m"\n', encoding="utf-8")
    config = alembic_config()
    assert config is not None
    assert config.get_alembic_option("script_location") == str(tmp_path / "m")
    for one in (config, Config("alembic.ini", toml_file="pyproject.toml")):  # as a command has it, and as Alembic's
        with pytest.raises(DeclarationError, match="no database is named"):
            database_url(None, one)
        monkeypatch.setenv("DATABASE_URL", B)
        assert host(None, one) == "b"
        monkeypatch.delenv("DATABASE_URL")
