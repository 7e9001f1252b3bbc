"""Tables out of a seed: one core that writers know, and around it whatever PostgreSQL lets a table have."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ANCHOR = (datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0) - timedelta(days=150)).replace(
    day=1
)
"""The first month of rows: six or so, the current one included."""
SPAN = int((datetime.now(UTC) - ANCHOR).total_seconds()) - 86_400
"""Seconds over which rows lie; none is ahead of the clock, so that bounds are those of the quiet run."""
STILL, SHARED = 1_500, 4
"""Rows that stay untouched, and rows that many writers count up."""
APPLICATION, OTHERS = "chaos_app", "chaos_reader"
"""Roles: the writers', and one that gets rights while everything runs."""

_NAMES = ('"t"', '"Order"', '"ta ble"', '"ตาราง"')
_EPOCH = int(ANCHOR.timestamp())

_COLUMNS = {
    "generated": ("twice bigint GENERATED ALWAYS AS (n * 2) STORED", "twice = n * 2"),
    "default": ("made text NOT NULL DEFAULT 'made' COLLATE \"C\"", "made = 'made'"),
    "json": ("doc jsonb DEFAULT '{\"a\": [1, null]}'", "doc ->> 'a' = '[1, null]'"),
    "array": ("tags text[] DEFAULT ARRAY['a', NULL, 'b']", "cardinality(tags) = 3"),
    "enum": ("mood chaos.mood DEFAULT 'good'", "mood = 'good'"),
    "domain": ("share chaos.share DEFAULT 0.5", "share = 0.5"),
    "numeric": ("price numeric(12, 3) DEFAULT 9.5", "price = 9.500"),
    "bytes": ("raw bytea DEFAULT '\\x00ff'", "length(raw) = 2"),
    "range": ("span int4range DEFAULT '[1,5)'", "upper(span) = 5"),
    "reference": ("ref int DEFAULT 1 REFERENCES chaos.referred", "ref = 1"),
}
_OBJECTS = {
    "index": "CREATE INDEX ON {t} (who, n DESC NULLS LAST) INCLUDE (body)",
    "index_partial": "CREATE INDEX ON {t} (body) WHERE n > 3",
    "index_expression": "CREATE INDEX ON {t} (lower(body) text_pattern_ops) WITH (fillfactor = 70)",
    "index_hash": "CREATE INDEX ON {t} USING hash (n)",
    "index_control": "CREATE INDEX ON {t} (at)",
    "check": "ALTER TABLE {t} ADD CONSTRAINT sane CHECK (n >= 0 AND body <> 'bad')",
    "trigger": "CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON {t} FOR EACH ROW WHEN (NEW.n > 0) "
    "EXECUTE FUNCTION chaos.stamp()",
    "statement_trigger": "CREATE TRIGGER every AFTER INSERT ON {t} REFERENCING NEW TABLE AS fresh "
    "FOR EACH STATEMENT EXECUTE FUNCTION chaos.nothing()",
    "statistics": "CREATE STATISTICS chaos.together (ndistinct, dependencies) ON who, n FROM {t}",
    "storage": "ALTER TABLE {t} ALTER body SET STORAGE EXTERNAL, ALTER body SET STATISTICS 77",
    "distinct": "ALTER TABLE {t} ALTER who SET (n_distinct = 12)",
    "comment": "COMMENT ON TABLE {t} IS 'it''s ours'; COMMENT ON COLUMN {t}.body IS 'words'",
    "grants": f"GRANT SELECT, UPDATE (body) ON {{t}} TO {OTHERS}; GRANT TRIGGER ON {{t}} TO {OTHERS} WITH GRANT OPTION",
    "view": f"CREATE VIEW chaos.seen WITH (security_barrier) AS SELECT id, n FROM {{t}} WHERE n > 0; "
    f"GRANT SELECT ON chaos.seen TO {OTHERS}",
    "owner": f"ALTER TABLE {{t}} OWNER TO {OTHERS}",
}
_SECURITY = (
    f"CREATE POLICY mine ON {{t}} FOR ALL TO {APPLICATION} USING (who > -9) WITH CHECK (who > -9); "
    f"CREATE POLICY few ON {{t}} AS RESTRICTIVE FOR SELECT TO {OTHERS} USING (n < 100); "
    "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY"
)
BEFORE = (
    "CREATE SCHEMA chaos",
    "CREATE TYPE chaos.mood AS ENUM ('bad', 'good')",
    "CREATE DOMAIN chaos.share AS numeric CHECK (VALUE BETWEEN 0 AND 1)",
    "CREATE TABLE chaos.referred (id int PRIMARY KEY); INSERT INTO chaos.referred VALUES (1)",
    "CREATE FUNCTION chaos.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE FUNCTION chaos.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.stamp := NEW.n + 1; RETURN NEW; END'",
    "CREATE TABLE chaos.mark (writer int, serial bigint, PRIMARY KEY (writer, serial))",
    f"GRANT USAGE ON SCHEMA chaos TO {APPLICATION}, {OTHERS}; GRANT CREATE ON SCHEMA chaos TO {OTHERS}",
    f"GRANT ALL ON chaos.mark, chaos.referred TO {APPLICATION}, {OTHERS}",
)


