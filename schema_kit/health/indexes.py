"""Checks of indexes: invalid, twice, redundant, unused, on some partitions only, of values that they do not help."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from schema_kit.health.definition import Definition, drop_call, index_call
from schema_kit.health.facts import Index, Observed
from schema_kit.health.finding import Finding, Repair
from schema_kit.names import QualifiedName, fit, ident
from schema_kit.plans.drift import several

UNUSED_DAYS = 30
"""An index is called unused after so many days without a scan."""
WORTH_BYTES = 256 * 1024
"""What is smaller costs too little to be worth a finding about use."""
NULL_SHARE = 0.9
PART_SHARE = 0.25
"""A partial index with a smaller share of the rows is worth having next to a whole one."""


def made(index: Index) -> str:
    """Return the call that makes an index as it is."""
    return index_call("create_index_concurrently", index.name.name, index.table, index.definition, index.unique)


def _dropped(index: Index) -> Repair:
    return Repair(drop_call(index.name, index.table), made(index))


def _size(bytes_: int) -> str:
    return f"{bytes_ / 1048576:,.1f} MB"


def invalid(seen: Observed) -> Iterator[Finding]:
    """Yield indexes that queries do not use and writers keep up, because a build of them failed or is not whole."""
    for index, parts in seen.folded:
        broken = [part for part in (index, *parts) if not part.valid]
        if not broken or any(part.building for part in (index, *parts)):
            continue
        if index.kind == "I":
            leaves = [part for part in broken if part.kind == "i"]
            which = f" (invalid on {several([part.table for part in leaves])})" if leaves else ""
            evidence = f"index {index.name} is INVALID{which}, or missing on some partitions: no query uses it."
            call = made(index)
        else:
            evidence = f"index {index.name} is INVALID: its build failed; no query uses it, every write keeps it up."
            call = f"op.reindex_concurrently({index.name.name!r}, schema={index.name.schema!r})"
        yield Finding("index_invalid", index.root, index.name.name, evidence, Repair(call))


def _tops(seen: Observed) -> Sequence[tuple[Index, int, int]]:
    """Valid indexes of roots, each with its bytes and scans together with those of its partitions."""
    return [
        (index, sum(one.bytes for one in (index, *parts)), sum(one.scans for one in (index, *parts)))
        for index, parts in seen.folded
        if index.table == index.root and index.valid
    ]


def _standing(index: Index) -> tuple[bool, ...]:
    """Return how much more than queries needs an index: the greater stays."""
    return index.constraint, index.referenced, index.replica_identity, index.unique, index.clustered


def twice(seen: Observed) -> Iterator[Finding]:
    """Yield indexes that are as another one of the same table; the one that more than queries needs stays."""
    groups = defaultdict[tuple[QualifiedName, Definition], list[tuple[Index, int]]](list)
    for index, size, _ in _tops(seen):
        groups[index.table, _alike(index.definition)].append((index, size))
    for group in groups.values():
        keep = max(group, key=lambda one: (_standing(one[0]), -len(one[0].name.name), one[0].name.name))[0]
        for index, size in group:
            if index is keep or index.constraint or index.referenced or index.replica_identity:
                continue
            if index.unique and not keep.unique:
                continue
            said = f"index {index.name} is the same as {keep.name}: {_size(size)} that every write keeps up twice."
            yield Finding("index_duplicate", index.root, index.name.name, said, _dropped(index))


def _alike(definition: Definition) -> Definition:
    include = tuple(sorted(definition.include))  # in which order they stand there makes no difference
    return Definition(definition.method, definition.keys, include, definition.nulls_not_distinct, definition.predicate)


def redundant(seen: Observed) -> Iterator[Finding]:
    """Yield indexes whose columns another one begins with."""
    by_table = defaultdict[QualifiedName, list[tuple[Index, int]]](list)
    for index, size, _ in _tops(seen):
        if index.definition.method == "btree":
            by_table[index.table].append((index, size))
    for group in by_table.values():
        for index, size in group:
            if not index.plain or index.clustered:
                continue
            longer = next((other for other, _ in group if _covers(other.definition, index.definition)), None)
            if longer is not None:
                said = (
                    f"index {index.name} ({', '.join(index.definition.keys)}) is how {longer.name} "
                    f"({', '.join(longer.definition.keys)}) begins, which serves its queries: {_size(size)}."
                )
                yield Finding("index_redundant", index.root, index.name.name, said, _dropped(index))


def _covers(longer: Definition, shorter: Definition) -> bool:
    if longer.predicate != shorter.predicate or len(longer.keys) <= len(shorter.keys):
        return False
    begins = longer.keys[: len(shorter.keys)] == shorter.keys
    return begins and set(shorter.include) <= {*longer.include, *longer.columns}


def partial(seen: Observed) -> Iterator[Finding]:
    """Yield partial indexes next to a whole one that serves their queries, too, but for those of a small part."""
    entries = {index.name: sum(max(one.entries, 0) for one in (index, *parts)) for index, parts in seen.folded}
    tops = [(index, size) for index, size, _ in _tops(seen) if index.definition.method == "btree"]
    for index, size in tops:
        definition = index.definition
        if not definition.predicate or not index.plain or index.clustered:
            continue
        for whole, _ in tops:
            if whole.table != index.table or not _serves_part(whole.definition, definition):
                continue
            share = entries[index.name] / entries[whole.name] if entries[whole.name] else 1.0
            if share < PART_SHARE or not seen.rows(index.root):
                continue
            said = (
                f"index {index.name} holds a part{f' ({share:.0%})' if entries[whole.name] else ''} of what "
                f"{whole.name} ({', '.join(whole.definition.keys)}) holds: {_size(size)} that writers keep up twice."
            )
            repair = replace(_dropped(index), why=f"If {whole.name} is small enough for its queries:")
            yield Finding("index_covers_partial", index.root, index.name.name, said, repair)
            break


def _serves_part(whole: Definition, part: Definition) -> bool:
    begins = whole.keys[: len(part.keys)] == part.keys
    return not whole.predicate and begins and set(part.include) <= {*whole.include, *whole.columns}


def serves_foreign_key(seen: Observed, index: Index) -> bool:
    """Whether a check of a foreign key needs the index: such scans are not counted on the referenced side's behalf."""
    columns = index.definition.columns
    keys = (key for key in seen.foreign_keys if seen.root(key.table) == index.root)
    return any(columns and columns[0] in key.columns for key in keys)


