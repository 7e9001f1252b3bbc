"""How large production's tables are: read before anything is run, in one statement, and then never again."""

from __future__ import annotations

from pathlib import Path

import psycopg

from schema_kit.errors import DeclarationError, ExecutionError
from schema_kit.lint.sizes import QUERY, Sizes, read
from schema_kit.names import QualifiedName


def sizes_of(source: str) -> Sizes:
    """Sizes of a file, or of the database that a URL names.

    Raises:
        DeclarationError: it is neither, or the file is something else.
        ExecutionError: the database cannot be reached.
    """
    if "://" not in source:
        path = Path(source)
        if not path.is_file():
            raise DeclarationError(f"--sizes {source}: there is no such file, and it is not a URL")
        return read(path.read_text(encoding="utf-8"))
    scheme, _, rest = source.partition("://")
    try:
        with psycopg.connect(f"{scheme.partition('+')[0]}://{rest}", connect_timeout=10) as connection:
            connection.read_only = True
            found = connection.execute(QUERY.encode()).fetchall()
    except psycopg.Error as error:
        raise ExecutionError(f"--sizes: {str(error).splitlines()[0]}. Nothing was judged.") from error
    return Sizes({QualifiedName(schema, name): (rows, size) for schema, name, rows, size in found})
