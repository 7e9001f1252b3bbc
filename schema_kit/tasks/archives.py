"""Archives, and the policies that say what goes there."""

from __future__ import annotations

from schema_kit.errors import PlanError, refuse_for
from schema_kit.model import ArchivePolicy, CheckDeclaration, ColumnDeclaration, DeclaredArchive, Table
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import archive_differences, archives, constraints
from schema_kit.plans.archive_differences import Difference
from schema_kit.steps import Plan
from schema_kit.steps.archives import CreateArchiveView, GiveArchiveAccess
from schema_kit.tasks import Database, cold_columns, columns

_OF_PARTITIONS = {"column missing", "type", "default", "not null", "check missing"}
"""What is mended of a partition that is in transit; the check that says what its bounds were is its own."""


def _table(database: Database, name: QualifiedName) -> Table | None:
    return database.known(name) if isinstance(database, EmptyDatabase) else database.table(name)


def invoker(database: Database) -> bool:
    """Return whether a view can read with the rights of the role that reads it."""
    return isinstance(database, EmptyDatabase) or database.server().security_invoker


def create(database: Database, declared: DeclaredArchive) -> Plan:
    """Make an archive of the shape of its table."""
    schemas = {declared.archive.schema, *((declared.view.schema,) if declared.view else ())}
    return archives.create(
        declared,
        _table(database, declared.table),
        database.table(declared.archive),
        database.policy(declared.table),
        database.config_is_current(),
        database.missing_rights(create_in=schemas, register=True),
        invoker=invoker(database),
    )


def drop(database: Database, name: QualifiedName, view_name: QualifiedName | None) -> Plan:
    """Drop an archive that holds no row, and the view over it."""
    archive = database.table(name)
    moved = database.moved()
    known = {row.archive for row in moved}
    last = _config_may_go(database) and not database.archive_policies() and known <= {name}
    if archive is None:
        return archives.drop(name, None, (), (), False, (), None, last=last)
    view = next((view for view in archive.views if view.name == view_name), None)
    others = [f"view {other.name} shows it" for other in archive.views if other != view]
    out = [str(row.name) for row in database.retired() if row.parent == name and not row.gone]
    others += [f"{', '.join(out)} left it and can come back (op.drop_retention)"] if out else []
    cold = [one.cold for one in database.cold_archives() if one.archive == name]
    others += [f"{one} is its cold archive (op.drop_cold_archive comes first)" for one in cold]
    parts = [database.detaching(name, part.name) for part in archive.partitions]
    return archives.drop(
        name,
        archive,
        database.tree(name),
        (table for part in parts if part for table in part.referenced),
        database.has_rows(name),
        [policy for policy in database.archive_policies() if policy.archive == name],
        view,
        (*others, *database.missing_archive_rights((name,))),
        registered=database.policy(name) is not None,
        remembered=name in known,
        gone=tuple(row.name for row in moved if row.since is None and not row.there),
        last=last,
    )


def _config_may_go(database: Database) -> bool:
    """Return whether the tables of policies exist, and can be read."""
    return bool(database.archive_config_is_there()) and not isinstance(database, EmptyDatabase)


def set_policy(database: Database, policy: ArchivePolicy) -> Plan:
    """Say which rows of a table go to its archive, and when."""
    table, partitioning = _table(database, policy.table), database.policy(policy.table)
    whole = policy.way == "partition" and table and partitioning
    plan = archives.set_policy(
        policy,
        next((one for one in database.archive_policies() if one.table == policy.table), None),
        table,
        _table(database, policy.archive),
        partitioning,
        database.here(partitioning, table) if whole and partitioning else None,
        database.archive_config_is_there(),
        database.missing_archive_rights((policy.table, policy.archive)),
        _methods(database) if policy.access_method else None,
        next((one for one in database.cold_archives() if one.table == policy.table), None)
        if policy.cold_after
        else None,
    )
    if policy.condition and (said := database.misunderstood(policy.table, policy.condition)):
        raise PlanError(
            f"cannot {plan.title}: invalid condition: {said}. Names of types and "
            "functions need their schema, since no search_path holds for it."
        )
    return plan


def _methods(database: Database) -> frozenset[str] | None:
    """Return the access methods that a table can be given; empty where none can be changed."""
    if isinstance(database, EmptyDatabase):
        return None
    changes = database.has_citus() or database.server().set_access_method
    return database.access_methods() if changes else frozenset()


