"""A statement of SQL -> the call of our operation that does the same. Pure; its tokens are those of sqlglot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sqlglot import TokenType
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import SqlglotError

from schema_kit.lint.instead import CALLS, named
from schema_kit.sqlscripts import split


class CannotRewrite(Exception):
    """Why a statement or a call stays as it is."""


def quoted(text: str) -> str:
    """Return a text as Python spells it."""
    return f'"{text}"' if not re.search(r'["\\\n]', text) and text.isprintable() else repr(text)


def listed(names: list[str]) -> str:
    """Return names as a list of Python."""
    return f"[{', '.join(map(quoted, names))}]"


def calls(sql: str, op: str, sa: str) -> list[str]:
    """Return the calls that do what the statements of a text do.

    Args:
        sql: one statement or several.
        op: what the operations' module is called.
        sa: what SQLAlchemy is called.

    Raises:
        CannotRewrite: one of them has no counterpart.
    """
    if re.search(r"--|/\*", re.sub(r"'(?:[^']|'')*'", "", sql)):
        raise CannotRewrite("its SQL holds a comment, which would be lost")
    found = list[str]()
    for statement in split(sql) or (sql,):
        for one in _actions(_Skeleton.of(statement)):
            name, why = named(one.text)
            if name not in _WRITERS:
                raise CannotRewrite(
                    f"no operation of schema_kit does it{f'; {why} does, in another way' if why else ''}"
                )
            found.append(f"{op}.{CALLS[name]}({', '.join(_WRITERS[name](one, sa))})")
    return found


@dataclass(frozen=True)
class _Skeleton:
    """A statement in which what stands in parentheses, and each string, is a number."""

    text: str
    parts: list[list[str]] = field(default_factory=list)

    @classmethod
    def of(cls, sql: str) -> _Skeleton:
        if re.match(
            r"\s*(REINDEX|REFRESH|VACUUM|CLUSTER)\b", sql, re.IGNORECASE
        ):  # sqlglot leaves the rest of these in one piece
            return cls(" ".join(sql.split()).rstrip("; "))
        try:
            tokens = Postgres().tokenize(sql)
        except SqlglotError as error:
            raise CannotRewrite("its SQL cannot be read") from error
        text, parts, depth, start = "", list[list[str]](), 0, 0
        for token in tokens:
            raw = sql[token.start : token.end + 1]
            if token.token_type is TokenType.L_PAREN:
                depth += 1
                if depth == 1:
                    parts.append([])
                    start = token.end + 1
            elif token.token_type is TokenType.R_PAREN:
                depth -= 1
                if depth == 0:
                    parts[-1].append(sql[start : token.start].strip())
                    text += f" (\x00{len(parts) - 1})"
            elif depth == 1 and token.token_type is TokenType.COMMA:
                parts[-1].append(sql[start : token.start].strip())
                start = token.end + 1
            elif depth == 0:
                if raw.startswith(("'", "$", "E'", "e'")):
                    parts.append([raw])
                    raw = f"\x01{len(parts) - 1}"
                tight = token.token_type in (TokenType.DOT, TokenType.COMMA, TokenType.DCOLON, TokenType.SEMICOLON)
                text += raw if tight or text.endswith((".", "::")) else f" {raw}"
        if depth:
            raise CannotRewrite("its SQL cannot be read")
        return cls(text.strip().rstrip("; "), parts)

    def sql(self, text: str) -> str:
        """Return a part of the text with everything back in its place."""
        whole = re.sub(r"\(\x00(\d+)\)", lambda found: f"({', '.join(self.parts[int(found[1])])})", text)
        whole = re.sub(r"\x01(\d+)", lambda found: self.parts[int(found[1])][0], whole)
        is_call = not re.search(r"\b(IN|AND|OR|NOT) \(", whole, re.IGNORECASE)
        return re.sub(r"(\w) \(", r"\1(", whole) if is_call else whole

    def match(self, pattern: str) -> re.Match[str]:
        found = re.fullmatch(_spelled(pattern), self.text, re.IGNORECASE | re.DOTALL)
        if found is None:
            raise CannotRewrite("its SQL says more than the operation takes")
        return found

    def string(self, number: str) -> str:
        """Return the value of a string."""
        (raw,) = self.parts[int(number)]
        if not raw.startswith("'") or "\\" in raw:
            raise CannotRewrite("its SQL holds a string that is spelled in an unusual way")
        return raw[1:-1].replace("''", "'")

    def names(self, number: str | None) -> list[str]:
        """Identifiers in parentheses."""
        return [name(one) for one in self.parts[int(number)]] if number else []


_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_]\w*)'


def _spelled(pattern: str) -> str:
    """Return a pattern in which ``{t}`` is a name with or without a schema, ``{n}`` a name, ``{g}`` parentheses."""
    for short, long in (("{t}", rf"{_NAME}(?:\.{_NAME})?"), ("{n}", _NAME), ("{g}", r"\(\x00(?:\d+)\)")):
        pattern = pattern.replace(short, long)
    return pattern


def name(text: str) -> str:
    """Return an identifier as the catalog has it."""
    if text.startswith('"'):
        return text[1:-1].replace('""', '"')
    if not re.fullmatch(r"\w+", text):
        raise CannotRewrite(f"{text} is an expression")
    return text.lower()


def _number(text: str | None) -> str | None:
    return re.sub(r"\D", "", text) if text else None


def _table(text: str, keyword: str = "schema") -> tuple[str, list[str]]:
    """Return a table as an argument, and the keyword for its schema."""
    *schema, table = re.findall(_NAME, text)
    return quoted(name(table)), [f"{keyword}={quoted(name(one))}" for one in schema]


def _actions(one: _Skeleton) -> Iterator[_Skeleton]:
    """Yield each action of an ALTER TABLE as a statement of its own."""
    found = re.match(_spelled(r"(ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{t}) (.*)"), one.text, re.IGNORECASE | re.DOTALL)
    if found is None:
        yield one
        return
    for action in found[2].split(","):
        yield _Skeleton(f"{found[1]} {action.strip()}", one.parts)


_ALTER = r"ALTER TABLE (?:ONLY )?(?P<table>{t}) "
_NAMED = _ALTER + r"ADD (?:CONSTRAINT (?P<name>{n}) )?"


def _create_index(one: _Skeleton, sa: str) -> list[str]:
    found = one.match(
        r"CREATE (?P<unique>UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?(?P<name>{n}) ON (?P<table>{t})"
        r"(?: USING (?P<using>\w+))? (?P<columns>{g})(?: INCLUDE (?P<include>{g}))?(?P<nulls> NULLS NOT DISTINCT)?"
        r"(?: WITH (?P<with>{g}))?(?: TABLESPACE (?P<space>{n}))?(?: WHERE (?P<where>.*))?"
    )
    table, schema = _table(found["table"])
    columns = list[str]()
    for text in one.parts[int(_number(found["columns"]) or 0)]:
        plain = re.fullmatch(r'[a-z_]\w*|"(?:[^"]|"")+"', text)
        columns.append(quoted(name(text)) if plain else f"{sa}.text({quoted(text)})")
    more = [*schema, *(["unique=True"] if found["unique"] else [])]
    if found["using"]:
        more.append(f"postgresql_using={quoted(found['using'].lower())}")
    if found["where"]:
        more.append(f"postgresql_where={sa}.text({quoted(one.sql(found['where']))})")
    if found["include"]:
        more.append(f"postgresql_include={listed(one.names(_number(found['include'])))}")
    if found["nulls"]:
        more.append("postgresql_nulls_not_distinct=True")
    if found["with"]:
        pairs = [text.partition("=") for text in one.parts[int(_number(found["with"]) or 0)]]
        more.append(
            f"postgresql_with={{{', '.join(f'{quoted(k.strip())}: {quoted(v.strip())}' for k, _, v in pairs)}}}"
        )
    if found["space"]:
        more.append(f"postgresql_tablespace={quoted(name(found['space']))}")
    return [quoted(name(found["name"])), table, f"[{', '.join(columns)}]", *more]


def _of_one(pattern: str) -> Callable[[_Skeleton, str], list[str]]:
    """Return how a call is written whose only argument is what the statement names."""

    def written(one: _Skeleton, _: str) -> list[str]:
        name, schema = _table(one.match(pattern)["table"])
        return [name, *schema]

    return written


def _reindex(one: _Skeleton, _: str) -> list[str]:
    found = one.match(r"REINDEX (?P<what>TABLE|INDEX) (?:CONCURRENTLY )?(?P<table>{t})")
    of, schema = _table(found["table"])
    return [f"table_name={of}" if found["what"].upper() == "TABLE" else of, *schema]


def _foreign_key(one: _Skeleton, _: str) -> list[str]:
    action = r"(?:CASCADE|RESTRICT|NO ACTION|SET NULL|SET DEFAULT)"
    found = one.match(
        _NAMED
        + r"FOREIGN KEY (?P<local>{g}) REFERENCES (?P<other>{t}) (?P<remote>{g})(?: MATCH (?P<match>FULL|SIMPLE))?"
        rf"(?: ON DELETE (?P<del1>{action}))?(?: ON UPDATE (?P<update>{action}))?(?: ON DELETE (?P<del2>{action}))?"
        r"(?P<deferrable> DEFERRABLE)?(?: INITIALLY (?P<initially>DEFERRED|IMMEDIATE))?(?P<unproved> NOT VALID)?"
    )
    table, schema = _table(found["table"], "source_schema")
    other, other_schema = _table(found["other"], "referent_schema")
    more = [*schema, *other_schema]
    for keyword, value in (
        ("match", found["match"]),
        ("ondelete", found["del1"] or found["del2"]),
        ("onupdate", found["update"]),
        ("initially", found["initially"]),
    ):
        more += [f"{keyword}={quoted(value.upper())}"] if value else []
    more += ["deferrable=True"] if found["deferrable"] else []
    more += ["postgresql_not_valid=True"] if found["unproved"] else []
    columns = [listed(one.names(_number(found[part]))) for part in ("local", "remote")]
    return [_named(found["name"]), table, other, *columns, *more]


def _named(text: str | None) -> str:
    return quoted(name(text)) if text else "None"


def _check(one: _Skeleton, _: str) -> list[str]:
    found = one.match(_NAMED + r"CHECK (?P<what>{g})(?P<unproved> NOT VALID)?")
    table, schema = _table(found["table"])
    what = ", ".join(one.parts[int(_number(found["what"]) or 0)])
    more = ["postgresql_not_valid=True"] if found["unproved"] else []
    return [_named(found["name"]), table, quoted(what), *schema, *more]


def _key(one: _Skeleton, _: str) -> list[str]:
    found = one.match(_NAMED + r"(?:UNIQUE|PRIMARY KEY) (?P<columns>{g})(?: INCLUDE (?P<include>{g}))?")
    table, schema = _table(found["table"])
    include = one.names(_number(found["include"]))
    more = [f"postgresql_include={listed(include)}"] if include else []
    return [_named(found["name"]), table, listed(one.names(_number(found["columns"]))), *schema, *more]


def _not_null(one: _Skeleton, _: str) -> list[str]:
    found = one.match(_ALTER + r"ALTER (?:COLUMN )?(?P<column>{n}) SET NOT NULL")
    table, schema = _table(found["table"])
    return [table, quoted(name(found["column"])), *schema]


def _constraint(one: _Skeleton, _: str) -> list[str]:
    found = one.match(_ALTER + r"(?:VALIDATE CONSTRAINT|DROP CONSTRAINT(?: IF EXISTS)?) (?P<name>{n})(?: RESTRICT)?")
    table, schema = _table(found["table"])
    return [quoted(name(found["name"])), table, *schema]


def _detach(one: _Skeleton, _: str) -> list[str]:
    found = one.match(_ALTER + r"DETACH PARTITION (?P<part>{t})(?: CONCURRENTLY)?")
    table, schema = _table(found["table"])
    part, own = _table(found["part"], "partition_schema")
    return [table, part, *schema, *own]


def _enum_value(one: _Skeleton, _: str) -> list[str]:
    found = one.match(
        r"ALTER TYPE (?P<type>{t}) ADD VALUE (?:IF NOT EXISTS )?\x01(?P<value>\d+)"
        r"(?: (?P<side>BEFORE|AFTER) \x01(?P<other>\d+))?"
    )
    type_, schema = _table(found["type"])
    more = [f"{found['side'].lower()}={quoted(one.string(found['other']))}"] if found["side"] else []
    return [type_, quoted(one.string(found["value"])), *schema, *more]


_TYPES = {
    "int": "Integer", "integer": "Integer", "bigint": "BigInteger", "smallint": "SmallInteger", "text": "Text",
    "uuid": "Uuid", "boolean": "Boolean", "date": "Date", "real": "REAL", "double precision": "Double",
    "timestamp": "DateTime", "timestamptz": "DateTime(timezone=True)", "numeric": "Numeric",
    "timestamp with time zone": "DateTime(timezone=True)", "varchar": "String", "character varying": "String",
}  # fmt: skip


def _add_column(one: _Skeleton, sa: str) -> list[str]:
    found = one.match(
        _ALTER + r"ADD COLUMN (?:IF NOT EXISTS )?(?P<column>{n}) (?P<type>[A-Za-z]+(?: [a-z]+)*?)(?P<width> {g})?"
        r"(?P<null1> NOT NULL)?(?: DEFAULT (?P<default>.*?))?(?P<null2> NOT NULL)?"
    )
    table, schema = _table(found["table"])
    type_ = _TYPES.get(found["type"].lower())
    width = one.parts[int(_number(found["width"]) or 0)] if found["width"] else []
    if type_ is None or (width and type_ not in ("String", "Numeric")):
        raise CannotRewrite(f"its type {found['type']} has no plain word in SQLAlchemy")
    spelled = f"{sa}.{type_}({', '.join(width)})" if width else f"{sa}.{type_}"
    if re.search(r"\b(CHECK|UNIQUE|PRIMARY|REFERENCES|CONSTRAINT|COLLATE)\b", found["default"] or "", re.IGNORECASE):
        raise CannotRewrite("it adds a constraint along with the column")
    more = [f"server_default={sa}.text({quoted(one.sql(found['default']))})"] if found["default"] else []
    if found["null1"] or found["null2"]:
        if not more:
            raise CannotRewrite("it is NOT NULL without a default")
        more.append("nullable=False")
    return [table, f"{sa}.Column({', '.join([quoted(name(found['column'])), spelled, *more])})", *schema]


def _update(one: _Skeleton, sa: str) -> list[str]:
    found = one.match(r"UPDATE (?P<table>{t}) SET (?P<set>.*?)(?: WHERE (?P<where>.*))?")
    if re.search(r"\b(FROM|RETURNING|CURRENT\s+OF)\b", one.text, re.IGNORECASE):
        raise CannotRewrite("it updates from other tables, or returns rows")
    table, schema = _table(found["table"])
    values = list[str]()
    for assignment in found["set"].split(","):
        column, equals, value = assignment.strip().partition(" = ")
        if not equals or not re.fullmatch(_NAME, column):
            raise CannotRewrite("it assigns several columns at once")
        values.append(f"{quoted(name(column))}: {sa}.text({quoted(one.sql(value.strip()))})")
    where = [f"where={quoted(one.sql(found['where']))}"] if found["where"] else []
    return [table, f"{{{', '.join(values)}}}", *schema, *where]


_WRITERS: dict[str, Callable[[_Skeleton, str], list[str]]] = {
    "create_index": _create_index,
    "drop_index": _of_one(r"DROP INDEX (?:CONCURRENTLY )?(?:IF EXISTS )?(?P<table>{t})"),
    "reindex": _reindex,
    "refresh": _of_one(r"REFRESH MATERIALIZED VIEW (?P<table>{t})(?: WITH DATA)?"),
    "create_foreign_key": _foreign_key,
    "create_check_constraint": _check,
    "create_unique_constraint": _key,
    "create_primary_key": _key,
    "set_not_null": _not_null,
    "validate": _constraint,
    "drop_constraint": _constraint,
    "detach": _detach,
    "add_enum_value": _enum_value,
    "add_column": _add_column,
    "update": _update,
}
