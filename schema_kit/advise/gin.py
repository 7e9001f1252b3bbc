"""GIN indexes: how many keys they have, and how their pages are shared out, from a sample of values; pure.

The planner reads that from an index's first page. https://www.postgresql.org/docs/18/gin.html
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil, log2
from typing import Any

from schema_kit.advise.btree import PAGE

_OWN_TREE = 2600
"""Bytes of a list of rows from which it gets pages of its own."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the first page of a GIN index says: keys, pages with keys, pages with rows of frequent keys."""

    entries: int
    entry_pages: int
    data_pages: int

    @property
    def pages(self) -> int:
        """The length of the index."""
        return 1 + self.entry_pages + self.data_pages

    def within(self, pages: int) -> Shape:
        """Return the same, for an index whose length is known."""
        share = (pages - 1) / max(self.pages - 1, 1)
        data = min(round(self.data_pages * share), max(pages - 2, 0))
        return Shape(self.entries, max(pages - 1 - data, 1), data)


def shape(values: Sequence[tuple[Sequence[str], float]], rows: float, distinct: float, per_page: float) -> Shape:
    """Estimate it.

    Args:
        values: the keys of each value of a sample, with the share of the rows that it stands for.
        rows: that are indexed.
        distinct: how many different values there are.
        per_page: rows on a page of the table.
    """
    shares = dict[str, float]()
    for keys, share in values:
        for key in set(keys):
            shares[key] = shares.get(key, 0.0) + share
    half = {key for keys, _ in values[::2] for key in keys}
    growth = log2(len(shares) / len(half)) if half and shares else 0.0
    # New keys come ever more rarely, unless each value brings its own.
    entries = len(shares) * max(distinct / max(len(values), 1), 1.0) ** (min(max(growth, 0.0), 1.0) ** 2)
    keys_bytes, data = 0.0, 0
    for share in shares.values():
        gap = 1 / max(share, 1e-9) / max(per_page, 1)  # in pages of the table
        size = share * rows * (1 + min(gap, 1) + (gap > 8))
        if size > _OWN_TREE:
            data += max(ceil(size / (PAGE * 0.95)), 1)
            size = 8
        keys_bytes += 24 + size
    keys_bytes += (entries - len(shares)) * 40
    return Shape(max(round(entries), 1), max(ceil(keys_bytes / (PAGE * 0.55)), 1), data)


def described(meta: bytes, shape: Shape) -> bytes:
    """Return the first page of an index, as CREATE INDEX has written it, with what it has in production."""
    page = bytearray(meta)
    struct.pack_into("<III", page, 48, shape.pages, shape.entry_pages, shape.data_pages)
    struct.pack_into("<q", page, 64, shape.entries)
    struct.pack_into("<H", page, 8, 0)
    return bytes(page)


def of_json(document: str, *, paths: bool) -> list[str]:
    """Return the keys of a document: each value with its path (jsonb_path_ops), or keys and values by themselves."""
    with suppress(ValueError):
        return list(_walk(json.loads(document), "", paths))
    return []


def _walk(node: Any, path: str, paths: bool) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, below in node.items():
            if not paths:
                yield f"key {key}"
            yield from _walk(below, f"{path}.{key}", paths)
    elif isinstance(node, list):
        for below in node:
            yield from _walk(below, path, paths)
    else:
        yield f"{path if paths else ''} {node!r}"
