"""What changes nothing of the table but what is printed of it."""

from __future__ import annotations

from tests.support.ddl_of_others.change import Change, column, constraint, policy, trigger

NAMES = (
    Change(
        "give the name of a trigger's function to another one",
        "ALTER FUNCTION s.f() RENAME TO first_f; "
        "CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        trigger("one", "tgfoid = 's.first_f'::regproc"),
    ),
    Change(
        "give the name of a table that it refers to to another one",
        "ALTER TABLE s.place RENAME TO first_place; CREATE TABLE s.place (id bigint PRIMARY KEY)",
        constraint("t_place", "confrelid = 's.first_place'::regclass"),
    ),
    Change(
        "rename a column that it refers to",
        "ALTER TABLE s.first_place RENAME id TO number",
        constraint("t_place", "pg_get_constraintdef(oid) LIKE '%(number)%'"),
    ),
    Change(
        "give the name of a default's function to another one",
        "ALTER FUNCTION s.none() RENAME TO first_none; "
        "CREATE FUNCTION s.none() RETURNS text LANGUAGE sql AS 'SELECT NULL'",
        column("body", "pg_get_expr(d.adbin, d.adrelid) LIKE '%first_none%'"),
    ),
    Change(
        "give the name of a policy's function to another one",
        "ALTER FUNCTION s.may() RENAME TO first_may; "
        "CREATE FUNCTION s.may() RETURNS boolean LANGUAGE sql AS 'SELECT false'",
        policy("p", "pg_get_expr(polqual, polrelid) LIKE '%first_may%'"),
    ),
)
"""What changes nothing of the table but what is printed of it; in this order."""

NAMED = (
    "CREATE FUNCTION s.none() RETURNS text LANGUAGE sql AS $$ SELECT 'none' $$",
    "ALTER TABLE s.t ALTER body SET DEFAULT s.none()",
    "CREATE FUNCTION s.may() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "ALTER POLICY p ON s.t USING (s.may())",
)
"""What these need besides the table."""
