"""URLs as others write them: libpq's own forms, other drivers' parameters; and how messages show them."""

from __future__ import annotations

import psycopg
import pytest
import sqlalchemy as sa

from schema_kit import environment
from schema_kit.errors import DeclarationError, ExecutionError
from schema_kit.url import database_url, shown

pytestmark = [pytest.mark.cli, pytest.mark.libraries]

SAME = {
    "postgres://u:p@h/d": {"host": "h"},
    " postgresql://u:p@h/d\n": {"host": "h"},
    "postgresql+psycopg2://u:p@h/d?options=-csearch_path%3Dx": {"host": "h", "options": "-csearch_path=x"},
    "postgresql://u:p@h1:1,h2:2/d": {"host": "h1,h2", "port": "1,2"},
    "postgresql://u:p@h1:1,h2/d": {"host": "h1,h2", "port": "1,"},
    "postgresql://u:p@h1,h2:2/d?sslmode=require": {"host": "h1,h2", "port": ",2", "sslmode": "require"},
    "postgresql://u:p@h1,h2/d": {"host": "h1,h2"},
    "postgresql://u:p@/d?host=h1:1&host=h2:2": {"host": "h1,h2", "port": "1,2"},
    "postgresql+asyncpg://u:p@h/d?ssl=true&timeout=4&command_timeout=9": {
        "host": "h",
        "sslmode": "require",
        "connect_timeout": "4",
    },
    "postgresql+asyncpg://u:p@h/d?ssl=verify-full&prepared_statement_cache_size=0&max_cached_statement_lifetime=0": {
        "host": "h",
        "sslmode": "verify-full",
    },
}


@pytest.mark.parametrize("text", SAME)
def test_libpq_is_given_what_it_means(text: str) -> None:
    url = database_url(text)
    dialect = url.get_dialect()()
    positional, given = dialect.create_connect_args(url)
    read = psycopg.conninfo.conninfo_to_dict(*positional, **{k: v for k, v in given.items() if k != "context"})
    assert {key: str(value) for key, value in read.items()} == {"user": "u", "password": "p", "dbname": "d"} | SAME[
        text
    ]


@pytest.mark.parametrize("password", ["a,b:1", "a,b", "p%2Cq:5", "x:1,y:2"])
def test_a_password_is_not_a_list_of_hosts(password: str) -> None:
    url = database_url(f"postgresql://u:{password}@h/d")
    assert (url.host, url.password) == ("h", sa.make_url(f"postgresql://u:{password}@h/d").password)


@pytest.mark.parametrize("text", ["postgresql://u:secret@h/d", "postgresql://u@h/d?password=secret&sslpassword=secret"])
def test_no_password_is_shown(text: str) -> None:
    assert "secret" not in shown(database_url(text))


@pytest.mark.parametrize(
    "text", ["postgresql://h:x/d", "postgresql://h1:1,h2:x/d", "host=h dbname=d", "'postgresql://h/d'"]
)
def test_what_cannot_be_read_is_a_sentence(text: str) -> None:
    with pytest.raises((DeclarationError, ExecutionError)), environment.connect(database_url(text)):
        raise AssertionError


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/d?nonsense=1", "postgresql+asyncpg://127.0.0.1:1/d?loop=1"])
def test_a_parameter_that_libpq_lacks_is_not_the_servers_fault(url: str) -> None:
    with (
        pytest.raises(ExecutionError, match=r"parameters of a URL are libpq's") as refused,
        environment.connect(database_url(url)),
    ):
        raise AssertionError
    assert "is the server running" not in str(refused.value)
