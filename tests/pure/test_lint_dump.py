"""A dump that lint loads: of one database alone, and from any pg_dump."""

from __future__ import annotations

import pytest

from schema_kit.lint import dump

pytestmark = [pytest.mark.lint]

OF_A_DATABASE = """\\restrict a
SET transaction_timeout = 0;
CREATE ROLE "Some One" LOGIN;
CREATE DATABASE shop WITH TEMPLATE = template0;
ALTER DATABASE shop OWNER TO owner;
\\unrestrict a
\\connect shop
CREATE TABLE t (id int);
ALTER TABLE ONLY public.t ALTER COLUMN id SET (pg_attver=69029008);
CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$
CREATE ROLE within;
ALTER SYSTEM RESET ALL;
$$;
COPY t (id) FROM stdin;
CREATE DATABASE of_data;
\\.
SELECT 1;"""


def test_what_is_not_of_the_database_is_left_out_line_by_line() -> None:
    found = dump.read(OF_A_DATABASE, timeouts=False)
    lines = dict(enumerate(zip(OF_A_DATABASE.split("\n"), found.text.split("\n"), strict=True), 1))
    assert [number for number, (before, after) in lines.items() if before != after] == [2, 3, 4, 5, 7, 9]
    assert (found.refused, found.roles) == ((), ('"Some One"',))
    assert "transaction_timeout" in dump.read(OF_A_DATABASE, timeouts=True).text


@pytest.mark.parametrize(
    "line",
    [
        "\\! touch here",
        "\\copy t to program 'cat'",
        "ALTER SYSTEM SET work_mem = '4MB';",
        "CREATE TABLESPACE fast LOCATION '/fast';",
        "ALTER ROLE owner SUPERUSER;",
        "COPY t FROM PROGRAM 'cat';",
        "COPY t TO '/tmp/t';",
        "CREATE SUBSCRIPTION s CONNECTION 'host=live' PUBLICATION p;",
        "\\connect another",
    ],
)
def test_what_reaches_outside_is_refused(line: str) -> None:
    assert dump.read(f"{OF_A_DATABASE}\n{line}\n", timeouts=False).refused == (line,)


@pytest.mark.parametrize(
    "line",
    [
        "CREATE SUBSCRIPTION s CONNECTION 'host=live' PUBLICATION p WITH (connect = false, slot_name = 's');",
        "CREATE USER MAPPING FOR owner SERVER s;",
        "COPY t (id) FROM stdin;\n1\n\\.",
        "GRANT ALL ON TABLE t TO owner;",
    ],
)
def test_what_a_dump_has_besides_is_kept(line: str) -> None:
    found = dump.read(line, timeouts=False)
    assert (found.text, found.refused) == (line, ())
