"""Identifiers and literals survive the way through SQL text, whatever is in them."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from schema_kit.errors import DeclarationError
from schema_kit.names import MAX_BYTES, QualifiedName, fit, ident, idents, literal

pytestmark = pytest.mark.steps

HARD = [
    "a",
    "Users",
    "select",
    'qu"ote',
    '"',
    '""',
    "dot.ted",
    "a b",
    "x\\",
    "\\'",
    "ตาราง",
    "🐘🐘",
    "é",
    "0",
    "a\nb",
    "%s",
]

texts = st.text(
    st.one_of(st.sampled_from("aZ_0\"'.\\ ก🐘\n;-$%"), st.characters(exclude_characters="\0", codec="utf-8"))
)
names = texts.filter(lambda name: 0 < len(name.encode()) <= MAX_BYTES)
long_names = st.text(st.sampled_from('aZ_0é"ก🐘'), min_size=64, max_size=120)
suffixes = st.sampled_from(["", "_p20261101", "__new", "_not_here", "_ก", '_"'])


def read_ident(text: str) -> str:
    """What PostgreSQL's scanner makes of one quoted identifier, and of nothing else."""
    match = re.fullmatch(r'"((?:[^"]|"")+)"', text)
    assert match, f"{text!r} is not one quoted identifier"
    return match[1].replace('""', '"')


def read_literal(text: str, *, standard_conforming_strings: bool) -> str:
    """What PostgreSQL's scanner makes of one string literal, under either value of that setting."""
    escaped = text.startswith("E")
    body = text[2:-1] if escaped else text[1:-1]
    assert text[1 if escaped else 0] == text[-1] == "'"
    assert len(text) >= (3 if escaped else 2)
    found, position = [], 0
    while position < len(body):
        character = body[position]
        if character == "'" or (character == "\\" and (escaped or not standard_conforming_strings)):
            follower = body[position + 1 : position + 2]
            assert follower == character, f"{text!r} ends early, or holds an escape, at {position}"
            position += 1
        found.append(character)
        position += 1
    return "".join(found)


@pytest.mark.parametrize("name", HARD)
def test_hard_identifiers_are_read_as_they_were_meant(name: str) -> None:
    assert read_ident(ident(name)) == name


@given(names)
def test_a_quoted_identifier_is_read_back(name: str) -> None:
    assert read_ident(ident(name)) == name


@given(st.lists(names, min_size=1, max_size=4))
def test_several_identifiers_stay_apart(several: list[str]) -> None:
    found = re.findall(r'"(?:[^"]|"")+"(?:, |$)', idents(tuple(several)))
    assert [read_ident(one.removesuffix(", ")) for one in found] == several


@given(texts, st.booleans())
@example("\\", True)
@example("\\", False)
@example("it's\\'s", False)
@example("''", True)
@example("", True)
def test_a_literal_is_read_back_whatever_the_session_says(text: str, standard: bool) -> None:
    assert read_literal(literal(text), standard_conforming_strings=standard) == text


def test_a_literal_without_a_backslash_is_plain() -> None:
    assert literal("it's") == "'it''s'"
    assert literal("a\\b") == "E'a\\\\b'"


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 64, "ก" * 22])
def test_what_is_not_an_identifier_is_refused(name: str) -> None:
    with pytest.raises(DeclarationError):
        ident(name)


@pytest.mark.parametrize("name", ["x" * 63, "ก" * 21])
def test_63_bytes_are_allowed(name: str) -> None:
    assert read_ident(ident(name)) == name


def test_the_message_counts_bytes_not_characters() -> None:
    with pytest.raises(DeclarationError, match="has 66 bytes"):
        ident("ก" * 22)


def test_a_literal_holds_no_nul() -> None:
    with pytest.raises(DeclarationError, match="NUL"):
        literal("a\0b")