def unused(seen: Observed) -> Iterator[Finding]:
    """Yield indexes that no query has scanned, and that nothing but queries needs."""
    server, tops = seen.server, _tops(seen)
    if server.now is None:
        return
    scanned = {
        index.name: max((one.last_scan for one in (index, *parts) if one.last_scan), default=None)
        for index, parts in seen.folded
    }
    unseen = server.standbys - seen.replicas
    elsewhere = "" if unseen <= 0 else f" on this server; {unseen} standbys have counters of their own (--replica URL)"
    if server.standby and not seen.replicas:
        elsewhere = (
            " on this standby; the primary has counters of its own (run it there, with --replica URL for this one)"
        )
    for index, size, scans in tops:
        since, doubt = server.since, elsewhere
        last = scanned[index.name]
        if last and server.now - last >= timedelta(days=UNUSED_DAYS):  # it existed then: no snapshot is required
            since, said = last, "was scanned last on"
        else:
            doubt += "" if index.remembered else ", or it is newer than that: no snapshot has it (--remember)"
            said = "was not scanned once since"
        days = (server.now - since) / timedelta(days=1) if since else 0.0
        if scans or since is None or days < UNUSED_DAYS or size < WORTH_BYTES or index.root in seen.distributed:
            continue
        if not index.plain or index.clustered or serves_foreign_key(seen, index):
            continue
        if any(other is not index and other.table == index.table and _takes_over(index, other) for other, _, _ in tops):
            continue
        said = f"index {index.name} ({_size(size)}) {said} {since:%Y-%m-%d}, for {days:,.0f} days{doubt}."
        code = "index_perhaps_unused" if doubt else "index_unused"
        yield Finding(code, index.root, index.name.name, said, _dropped(index))