def drop_policy(database: Database, table: QualifiedName) -> Plan:
    """Forget what goes to a table's archive; without a database nothing is taken to be done already."""
    policies = [policy.table for policy in database.archive_policies()]
    last = _config_may_go(database) and not {*policies} - {table} and not database.moved()
    return archives.drop_policy(table, table in policies or isinstance(database, EmptyDatabase), last=last)


def repair(
    database: Database,
    table_name: QualifiedName,
    name: QualifiedName,
    drop_columns: tuple[str, ...],
    view: QualifiedName | None,
    access: bool,
) -> Plan:
    """Give an archive what its table has.

    Args:
        database: where.
        table_name: the table.
        name: the archive.
        drop_columns: columns that the table has no more and whose values may go.
        view: the view over both, which gets the new columns.
        access: whether it gets the table's owner, grants, policies and row security.
    """
    plan = Plan(f"repair archive {name}")
    table, archive = _table(database, table_name), _table(database, name)
    if table is None or archive is None:
        gone = table_name if table is None else name
        raise PlanError(f"cannot {plan.title}: there is no table {gone}.")
    unlike = [one for one in archive_differences.differences(table, archive) if not one.kind.startswith("index")]
    differences = [one for one in unlike if one.kind not in archives.OF_ACCESS]
    own = {policy.archived_at for policy in database.archive_policies() if policy.archive == name}
    stays = [
        one.sentence
        for one in differences
        if one.kind in ("check extra", "generated", "distribution")
        or (one.kind == "column extra" and one.object not in {*drop_columns, *own})
    ]
    for column in (c for c in table.columns if archive.column(c.name) is None):
        if column.generated:
            stays.append(f"{column.name} is generated")
        elif column.not_null and column.default is None and database.has_rows(name):
            stays.append(
                f"{column.name} is NOT NULL and has no default, and nothing says what it is in existing rows "
                f"(op.add_column_concurrently({name.name!r}, ...) with one does)"
            )
    then = " drop_columns names columns that may go, and a check goes by op.drop_constraint_concurrently."
    refuse_for(f"cannot {plan.title}", stays, then=then)
    for one in differences:
        if one.object not in own:
            plan += _mended(database, table, name, one)
    for part in _on_their_way(database, table_name, name):
        if found := database.table(part):
            for one in (one for one in archive_differences.differences(table, found) if one.kind in _OF_PARTITIONS):
                plan += _mended(database, table, part, one)
    plan += Plan("", (GiveArchiveAccess(table, archive),) if access and differences != unlike else ())
    plan += Plan("") if plan else cold_columns.add(database, archive)
    if not plan and view:
        plan += _shown(database, table, archive, view)
    return plan


def _on_their_way(database: Database, table: QualifiedName, archive: QualifiedName) -> list[QualifiedName]:
    """What was detached from the table, and could not be attached to an archive that has changed with it since."""
    moved = (row for row in database.moved() if row.goes_to == archive and row.table == table)
    return [row.name for row in moved if row.since is None and row.there and row.attached_to is None]


def _mended(database: Database, table: Table, name: QualifiedName, one: Difference) -> Plan:
    column = table.column(one.object)
    if one.kind == "column missing" and column:
        declared = ColumnDeclaration(column.name, column.type, not column.not_null, column.default)
        return columns.add(database, name, declared)
    if one.kind == "column extra":
        return columns.drop(database, name, one.object)
    if one.kind == "check missing":
        definition = next(check[1] for check in table.checks if check[0] == one.object).removesuffix(" NOT VALID")
        expression = definition.removeprefix("CHECK (").removesuffix(")")
        check = CheckDeclaration(one.object, name, expression)
        return constraints.create_check(check, database.tree(name), [definition])
    assert column is not None  # the other kinds are of columns that both have
    type_ = column.type if one.kind == "type" else None
    default = (column.default,) if one.kind == "default" else None
    nullable = not column.not_null if one.kind == "not null" else None
    return columns.alter(database, name, column.name, type_, default, nullable)


def _shown(database: Database, table: Table, archive: Table, view: QualifiedName) -> Plan:
    there = next((found for found in archives.spanning(table, archive) if found.name == view), None)
    if there and not database.view_lacks(view, [column.name for column in table.columns]):
        return Plan("")
    cold = next((one.cold for one in database.cold_archives() if one.table == table.name), None)
    step = CreateArchiveView(view, table, archive.name, invoker(database), there is not None, cold)
    return Plan("", (step,))
