"""What a partition has of its own is named before it is dropped for a file, and again when its rows come back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import shell
from tests.support.database import Database
from tests.support.files import build

pytestmark = [pytest.mark.files, pytest.mark.majors]

OWN = {
    "table, comment": "COMMENT ON TABLE s.t_01 IS 'own'",
    "table, owner": "ALTER TABLE s.t_01 OWNER TO pg_monitor",
    "table, options": "ALTER TABLE s.t_01 SET (fillfactor = 66)",
    "table, toast options": "ALTER TABLE s.t_01 SET (toast.autovacuum_enabled = false)",
    "table, privileges": "GRANT SELECT ON s.t_01 TO pg_monitor",
    "table, row security": "ALTER TABLE s.t_01 ENABLE ROW LEVEL SECURITY",
    "table, forced row security": "ALTER TABLE s.t_01 FORCE ROW LEVEL SECURITY",
    "table, replica identity": "ALTER TABLE s.t_01 REPLICA IDENTITY FULL",
    "table, persistence": "ALTER TABLE s.t_01 SET UNLOGGED",
    "table, tablespace": "SET allow_in_place_tablespaces = on; CREATE TABLESPACE own LOCATION '';"
    "ALTER TABLE s.t_01 SET TABLESPACE own",
    "column word, comment": "COMMENT ON COLUMN s.t_01.word IS 'own'",
    "column word, default": "ALTER TABLE s.t_01 ALTER word SET DEFAULT 'own'",
    "column word, not null": "ALTER TABLE s.t_01 ALTER word SET NOT NULL",
    "column word, storage": "ALTER TABLE s.t_01 ALTER word SET STORAGE EXTERNAL",
    "column word, compression": "ALTER TABLE s.t_01 ALTER word SET COMPRESSION pglz",
    "column word, statistics target": "ALTER TABLE s.t_01 ALTER word SET STATISTICS 71",
    "column word, options": "ALTER TABLE s.t_01 ALTER word SET (n_distinct = 5)",
    "column word, privileges": "GRANT UPDATE (word) ON s.t_01 TO pg_monitor",
    "constraint short, definition": "ALTER TABLE s.t_01 ADD CONSTRAINT short CHECK (length(word) < 90)",
    "constraint unproved, definition": "ALTER TABLE s.t_01 ADD CONSTRAINT unproved CHECK (word <> 'w') NOT VALID",
    "constraint later, definition": "ALTER TABLE s.t_01 ADD CONSTRAINT later CHECK (at >= '2026-01-01 01:00+00') "
    "NOT VALID",
    "constraint mine, definition": "ALTER TABLE s.t_01 ADD CONSTRAINT mine FOREIGN KEY (id) REFERENCES s.r NOT VALID",
    "constraint words, definition": "ALTER TABLE s.t_01 ADD CONSTRAINT words UNIQUE (word, id)",
    "index own, definition": "CREATE INDEX own ON s.t_01 (word, id) INCLUDE (r) WHERE word <> ''",
    "index t_01_word_idx, clustered": "ALTER TABLE s.t_01 CLUSTER ON t_01_word_idx",
    "index t_01_word_idx, comment": "COMMENT ON INDEX s.t_01_word_idx IS 'own'",
    "index t_01_word_idx, definition": "ALTER INDEX s.t_01_word_idx SET (fillfactor = 55)",
    "trigger own, definition": "CREATE TRIGGER own BEFORE INSERT ON s.t_01 FOR EACH ROW EXECUTE FUNCTION "
    "suppress_redundant_updates_trigger()",
    "policy own, definition": "CREATE POLICY own ON s.t_01 USING (id > 0)",
    "rule own, definition": "CREATE RULE own AS ON DELETE TO s.t_01 WHERE old.id < 0 DO INSTEAD NOTHING",
    "statistics s.own, definition": "CREATE STATISTICS s.own ON word, r FROM s.t_01",
}
BY_ITSELF = {"table, tablespace", "table, persistence", "index t_01_word_idx, definition"}
"""What would hide something else, or leaves a tablespace behind."""


def there_and_back(database: Database, folder: Path, *ddl: str) -> tuple[str, list[str]]:
    """What is said before the table is dropped, and what is named when its rows come back."""
    build(database)
    for one in ddl:
        database.sql(*one.split(";"))
    words = ("archive", "export", "s.t_01", "--to", str(folder), "--drop")
    dry = shell(database, *words, "--dry-run")
    out = shell(database, *words, "--yes")
    assert out.returncode == 0, out.stderr
    said = " ".join(out.stderr.split())
    shown = " ".join(dry.stdout.replace("--", " ").split())
    assert ("has of its own" in said) == ("has of its own" in shown) == bool(ddl), (said, shown)
    back = shell(database, "archive", "import", "--manifest", "s.t", "--format", "json")
    assert back.returncode == 0, back.stderr
    (file,) = json.loads(back.stdout)["restored"]
    assert file["how"] == "attached"
    return said, [f"{one['object']}, {one['property']}" for one in file["lacks"]]


def test_a_partition_like_the_others_lacks_nothing(database: Database, tmp_path: Path) -> None:
    assert there_and_back(database, tmp_path)[1] == []


def test_all_that_is_lost_is_named(database: Database, tmp_path: Path) -> None:
    ddl = {what: one for what, one in OWN.items() if what not in BY_ITSELF}
    said, lacks = there_and_back(database, tmp_path, *ddl.values())
    assert [what for what in ddl if what not in lacks] == []
    assert [what for what in ddl if what not in said] == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("what", OWN)
def test_each_by_itself(database: Database, tmp_path: Path, what: str) -> None:
    said, lacks = there_and_back(database, tmp_path, OWN[what])
    assert what in said
    assert what in lacks
    assert len(lacks) <= 2, "a constraint and its index, an owner and what it may"


def test_a_file_that_existed_and_does_not_say_it_keeps_the_table(database: Database, tmp_path: Path) -> None:
    build(database)
    words = ("archive", "export", "s.t_01", "--to", str(tmp_path))
    assert shell(database, *words).returncode == 0
    database.sql("CREATE INDEX own ON s.t_01 (id)")
    refused = shell(database, *words, "--drop", "--yes")
    assert refused.returncode != 0
    assert "does not describe what the table has of its own by now: index own" in " ".join(refused.stderr.split())
    assert database.sql("SELECT count(*) FROM s.t_01") == [(31,)]
    (file,) = tmp_path.glob("*.parquet")
    file.unlink()
    assert shell(database, *words, "--drop", "--yes").returncode == 0
    database.sql("CREATE TABLE s.t_01 PARTITION OF s.t FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')")
    back = shell(database, "archive", "import", "--manifest", "s.t")
    assert back.returncode == 0, back.stderr
    assert "these rows lack: index own, definition: CREATE INDEX USING btree (id)" in " ".join(back.stderr.split())
