"""Nouns of rows, by the names of columns; and placeholders that answer as the catalog does."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import pytest

from schema_kit.catalog import Catalog
from schema_kit.catalog.nouns import noun
from schema_kit.offline import EmptyDatabase

pytestmark = [pytest.mark.offline]


@dataclass(frozen=True)
class Named:
    name: str
    columns: tuple[str, ...] = ("default",)
    size: int = 1


def test_columns_fill_the_fields_of_their_names() -> None:
    assert noun(Named, {"size": 3, "name": "t", "columns": ["a", "b"]}) == Named("t", ("a", "b"), 3)


def test_what_has_no_column_keeps_its_default_and_what_has_no_field_is_passed_over() -> None:
    assert noun(Named, {"name": "t", "oid": 7}) == Named("t")


def test_what_is_given_goes_before_the_column() -> None:
    assert noun(Named, {"name": "t", "columns": None}, columns=("c",)) == Named("t", ("c",))


def test_a_field_without_default_has_to_have_its_column() -> None:
    with pytest.raises(TypeError, match="name"):
        noun(Named, {"size": 3})


OF_STEPS = {
    *("add_column", "drop_column", "alter_column", "add_index", "drop_index", "add_foreign_key", "drop_constraint"),
    *("apply", "change", "forget", "remember", "rename", "rename_column", "known"),
}


def _asked(cls: type) -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(one)
        for name, one in inspect.getmembers(cls, callable)
        if not name.startswith("_") and name not in OF_STEPS
    }


def test_a_placeholder_answers_what_the_catalog_answers_to_the_same_questions() -> None:
    """Each question has the catalog's name, and takes what that takes, by the same names."""
    catalog = _asked(Catalog)
    for name, signature in _asked(EmptyDatabase).items():
        assert name in catalog, name
        own = [*signature.parameters]
        assert own[1:] == [*catalog[name].parameters][1 : len(own)], name
