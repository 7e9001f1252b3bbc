"""The files in sql/: find one, render it for a schema, split it into statements."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from schema_kit.steps.partitions import CONFIG_SCHEMA


@cache
def load(name: str, schema: str = CONFIG_SCHEMA) -> tuple[str, ...]:
    """The statements of ``sql/<name>``, each as it is written there.

    Args:
        name: the path below sql/.
        schema: what ``@schema@`` stands for.
    """
    from sqlglot import exp

    text = (_folder() / name).read_text(encoding="utf-8")
    return split(text.replace("@schema@", exp.to_identifier(schema, quoted=True).sql("postgres")))


def split(text: str) -> tuple[str, ...]:
    """Cut a script at its semicolons: not those in literals, comments, parentheses, or BEGIN ATOMIC ... END."""
    from sqlglot import TokenType
    from sqlglot.dialects.postgres import Postgres

    statements, begin, last, parentheses, bodies = [], None, 0, 0, 0
    tokens = Postgres().tokenize(text)
    for token, following in zip(tokens, [*tokens[1:], None], strict=False):
        word = token.text.upper() if token.token_type is not TokenType.STRING else ""
        parentheses += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if (word == "BEGIN" and following and following.text.upper() == "ATOMIC") or (bodies and word == "CASE"):
            bodies += 1
        elif bodies and word == "END":
            bodies -= 1
        if token.token_type is TokenType.SEMICOLON and not parentheses and not bodies:
            if begin is not None:
                statements.append(text[begin : last + 1])
            begin = None
            continue
        begin = token.start if begin is None else begin
        last = token.end
    if begin is not None:
        statements.append(text[begin : last + 1])
    return tuple(statements)


def _folder() -> Path:
    installed = Path(__file__).parent / "_sql"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "sql"
