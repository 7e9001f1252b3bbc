"""Pages and heights of B-trees, shapes of GINs: as PostgreSQL lays them out."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema_kit.advise import btree, gin
from schema_kit.advise.btree import PAGE, Key

pytestmark = pytest.mark.health

KEYS = st.lists(
    st.builds(Key, st.floats(1, 200), st.sampled_from((1, 2, 4, 8)), st.floats(1, 1e9)), min_size=1, max_size=4
)


@given(KEYS, st.floats(0, 1e10), st.booleans())
def test_an_index_that_was_just_built_is_as_high_as_its_length_says(keys: list[Key], rows: float, once: bool) -> None:
    pages = btree.pages(rows, keys, once=once)
    levels = btree.levels(pages - 1, rows, keys)
    assert pages >= 2
    assert 0 <= btree.height(pages, rows, keys) <= len(levels) - 1 <= 34


@given(KEYS, st.floats(1, 1e8), st.floats(1, 1e8))
def test_more_rows_take_no_fewer_pages(keys: list[Key], one: float, other: float) -> None:
    few, many = sorted((one, other))
    assert btree.pages(few, keys, once=True) <= btree.pages(many, keys, once=True)


@given(KEYS, st.integers(2, 10**7), st.integers(2, 10**7))
def test_a_longer_index_is_not_lower(keys: list[Key], one: int, other: int) -> None:
    short, long = sorted((one, other))
    assert btree.height(short, 1e6, keys) <= btree.height(long, 1e6, keys)


@pytest.mark.parametrize(
    ("rows", "keys", "once", "pages"),
    [
        (1_000_000, [Key(8, 8, 1e6)], True, 2745),  # as CREATE INDEX on a bigint of generate_series(1, 1000000)
        (1_000_000, [Key(4, 4, 100)], False, 856),  # of i % 100
        (0, [Key(8, 8, 1)], True, 2),
    ],
)
def test_lengths_are_those_of_postgresql(rows: float, keys: list[Key], once: bool, pages: int) -> None:
    assert btree.pages(rows, keys, once=once) == pytest.approx(pages, rel=0.03)


@pytest.mark.parametrize("height", range(6))
def test_an_empty_tree_is_a_chain_from_its_root_to_one_leaf(height: int) -> None:
    meta = bytearray(PAGE)
    struct.pack_into("<HII", meta, 8, 7, 0x053162, 4)
    whole = btree.tree(bytes(meta), height)
    pages = [whole[at : at + PAGE] for at in range(0, len(whole), PAGE)]
    assert len(pages) == height + 2
    assert struct.unpack_from("<IIII", pages[0], 32) == (1, height, 1, height)
    for nth, page in enumerate(pages[1:]):
        lower, upper, special = struct.unpack_from("<HHH", page, 12)
        left, right, level, flags, _ = struct.unpack_from("<IIIHH", page, special)
        assert (left, right, level) == (0, 0, height - nth)
        assert flags == (1 if level == 0 else 0) | (2 if nth == 0 else 0)
        assert lower - 24 == (4 if level else 0)
        if level:
            where = struct.unpack_from("<I", page, 24)[0] & 0x7FFF
            assert where == upper
            assert struct.unpack_from("<HH", page, where) == (0, nth + 2), "it names the next page"


def test_keys_that_many_documents_have_get_pages_of_their_own() -> None:
    often = [(["a", f"b{n}"], 0.01) for n in range(100)]
    shape = gin.shape(often, 1_000_000, 100, 50)
    assert shape.entries == 101
    assert shape.data_pages > 100
    assert shape.within(1000).pages == pytest.approx(1000, abs=1)
    assert gin.shape(often, 100, 100, 50).data_pages == 0


def test_a_document_has_a_key_for_each_value_with_its_path_or_for_keys_and_values() -> None:
    document = '{"a": {"b": 1}, "c": [1, "x"]}'
    assert len(gin.of_json(document, paths=True)) == 3
    assert sum(key.startswith("key ") for key in gin.of_json(document, paths=False)) == 3
    assert gin.of_json("no document", paths=True) == []
