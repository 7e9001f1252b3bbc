"""Functions and operators of a user that fit what is called better than PostgreSQL's own do, and raise."""

from __future__ import annotations

import re
from collections.abc import Iterable

from schema_kit.names import OWN_PATH

SCHEMA = "shadows"

# What looks like a call and is grammar, and the access methods of indexes.
_GRAMMAR = frozenset(
    re.findall(
        r"\w+",
        """all any array as by cast check coalesce columns default distinct else exclude execute exists extract filter
        from greatest group if in include including interval is join key least list not null nullif numeric on or order
        overlay over partition position range ranges references returns row select set substring table tables then to
        trim unique using values varchar when where with btree gin gist hash and elsif begin perform only varying
        precision returning conflict into delete update""",
    )
)
_SET = "set_config({0}search_path{0}, {0}" + OWN_PATH + "{0}, true);"


def bare_calls(statement: str, known: Iterable[str]) -> set[str]:
    """The functions that a statement calls without their schema, outside of what it does under its own path.

    Args:
        statement: SQL.
        known: the names of PostgreSQL's own functions.
    """
    for quote in ("'" * (2**depth) for depth in range(4)):
        begin, end = re.escape(_SET.format(quote)), f"{quote}search_path{quote}, schema_kit_path, true"
        statement = re.sub(f"{begin}.*?{re.escape(end)}", "", statement, flags=re.DOTALL)
    found = set(re.findall(r'(?<![\w."%])([a-z_][a-z_0-9]*)\(', statement))
    return (found & set(known)) - _GRAMMAR


_TYPES = re.findall(r"\w+", "text name oid regclass int4 int8 bool jsonb timestamptz interval numeric float8 int2 xid")
_ARRAYS = ["text[]", "name[]", "oid[]", "int2[]", "jsonb[]"]
_OPERATORS = re.findall(r"\S+", "= <> < > <= >= || + - * / -> ->> @> <@ ~ ~~")

MAKE = f"""DO $do$
DECLARE f text; a text; b text; made text;
BEGIN
  SET LOCAL check_function_bodies = off;
  FOR f IN SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
      AND proname ~ '^(count|sum|min|max|format|concat|concat_ws|unnest|array_agg|string_agg|jsonb_agg|to_jsonb|now'
                    '|round|hashtextextended|hash_record_extended|current_setting|set_config|to_regclass|to_char|age|ceil'
                    '|jsonb_build_array|jsonb_build_object|jsonb_each_text|coalesce|date_trunc|obj_description|substr'
                    '|split_part|starts_with|length|quote_ident|pg_get_indexdef|pg_relation_size|clock_timestamp)$' LOOP
    FOREACH a IN ARRAY %(one)s::text[] LOOP
      made := pg_catalog.format('%%I(%%s)', f, a);
      IF pg_catalog.to_regprocedure('pg_catalog.' || made) IS NULL THEN
        EXECUTE pg_catalog.format('CREATE FUNCTION {SCHEMA}.%%s RETURNS text LANGUAGE plpgsql AS %%L', made,
                                  'BEGIN RAISE EXCEPTION ''taken for another: ' || made || '''; END');
      END IF;
      FOREACH b IN ARRAY %(two)s::text[] LOOP
        made := pg_catalog.format('%%I(%%s,%%s)', f, a, b);
        CONTINUE WHEN pg_catalog.to_regprocedure('pg_catalog.' || made) IS NOT NULL;
        EXECUTE pg_catalog.format('CREATE FUNCTION {SCHEMA}.%%s RETURNS text LANGUAGE plpgsql AS %%L', made,
                                  'BEGIN RAISE EXCEPTION ''taken for another: ' || made || '''; END');
      END LOOP;
    END LOOP;
  END LOOP;
  FOREACH f IN ARRAY %(operators)s::text[] LOOP FOREACH a IN ARRAY %(two)s::text[] LOOP
    FOREACH b IN ARRAY %(two)s::text[] LOOP
      CONTINUE WHEN pg_catalog.to_regoperator(pg_catalog.format('pg_catalog.%%s(%%s,%%s)', f, a, b)) IS NOT NULL;
      made := pg_catalog.format('%%I(%%s,%%s)', 'op ' || f, a, b);
      EXECUTE pg_catalog.format('CREATE FUNCTION {SCHEMA}.%%s RETURNS boolean LANGUAGE plpgsql AS %%L', made,
                                'BEGIN RAISE EXCEPTION ''taken for another: ' || made || '''; END');
      EXECUTE pg_catalog.format('CREATE OPERATOR {SCHEMA}.%%s (LEFTARG = %%s, RIGHTARG = %%s, FUNCTION = {SCHEMA}.%%I)',
                                f, a, b, 'op ' || f);
    END LOOP;
  END LOOP; END LOOP;
END $do$"""
"""What makes them, in their schema, with VALUES."""

VALUES = {"one": _TYPES + _ARRAYS, "two": _TYPES, "operators": _OPERATORS}
