"""B-trees: how many pages rows take, how high the tree over them is, and the pages of an empty one of that height.

https://www.postgresql.org/docs/18/btree.html; the layout of pages is that of storage/bufpage.h and access/nbtree.h.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, prod

PAGE = 8192
"""Bytes of a page: what PostgreSQL is compiled with nearly everywhere."""

_ROOM = PAGE - 24 - 16
"""Without the page's header and the tree's own words at its end."""

_TID = 8
_POSTINGS = 812
"""Bytes of a tuple that stands for several rows of one value, at most."""


@dataclass(frozen=True, slots=True)
class Key:
    """A column of an index: what it takes in each entry.

    Args:
        width: bytes, on average.
        align: to how many bytes its values are aligned; 1 for short texts.
        distinct: how many values it has.
    """

    width: float
    align: int = 1
    distinct: float = 1.0


def entry(keys: Sequence[Key], nulls: bool = False) -> float:
    """Bytes of an entry, without the four of its line pointer."""
    size = 16.0 if nulls else 8.0
    for key in keys:
        size = _aligned(size, key.align) + key.width
    return _aligned(size, 8)


def _aligned(size: float, to: int) -> float:
    """Whole multiples of *to*, where all entries are alike; half a step more, where their widths differ."""
    return ceil(size / to) * to if size == int(size) else size + (to - 1) / 2


def pages(rows: float, keys: Sequence[Key], include: Sequence[Key] = (), *, once: bool = False) -> int:
    """Return how many pages an index has that was just built.

    Args:
        rows: that it covers.
        keys: its columns.
        include: those of INCLUDE.
        once: no entry stands for several rows: it is unique, it has INCLUDE, or equal values may look different.
    """
    size = entry((*keys, *include))
    together = 1.0 if once or include else rows / max(min(prod(key.distinct for key in keys), rows), 1)
    together = max(min(together, (_POSTINGS - size) / 6), 1)
    taken = _aligned(size + 6 * together, 8) if together > 1.05 else size
    leaves = max(ceil(rows / together * (taken + 4) / (_ROOM * 0.9)), 1)
    return 1 + sum(levels(leaves, rows, keys))


def levels(leaves: int, rows: float, keys: Sequence[Key]) -> list[int]:
    """Return how many pages each level has, from the leaves up to the root.

    An inner page holds only as many of the columns as tell two leaves apart.
    """
    size, same, distinct = 8.0, 1.0, 1.0
    for key in keys:
        size += same * (key.width + (key.align - 1) / 2)
        distinct = min(distinct * max(key.distinct, 1), max(rows, 1))
        same = 1 - distinct / max(rows, 1)
    size = _aligned(size + same * _TID + 0.5, 8) + 4
    fanout = max(_ROOM * 0.7 / size, 2)
    found = [leaves]
    while found[-1] > 1:
        found.append(ceil(found[-1] / fanout))
    return found


def height(pages: int, rows: float, keys: Sequence[Key]) -> int:
    """Return how many levels there are below the root of an index.

    Args:
        pages: its length, the first page that describes it among them.
        rows: that it covers.
        keys: its columns.
    """
    whole = levels(max(pages - 1, 1), rows, keys)
    leaves = max(pages - 1 - sum(whole[1:]), 1)
    return len(levels(leaves, rows, keys)) - 1


def tree(meta: bytes, height: int) -> bytes:
    """Return the first pages of an index that is empty and *height* levels high, without checksums.

    Each inner page points to the one behind it, down to a leaf that holds nothing: what the planner reads of it
    finds no rows.

    Args:
        meta: its first page, as CREATE INDEX has written it.
        height: levels below the root.
    """
    first = bytearray(meta)
    struct.pack_into("<IIII", first, 32, 1, height, 1, height)  # root and its level, fast root and its level
    struct.pack_into("<H", first, 8, 0)
    return bytes(first) + b"".join(_page(height - nth, nth) for nth in range(height + 1))


def _page(level: int, nth: int) -> bytes:
    """Return a page of the chain; an inner one has one entry, which is less than everything and names the next page."""
    page = bytearray(PAGE)
    lower, upper, special = 24, PAGE - 16, PAGE - 16
    if level:
        lower, upper = lower + 4, upper - 8
        struct.pack_into("<I", page, 24, upper | 1 << 15 | 8 << 17)  # where it is, that it is one, its length
        child = nth + 2
        struct.pack_into("<HHHH", page, upper, child >> 16, child & 0xFFFF, 0, 8 | 0x2000)
    struct.pack_into("<QHHHHHHI", page, 0, 1, 0, 0, lower, upper, special, PAGE | 4, 0)
    flags = (0 if level else 1) | (0 if nth else 2)  # a leaf, the root
    struct.pack_into("<IIIHH", page, special, 0, 0, level, flags, 0)
    return bytes(page)
