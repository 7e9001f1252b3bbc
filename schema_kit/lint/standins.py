"""Extensions that the embedded server lacks: stand-ins for those that only need to exist, said aloud.

PostgreSQL 18 looks for extensions in more than one folder, so its own is not touched; older servers have no stand-ins.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

COMMENT = "a stand-in of schema_kit lint"
_UUID = "".join(
    f"CREATE FUNCTION {name}() RETURNS uuid LANGUAGE sql VOLATILE AS 'SELECT pg_catalog.gen_random_uuid()';\n"
    for name in ("uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4")
)
_CRYPTO = """
CREATE FUNCTION digest(text, text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT
  AS 'SELECT pg_catalog.sha256(pg_catalog.convert_to($1, ''UTF8''))';
CREATE FUNCTION digest(bytea, text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS 'SELECT pg_catalog.sha256($1)';
CREATE FUNCTION gen_salt(text) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT ''salt''::text';
CREATE FUNCTION crypt(text, text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT pg_catalog.md5($1 || $2)';
CREATE FUNCTION gen_random_bytes(integer) RETURNS bytea LANGUAGE sql VOLATILE
  AS 'SELECT pg_catalog.decode(pg_catalog.repeat(''00'', $1), ''hex'')';
"""
SCRIPTS = {
    "uuid-ossp": _UUID,
    "pgcrypto": _CRYPTO,
    **dict.fromkeys(
        (
            "dblink", "xml2", "sslinfo", "pg_cron", "pgaudit", "pg_repack", "pg_stat_statements", "pg_buffercache",
            "pg_prewarm", "pgstattuple", "hypopg", "unaccent", "fuzzystrmatch", "tablefunc", "pg_net", "pgsodium",
            "timescaledb", "postgis", "pg_hint_plan", "auto_explain", "pg_wait_sampling", "google_ml_integration",
            "aws_commons", "aws_s3", "azure", "rds_tools", "plpython3u", "plperl", "plv8", "pljava",
        ),
        "",
    ),
}  # fmt: skip
"""What each one makes: functions under the real names, or nothing. dblink is among them on purpose: it connects."""


def settings(server: Path, major: int) -> Mapping[str, str]:
    """Write the stand-ins next to a server's data; return the setting that shows them to it."""
    if major < 18:
        return {}
    folder = server.resolve().with_name(f"{server.name}_extensions") / "extension"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (folder.parent, folder):
        path.chmod(0o755)
    _write(folder.parent / ".gitignore", "*\n")
    for name, script in SCRIPTS.items():
        _write(folder / f"{name}.control", f"comment = '{COMMENT}'\ndefault_version = '0'\nrelocatable = true\n")
        _write(folder / f"{name}--0.sql", script or f"-- {COMMENT}\n")
    return {"extension_control_path": f"$system:{folder.parent}"}


def _write(path: Path, text: str) -> None:
    """Write it aside and rename: a server that is asked for an extension meanwhile reads a whole file."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    aside.chmod(0o644)
    aside.replace(path)


QUERY = f"""
SELECT e.extname::text FROM pg_extension e JOIN pg_description d
  ON d.objoid = e.oid AND d.classoid = 'pg_extension'::regclass WHERE d.description = '{COMMENT}' ORDER BY 1
"""
"""The stand-ins that a database has."""
