"""A table, a change of it by another session, and the conditions by which its effect is seen."""

from __future__ import annotations

from dataclasses import dataclass

TABLE = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.place (id bigint PRIMARY KEY)",
    "INSERT INTO s.place SELECT generate_series(0, 9)",
    """CREATE TABLE s.t (
      id bigint GENERATED ALWAYS AS IDENTITY (START 7) PRIMARY KEY, number serial,
      at timestamptz NOT NULL DEFAULT '2026-02-03', body text DEFAULT 'none', word text NOT NULL DEFAULT 'w',
      place_id bigint CONSTRAINT t_place REFERENCES s.place, gone int,
      CONSTRAINT t_body CHECK (body <> ''), CONSTRAINT t_word CHECK (word <> ''))""",
    "CREATE INDEX t_lower ON s.t (lower(body))",
    "CREATE INDEX t_number ON s.t (number)",
    "CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER one BEFORE UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION s.f()",
    "CREATE TRIGGER two BEFORE UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION s.f()",
    "CREATE VIEW s.v AS SELECT id, body FROM s.t",
    "CREATE VIEW s.w AS SELECT id, word FROM s.t",
    "CREATE STATISTICS s.st ON body, word FROM s.t",
    "CREATE POLICY p ON s.t USING (true)",
    "CREATE POLICY q ON s.t USING (true)",
    "GRANT SELECT, DELETE, UPDATE (body) ON s.t TO pg_monitor",
    "COMMENT ON TABLE s.t IS 'things'",
    "CREATE PUBLICATION pub FOR TABLE s.t WITH (publish_via_partition_root = true)",
    "CREATE PUBLICATION pub_too FOR TABLE s.t, s.place WITH (publish_via_partition_root = true)",
    "INSERT INTO s.t (at, place_id) SELECT timestamptz '2026-01-05' + i * interval '1 day', i % 10 "
    "FROM generate_series(1, 60) i",
)
"""A table that has one of each thing; the DDL below is about it."""


THERE = ("attach", "copy")
BACK = ("unpartition", "rollback")


@dataclass(frozen=True)
class Change:
    """What another session does to s.t, or to its dependent objects.

    Args:
        name: in a few words.
        ddl: what it commits.
        seen: a boolean of SQL that says whether the table of that name, now, has the effect.
        alone: it stops a conversion, or goes together with nothing else.
        back: whether it can be done to a partitioned table.
        lost: the ways that do not carry it over, however it came about, and when.
    """

    name: str
    ddl: str
    seen: str
    alone: bool = False
    back: bool = True
    lost: tuple[str, ...] = ()


def there(catalog: str, where: str) -> str:
    return f"EXISTS (SELECT 1 FROM {catalog} WHERE {where})"


def trigger(name: str, more: str = "true") -> str:
    return there("pg_trigger", f"tgrelid = 's.t'::regclass AND tgname = '{name}' AND {more}")


def constraint(name: str, more: str = "true") -> str:
    return there("pg_constraint", f"conrelid = 's.t'::regclass AND conname = '{name}' AND {more}")


def policy(name: str, more: str = "true") -> str:
    return there("pg_policy", f"polrelid = 's.t'::regclass AND polname = '{name}' AND {more}")


def index(name: str, more: str = "true") -> str:
    return there(
        "pg_index x JOIN pg_class i ON i.oid = x.indexrelid",
        f"x.indrelid = 's.t'::regclass AND i.relname = '{name}' AND {more}",
    )


def column(name: str, more: str) -> str:
    return there(
        "pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum",
        f"a.attrelid = 's.t'::regclass AND a.attname = '{name}' AND ({more})",
    )


def relation(more: str) -> str:
    return there("pg_class c", f"c.oid = 's.t'::regclass AND ({more})")


def comment(catalog: str, oid: str, part: int = 0) -> str:
    return there(
        "pg_description",
        f"classoid = '{catalog}'::regclass AND objoid = ({oid}) AND objsubid = {part} AND description = 'by others'",
    )


ROOT = "WITH (publish_via_partition_root = true)"


def listed(publication: str) -> str:
    return there(
        "pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid",
        f"r.prrelid = 's.t'::regclass AND p.pubname = '{publication}'",
    )


def oid_of(catalog: str, where: str) -> str:
    return f"SELECT oid FROM {catalog} WHERE {where}"


SEQUENCE = "pg_get_serial_sequence('s.t', 'id')::regclass"
SERIAL = "pg_get_serial_sequence('s.t', 'number')::regclass"
READS = "pg_get_viewdef('s.{}'::regclass) LIKE '%{}%' AND EXISTS (SELECT 1 FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid WHERE r.ev_class = 's.{}'::regclass AND d.refobjid = 's.t'::regclass)"  # noqa: E501
EXECUTE = "FOR EACH ROW EXECUTE FUNCTION s.f()"
