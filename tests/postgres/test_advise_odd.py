"""``schema_kit advise index`` for statements of every kind: all are judged or named, and none shows a value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schema_kit.advise.statements import shown
from tests.support.advise import SECRET, TABLES
from tests.support.cli import shell
from tests.support.database import Database

pytestmark = [pytest.mark.health, pytest.mark.majors, pytest.mark.exhaustive]

JUDGED = r"""
WITH x AS (SELECT id, at FROM shop."Or der" WHERE customer = $1) SELECT * FROM x JOIN shop.visit v ON v.id =
x.id ORDER BY v.at LIMIT 5;
SELECT id FROM shop."Or der" WHERE state = 'new' UNION ALL SELECT id FROM shop.visit WHERE customer = 4;
SELECT * FROM shop."Or der" o WHERE EXISTS (SELECT 1 FROM shop.visit v WHERE v.customer = o.customer AND v.at > $1);
SELECT o.id, l.at FROM shop."Or der" o, LATERAL (SELECT at FROM shop.visit v WHERE v.customer = o.customer ORDER
BY at DESC LIMIT 1) l WHERE o.seldom = 20;
SELECT id, row_number() OVER (PARTITION BY customer ORDER BY at DESC) FROM shop."Or der" WHERE paid;
SELECT * FROM shop."Or der" WHERE customer IN (1, 2, 3, $1);
SELECT * FROM shop."Or der" WHERE customer = ANY ('{1,2,3}'::int[]);
SELECT * FROM shop."Or der" WHERE customer = ANY ($1);
SELECT * FROM shop."Or der" WHERE note LIKE '@SECRET@ 1%';
SELECT * FROM shop."Or der" WHERE note LIKE $1;
SELECT * FROM shop."Or der" WHERE data @> '{"kind": 3}';
SELECT * FROM shop."Or der" WHERE data @> $1;
SELECT * FROM shop."Or der" WHERE data ->> 'who' = $1 ORDER BY at DESC NULLS LAST LIMIT $2 OFFSET $3;
SELECT * FROM shop."Or der" ORDER BY seldom NULLS FIRST LIMIT 10;
INSERT INTO shop.empty VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id;
INSERT INTO shop.empty SELECT id FROM shop.visit WHERE customer = $1;
UPDATE shop."Or der" o SET paid = true FROM shop.visit v WHERE v.id = o.id AND v.customer = $1 RETURNING o.*;
DELETE FROM shop.visit USING shop."Or der" o WHERE o.id = visit.id AND o.note = '@SECRET@ 5';
MERGE INTO shop.empty e USING shop.visit v ON e.id = v.id WHEN NOT MATCHED THEN INSERT VALUES (v.id);
SELECT * FROM generate_series(1, $1) g JOIN shop.visit v ON v.id = g;
SELECT * FROM pg_class WHERE relname = 'x';
VALUES (1), (2);
TABLE shop.visit;
SELECT 1;
SELECT count(*) FILTER (WHERE customer = 5) FROM shop.visit GROUP BY GROUPING SETS ((at), ());
SELECT * FROM shop."Or der" WHERE (customer, at) > ($1, $2) ORDER BY customer, at LIMIT 20;
SELECT * FROM shop."Or der" WHERE customer BETWEEN $1 AND $2 OR seldom IS NOT NULL;
SELECT * FROM shop."Or der" FOR UPDATE SKIP LOCKED LIMIT 1;
SELECT * FROM shop."Or der" TABLESAMPLE SYSTEM (1) WHERE note ~ '^Zeb';
SELECT x.* FROM (SELECT DISTINCT ON (customer) customer, at FROM shop."Or der" ORDER BY customer, at DESC) x
WHERE x.at > now() - $1::interval;
WITH RECURSIVE t AS (SELECT id FROM shop.visit WHERE id = $1 UNION SELECT v.id FROM shop.visit v JOIN t ON
v.customer = t.id) SELECT * FROM t;
SELECT * FROM shop."Or der" WHERE data ? $1;
SELECT * FROM shop."Or der" WHERE data #>> '{a,b}' = 'x';
SELECT * FROM shop."Or der" WHERE lower(note) = lower($1) AND at::date = $2;
SELECT * FROM shop.visit WHERE at = CURRENT_DATE AND customer % 10 = 3;
SELECT $1;
SELECT * FROM shop.visit v WHERE v.* IS NOT NULL;
SELECT * FROM json_to_recordset($1) AS x(a int) JOIN shop.visit v ON v.id = x.a;
SELECT * FROM shop."Or der" WHERE note = $1;
SELECT E'\'' , $tag$a;b$tag$ FROM shop.visit WHERE id = 3;
"""

UNPLANNED = {
    "SELECT shop.nofunction(?)": "a function or operator that is not there",
    "SELECT * FROM tempo WHERE id = ?": "a table that is not there",
    "SELECT * FROM other.thing WHERE id = ?": "a table that is not there",
    "SELECT FROM WHERE (": "not complete SQL",
}
"""Said, with the reason."""

IGNORED = (
    "PREPARE p AS SELECT * FROM shop.visit WHERE id = $1",
    "EXECUTE p (5)",
    "SELEC broken FROM (",
    'DROP TABLE shop."Or der"',
    "-- only a comment",
    "CALL shop.nothing()",
    "EXPLAIN SELECT * FROM shop.visit",
    "COPY (SELECT * FROM shop.visit) TO STDOUT",
    "CREATE TEMP TABLE tempo (id int)",
    "SET work_mem = '1GB'",
    "BEGIN",
)


def test_statements_of_every_kind(database: Database, tmp_path: Path) -> None:
    database.sql(*TABLES)
    file = tmp_path / "asked.sql"
    judged = [one.strip() for one in JUDGED.replace("@SECRET@", SECRET).split(";\n") if one.strip()]
    unplanned = [text.replace("?", "$1") for text in UNPLANNED]
    file.write_text(";\n".join((*judged, *unplanned, *IGNORED)))
    done = shell(database, "advise", "index", "--statements", str(file))
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    for text, why in UNPLANNED.items():
        assert re.search(rf"not judged, .*{re.escape(why)}: {re.escape(text)}", done.stderr), text
    assert done.stderr.count("not judged") == len(UNPLANNED), done.stderr
    assert f"{len({shown(one) for one in judged})} statements judged" in done.stderr
    costs = re.findall(r"cost ([\d,.]+) -> ([\d,.]+): (.*)", done.stdout)
    dearer = [text for before, after, text in costs if _number(after) > 1.05 * _number(before)]
    assert [text for text in dearer if text[:60] not in done.stderr] == []
    assert database.sql("SELECT count(*) FROM shop.visit") == [(12000,)], "nothing is executed"


def _number(text: str) -> float:
    return float(text.replace(",", ""))
