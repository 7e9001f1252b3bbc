"""Plan constraints on plain and partitioned tables: first for new rows, then validated for the old ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

from schema_kit.errors import PlanError, refuse_for
from schema_kit.model import (
    Action,
    Check,
    CheckDeclaration,
    ForeignKey,
    ForeignKeyDeclaration,
    Relation,
)
from schema_kit.names import QualifiedName, fit, ident, idents, literal
from schema_kit.plans import indexes
from schema_kit.plans.indexes import root_of
from schema_kit.server import Server
from schema_kit.steps import Plan, Step
from schema_kit.steps.constraints import (
    AddCheck,
    AddForeignKey,
    AddNotNull,
    DropConstraint,
    SetNotNull,
    ValidateConstraint,
    foreign_key_sql,
)

_MATCHES = {"s": "SIMPLE", "f": "FULL", "p": "PARTIAL"}


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


Ends = Mapping[QualifiedName, tuple[QualifiedName, ...]]
"""Tables at the other end of foreign keys: each with itself and its partitions."""


def with_partitions(tables: Iterable[QualifiedName], ends: Ends | None) -> tuple[QualifiedName, ...]:
    """Return the tables at the other end of foreign keys, with their partitions."""
    return tuple(dict.fromkeys(each for table in tables for each in (ends or {}).get(table, (table,))))


def below(tree: Sequence[Relation]) -> tuple[QualifiedName, ...]:
    """Return the names of the partitions."""
    return tuple(relation.name for relation in tree[1:])


# Checks


def create_check(declared: CheckDeclaration, tree: Sequence[Relation], printed: Sequence[str]) -> Plan:
    """Add a check for new rows, then prove it for the old ones, leaf by leaf.

    Args:
        declared: the check.
        tree: the table, then its partitions.
        printed: how PostgreSQL prints the declared check, and what it makes of that text; asked only of a partitioned
            table, and where a check of that name exists.

    Raises:
        PlanError: no such table, or a check of that name says something else.
    """
    title = f"create check {declared.name} on {declared.table}"
    root = root_of(tree, title)
    found = root.check(declared.name)
    if found and printed and found.definition not in printed:
        raise PlanError(
            f"check {declared.name} of {declared.table} exists and says something else:\n"
            f"  there:    {found.definition}\n  declared: {printed[0]}"
        )
    expression = declared.expression
    if root.partitioned and printed:
        # PostgreSQL reads the text again for each partition, which has no table of the parent's name in sight.
        expression = printed[0].removeprefix("CHECK (").removesuffix(")")
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
    more = key.period or _MORE_THAN_DECLARED.search(key.definition)
    return not more and replace(declaration_of(key), name=declared.name, table=declared.table) == declared


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
        yield ValidateConstraint(relation.name, name, orphans, between)


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


def drop_constraint(
    name: str, table: QualifiedName, tree: Sequence[Relation], obstacles: Sequence[str] = (), ends: Ends | None = None
) -> Plan:
    """Drop a constraint of any kind.

    Args:
        name: the constraint; if it does not exist, nothing is done.
        table: its table.
        tree: the table, then its partitions.
        obstacles: why PostgreSQL would refuse to drop it.
        ends: the tables at the other end of foreign keys, with their partitions.

    Raises:
        PlanError: no such table, or something stops it.
    """
    title = f"drop constraint {name} of {table}"
    root = root_of(tree, title)
    key, check, index = _named(name, root), root.check(name), root.index(name)
    if not (key or check or root.imagined or (index and index.constraint)):
        return Plan(title)
    refuse_for(f"cannot {title}", obstacles, then=" See to that first.")
    kind = "foreign key" if key else "check" if check and not check.not_null else "constraint"
    referenced = with_partitions([key.referenced], ends) if key else ()
    return Plan(title, (DropConstraint(table, name, referenced, below(tree), kind),))


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
