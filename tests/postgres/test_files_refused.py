"""Archives in files that are refused: what was tampered with, what has changed, what it cannot do."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema_kit.errors import DeclarationError
from schema_kit.files.store import Store
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.files import build, everything, places

pytestmark = [pytest.mark.files, pytest.mark.majors]


def test_a_tampered_or_truncated_file_is_refused(database: Database, tmp_path: Path) -> None:
    build(database)
    for form in ("parquet", "copy"):
        assert shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--as", form).returncode == 0
        path = tmp_path / f"s.t_01.{form}"
        whole = path.read_bytes()
        for wrong, word in (
            (whole[:-9], "truncated"),
            (whole.replace("คำ 1\n".encode(), "คำ 7\n".encode()), "changed"),
        ):
            if wrong == whole:
                continue
            path.write_bytes(wrong)
            refused = shell(database, "archive", "import", str(path), "--beside", "s.b")
            assert refused.returncode == 3
            assert f"s.t_01.{form} was {word}" in refused.stderr
            assert f"s.t_01.{form} was {word}" in shell(database, "archive", "files", "--verify").stderr
            assert f"s.t_01.{form} was {word}" in shell(database, "archive", "verify", "--files").stderr
        path.write_bytes(whole)
        assert shell(database, "archive", "files", "--verify").returncode == 0
        # A database that has never heard of it takes the file's own word, and still finds out.
        database.sql("DELETE FROM schema_kit.archive_file")
        middle = whole.replace("คำ 1\n".encode(), "คำ 7\n".encode()) if form == "copy" else whole[:-9]
        path.write_bytes(middle)
        refused = shell(database, "archive", "import", str(path), "--beside", "s.b")
        assert refused.returncode == 3
        assert "other values in word" in refused.stderr or "damaged" in refused.stderr
        path.write_bytes(whole)
        assert shell(database, "archive", "import", str(path), "--beside", "s.b").returncode == 0
        database.sql("DROP TABLE s.b")
    assert database.sql("SELECT count(*) FROM s.t") == [(90,)]


def test_a_table_that_has_changed_is_refused_and_the_columns_are_named(database: Database, tmp_path: Path) -> None:
    build(database)
    assert shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes").returncode == 0
    database.sql("ALTER TABLE s.t ADD more int, DROP r CASCADE, ALTER word TYPE varchar(50)")
    refused = shell(database, "archive", "import", "--manifest", "s.t")
    assert refused.returncode == 3
    for words in (
        "r (integer) is in the file alone",
        "more (integer) is in the table alone",
        "word is text in the file",
    ):
        assert words in refused.stderr
    assert shell(database, "archive", "import", "--manifest", "s.t", "--beside", "s.old").returncode == 0
    assert database.sql("SELECT count(*), sum(twice) FROM s.old") == [(31, 62)]
    assert places(database) == [("s.t_01", False, False)]


def test_existing_rows_are_skipped_and_others_of_the_same_key_refused(database: Database, tmp_path: Path) -> None:
    before = everything(build(database))
    assert shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path)).returncode == 0
    file = str(tmp_path / "s.t_01.parquet")
    database.sql("DELETE FROM s.t WHERE id IN (3, 4, 5)")
    done = shell(database, "archive", "import", file)
    assert done.returncode == 0, done.stderr
    assert "3 rows inserted into s.t, 28 were there already" in done.stdout
    assert everything(database) == before
    database.sql("UPDATE s.t SET word = 'other' WHERE id = 7", "DELETE FROM s.t WHERE id = 9")
    refused = shell(database, "archive", "import", file)
    assert refused.returncode == 1
    assert "(id, at) = (7, 2026-01-07 00:00:00+00)" in refused.stderr
    assert "Nothing was inserted" in refused.stderr
    assert len(everything(database)) == 89
    assert database.sql("SELECT count(*) FROM s.t_01__restored") == [(31,)]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["export", "s.none", "--to", "{}"], 3, "there is no table s.none"),
        (["export", "s.t_01", "--to", "{}/none"], 2, "there is no folder"),
        (["export", "s.t_01", "--to", "nothing://x"], 2, "is not a destination"),
        (["export", "s.t_01", "--to", "{}", "--drop"], 2, "add --yes"),
        (["export", "s.r", "--to", "{}", "--drop", "--yes"], 3, "does not know it as one that was detached"),
        (["export", "s.t_01", "--to", "{}", "--since", "2026-01-01"], 3, "is not partitioned by RANGE"),
        (["import"], 2, "name files, or --manifest"),
        (["import", "{}/x.parquet"], 1, "No such file"),
        (["import", "{}/x.txt"], 3, "is not a file of an archive"),
    ],
)
def test_what_it_cannot_do_is_said_in_a_sentence(
    database: Database, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    before = everything(build(database))
    done = shell(database, "archive", *(argument.format(tmp_path) for argument in arguments))
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert everything(database) == before
    assert not list(tmp_path.iterdir())


def test_a_name_with_other_content_is_left_alone(database: Database, tmp_path: Path) -> None:
    build(database)
    path = tmp_path / "s.t_01.parquet"
    path.write_bytes(b"somebody else's")
    refused = shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes")
    assert refused.returncode == 3
    assert "damaged or no Parquet file" in refused.stderr
    assert path.read_bytes() == b"somebody else's"
    path.unlink()
    assert shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path)).returncode == 0
    written = path.read_bytes()
    database.sql("UPDATE s.t SET word = 'new' WHERE id = 1")
    refused = shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes")
    assert refused.returncode == 1, "it was detached before"
    assert "exists already and has other values in word" in refused.stderr
    assert path.read_bytes() == written
    assert database.sql("SELECT count(*) FROM s.t_01") == [(31,)]


def test_no_rights_and_a_table_that_hides_rows(database: Database, tmp_path: Path) -> None:
    build(database)
    role = "sk_files_reader"
    database.sql(f"DROP ROLE IF EXISTS {role}", f"CREATE ROLE {role} LOGIN", f"GRANT USAGE ON SCHEMA s TO {role}")
    try:
        url = database.url.replace("postgres@", f"{role}@")
        own = Database(url, database.stack)
        refused = shell(own, "archive", "export", "s.t_01", "--to", str(tmp_path))
        assert refused.returncode == 3
        assert f"GRANT SELECT ON s.t_01 TO {role}" in refused.stderr
        database.sql(
            f"GRANT SELECT ON s.t_01 TO {role}",
            "ALTER TABLE s.t_01 ENABLE ROW LEVEL SECURITY",
            f"GRANT CREATE ON DATABASE {database.sql('SELECT quote_ident(current_database())')[0][0]} TO {role}",
        )
        refused = shell(own, "archive", "export", "s.t_01", "--to", str(tmp_path))
        assert refused.returncode == 3, "before a table of its own is made"
        assert f"row security of s.t_01 hides rows from {role}" in refused.stderr
        assert not list(tmp_path.iterdir())
    finally:
        database.sql(f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")


def test_what_stands_in_the_way_of_the_drop_is_said_before_anything_is_done(database: Database, tmp_path: Path) -> None:
    build(database)
    database.sql("CREATE VIEW s.v AS SELECT * FROM s.t_01")
    refused = shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes")
    assert refused.returncode == 3
    assert "s.v" in refused.stderr
    assert not list(tmp_path.iterdir())
    assert database.sql("SELECT relispartition FROM pg_class WHERE oid = 's.t_01'::regclass") == [(True,)]


def test_a_table_without_a_destination_scheme(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="there is no folder"):
        Store(str(tmp_path / "none"))
