"""`schema_kit advise`: production's planner on an empty copy, and what it says of indexes and partitions.

    production   reads sizes, settings and counters, and has pg_dump write catalog and statistics
    scratch      a throw-away server of its own on which they are loaded; files as long as production's, without rows
    btree        heights, sizes and pages of B-trees
    statements   what is asked of production, from a file, a log or pg_stat_statements
    constants    values that stand for parameters, from the statistics
    candidates   which indexes a statement might want
    choose       which of them the planner takes, and which of those are needed

Nothing is executed in production but reads of the catalog and pg_dump.
"""
