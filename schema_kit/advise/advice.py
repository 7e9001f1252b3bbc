"""Which indexes statements want, and which ones none of them needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import psycopg

from schema_kit.advise import constants, usage
from schema_kit.advise.candidates import Candidate, common, new, of
from schema_kit.advise.choose import Asked, choose, fewer
from schema_kit.advise.planner import Planner
from schema_kit.advise.production import Writes
from schema_kit.advise.scratch import Scratch
from schema_kit.advise.shown import pages_of
from schema_kit.advise.statements import Statement
from schema_kit.health.definition import Definition, parse
from schema_kit.names import QualifiedName, fit

PREFIX = "schema_kit_candidate_"

_INDEXES = """
SELECT n.nspname, c.relname, t.relname, pg_get_indexdef(c.oid), x.indisunique, x.indisvalid,
       NOT (x.indisunique OR x.indisreplident OR x.indisclustered OR x.indisexclusion
            OR EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = c.oid)
            OR EXISTS (SELECT 1 FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = x.indrelid
                       AND x.indkey[0] = ANY (k.conkey)))
FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'advise' ORDER BY 1, 2
"""


_ROOTS = """
SELECT n.nspname, r.relname, m.nspname, c.relname FROM pg_class c JOIN pg_namespace m ON m.oid = c.relnamespace
JOIN pg_class r ON r.oid = CASE WHEN c.relispartition THEN coalesce(pg_partition_root(c.oid), c.oid) ELSE c.oid END
JOIN pg_namespace n ON n.oid = r.relnamespace WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_'
"""


@dataclass(frozen=True)
class Wanted:
    """An index that statements want.

    Args:
        name: the one that it should get.
        table: whose.
        definition: what it is.
        bytes: how large it will be.
        rows: of its table.
        asked: the statements that use it, with their costs.
        writes: what is written to its table.
    """

    name: QualifiedName
    table: QualifiedName
    definition: Definition
    bytes: int
    rows: float
    asked: Sequence[Asked]
    writes: Writes | None


@dataclass(frozen=True)
class Unneeded:
    """An index of production that none of the statements needs."""

    name: QualifiedName
    table: QualifiedName
    definition: Definition
    bytes: int


@dataclass
class Advice:
    """What is said of statements and indexes.

    Args:
        wanted: indexes to make.
        unneeded: indexes that none of the statements needs; other statements may.
        asked: all statements, with their costs.
        left_out: statements that could not be planned, each with the reason.
        extensions: that have to be installed first.
    """

    wanted: list[Wanted] = field(default_factory=list)
    unneeded: list[Unneeded] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    left_out: list[tuple[Statement, str]] = field(default_factory=list)
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _There:
    name: QualifiedName
    table: QualifiedName
    definition: Definition
    unique: bool
    plain: bool


def advise(scratch: Scratch, statements: Sequence[Statement], tell: Callable[[str], None]) -> Advice:
    """Judge candidates for statements by the planner.

    Args:
        scratch: whose files are not stretched yet.
        statements: what is asked of production.
        tell: receives what is done now.
    """
    advice = Advice()
    known, tables = constants.statistics(scratch), constants.schema(scratch)
    lengths = dict[QualifiedName, int]()
    for schema, name, *part in scratch.rows(_ROOTS):
        root = QualifiedName(schema, name)
        lengths[root] = lengths.get(root, 0) + scratch.pages.get(QualifiedName(*part), 0)
    there = _there(scratch)
    asked = list[tuple[Statement, list[str]]]()
    wishes = dict[Candidate, None]()
    touched = set[QualifiedName]()
    for statement in statements:
        texts, problem = constants.executable(scratch, statement, known, tables)
        if problem:
            advice.left_out.append((statement, problem))
            continue
        asked.append((statement, texts))
        found = [usage.uses(text, tables) for text in texts]
        touched |= {use.table for one in found for use in one}
        wishes |= dict.fromkeys(common([of(one, tables, known, lengths) for one in found]))
    by_table = dict[QualifiedName, list[tuple[Definition, bool]]]()
    for index in there:
        by_table.setdefault(index.table, []).append((index.definition, index.unique))
    candidates = new(wishes, by_table)
    tell(f"statements: {len(asked)}, candidates: {len(candidates)}")
    installed = _install(scratch, candidates)
    built = _build(scratch, candidates)
    scratch.stretch()
    tell("the planner judges them")
    planner = Planner(scratch)
    sizes = {name: float(pages_of(scratch, name)) for name in built}

    def alike(one: QualifiedName, other: QualifiedName) -> bool:
        return built[one].table == built[other].table and bool({*built[one].keys} & {*built[other].keys})

    advice.asked, chosen = choose(planner, asked, sizes, alike)
    definitions = {one.name: one.definition for one in _there(scratch)}
    names = {one.name.name for one in there}
    for made in chosen:
        table, definition = built[made].table, definitions[made]
        using = [one for one in advice.asked if made in one.indexes]
        name = _name(table, definition, names)
        rows, writes = _written(scratch, table)
        advice.wanted.append(Wanted(name, table, definition, int(sizes[made]), rows, using, writes))
    if installed and any("gin_trgm_ops" in key for one in advice.wanted for key in one.definition.keys):
        advice.extensions = ("pg_trgm",)
    others = [index for index in there if index.table in touched]
    advice.unneeded = _unneeded(scratch, planner, advice.asked, others, set(built) - set(chosen))
    return advice


def _there(scratch: Scratch) -> list[_There]:
    """Return the valid indexes of production, those of partitions left out."""
    return [
        _There(QualifiedName(schema, name), QualifiedName(schema, table), parse(text), unique, plain)
        for schema, name, table, text, unique, valid, plain in scratch.rows(_INDEXES)
        if valid
    ]


def _install(scratch: Scratch, candidates: Sequence[Candidate]) -> bool:
    """Install pg_trgm on the scratch where a candidate needs it and production does not have it."""
    if not any("gin_trgm_ops" in one.keys[0] for one in candidates):
        return False
    if scratch.rows("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'"):
        return False
    try:
        scratch.rows("CREATE EXTENSION pg_trgm SCHEMA public")
    except psycopg.Error:
        scratch.notes.append("the scratch lacks the extension pg_trgm: no index for LIKE and ILIKE was tried.")
        return False
    return True


def _build(scratch: Scratch, candidates: Sequence[Candidate]) -> dict[QualifiedName, Candidate]:
    """Make them on the empty tables, but for what PostgreSQL refuses: no operator class, functions that change."""
    built = dict[QualifiedName, Candidate]()
    for nth, candidate in enumerate(candidates):
        name = candidate.table.sibling(f"{PREFIX}{nth}")
        with suppress(psycopg.Error):
            scratch.rows(candidate.sql(name.name))
            built[name] = candidate
    return built


def _name(table: QualifiedName, definition: Definition, taken: set[str]) -> QualifiedName:
    """Return a name that says the table and the columns, and that no index has."""
    words = "_".join(definition.columns) or "expr"
    stem = f"ix_{table.name}_{words}" + ("_trgm" if "trgm" in definition.keys[0] else "")
    name, nth = fit(stem), 1
    while name in taken:
        nth += 1
        name = fit(stem, f"_{nth}")
    taken.add(name)
    return table.sibling(name)


_LEAVES = """
SELECT n.nspname, c.relname, greatest(c.reltuples, 0)::float8
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = %(table)s::regclass AND c.relkind <> 'p'
   OR c.oid IN (SELECT relid FROM pg_partition_tree(%(table)s::regclass) WHERE isleaf)
