"""Which indexes a statement might want: pure. The planner decides which of them it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from schema_kit.advise.constants import Statistics
from schema_kit.advise.usage import Condition, Kind, Order, Schema, Use
from schema_kit.health.definition import Definition
from schema_kit.names import QualifiedName, ident, literal

WIDE = 5
"""The most columns that an index has with its INCLUDE."""

WIDE_BYTES = 100
RARE = 0.3
"""The share of the rows up to which a value is worth a partial index."""

IN_ORDER = 0.9
"""The correlation from which a column follows the order in which rows lie, as times do that rows are written at."""

MANY = 60
"""Candidates of one table in one statement, at most."""

_JSON_KEYS, _JSON = "jsonb_ops", "jsonb_path_ops"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An index that might be wanted.

    Args:
        table: whose.
        keys: columns or expressions as SQL, each with its operator class and order.
        include: columns of INCLUDE, quoted.
        predicate: SQL of a partial one.
        method: btree, gin or brin.
    """

    table: QualifiedName
    keys: tuple[str, ...]
    include: tuple[str, ...] = ()
    predicate: str = ""
    method: str = "btree"

    def sql(self, name: str) -> str:
        """Return the statement that makes it."""
        keys = ", ".join(key if _is_plain(key) else f"({key})" for key in self.keys)
        keys = keys if self.method == "btree" else ", ".join(self.keys)
        said = f"CREATE INDEX {ident(name)} ON {self.table.sql} USING {self.method} ({keys})"
        said += f" INCLUDE ({', '.join(self.include)})" if self.include else ""
        return said + (f" WHERE {self.predicate}" if self.predicate else "")


def _is_plain(key: str) -> bool:
    """Return whether it is a column, with an order behind it or not."""
    return key.startswith('"') and key.rstrip("ACDEFILNRSTU ").endswith('"') and key.count('"') == 2


def of(found: Sequence[Use], tables: Schema, known: Statistics, pages: Mapping[QualifiedName, int]) -> list[Candidate]:
    """Return the candidates of a statement.

    Args:
        found: how it uses its tables.
        tables: their columns and types.
        known: statistics of the columns.
        pages: how long tables are.
    """
    return list(dict.fromkeys(one for use in found for one in _Wanted(use, tables, known, pages).all()))


def common(found: Sequence[Sequence[Candidate]]) -> list[Candidate]:
    """Return the candidates of a statement with several groups of values; one for a value is taken by all or none."""
    return [
        one
        for one in dict.fromkeys(one for some in found for one in some)
        if not _of_a_value(one) or all(one in some for some in found)
    ]


def _of_a_value(one: Candidate) -> bool:
    return " = '" in one.predicate