@given(names, names)
@example("public", "a.b")
@example('S"', '"')
@example("Öffentlich", "Straße")
def test_a_qualified_name_is_read_back_from_its_text_and_from_its_sql(schema: str, name: str) -> None:
    qualified = QualifiedName(schema, name)
    assert QualifiedName.parse(str(qualified)) == qualified
    assert QualifiedName.parse(qualified.sql) == qualified


@given(names)
def test_a_name_without_a_schema_gets_the_default_one(name: str) -> None:
    assert QualifiedName.parse(ident(name), "somewhere") == QualifiedName("somewhere", name)


@given(names, names, names, names)
@example("a", "b.c", "a.b", "c")
@example('a"', "b", "a", '"b')
def test_different_names_never_look_alike(schema: str, name: str, other_schema: str, other_name: str) -> None:
    one, other = QualifiedName(schema, name), QualifiedName(other_schema, other_name)
    assert (one == other) == (str(one) == str(other)) == (one.sql == other.sql)


def test_what_a_person_writes() -> None:
    assert QualifiedName.parse("messages", "app") == QualifiedName("app", "messages")
    assert QualifiedName.parse("messages", str.upper) == QualifiedName("MESSAGES", "messages")
    with pytest.raises(DeclarationError, match="names no schema"):
        QualifiedName.parse("messages")
    assert QualifiedName.parse("bots.messages") == QualifiedName("bots", "messages")
    assert QualifiedName.parse("Bots.Messages") == QualifiedName("Bots", "Messages"), "case is kept"
    assert QualifiedName.parse('bots."ta.ble"') == QualifiedName("bots", "ta.ble")
    assert QualifiedName.parse('"a""b".c') == QualifiedName('a"b', "c")


def test_plain_names_are_shown_without_quotes() -> None:
    assert str(QualifiedName("public", "messages")) == "public.messages"
    assert str(QualifiedName("public", "2x")) == 'public."2x"'
    assert str(QualifiedName("public", "ta ble")) == 'public."ta ble"'
    assert QualifiedName("public", "messages").sql == '"public"."messages"'


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a.b.c", '"a', 'a"', '""', '"a"b', 'a."b', '"a"."b"."c"', "x" * 64]
)
def test_what_is_not_a_table_name_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError):
        QualifiedName.parse(text)


def test_a_sibling_shares_the_schema() -> None:
    assert QualifiedName("S", "t").sibling("u") == QualifiedName("S", "u")


@given(st.one_of(names, long_names), suffixes)
def test_a_fitted_name_has_at_most_63_bytes_and_keeps_its_suffix(stem: str, suffix: str) -> None:
    fitted = fit(stem, suffix)
    assert len(fitted.encode()) <= MAX_BYTES
    assert fitted.endswith(suffix)
    ident(fitted)


@given(st.one_of(names, long_names), suffixes)
def test_a_name_is_shortened_only_where_it_must_be_and_between_characters(stem: str, suffix: str) -> None:
    fitted = fit(stem, suffix)
    if len((stem + suffix).encode()) <= MAX_BYTES:
        assert fitted == stem + suffix
        return
    match = re.fullmatch(r"(.*)_[0-9a-f]{6}", fitted.removesuffix(suffix) if suffix else fitted, re.DOTALL)
    assert match
    assert stem.startswith(match[1])
    lost = stem[len(match[1])]
    assert len((fitted + lost).encode()) > MAX_BYTES, "one more character would have had room"


@given(long_names, st.text(st.sampled_from("abก"), min_size=1), st.text(st.sampled_from("abก"), min_size=1), suffixes)
def test_long_names_that_begin_alike_stay_apart(stem: str, one: str, other: str, suffix: str) -> None:
    assume(one != other)
    assert fit(stem + one, suffix) != fit(stem + other, suffix)


def test_a_fitted_name_is_the_same_on_every_day() -> None:
    assert fit("m" * 70, "__new") == "m" * 51 + "_d05322__new"
    assert fit("messages", "__new") == "messages__new"
