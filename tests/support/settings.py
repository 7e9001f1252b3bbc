"""What a database may be set to, and what nothing of ours may depend on: a list that grows."""

from __future__ import annotations

SETTINGS: dict[str, tuple[str, ...]] = {
    "array_nulls": ("off",),
    "backslash_quote": ("off",),
    "bytea_output": ("escape",),
    "check_function_bodies": ("off",),
    "client_encoding": ("LATIN1",),
    "client_min_messages": ("debug1",),
    "DateStyle": ("'German, DMY'", "'SQL, MDY'"),
    "default_statistics_target": ("1",),
    "default_tablespace": ("",),  # the test makes one
    "default_text_search_config": ("'pg_catalog.german'",),
    "default_toast_compression": ("pglz",),
    "default_transaction_deferrable": ("on",),
    "default_transaction_isolation": ("'repeatable read'", "serializable"),
    "enable_partition_pruning": ("off",),
    "enable_seqscan": ("off",),
    "escape_string_warning": ("off",),
    "extra_float_digits": ("-15",),
    "from_collapse_limit": ("1",),
    "gin_fuzzy_search_limit": ("10",),
    "idle_in_transaction_session_timeout": ("'2s'",),
    "idle_session_timeout": ("'60s'",),
    "IntervalStyle": ("iso_8601", "sql_standard"),
    "jit": ("on",),
    "jit_above_cost": ("0",),
    "lc_messages": ("'C'",),
    "lc_monetary": ("'C'",),
    "lc_numeric": ("'C'",),
    "lc_time": ("'C'",),
    "lock_timeout": ("'1ms'",),
    "log_statement": ("'all'",),
    "plan_cache_mode": ("force_generic_plan",),
    "plpgsql.extra_errors": ("'all'",),
    "plpgsql.variable_conflict": ("'use_variable'",),
    "quote_all_identifiers": ("on",),
    "row_security": ("off",),
    "search_path": ("''", "other", "'other, public, pg_catalog'"),
    "session_replication_role": ("replica", "local"),
    "standard_conforming_strings": ("off",),
    "statement_timeout": ("'5s'",),
    "synchronize_seqscans": ("off",),
    "synchronous_commit": ("off",),
    "temp_tablespaces": ("",),  # likewise
    "TimeZone": ("'Asia/Kathmandu'", "'America/St_Johns'"),
    "transform_null_equals": ("on",),
    "xmlbinary": ("hex",),
    "xmloption": ("document",),
}
"""Each setting with values that are not the default, as ALTER DATABASE ... SET takes them."""

NEWER: dict[str, tuple[int, str]] = {
    "transaction_timeout": (170000, "'60s'"),
    "restrict_nonsystem_relation_kind": (170000, "'foreign-table'"),
}
"""Those that came with a later version: server_version_num, and a value."""
