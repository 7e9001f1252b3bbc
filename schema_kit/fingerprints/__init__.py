"""SQL that a step sends under its lock and a look asks before: whether a table is still what was seen."""