class _Wanted:
    """What one table in one statement might want."""

    def __init__(self, use: Use, tables: Schema, known: Statistics, pages: Mapping[QualifiedName, int]) -> None:
        self.use, self.types, self.pages = use, tables[use.table], pages
        self.known = {column: known[use.table, column] for column in self.types if (use.table, column) in known}

    def all(self) -> list[Candidate]:
        whole = dict.fromkeys((*self.trees(), *self.inside(), *self.blocks()))
        return list(whole)[:MANY]

    def of_kind(self, *kinds: Kind, alone: bool = False) -> list[Condition]:
        return [one for one in self.use.conditions if one.kind in kinds and (alone or not one.alone)]

    def trees(self) -> Iterator[Candidate]:
        """B-trees: equal columns first, then what is ordered or compared; with INCLUDE, and partial ones."""
        predicates = ["", *self.predicates()]
        for predicate in predicates[1:]:  # the rows that are asked for, by whatever column
            yield Candidate(self.use.table, (ident(next(iter(self.types))),), predicate=predicate)
        for keys in dict.fromkeys(self.sequences()):
            for predicate in predicates:
                yield Candidate(self.use.table, keys, predicate=predicate)
                if include := self.rest(keys):
                    yield Candidate(self.use.table, keys, include, predicate)

    def sequences(self) -> Iterator[tuple[str, ...]]:
        equal = list(dict.fromkeys(one.keys[0] for one in self.of_kind(Kind.EQUAL, Kind.NULL)))
        joins = list(dict.fromkeys(one.keys[0] for one in self.of_kind(Kind.JOIN)))
        ranges = list(dict.fromkeys(one.keys for one in self.of_kind(Kind.RANGE)))
        order = tuple(_ordered(self.use.order))
        tails = [tail for tail in (order, *ranges, tuple(self.use.group)) if tail]
        for first in self.fronts(equal):
            for tail in tails:
                yield _once(first + tail)
                for more in ranges:
                    yield _once(first + tail + more)
            if first:
                yield first
            for join in joins:
                for tail in ((), *tails):
                    yield _once((*first, join, *tail))
                    yield _once((join, *first, *tail))
        for one in self.of_kind(Kind.EQUAL, Kind.JOIN, Kind.RANGE, Kind.NULL, alone=True):
            yield one.keys[:1]

    def fronts(self, equal: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Equal columns in every order where they are few; else the selective ones first."""
        if len(equal) <= 3:
            yield from permutations(equal)
        else:
            yield tuple(sorted(equal, key=lambda key: -self.distinct(key)))[:4]
        yield from ((one,) for one in equal)
        if equal:
            yield ()

    def distinct(self, key: str) -> float:
        values = self.known.get(key.strip('"'))
        return 0 if values is None else values.distinct if values.distinct >= 0 else 1e9 * -values.distinct

    def rest(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return the other columns that are read, where they are few and narrow."""
        if self.use.whole or not all(map(_is_plain, keys)):
            return ()
        others = [column for column in self.use.columns if not any(key.startswith(ident(column)) for key in keys)]
        width = sum(self.known[column].width if column in self.known else 32 for column in others)
        return tuple(map(ident, others)) if len(keys) + len(others) <= WIDE and width <= WIDE_BYTES else ()

    def predicates(self) -> Iterator[str]:
        """For the rows that are asked for, where they are few: by booleans, NULLs and values of the statement's own."""
        said = list[str]()
        for one in self.use.conditions:
            values = self.known.get(one.column or "")
            if one.alone or values is None:
                continue
            true = values.share("t") or 0.0
            share = {
                Kind.TRUE: true,
                Kind.FALSE: 1 - true - values.null_share,
                Kind.NULL: values.null_share,
                Kind.NOT_NULL: 1 - values.null_share,
            }.get(one.kind)
            if one.kind in (Kind.TRUE, Kind.FALSE):
                said.append(one.keys[0] if one.kind is Kind.TRUE else f"NOT {one.keys[0]}")
            elif share is not None and share <= RARE:
                said.append(f"{one.keys[0]} IS {'NOT ' * (one.kind is Kind.NOT_NULL)}NULL")
            elif one.kind is Kind.EQUAL and len(one.values) == 1 and one.values[0].is_string:
                value = one.values[0].name
                if 0 <= values.distinct <= 50 and (values.share(value) or 0.0) <= RARE:
                    said.append(f"{one.keys[0]} = {literal(value)}")
            elif one.kind in (Kind.EQUAL, Kind.JOIN, Kind.RANGE) and values.null_share >= 1 - RARE:
                said.append(f"{one.keys[0]} IS NOT NULL")
        said = list(dict.fromkeys(said))
        yield from said
        if len(said) > 1:
            yield " AND ".join(said)

    def inside(self) -> Iterator[Candidate]:
        """GIN: for parts of texts, JSON documents, arrays and text search."""
        for one in self.of_kind(Kind.LIKE, Kind.CONTAINS, Kind.KEY, alone=True):
            type_ = self.types.get(one.column or "", "")
            if one.kind is Kind.LIKE:
                classes: tuple[str, ...] = ("gin_trgm_ops",)
            elif type_ == "jsonb":
                classes = (_JSON, _JSON_KEYS) if one.kind is Kind.CONTAINS else (_JSON_KEYS,)
            else:
                classes = ("",)
            key = one.keys[0] if one.column else f"({one.keys[0]})"
            for opclass in classes:
                yield Candidate(self.use.table, (f"{key} {opclass}".strip(),), method="gin")

    def blocks(self) -> Iterator[Candidate]:
        """BRIN: for times of big tables whose rows lie in their order."""
        for one in self.of_kind(Kind.RANGE):
            values = self.known.get(one.column or "")
            timely = self.types.get(one.column or "", "").startswith(("timestamp", "date"))
            if values and timely and abs(values.correlation or 0) >= IN_ORDER and self.length() >= 1000:
                yield Candidate(self.use.table, (one.keys[0],), method="brin")

    def length(self) -> int:
        return self.pages.get(self.use.table, 0)


def _once(keys: Iterable[str]) -> tuple[str, ...]:
    """Keys without those that come again; a column is known by its name, whatever its order."""
    found = dict[str, str]()
    for key in keys:
        found.setdefault(key.partition('" ')[0].rstrip('"'), key)
    return tuple(found.values())


def _ordered(order: Sequence[Order]) -> Iterator[str]:
    """Keys of an index that gives rows in an order, read forwards or backwards."""
    natural = all(one.nulls_first == one.descending for one in order)
    if natural and len({one.descending for one in order}) <= 1:
        yield from (one.key for one in order)
        return
    for one in order:
        yield one.key + " DESC" * one.descending + _nulls(one)


def _nulls(one: Order) -> str:
    if one.nulls_first == one.descending:
        return ""
    return " NULLS FIRST" if one.nulls_first else " NULLS LAST"


def new(
    found: Iterable[Candidate], there: Mapping[QualifiedName, Sequence[tuple[Definition, bool]]]
) -> list[Candidate]:
    """Return those that say something that no index of their table does.

    Args:
        found: candidates.
        there: of each table, the definitions of its indexes, and whether each is unique.
    """

    def known(one: Candidate) -> bool:
        keys = tuple(map(_bare, one.keys))
        for index, unique in there.get(one.table, ()):
            if index.method != one.method or _bare(index.predicate) != _bare(one.predicate):
                continue
            has = tuple(map(_bare, index.keys))
            covered = {ident(name) for name in (*index.include, *index.columns)}
            if has[: len(keys)] == keys and set(one.include) <= covered:
                return True
            if unique and not one.include and set(has) <= set(keys[: len(has)]):
                return True
        return False

    return [one for one in dict.fromkeys(found) if not known(one)]


def _bare(text: str) -> str:
    """A key or predicate without quotes and outer parentheses, to compare what was written with what is printed."""
    return text.replace('"', "").strip("()")
