"""The tables and functions of Citus that observing reads, on a server without it; and a cluster, where one is named.

No lock, no propagation and no shard is made up: what the functions answer is what the test has put there.
"""

from __future__ import annotations

import os

import pytest

from tests.support.database import Database

CLUSTER = os.environ.get("SCHEMA_KIT_CITUS_URL", "")
"""The coordinator of a cluster with two workers; its database may be changed."""

needs_cluster = [
    pytest.mark.citus,
    pytest.mark.skipif(not CLUSTER, reason="SCHEMA_KIT_CITUS_URL names no coordinator of a Citus cluster"),
]

_CATALOG = """
SET LOCAL allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass NOT NULL, partmethod "char" NOT NULL, partkey text,
  colocationid int NOT NULL DEFAULT 0, repmodel "char" NOT NULL DEFAULT 's', autoconverted boolean DEFAULT false);
CREATE TABLE pg_catalog.pg_dist_local_group (groupid int NOT NULL);
INSERT INTO pg_catalog.pg_dist_local_group VALUES (0);
CREATE TABLE pg_catalog.pg_dist_node (nodeid int, groupid int, nodename text, nodeport int, noderole text);
INSERT INTO pg_catalog.pg_dist_node VALUES (1, 0, 'coordinator', 5432, 'primary'), (2, 1, 'worker', 5433, 'primary');
CREATE TABLE pg_catalog.pg_dist_shard (logicalrelid regclass NOT NULL, shardid bigint NOT NULL);
CREATE TABLE pg_catalog.pg_dist_placement (placementid bigint, shardid bigint, shardstate int, shardlength bigint,
  groupid int);
CREATE SCHEMA citus;
CREATE TYPE citus.distribution_type AS ENUM ('hash', 'range', 'append');
CREATE FUNCTION pg_catalog.column_to_column_name(table_name regclass, column_var_text text) RETURNS text
  LANGUAGE sql AS 'SELECT column_var_text';
CREATE FUNCTION pg_catalog.citus_total_relation_size(logicalrelid regclass, fail_on_error boolean DEFAULT true)
  RETURNS bigint LANGUAGE sql AS
  'SELECT sum(pg_total_relation_size(to_regclass(replace(logicalrelid::text, ''"'', '''') || ''_'' || shardid)))::bigint
   FROM pg_dist_shard s WHERE s.logicalrelid = $1';
CREATE FUNCTION pg_catalog.run_command_on_all_nodes(command text, parallel bool DEFAULT true,
  give_warning_for_connection_errors bool DEFAULT false, OUT nodeid int, OUT success bool, OUT result text)
  RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
  nodeid := 2; success := coalesce(current_setting('test.node_is_down', true), '') = '';
  IF success THEN EXECUTE command INTO result; ELSE result := 'connection refused'; END IF;
  RETURN NEXT;
END $$;
CREATE FUNCTION pg_catalog.create_distributed_table(table_name regclass, distribution_column text,
  distribution_type citus.distribution_type DEFAULT 'hash', colocate_with text DEFAULT 'default',
  shard_count int DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
INSERT INTO pg_catalog.pg_dist_partition (logicalrelid, partmethod, partkey, colocationid)
SELECT table_name, CASE WHEN distribution_column IS NULL THEN 'n' ELSE 'h' END::"char", distribution_column,
  coalesce((SELECT colocationid FROM pg_catalog.pg_dist_partition WHERE logicalrelid = to_regclass(colocate_with)), 9)
$$;
CREATE FUNCTION pg_catalog.create_distributed_table_concurrently(table_name regclass, distribution_column text,
  distribution_type citus.distribution_type DEFAULT 'hash', colocate_with text DEFAULT 'default',
  shard_count int DEFAULT NULL) RETURNS void LANGUAGE sql AS
  'SELECT pg_catalog.create_distributed_table($1, $2, $3, $4, $5)';
CREATE FUNCTION pg_catalog.create_reference_table(table_name regclass) RETURNS void LANGUAGE sql AS
  'INSERT INTO pg_catalog.pg_dist_partition (logicalrelid, partmethod, colocationid, repmodel)
   VALUES (table_name, ''n'', 3, ''t'')';
CREATE FUNCTION pg_catalog.undistribute_table(table_name regclass, cascade_via_foreign_keys boolean DEFAULT false)
  RETURNS void LANGUAGE sql AS 'DELETE FROM pg_catalog.pg_dist_partition WHERE logicalrelid = table_name';
CREATE FUNCTION pg_catalog.citus_backend_gpid() RETURNS bigint LANGUAGE sql AS 'SELECT 10000000000 + pg_backend_pid()';
CREATE FUNCTION pg_catalog.citus_pid_for_gpid(global_pid bigint) RETURNS int LANGUAGE sql AS
  'SELECT (global_pid % 10000000000)::int';
CREATE TABLE pg_catalog.citus_locks (global_pid bigint, nodeid int, relation_name text, pid int, mode text,
  granted boolean);
CREATE TABLE pg_catalog.citus_stat_activity (global_pid bigint, nodeid int, is_worker_query boolean, pid int,
  application_name text, state text, query text, xact_start timestamptz);
CREATE TABLE pg_catalog.citus_lock_waits (waiting_gpid bigint, blocking_gpid bigint, blocked_statement text,
  current_statement_in_blocking_process text, waiting_nodeid int, blocking_nodeid int);
GRANT SELECT ON pg_catalog.pg_dist_partition, pg_catalog.pg_dist_local_group, pg_catalog.pg_dist_node,
  pg_catalog.pg_dist_shard, pg_catalog.pg_dist_placement TO PUBLIC
"""


def give_catalog(database: Database) -> None:
    """Give a database the tables and functions, as if the extension had been created."""
    database.sql("BEGIN", _CATALOG, "COMMIT")


def known_as(
    database: Database, table: str, column: str | None = None, colocation: int = 7, method: str = "h", model: str = "s"
) -> None:
    """Have a table stand in pg_dist_partition."""
    key = f"'{column}'" if column else "NULL"
    database.sql(
        "BEGIN",
        "SET LOCAL allow_system_table_mods = on",
        "INSERT INTO pg_catalog.pg_dist_partition (logicalrelid, partmethod, partkey, colocationid, repmodel) "
        f"VALUES ('{table}', '{method}', {key}, {colocation}, '{model}')",
        "COMMIT",
    )


def shard(database: Database, table: str, number: int, *, like: str | None = None) -> str:
    """A shard: a table of that name, on the one node that answers."""
    schema, _, name = table.partition(".")
    own = f"{schema}.{name}_{number}"
    database.sql(
        f"CREATE TABLE {own} (LIKE {like or table} INCLUDING ALL)",
        "BEGIN",
        "SET LOCAL allow_system_table_mods = on",
        f"INSERT INTO pg_catalog.pg_dist_shard VALUES ('{table}', {number})",
        f"INSERT INTO pg_catalog.pg_dist_placement VALUES ({number}, {number}, 1, 0, 1)",
        "COMMIT",
    )
    return own