@dataclass(frozen=True)
class Shape:
    """A table: how it is made, and how its core is written and read.

    Args:
        table: its qualified name, quoted.
        key: the type of `id`.
        control: the type of `at`.
        secured: it has row security, under which COPY FROM is refused.
        statements: make it, on an empty database behind BEFORE.
        holds: what is true of every row.
    """

    table: str
    key: str
    control: str
    secured: bool
    statements: tuple[str, ...]
    holds: str

    @property
    def encoding(self) -> str:
        """What a number means."""
        return "seconds" if self.control == "bigint" else ""

    @property
    def canonical(self) -> str:
        """The core of a row, in the same words for every type."""
        at = "at" if self.control == "bigint" else "extract(epoch FROM at)::bigint"
        return f"id::text, {at}, who, n, body"

    def id(self, number: int) -> str:
        """The key with that number, as text."""
        return {"text": f"k{number}", "uuid": str(uuid.UUID(int=number))}.get(self.key, str(number))

    def at(self, seconds: int) -> tuple[str, int]:
        """The moment so many seconds behind the anchor: as text, and as `canonical` gives it."""
        if self.control == "date":
            seconds -= seconds % 86_400
        moment = ANCHOR + timedelta(seconds=seconds)
        text = str(_EPOCH + seconds) if self.control == "bigint" else moment.strftime("%Y-%m-%d %H:%M:%S")
        return text + ("+00" if self.control == "timestamptz" else ""), _EPOCH + seconds


def generated(seed: random.Random, *, partitioned: bool, copied: bool = False) -> Shape:
    """A table by chance.

    Args:
        seed: what decides.
        partitioned: by month, as the first step of those scenarios that do not convert.
        copied: it will be copied, so that its key may be any.
    """
    table = f"chaos.{seed.choice(_NAMES)}"
    key = seed.choice(("bigint", "int", "text", "uuid"))
    control = seed.choice(("timestamptz", "timestamptz", "timestamp", "date", "bigint"))
    columns = {name: text for name, text in _COLUMNS.items() if seed.random() < 0.4}
    objects = {name: text for name, text in _OBJECTS.items() if seed.random() < 0.35}
    secured = seed.random() < 0.25
    identity = " GENERATED BY DEFAULT AS IDENTITY" if key in ("bigint", "int") and seed.random() < 0.4 else ""
    if partitioned:  # 14 to 16 have no identity in partitioned tables that are attached later
        identity, keys = "", "PRIMARY KEY (id, at), UNIQUE (at, id)"
    else:
        keys = seed.choice(("PRIMARY KEY (id, at)", "PRIMARY KEY (id), UNIQUE (id, at)"))
    body = ", ".join(
        (
            f"id {key}{identity} NOT NULL, at {control} NOT NULL",
            "who int NOT NULL, n int NOT NULL, body text, stamp int, batch int",
            *(text for text, _ in columns.values()),
            keys,
        )
    )
    statements = [f"CREATE TABLE {table} ({body}){' PARTITION BY RANGE (at)' if partitioned else ''}"]
    statements += [text.replace("{t}", table) for text in (*objects.values(), *([_SECURITY] * secured))]
    statements.append(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APPLICATION}")
    holds = " AND ".join(
        (*(text for _, text in columns.values()), "(stamp = n + 1)" if "trigger" in objects else "true")
    )
    return Shape(table, key, control, secured, tuple(statements), f"coalesce({holds}, n = 0)")
