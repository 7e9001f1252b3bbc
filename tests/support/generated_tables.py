"""Tables with everything that PostgreSQL lets a table have, chosen by a seed: the same seed makes the same table."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

TABLE = "g.t"
ROWS = 60

# What a column of each type holds in row i.
TYPES = {
    "smallint": "i",
    "integer": "i * 7",
    "bigint": "i * 5000000000",
    "numeric(12,3)": "i / 7.0",
    "real": "i / 3.0",
    "double precision": "i / 9.0",
    "money": "i::money",
    "text": "repeat('word ' || i, 40)",
    "character varying(20)": "'v' || i",
    "character(3)": "'c'",
    "name": "'n' || i",
    '"char"': "'x'",
    "bytea": "decode('00ff', 'hex')",
    "boolean": "i % 2 = 0",
    "date": "date '2026-01-01' + i",
    "time without time zone": "time '01:02:03.4'",
    "time with time zone": "'01:02:03+02'",
    "timestamp(3) without time zone": "timestamp '2026-01-01 00:00:00.123' + i * interval '1 hour'",
    "interval day to second(3)": "i * interval '1 minute'",
    "uuid": "md5(i::text)::uuid",
    "json": "json_build_object('a', i, 'b', '{}')",
    "jsonb": "jsonb_build_object('a', i)",
    "jsonpath": "'$.a'",
    "xml": "NULL",  # a server may be built without
    "inet": "'10.0.0.1'",
    "cidr": "'10.0.0.0/8'",
    "macaddr": "'08:00:2b:01:02:03'",
    "macaddr8": "'08:00:2b:01:02:03:04:05'",
    "bit(5)": "B'10101'",
    "bit varying(9)": "B'101'",
    "point": "point(i, i)",
    "line": "'{1,2,3}'",
    "lseg": "'[(0,0),(1,1)]'",
    "box": "box(point(0, 0), point(i, i))",
    "path": "'((0,0),(1,1))'",
    "polygon": "'((0,0),(1,1),(1,0))'",
    "circle": "circle(point(0, 0), i)",
    "tsvector": "to_tsvector('simple', 'a word ' || i)",
    "tsquery": "'a & b'",
    "int4range": "int4range(i, i + 5)",
    "numrange": "numrange(i, NULL)",
    "tstzrange": "tstzrange('2026-01-01', NULL)",
    "int4multirange": "int4multirange(int4range(i, i + 2))",
    "pg_lsn": "'0/1'",
    "oid": "i::oid",
    "regtype": "'int4'::regtype",
    "pg_snapshot": "'10:20:'",
    "integer[]": "ARRAY[i, i + 1]",
    "text[]": "ARRAY['a', NULL]",
    "g.mood": "'glad'",
    "g.positive": "i",
    "g.pair": "ROW(i, 'b')",
    "g.span": "g.span(i, i + 1)",
}

# What the control column of a table may be: its type, its value in row i, and the interval.
CONTROLS = {
    "timestamptz": ("date_trunc('day', now()) - i * interval '1 day'", "1 month"),
    "timestamp": ("date_trunc('day', localtimestamp) - i * interval '1 day'", "1 month"),
    "date": ("current_date - i", "1 month"),
    "bigint": ("i * 10", "400"),
}


@dataclass(frozen=True)
class GeneratedTable:
    """The statements of a superuser that make the table g.t with all that references it and 60 rows, or unmake it.

    Attributes:
        make: the statements; roles are made, too.
        drop: what takes schema and roles away again.
        control: the column that the table can be partitioned by.
        every: an interval for it.
        key: its primary key.
        by: a sample of what a role may do is granted by others: the roles, the owner first.
    """

    make: tuple[str, ...]
    drop: tuple[str, ...]
    control: str
    every: str
    key: tuple[str, ...]
    by: tuple[str, ...]


def generated_table(seed: int, version: int, prefix: str, *, dense: bool = False) -> GeneratedTable:
    """A table that a conversion takes.

    Args:
        seed: what is chosen.
        version: server_version_num of the server: it gets what that one can.
        prefix: what the names of the roles begin with; roles are the whole server's.
        dense: it has all of it, instead of about half of it.
    """
    return _Maker(random.Random(seed), version, prefix, dense).table()


class _Maker:
    def __init__(self, chance: random.Random, version: int, prefix: str, dense: bool) -> None:
        self.chance, self.version, self.dense = chance, version, dense
        self.owner, self.agent, self.reader = (f"{prefix}_{role}" for role in ("owner", "agent", "reader"))
        kind = "timestamptz" if dense else chance.choice(list(CONTROLS))
        self.value, self.every = CONTROLS[kind]
        self.spaces = [f"{prefix}_space_{name}" for name in "ab"] if version >= 150000 else []
        self.named: list[str] = []
        self.kind = kind
        self.types = {f"c{place}": kind for place, kind in enumerate(TYPES) if dense or chance.random() < 0.3}
        self.of = {kind: column for column, kind in self.types.items()}
        self.key = chance.choice([("id",), ("at", "id"), ("id", "at")]) if not dense else ("id",)

    def some(self) -> bool:
        """Whether the table has the next thing."""
        return self.dense or self.chance.random() < 0.5

    def table(self) -> GeneratedTable:
        make = [*self._schema(), self._create(), *self._rows()]
        for kind in (self._columns, self._constraints, self._indexes, self._triggers, self._statistics, self._views):
            make += kind()
        make += [*self._access(), *self._physical(), *self._places(), "ANALYZE g.t"]
        roles = (self.owner, self.agent, self.reader)
        drop = ["DROP SCHEMA g CASCADE", f"DROP OWNED BY {', '.join(roles)}", f"DROP ROLE {', '.join(roles)}"]
        drop += [f"DROP TABLESPACE {space}" for space in self.spaces]
        return GeneratedTable(tuple(make), tuple(drop), "at", self.every, self.key, roles)

    def _schema(self) -> Iterator[str]:
        yield from (f"CREATE ROLE {role}" for role in (self.owner, self.agent, self.reader))
        yield "CREATE SCHEMA g"
        yield f"GRANT USAGE, CREATE ON SCHEMA g TO {self.owner}, {self.agent}"
        yield "CREATE TYPE g.mood AS ENUM ('glad', 'sad')"
        yield "CREATE DOMAIN g.positive AS integer CHECK (VALUE > 0)"
        yield "CREATE TYPE g.pair AS (a integer, b text)"
        yield "CREATE TYPE g.span AS RANGE (subtype = integer)"
        yield "CREATE COLLATION g.plain (provider = libc, locale = 'C')"
        yield "CREATE DOMAIN g.tale AS text COLLATE g.plain DEFAULT 'once'"
        yield "CREATE TABLE g.place (id integer PRIMARY KEY, kind integer DEFAULT 1, UNIQUE (kind, id))"
        yield "INSERT INTO g.place SELECT generate_series(0, 9)"
        yield f"ALTER TABLE g.place OWNER TO {self.owner}"

    def _create(self) -> str:
        named = "CONSTRAINT words_there " if self.version >= 180000 else ""
        columns = [
            "gone integer",
            "id bigint GENERATED BY DEFAULT AS IDENTITY (START 3 INCREMENT 2 MAXVALUE 1000000 CACHE 4 CYCLE)"
            if self.some()
            else "id bigint NOT NULL DEFAULT 0",
            f"at {self.kind} NOT NULL",
            "number serial",
            f"words text COLLATE g.plain DEFAULT 'none' {named}NOT NULL",
            "place_id integer DEFAULT 3",
            "place_kind integer DEFAULT 1",
            "length integer GENERATED ALWAYS AS (length(words)) STORED",
            *(["twice integer GENERATED ALWAYS AS (place_id * 2) VIRTUAL"] if self.version >= 180000 else []),
            *(["tale g.tale", 'told g.tale COLLATE "POSIX" NOT NULL'] if self.dense else []),
            *(f"{column} {kind}" for column, kind in self.types.items()),
        ]
        return f"CREATE TABLE g.t ({', '.join(columns)}, PRIMARY KEY ({', '.join(self.key)}))"

    def _rows(self) -> Iterator[str]:
        yield "ALTER TABLE g.t DROP COLUMN gone"
        names = ", ".join(["id", "at", "words", "place_id", *self.types])
        # Of every third row only what has to be there.
        others = [f"CASE WHEN i % 3 > 0 THEN ({TYPES[kind]})::{kind} END" for kind in self.types.values()]
        values = ", ".join(["i", self.value, "'word ' || i", "i % 10", *others])
        yield f"INSERT INTO g.t ({names}) SELECT {values} FROM generate_series(1, {ROWS}) i"

    def _columns(self) -> Iterator[str]:
        actions = [
            ("words", "SET STORAGE EXTERNAL"),
            ("words", "SET COMPRESSION pglz"),
            ("words", "SET STATISTICS 300"),
            ("words", "SET (n_distinct = -0.5, n_distinct_inherited = 7)"),
            ("place_id", "SET STATISTICS 0"),
            ("at", "SET (n_distinct = 5)"),
        ]
        yield from (f"ALTER TABLE g.t ALTER {column} {action}" for column, action in actions if self.some())
        things = ["TABLE g.t", "COLUMN g.t.words", "COLUMN g.t.at", "SEQUENCE g.t_number_seq"]
        yield from (f"COMMENT ON {thing} IS 'about {thing}'" for thing in things if self.some())
        yield "ALTER SEQUENCE g.t_number_seq AS bigint INCREMENT 3 CACHE 2"

    def _constraints(self) -> Iterator[str]:
        nulls = "NULLS NOT DISTINCT " if self.version >= 150000 else ""
        only = " (place_id)" if self.version >= 150000 else ""
        added = {
            "long_enough": "CHECK (length(words) > 0)",
            "tells_apart": f"UNIQUE {nulls}(number, at) INCLUDE (words) WITH (fillfactor=77)",
            "late": "UNIQUE (at, number) DEFERRABLE INITIALLY DEFERRED",
            "of_place": "FOREIGN KEY (place_id) REFERENCES g.place ON UPDATE CASCADE ON DELETE SET DEFAULT",
            "of_place_and_kind": "FOREIGN KEY (place_kind, place_id) REFERENCES g.place (kind, id) "
            f"ON DELETE SET NULL{only} DEFERRABLE INITIALLY DEFERRED",
            "in_full": "FOREIGN KEY (place_kind, place_id) REFERENCES g.place (kind, id) MATCH FULL DEFERRABLE",
        }
        for name, definition in added.items():
            if self.some():
                yield f"ALTER TABLE g.t ADD CONSTRAINT {name} {definition}"
                if self.some():
                    yield f"COMMENT ON CONSTRAINT {name} ON g.t IS 'about {name}'"
        yield "COMMENT ON CONSTRAINT t_pkey ON g.t IS 'the key'"

    def _indexes(self) -> Iterator[str]:
        of = {kind: self.of.get(kind, "") for kind in TYPES}
        added = {
            "by_words": "g.t (words text_pattern_ops DESC NULLS LAST, at) INCLUDE (place_id) WITH (fillfactor=60)",
            "by_expression": 'g.t (lower(words) COLLATE "C", (place_id + 1)) WHERE place_id > 2',
            "by_once": "g.t (at, place_id DESC) WHERE place_id IS NULL",
            "by_hash": "g.t USING hash (place_id) WITH (fillfactor=50)",
            "by_brin": "g.t USING brin (at) WITH (pages_per_range=16, autosummarize=true)",
            "by_bloom": "g.t USING brin (place_id int4_bloom_ops(false_positive_rate=0.05))",
        }
        added |= {
            name: how.format(of[kind])
            for name, kind, how in (
                ("by_gin", "jsonb", "g.t USING gin ({} jsonb_path_ops) WITH (fastupdate=off)"),
                ("by_array", "integer[]", "g.t USING gin ({})"),
                ("by_gist", "tsvector", "g.t USING gist ({} tsvector_ops (siglen='100')) WITH (buffering=off)"),
                ("by_range", "int4range", "g.t USING gist ({})"),
                ("by_spgist", "inet", "g.t USING spgist ({})"),
                ("by_point", "point", "g.t USING spgist ({} kd_point_ops)"),
            )
            if of[kind]
        }
        names = [name for name in added if self.some()]
        self.named = names
        for name in names:
            unique = "UNIQUE " if name == "by_once" else ""
            yield f"CREATE {unique}INDEX {name} ON {added[name]}"
            if self.some():
                yield f"COMMENT ON INDEX g.{name} IS 'about {name}'"
        if "by_expression" in names and self.some():
            yield "ALTER INDEX g.by_expression ALTER COLUMN 1 SET STATISTICS 444"
            yield "ALTER INDEX g.by_expression ALTER COLUMN 2 SET STATISTICS 0"
        if self.some():
            yield "ALTER INDEX g.t_pkey SET (fillfactor = 88)"
        if self.some():
            yield f"ALTER TABLE g.t CLUSTER ON {self.chance.choice(['t_pkey', *({'by_words'} & set(names))])}"

    def _triggers(self) -> Iterator[str]:
        yield "CREATE FUNCTION g.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        added = {
            "a_before": "TRIGGER {} BEFORE INSERT OR UPDATE OF words ON g.t FOR EACH ROW "
            "WHEN (NEW.place_id > 3) EXECUTE FUNCTION g.f('one', 'two')",
            "b_statement": "TRIGGER {} AFTER UPDATE ON g.t REFERENCING OLD TABLE AS o NEW TABLE AS n "
            "FOR EACH STATEMENT EXECUTE FUNCTION g.f()",
            "c_truncate": "TRIGGER {} BEFORE TRUNCATE ON g.t EXECUTE FUNCTION g.f()",
            "d_deferred": "CONSTRAINT TRIGGER {} AFTER INSERT ON g.t FROM g.place DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION g.f()",
            "e_plain": "TRIGGER {} AFTER DELETE ON g.t FOR EACH ROW EXECUTE FUNCTION g.f()",
        }
        states = ["ENABLE", "ENABLE ALWAYS", "ENABLE REPLICA", "DISABLE"]
        for place, (name, definition) in enumerate(added.items()):
            if self.some():
                yield f"CREATE {definition.format(name)}"
                state = states[place % 4] if self.dense else self.chance.choice(states)
                yield f"ALTER TABLE g.t {state} TRIGGER {name}"
                yield f"COMMENT ON TRIGGER {name} ON g.t IS 'about {name}'"

    def _statistics(self) -> Iterator[str]:
        added = {
            "g.odd_name": "(ndistinct) ON place_id, words",
            "public.t_elsewhere": "(dependencies, mcv) ON place_id, place_kind",
            "g.of_expression": "ON (lower(words)), place_id",
        }
        for name, definition in added.items():
            if self.some():
                yield f"CREATE STATISTICS {name} {definition} FROM g.t"
                yield f"ALTER STATISTICS {name} SET STATISTICS 250" if self.some() else "SELECT 1"
                yield f"COMMENT ON STATISTICS {name} IS 'about {name}'" if self.some() else "SELECT 1"
                yield f"ALTER STATISTICS {name} OWNER TO {self.agent if name == 'g.odd_name' else self.owner}"

    def _views(self) -> Iterator[str]:
        if self.some():
            invoker = ", security_invoker=true" if self.version >= 150000 else ""
            yield f"CREATE VIEW g.v WITH (security_barrier=true{invoker}) AS SELECT id, words FROM g.t"
            yield "ALTER VIEW g.v ALTER words SET DEFAULT 'of the view'"
            yield f"ALTER VIEW g.v OWNER TO {self.agent}"
            yield f"GRANT SELECT (id) ON g.v TO {self.reader}"
            yield "COMMENT ON VIEW g.v IS 'a view'"

    def _access(self) -> Iterator[str]:
        """Policies, grants, an owner that takes from itself, and roles that hand on what they were granted."""
        added = {
            "everybody": "AS PERMISSIVE FOR SELECT USING (place_id > 0)",
            "narrow": f"AS RESTRICTIVE TO {self.reader}, {self.agent} USING (words <> '') WITH CHECK (place_id < 9)",
            "adding": "FOR INSERT WITH CHECK (words IS NOT NULL)",
        }
        for name, definition in added.items():
            if self.some():
                yield f"CREATE POLICY {name} ON g.t {definition}"
                yield f"COMMENT ON POLICY {name} ON g.t IS 'about {name}'"
        yield "ALTER TABLE g.t ENABLE ROW LEVEL SECURITY" if self.some() else "SELECT 1"
        yield "ALTER TABLE g.t FORCE ROW LEVEL SECURITY" if self.some() else "SELECT 1"
        yield f"ALTER TABLE g.t OWNER TO {self.owner}"
        granted = [
            f"SELECT, UPDATE ON g.t TO {self.reader}",
            f"INSERT ON g.t TO {self.agent} WITH GRANT OPTION",
            "REFERENCES ON g.t TO PUBLIC",
            f"SELECT (id, words), UPDATE (words) ON g.t TO {self.reader}",
            f"SELECT (at) ON g.t TO {self.agent} WITH GRANT OPTION",
            f"USAGE ON SEQUENCE g.t_number_seq TO {self.reader}",
            *([f"MAINTAIN ON g.t TO {self.reader}"] if self.version >= 170000 else []),
        ]
        for grant in granted:
            if self.some():
                yield f"GRANT {grant}"
        for what in ("INSERT ON g.t", "SELECT (at) ON g.t"):
            if self.some():
                yield f"GRANT {what} TO {self.agent} WITH GRANT OPTION"
                yield f"SET ROLE {self.agent}"
                yield f"GRANT {what} TO {self.reader}"
                yield "RESET ROLE"
        yield f"REVOKE TRUNCATE, TRIGGER ON g.t FROM {self.owner}" if self.some() else "SELECT 1"
        yield f"REVOKE UPDATE ON SEQUENCE g.t_number_seq FROM {self.owner}" if self.some() else "SELECT 1"

    def _physical(self) -> Iterator[str]:
        options = ["fillfactor = 70", "autovacuum_enabled = false", "toast_tuple_target = 200", "parallel_workers = 2"]
        options += ["toast.autovacuum_enabled = false", "toast.autovacuum_vacuum_threshold = 99"]
        yield from (f"ALTER TABLE g.t SET ({option})" for option in options if self.some())

    def _places(self) -> Iterator[str]:
        """Tablespaces, from 15 on without a directory: the table in one, its indexes in the other, or not."""
        if not self.spaces:
            return
        yield "SET allow_in_place_tablespaces = on"
        yield from (f"CREATE TABLESPACE {space} LOCATION ''" for space in self.spaces)
        if self.some():
            yield f"ALTER TABLE g.t SET TABLESPACE {self.spaces[0]}"
        for name in ("t_pkey", *self.named):
            if self.some():
                yield f"ALTER INDEX g.{name} SET TABLESPACE {self.chance.choice(self.spaces)}"