"""


def _written(scratch: Scratch, table: QualifiedName) -> tuple[float, Writes | None]:
    """Return how many rows a table has, and what is written to it in a day: its partitions together."""
    leaves = [(QualifiedName(*row[:2]), row[2]) for row in scratch.rows(_LEAVES, {"table": table.sql})]
    known = scratch.production.writes
    found = [known[leaf] for leaf, _ in leaves if leaf in known]
    writes = (
        Writes(*(sum(getattr(one, what) for one in found) for what in ("entries", "deleted", "inserted")))
        if known
        else None
    )
    return sum(rows for _, rows in leaves), writes


def _unneeded(
    scratch: Scratch,
    planner: Planner,
    asked: Sequence[Asked],
    there: Sequence[_There],
    refused: set[QualifiedName],
) -> list[Unneeded]:
    """Return indexes without which no statement becomes dearer, and that nothing but queries needs."""
    plain = {index.name: index for index in there if index.plain}
    sizes = {name: pages_of(scratch, name) for name in plain}
    state = [replace(one, best=one.now) for one in asked]
    gone = fewer(planner, state, plain, refused, sizes)
    return [Unneeded(name, plain[name].table, plain[name].definition, sizes[name]) for name in sorted(gone, key=str)]


def saved(asked: Sequence[Asked]) -> Mapping[str, float]:
    """Return what all statements cost in a day: before, and with the wanted indexes."""
    return {
        "before": sum(one.statement.calls * one.before for one in asked),
        "after": sum(one.statement.calls * one.now for one in asked),
    }
