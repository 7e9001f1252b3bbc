"""Foreign servers of a scratch database lead nowhere, however they are made: reading through one fails."""

from __future__ import annotations

NOWHERE = """
CREATE SCHEMA schema_kit_lint;
CREATE FUNCTION schema_kit_lint.nowhere() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
  one record;
BEGIN
  FOR one IN
    SELECT s.srvname, o.name FROM pg_catalog.pg_foreign_server s
    JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw AND w.fdwname IN ('postgres_fdw', 'dblink_fdw')
    CROSS JOIN (VALUES ('host'), ('hostaddr'), ('service')) named (name)
    LEFT JOIN LATERAL (SELECT split_part(x, '=', 1) AS name, split_part(x, '=', 2) AS value
                       FROM pg_catalog.unnest(s.srvoptions) x WHERE split_part(x, '=', 1) = named.name) o ON true
    WHERE (o.value IS NOT NULL OR named.name = 'host') AND o.value IS DISTINCT FROM '/nowhere'
  LOOP
    EXECUTE pg_catalog.format('ALTER SERVER %I OPTIONS (%s)', one.srvname, CASE coalesce(one.name, '')
      WHEN '' THEN $_$ADD host '/nowhere'$_$ WHEN 'host' THEN $_$SET host '/nowhere'$_$ ELSE 'DROP ' || one.name END);
  END LOOP;
END $$;
CREATE EVENT TRIGGER schema_kit_lint ON ddl_command_end WHEN TAG IN ('CREATE SERVER', 'ALTER SERVER')
  EXECUTE FUNCTION schema_kit_lint.nowhere();
"""
