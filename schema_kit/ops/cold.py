"""Operations that make cold archives on another server."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.model import ColdArchive
from schema_kit.names import QualifiedName, archive_name, fit
from schema_kit.ops.naming import existing, translated
from schema_kit.ops.operation import Task, operation, task
from schema_kit.tasks import cold


@operation(shared=True, reversed_by="drop_cold_archive")
def create_cold_archive(
    operations: Operations,
    table_name: str,
    server: str,
    *,
    schema: str | None = None,
    archive_table_name: str | None = None,
    archive_schema: str | None = None,
    cold_table_name: str | None = None,
    remote_schema: str | None = None,
    view: str | None = None,
) -> Task:
    """Create the cold archive of a table: its partitions lie on another server, reached by postgres_fdw.

    ``schema_kit archive run`` moves partitions there that are older than ``cold_after`` of the archive policy: it
    copies the rows, compares them, and swaps in one commit. The cold archive is a partitioned table of foreign
    partitions, with the columns of the archive and without keys. The server is asked whether it can take them. The
    extensions postgres_fdw and dblink, CREATE SERVER, the user mappings and TLS are the administrator's. It runs in
    the migration's transaction. The reverse is ``drop_cold_archive``.

    Locks: ACCESS SHARE on the table and the archive; ACCESS EXCLUSIVE on the view, until the migration commits.

    Args:
        operations: given by Alembic.
        table_name: the table, with an archive that is partitioned by RANGE.
        server: the foreign server.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        archive_table_name: the archive; by default the table's name and ``_archive``.
        archive_schema: the archive's schema; by default the table's.
        cold_table_name: the cold archive, in the archive's schema; by default the table's name and ``_cold``.
        remote_schema: the schema on the server, which exists there; by default named as the archive's.
        view: the view over table, archive and cold archive, which replaces one over the table and the archive.

    Raises:
        DeclarationError: the cold archive has the name of the table or the archive.
        PlanError: the table or archive does not exist, an extension, the server, USAGE on it or the user mapping is
            missing (the error has what the administrator runs), the server cannot be reached or sorts texts in
            another way, a column's type cannot go there, or a view over the table and the archive would lose rows.

    Example:
        op.create_cold_archive("visits", "cold", view="all_visits")

    See Also:
        https://www.postgresql.org/docs/current/postgres-fdw.html
        https://www.postgresql.org/docs/current/dblink.html
    """
    table = existing(operations, table_name, schema)
    archive = archive_name(table, archive_table_name, translated(operations, archive_schema))
    declared = ColdArchive(
        table,
        archive,
        archive.sibling(cold_table_name or fit(table.name, "_cold")),
        server,
        remote_schema or archive.schema,
        QualifiedName.parse(view, table.schema) if view else None,
    )
    return task(cold.create, declared)


@operation(shared=True)
def drop_cold_archive(
    operations: Operations,
    table_name: str,
    *,
    schema: str | None = None,
    cold_table_name: str | None = None,
    archive_schema: str | None = None,
) -> Task:
    """Drop a cold archive without partitions; one that does not exist is not an error.

    ``restore_archive_table`` takes its partitions back. The view shows the table and the archive again. With the
    last one, cold_archive and cold_partition are dropped as well. It runs in the migration's transaction.

    Locks: ACCESS EXCLUSIVE on the cold archive and the view, until the migration commits.

    Args:
        operations: given by Alembic.
        table_name: the table.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        cold_table_name: the cold archive; by default the one that the table has.
        archive_schema: the archive's schema; by default the table's.

    Raises:
        PlanError: partitions are on the server or in transit, or a policy sends them there.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.drop_cold_archive("visits")

    See Also:
        https://www.postgresql.org/docs/current/sql-droptable.html
    """
    table = existing(operations, table_name, schema)
    own = archive_name(table, cold_table_name, translated(operations, archive_schema)) if cold_table_name else None
    return task(cold.drop, table, own)
