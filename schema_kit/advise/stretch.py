"""Files as long as production's, without their contents, and B-trees as high.

The planner asks the file system how long a table is. A file that was made longer holds pages of zeros, which are valid
and empty, and takes no room on a disk that knows sparse files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schema_kit.advise import btree, gin
from schema_kit.advise.btree import PAGE, Key
from schema_kit.advise.gin import Shape
from schema_kit.embedded import Server
from schema_kit.embedded.location import locate
from schema_kit.embedded.tools import Tools
from schema_kit.names import QualifiedName

SEGMENT = 131072
"""Pages of a file; what is longer goes on in the next one."""

Ask = Callable[..., list[Any]]

TOLD_PAGES = """
SELECT n.nspname, c.relname, greatest(c.relpages, 0) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'i') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

INDEXES = """
SELECT c.oid::bigint, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'i' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

_FILES = """
SELECT n.nspname, c.relname, c.oid::bigint, pg_relation_filepath(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = ANY (%s) AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'advise')
"""

KEYS = """
SELECT x.indexrelid::bigint, k.place, i.reltuples::float8, k.place > x.indnkeyatts,
       coalesce(s.stawidth, CASE WHEN a.attlen > 0 THEN a.attlen ELSE 24 END)::float8,
       CASE WHEN a.attlen < 0 OR a.attalign = 'c' THEN 1
            ELSE CASE a.attalign WHEN 'd' THEN 8 WHEN 'i' THEN 4 ELSE 2 END END,
       CASE WHEN coalesce(s.stadistinct, -1) < 0 THEN -coalesce(s.stadistinct, -1) * greatest(t.reltuples, 1)
            WHEN s.stadistinct = 0 THEN greatest(t.reltuples, 1) ELSE s.stadistinct END::float8,
       coalesce(s.stanullfrac, 0) > 0,
       x.indisunique OR a.atttypid = ANY ('{numeric,float4,float8,jsonb}'::regtype[]) OR x.indnatts > x.indnkeyatts
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
JOIN pg_am m ON m.oid = i.relam AND m.amname = 'btree'
CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY k (attnum, place)
JOIN pg_attribute a ON a.attrelid = x.indexrelid AND a.attnum = k.place
LEFT JOIN pg_statistic s ON NOT s.stainherit AND CASE WHEN k.attnum = 0
  THEN s.starelid = x.indexrelid AND s.staattnum = k.place ELSE s.starelid = x.indrelid AND s.staattnum = k.attnum END
WHERE i.relkind = 'i' ORDER BY 1, 2
"""
"""Of each column of each B-tree: its place, rows, INCLUDE or not, width, alignment, distinct values, NULLs, alone."""


@dataclass
class Tree:
    """A B-tree, as the statistics describe it."""

    rows: float
    keys: list[Key]
    include: list[Key]
    once: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A file of the scratch, its length in pages, and what its first page has to say of a B-tree or a GIN."""

    path: Path
    pages: int
    height: int | None = None
    shape: Shape | None = None


def trees(ask: Ask) -> dict[int, Tree]:
    """Return every B-tree by its oid."""
    found = dict[int, Tree]()
    for oid, _, count, included, width, align, distinct, _, once in ask(KEYS):
        one = found.setdefault(oid, Tree(max(count, 0), [], []))
        (one.include if included else one.keys).append(Key(width, align, distinct))
        one.once |= once
    return found


def files(
    ask: Ask,
    pages: Mapping[QualifiedName, int],
    trees: Mapping[int, Tree],
    shapes: Mapping[int, Shape],
    kinds: Sequence[str] = ("r", "m", "i"),
) -> list[File]:
    """Return the files of relations of some kinds, each with the length and the height that it should have."""

    def each() -> Iterator[File]:
        for schema, name, oid, path in ask(_FILES, [list(kinds)]):
            wanted = pages.get(QualifiedName(schema, name), 0)
            tree, shape = trees.get(oid), shapes.get(oid)
            high = btree.height(wanted, tree.rows, tree.keys) if tree and wanted > 1 else None
            yield File(Path(path), wanted, high, shape.within(wanted) if shape and wanted > 2 else None)

    return list(each())


def write(server: Server, files: Sequence[File]) -> None:
    """Make them so long, and the trees so high. The server is stopped."""
    place = locate(server.folder)
    done = Tools(server.bindir, server.version, place.account).run(
        "pg_checksums", "--disable", "--no-sync", "-D", "data", cwd=place.folder
    )
    assert done[0] == 0 or "already disabled" in done[1], done[1]
    for one in files:
        if one.height is None and one.shape is None:
            continue
        with (place.data / one.path).open("r+b") as file:
            meta = file.read(PAGE)
            file.seek(0)
            file.write(gin.described(meta, one.shape) if one.shape else btree.tree(meta, one.height or 0))
    lengthen(server, files)


def lengthen(server: Server, files: Sequence[File]) -> None:
    """Make them so long; the planner sees it at once."""
    for one in files:
        path = locate(server.folder).data / one.path
        for nth in range(-(-one.pages // SEGMENT)):
            part = path.with_name(f"{path.name}.{nth}") if nth else path
            _lengthen(part, min(one.pages - nth * SEGMENT, SEGMENT), path)


def _lengthen(path: Path, pages: int, like: Path) -> None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        owner, length = like.stat(), os.fstat(handle).st_size
        os.fchown(handle, owner.st_uid, owner.st_gid)
        if length < pages * PAGE:  # never shorter: an index that was just made describes itself on its first pages
            os.ftruncate(handle, pages * PAGE)
    finally:
        os.close(handle)
