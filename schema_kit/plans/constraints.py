"""Plan constraints on plain and partitioned tables: first for new rows, then validated for the old ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count

from schema_kit.errors import PlanError
from schema_kit.model import (
    Action,
    Check,
    CheckDeclaration,
    ForeignKey,
    ForeignKeyDeclaration,
    Index,
    IndexDeclaration,
    IndexElement,
    KeyDeclaration,
    Relation,
)
from schema_kit.names import QualifiedName, fit, ident, idents, literal
from schema_kit.plans import indexes
from schema_kit.server import Server
from schema_kit.steps import Plan, Step
from schema_kit.steps.constraints import (
    AddCheck,
    AddForeignKey,
    AddKeyUsingIndex,
    AddNotNull,
    AddParentKey,
    SetNotNull,
    ValidateConstraint,
    foreign_key_sql,
    key_sql,
)
from schema_kit.steps.indexes import AttachIndex

_MATCHES = {"s": "SIMPLE", "f": "FULL", "p": "PARTIAL"}


def root_of(tree: Sequence[Relation], title: str) -> Relation:
    """Return the table itself.

    Raises:
        PlanError: there is no such table.
    """
    if not tree:
        raise PlanError(f"cannot {title}: there is no such table.")
    return tree[0]


def refuse_foreign(title: str, tree: Sequence[Relation]) -> None:
    """Refuse what PostgreSQL cannot promise of partitions that are foreign tables.

    Raises:
        PlanError: some are.
    """
    if others := indexes.foreign(tree):
        raise PlanError(
            f"cannot {title}: partitions that are foreign tables can have no such constraint: "
            f"{', '.join(map(str, others))}."
        )


def below(tree: Sequence[Relation]) -> tuple[QualifiedName, ...]:
    """Return the names of the partitions."""
    return tuple(relation.name for relation in tree[1:])


# Checks


def create_check(declared: CheckDeclaration, tree: Sequence[Relation], definition: str | None) -> Plan:
    """Add a check for new rows, then prove it for the old ones, leaf by leaf.

    Args:
        declared: the check.
        tree: the table, then its partitions.
        definition: how PostgreSQL prints the declared check; asked only of a partitioned table, and where a check of
            that name exists.

    Raises:
        PlanError: no such table, or a check of that name says something else.
    """
    title = f"create check {declared.name} on {declared.table}"
    root = root_of(tree, title)
    found = root.check(declared.name)
    if found and definition is not None and found.definition != definition:
        raise PlanError(
            f"check {declared.name} of {declared.table} exists and says something else:\n"
            f"  there:    {found.definition}\n  declared: {definition}"
        )
    expression = declared.expression
    if root.partitioned and definition is not None:
        # PostgreSQL reads the text again for each partition, which has no table of the parent's name in sight.
        expression = definition.removeprefix("CHECK (").removesuffix(")")
    add = () if found else (AddCheck(declared.table, declared.name, expression, partitions=below(tree)),)
    return Plan(title, (*add, *_validate_check(declared.name, tree, f"NOT ({expression})")))


def _validate_check(name: str, tree: Sequence[Relation], wrong: str, not_null: str | None = None) -> Iterator[Step]:
    """Leaf by leaf, then the table itself, which has nothing left to scan; *wrong* says which rows fail."""
    for relation in (*(relation for relation in tree[1:] if not relation.partitioned), tree[0]):
        found = _not_null(relation, not_null) if not_null else relation.check(name)
        if found is None or not found.validated:
            what = literal(f" rows of {relation.name} stand in the way")
            culprits = f"SELECT count(*) || {what} FROM {relation.name.sql} WHERE {wrong}"
            under = below(tree) if relation is tree[0] else ()
            yield ValidateConstraint(relation.name, found.name if found else name, culprits=culprits, partitions=under)


def _not_null(relation: Relation, column: str) -> Check | None:
    return next((check for check in relation.checks if check.not_null and check.columns == (column,)), None)


# Foreign keys


def create_foreign_key(
    declared: ForeignKeyDeclaration,
    tree: Sequence[Relation],
    server: Server,
    referenced: tuple[QualifiedName, ...] = (),
) -> Plan:
    """Add a foreign key for new rows, then prove it for the old ones, leaf by leaf.

    Up to 17 a partitioned table takes no NOT VALID foreign key: each leaf gets its own, and the parent's adopts them.

    Args:
        declared: the foreign key.
        tree: the table, then its partitions.
        server: what the server can.
        referenced: the partitions of the table that it refers to.

    Raises:
        PlanError: no such table, or a foreign key of that name says something else.
    """
    title = f"create foreign key {declared.name} on {declared.table}"
    root = root_of(tree, title)
    named = _named(declared.name, root)
    if named:
        _refuse_other_foreign_key(named, declared)
    else:
        refuse_foreign(title, tree)
    steps: list[Step] = []
    leaves = [relation for relation in tree if not relation.partitioned]
    if root.partitioned and not server.not_valid_on_partitioned:
        for leaf in leaves:
            # A part of another key of the parent's is not available.
            found = _like(declared, leaf, free=not named)
            taken = None if found else _named(declared.name, leaf)
            if taken:
                _refuse_other_foreign_key(taken, declared)
            steps += [] if found else [AddForeignKey(declared, leaf.name, referenced=referenced)]
            steps += _validate_key(declared, leaf, found=found)
        steps += [] if named else [AddForeignKey(declared, declared.table, below(tree), True, referenced)]
        return Plan(title, tuple(steps))
    steps += [] if named else [AddForeignKey(declared, declared.table, below(tree), referenced=referenced)]
    return Plan(title, (*steps, *_validate_keys(declared, tree)))


def under_its_own_name(declared: ForeignKeyDeclaration, root: Relation) -> ForeignKeyDeclaration:
    """The declaration with the name of a foreign key that says the same, unless one of the declared name exists."""
    if any(key.name == declared.name for key in root.foreign_keys):
        return declared
    found = _like(declared, root)
    return replace(declared, name=found.name) if found else declared


def _named(name: str, relation: Relation) -> ForeignKey | None:
    return next((key for key in relation.foreign_keys if key.name == name), None)


def _refuse_other_foreign_key(found: ForeignKey, declared: ForeignKeyDeclaration) -> None:
    if not _same(found, declared):
        raise PlanError(
            f"foreign key {declared.name} of {found.table} exists and says something else:\n"
            f"  there:    {found.definition}\n  declared: {foreign_key_sql(declared)}"
        )


def _like(declared: ForeignKeyDeclaration, relation: Relation, free: bool = False) -> ForeignKey | None:
    """Return a key that says the same, one that is not validated before others; *free* ones are part of no other."""
    found = [key for key in relation.foreign_keys if _same(key, declared) and not (free and key.attached)]
    return min(found, key=lambda key: key.validated, default=None)


_MORE_THAN_DECLARED = re.compile(r" NOT ENFORCED$")


def _same(key: ForeignKey, declared: ForeignKeyDeclaration) -> bool:
    return (
        not (key.period or _MORE_THAN_DECLARED.search(key.definition))
        and key.columns == declared.columns
        and key.referenced == declared.referenced
        and key.referenced_columns == declared.referenced_columns
        and (Action(key.on_update).words, key.deletes) == (declared.on_update, declared.on_delete)
        and (_MATCHES[key.match], key.deferred) == (declared.match, declared.deferred)
    )


def _validate_keys(declared: ForeignKeyDeclaration, tree: Sequence[Relation]) -> Iterator[Step]:
    """Leaf by leaf, then the table itself, with the partitioned tables between."""
    named = _named(declared.name, tree[0])
    for relation in tree[1:]:
        if not relation.partitioned:
            yield from _validate_key(declared, relation, found=_like(declared, relation, free=not named))
    between = tuple(relation.name for relation in tree[1:] if relation.partitioned)
    yield from _validate_key(declared, tree[0], between, found=named)


def _validate_key(
    declared: ForeignKeyDeclaration,
    relation: Relation,
    between: tuple[QualifiedName, ...] = (),
    *,
    found: ForeignKey | None,
) -> Iterator[Step]:
    if found is None or not found.validated:
        name, orphans = found.name if found else declared.name, _orphans(declared, relation.name)
        yield ValidateConstraint(relation.name, name, declared.referenced, orphans, between)


def _orphans(declared: ForeignKeyDeclaration, table: QualifiedName) -> str:
    own = [f"t.{ident(column)}" for column in declared.columns]
    pairs = zip(own, declared.referenced_columns, strict=True)
    match = " AND ".join(f"{mine} = r.{ident(theirs)}" for mine, theirs in pairs)
    shown = " || ', ' || ".join(f"{column}::text" for column in own)
    orphan = (
        f"FROM {table.sql} t WHERE {' AND '.join(f'{column} IS NOT NULL' for column in own)} "
        f"AND NOT EXISTS (SELECT 1 FROM {declared.referenced.sql} r WHERE {match})"
    )
    what = literal(f" rows of {table} refer to rows of {declared.referenced} that are not there")
    mixed = ""
    if declared.match == "FULL" and len(own) > 1:
        some = " OR ".join(f"{column} IS NULL" for column in own)
        rest = " OR ".join(f"{column} IS NOT NULL" for column in own)
        which = literal(f" rows of {table} have NULL in one of ({', '.join(declared.columns)}) and a value in another")
        mixed = f" UNION ALL SELECT count(*) || {which} FROM {table.sql} t WHERE ({some}) AND ({rest})"
    first = literal(f"  ({', '.join(declared.columns)}) = ")
    return (
        f"SELECT count(*) || {what} {orphan} UNION ALL "
        f"(SELECT {first} || '(' || {shown} || '), ' || count(*) || ' rows' {orphan} "
        f"GROUP BY {', '.join(own)} ORDER BY count(*) DESC LIMIT 5){mixed}"
    )


# Unique constraints and primary keys


def create_key(
    declared: KeyDeclaration,
    tree: Sequence[Relation],
    not_null: Sequence[Plan] = (),
    printed: str | None = None,
    owner: QualifiedName | None = None,
) -> Plan:
    """Add a unique constraint or a primary key over an index that is built concurrently.

    On a partitioned table: the parent's, invalid; each leaf's over its own index; then attached.

    Args:
        declared: the constraint.
        tree: the table, then its partitions.
        not_null: the plans that make a primary key's columns NOT NULL first.
        printed: what PostgreSQL prints of the index after USING; None where nothing is compared.
        owner: the table that has an index of that name.

    Raises:
        PlanError: no such table, or a constraint or index of that name is something else.
    """
    title = f"create {'primary key' if declared.primary else 'unique constraint'} {declared.name} on {declared.table}"
    root = root_of(tree, title)
    if owner and owner != declared.table:
        raise PlanError(f"cannot {title}: {owner} has an index of that name.")
    if root.check(declared.name) or _named(declared.name, root):
        raise PlanError(f"cannot {title}: there is another constraint of that name.")
    primary = next((index for index in root.indexes if index.primary), None)
    if declared.primary and primary and primary.name != declared.name:
        raise PlanError(f"{declared.table} has a primary key already: {primary.name}.")
    refuse_foreign(title, tree)
    for relation in tree:
        if missing := [column for column in relation.key if column not in declared.columns]:
            raise PlanError(
                f"cannot {title}: {relation.name} is partitioned by {', '.join(missing)}, and PostgreSQL requires all "
                "columns of the partition key among those of the constraint."
            )
    first = tuple(step for plan in not_null for step in plan.steps)
    return Plan(title, (*first, *_key(declared, root, None, tree, printed)))


def key_index(declared: KeyDeclaration) -> IndexDeclaration:
    """Return the index that the constraint rests on."""
    return IndexDeclaration(
        declared.name,
        declared.table,
        tuple(IndexElement(ident(column)) for column in declared.columns),
        unique=True,
        nulls_not_distinct=declared.nulls_not_distinct,
        include=declared.include,
    )


def bare_index_in_question(declared: KeyDeclaration, tree: Sequence[Relation]) -> bool:
    """Whether an index has the name of one that is needed and no constraint, so that its definition is compared."""
    names = [declared.name, *(_partition_name(declared, relation) for relation in tree[1:])]
    found = [relation.index(name) for relation, name in zip(tree, names, strict=False)]
    return any(index and index.constraint is None for index in found)


def _refuse_other_key(declared: KeyDeclaration, relation: Relation, found: Index, printed: str | None) -> None:
    if found.constraint is None:
        same = found.unique and (not found.valid or printed in (None, found.tail)) and not relation.partitioned
    else:
        # A constraint's definition is its kind, its columns, and what is said only where it is not the default.
        nulls = " NULLS NOT DISTINCT" if declared.nulls_not_distinct else ""
        begin = "PRIMARY KEY (" if declared.primary else f"UNIQUE{nulls} ("
        include = f") INCLUDE ({idents(declared.include)}" if declared.include else ""
        deferred = f" {declared.deferred}".rstrip()
        same = (
            found.columns == declared.columns
            and found.constraint.startswith(begin)
            and found.constraint.replace('"', "").endswith(f"{include}){deferred}".replace('"', ""))
            and bool(include) is (") INCLUDE (" in found.constraint)
        )
    if not same:
        there = found.constraint or f"{'UNIQUE ' if found.unique else ''}INDEX USING {found.tail}"
        raise PlanError(
            f"{found.name} of {relation.name} exists and is something else:\n"
            f"  there:    {there}\n  declared: {key_sql(declared)}\nDrop or rename it first."
        )


def _key(
    declared: KeyDeclaration,
    relation: Relation,
    parent: QualifiedName | None,
    tree: Sequence[Relation],
    printed: str | None,
) -> Iterator[Step]:
    attached = next((index for index in relation.indexes if parent and index.parent == parent), None)
    name = attached.name if attached else declared.name if parent is None else _partition_name(declared, relation)
    own, found = relation.name.sibling(name), relation.index(name)
    if found:
        _refuse_other_key(declared, relation, found, printed)
    if relation.partitioned:
        if found is None:
            yield AddParentKey(declared, name, relation.name)
        children = [other for other in tree if other.parent == relation.name]
        steps = [step for child in children for step in _key(declared, child, own, tree, printed)]
        yield from steps
        if found and not found.valid and children and not steps:
            child = next(index for index in children[0].indexes if index.parent == own)
            yield AttachIndex(own, children[0].name.sibling(child.name))
    else:
        index = replace(key_index(declared), name=name, table=relation.name)
        yield from indexes.build(index, name, relation.name, found)
        if found is None or found.constraint is None:
            yield AddKeyUsingIndex(declared, name, relation.name)
    if parent is not None and attached is None:
        yield AttachIndex(parent, own)


def _partition_name(declared: KeyDeclaration, relation: Relation) -> str:
    return fit(f"{relation.name.name}_{declared.name}")


# NOT NULL


def set_not_null(table: QualifiedName, column: str, tree: Sequence[Relation], proof: str, server: Server) -> Plan:
    """Make a column NOT NULL without a scan under a lock.

    A validated check that says the same is used. Else, from 18 on, a NOT NULL constraint NOT VALID;
    before, a check that goes again; validated leaf by leaf.

    Args:
        table: the table.
        column: its column.
        tree: the table, then its partitions.
        proof: how PostgreSQL prints ``CHECK (column IS NOT NULL)``.
        server: what the server can.

    Raises:
        PlanError: no such table or column.
    """
    title = f"set {column} of {table} NOT NULL"
    root = root_of(tree, title)
    found = root.column(column)
    if found is None:
        raise PlanError(f"cannot {title}: there is no such column.")
    constraint = _not_null(root, column)
    wrong = f"{ident(column)} IS NULL"
    if found.not_null:
        half = constraint is not None and not constraint.validated
        return Plan(title, tuple(_validate_check("", tree, wrong, column)) if half else ())
    temporary = _free_name(table, column, "__not_null", tree, lambda check: check.definition == proof)
    proved = next((c for c in root.checks if c.definition == proof and c.validated), None)
    if proved:
        own = temporary if proved.name == temporary else None
        return Plan(title, (SetNotNull(table, column, below(tree), own),))
    if server.not_null_not_valid and root.check(temporary) is None:
        name = _free_name(table, column, "_not_null", tree, lambda check: check.not_null and check.columns == (column,))
        steps: list[Step] = [AddNotNull(table, name, column, below(tree))]
        return Plan(title, (*steps, *_validate_check(name, tree, wrong, column)))
    steps = []
    if root.check(temporary) is None:
        steps.append(AddCheck(table, temporary, f"{ident(column)} IS NOT NULL", partitions=below(tree)))
    steps += _validate_check(temporary, tree, wrong)
    return Plan(title, (*steps, SetNotNull(table, column, below(tree), temporary)))


def _free_name(
    table: QualifiedName, column: str, suffix: str, tree: Sequence[Relation], ours: Callable[[Check], bool]
) -> str:
    """Return a name that no constraint of the tree has, but for one that is ours."""
    taken = {check.name for relation in tree for check in relation.checks if not ours(check)}
    taken |= {key.name for relation in tree for key in relation.foreign_keys}
    taken |= {index.name for relation in tree for index in relation.indexes}
    names = (fit(f"{table.name}_{column}", suffix + (str(number) if number else "")) for number in count())
    return next(name for name in names if name not in taken)


# Whatever it is


def validate_constraint(name: str, table: QualifiedName, tree: Sequence[Relation]) -> Plan:
    """Validate a constraint that exists, leaf by leaf.

    Args:
        name: the constraint.
        table: its table.
        tree: the table, then its partitions.

    Raises:
        PlanError: no such table, or no check, NOT NULL or foreign key of that name.
    """
    title = f"validate {name} of {table}"
    root = root_of(tree, title)
    check = root.check(name)
    key = _named(name, root)
    if any(found and found.definition.endswith(" NOT ENFORCED") for found in (check, key)):
        raise PlanError(f"cannot {title}: it is NOT ENFORCED, so that PostgreSQL cannot prove it.")
    if check:
        if check.validated:
            return Plan(title)
        if check.not_null:
            return Plan(title, tuple(_validate_check(name, tree, f"{idents(check.columns)} IS NULL", check.columns[0])))
        wrong = f"NOT {check.definition.removeprefix('CHECK ').removesuffix(' NO INHERIT')}"
        return Plan(title, tuple(_validate_check(name, tree, wrong)))
    if key is None:
        raise PlanError(f"cannot {title}: there is no check, NOT NULL or foreign key of that name.")
    return Plan(title, tuple(_validate_keys(declaration_of(key), tree)))


def declaration_of(key: ForeignKey) -> ForeignKeyDeclaration:
    """Return what declares a foreign key that exists."""
    return ForeignKeyDeclaration(
        key.name,
        key.table,
        key.columns,
        key.referenced,
        key.referenced_columns,
        Action(key.on_update).words,
        key.deletes,
        _MATCHES[key.match],
        key.deferred,
        key.comment,
    )
