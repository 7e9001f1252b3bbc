"""Settings that a database may have, and that nothing may depend on."""

from __future__ import annotations

SETTINGS: dict[str, tuple[str, ...]] = {
    "row_security": ("off",),
    "quote_all_identifiers": ("on",),
    "search_path": ("''", "chaos, pg_catalog", "nowhere"),
    "datestyle": ("'SQL, DMY'", "'German'", "'Postgres, MDY'"),
    "intervalstyle": ("iso_8601", "sql_standard", "postgres_verbose"),
    "timezone": ("'Asia/Bangkok'", "'America/St_Johns'", "'Pacific/Apia'"),
    "check_function_bodies": ("off",),
    "default_transaction_isolation": ("'repeatable read'", "serializable"),
    "default_transaction_deferrable": ("on",),
    "jit": ("off",),
    "bytea_output": ("escape",),
    "extra_float_digits": ("0",),
    "standard_conforming_strings": ("on",),
    "xmloption": ("document",),
    "client_min_messages": ("error", "debug1"),
    "enable_partition_pruning": ("off",),
    "plan_cache_mode": ("force_generic_plan",),
    "lock_timeout": ("'3s'",),
    "idle_in_transaction_session_timeout": ("'20s'",),
    "work_mem": ("'64kB'",),
}