def _takes_over(index: Index, other: Index) -> bool:
    """Return whether it serves the queries of another one that is as it is, or as it begins, once that is dropped."""
    alike = _alike(index.definition) == _alike(other.definition)
    return alike or (other.plain and _covers(index.definition, other.definition))


def on_partitions(seen: Observed) -> Iterator[Finding]:
    """Yield indexes of single partitions, which the partitioned table does not have: new partitions lack them."""
    groups = defaultdict[tuple[QualifiedName, Definition], list[Index]](list)
    above = {(index.table, _alike(index.definition)) for index, _, _ in _tops(seen)}
    for index, _ in seen.folded:
        if index.table != index.root and index.valid and not index.unique and not index.constraint:
            groups[index.root, _alike(index.definition)].append(index)
    for (root, definition), group in groups.items():
        leaves = sum(relation.kind != "p" for relation in seen.trees.get(root, ()))
        first = group[0]
        if (root, definition) in above:
            said = (
                f"{several([one.name for one in group])}: the same index as the one that {root} has on each partition, "
                "as well."
            )
            call = "; ".join(drop_call(one.name, one.table) for one in group)
            repair = Repair(call, "; ".join(map(made, group)))
            yield Finding("index_duplicate", root, first.name.name, said, repair)
            continue
        name = fit(f"{root.name}_{'_'.join(definition.columns) or 'expr'}", "_idx")
        said = (
            f"{several([one.name for one in group])}: an index on {len(group)} of the {leaves} partitions of {root}, "
            "which new partitions lack."
        )
        why = "If all of them need it (those that have it keep theirs):"
        call = index_call("create_index_concurrently", name, root, definition)
        repair = Repair(call, drop_call(root.sibling(name), root), why=why)
        yield Finding("index_on_partitions", root, first.name.name, said, repair)


def of_little_use(seen: Observed) -> Iterator[Finding]:
    """Yield indexes of a column that is nearly always NULL, of a boolean, or of arrays in a btree."""
    for index, size, _ in _tops(seen):
        definition = index.definition
        if not index.plain or definition.method != "btree" or size < WORTH_BYTES or not definition.columns:
            continue
        column = definition.columns[0]
        known = seen.columns.get((index.table, column))
        single = len(definition.keys) == 1
        args = "replace_index_concurrently", index.name.name, index.table, definition
        if index.types[:1] == ("A",):
            said = f"index {index.name}: a btree of arrays finds whole arrays, not their elements ({_size(size)})."
            why = "If queries look for elements (@>, &&):"
            repair = Repair(index_call(*args, using="gin"), index_call(*args), why=why)
            yield Finding("index_array", index.root, index.name.name, said, repair)
        elif single and not definition.predicate and index.types[:1] == ("B",):
            said = f"index {index.name}: of the boolean {column} alone, it finds half of the rows ({_size(size)})."
            why = "If queries look for one of the two values, name it in postgresql_where; else:"
            drop, again = drop_call(index.name, index.table), made(index)
            yield Finding("index_boolean", index.root, index.name.name, said, Repair(drop, again, why=why))
        elif single and not definition.predicate and known and known.null_share >= NULL_SHARE:
            said = (
                f"index {index.name}: {known.null_share:.0%} of {column} is NULL, and the index holds each of those "
                f"rows ({_size(size)})."
            )
            repair = Repair(index_call(*args, where=f"{ident(column)} IS NOT NULL"), index_call(*args))
            yield Finding("index_null_heavy", index.root, index.name.name, said, repair)
