"""An object store by its own protocol: no fsync, no links, no locks. Skipped where moto or s3fs are not installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cli import ROOT, command
from tests.support.database import Database
from tests.support.files import build, everything, places

pytestmark = pytest.mark.files

moto = pytest.importorskip("moto.server", reason="an S3 server comes with moto[s3], flask and flask-cors")
s3fs = pytest.importorskip("s3fs")


@pytest.fixture(scope="module")
def bucket() -> Iterator[dict[str, str]]:
    """A server on 127.0.0.1, and the environment in which it is found."""
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
        }
    finally:
        server.stop()


def call(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        cwd=ROOT,
        env=os.environ | environment | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


def objects(environment: dict[str, str], *then: str) -> list[str]:
    """What is in the store, seen by another process; before that, what is done there."""
    program = "import json, s3fs\nfs = s3fs.S3FileSystem()\n" + "\n".join(then)
    program += "\nprint(json.dumps(sorted(fs.find('archive')) if fs.exists('archive') else []))"
    done = call(environment, sys.executable, "-c", program)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.fixture
def store(bucket: dict[str, str]) -> Iterator[dict[str, str]]:
    assert objects(bucket, "fs.mkdir('archive')") == []
    yield bucket
    objects(bucket, "fs.rm('archive', recursive=True)")


def one_place(database: Database, store: dict[str, str], before: list[tuple[Any, ...]], form: str = "parquet") -> None:
    out = call(store, *command(database, "archive", *EXPORT, "--as", form))
    assert out.returncode == 0, out.stderr
    assert places(database) == [("s.t_01", True, False)]
    beside = [f"archive/months/s.t_01.{form}.json"] * (form == "copy")
    assert objects(store) == [f"archive/months/s.t_01.{form}", *beside]
    assert call(store, *command(database, "archive", "files", "--verify")).returncode == 0
    assert call(store, *command(database, "archive", "import", "--manifest", "s.t")).returncode == 0
    assert everything(database) == before


EXPORT = ("export", "s.t_01", "--to", "s3://archive/months", "--drop", "--yes")


@pytest.mark.parametrize("form", ["parquet", "copy"])
def test_out_and_back(database: Database, store: dict[str, str], form: str) -> None:
    one_place(database, store, everything(build(database)), form)


@pytest.mark.parametrize("call_", ["writing", "digest", "publish"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed(database: Database, store: dict[str, str], call_: str, when: str) -> None:
    """What it leaves under a name of its own is taken for nothing."""
    before = everything(build(database))
    program = f"""
import os, signal, sys
from contextlib import contextmanager
from schema_kit.files.store import Store
own = Store.{call_}
dies = lambda when: when == {when!r} and os.kill(os.getpid(), signal.SIGKILL)
def replaced(*a):
    dies("before")
    found = own(*a)
    dies("after")
    return found
@contextmanager
def around(*a):
    with own(*a) as found:
        yield found
        dies("before")
    dies("after")
Store.{call_} = around if {call_!r} == "writing" else replaced
from schema_kit.cli import main
main()
"""
    killed = call(store, sys.executable, "-c", program, *command(database, "archive", *EXPORT)[3:])
    assert killed.returncode == -9, killed.stderr
    assert database.sql("SELECT count(*) FROM s.t_01") == [(31,)]
    objects(store, "[fs.rm(f) for f in fs.find('archive') if f.endswith('.partial')]")
    one_place(database, store, before)


def test_a_name_that_is_taken(database: Database, store: dict[str, str]) -> None:
    build(database)
    objects(store, "fs.pipe('archive/months/s.t_01.parquet', b'another')")
    refused = call(store, *command(database, "archive", *EXPORT))
    assert refused.returncode == 3
    assert "damaged or no Parquet file" in refused.stderr
    assert objects(store) == ["archive/months/s.t_01.parquet"]
    assert database.sql("SELECT count(*) FROM s.t") == [(90,)]


def test_truncated_there(database: Database, store: dict[str, str]) -> None:
    build(database)
    assert call(store, *command(database, "archive", *EXPORT)).returncode == 0
    objects(store, "f = 'archive/months/s.t_01.parquet'; fs.pipe(f, fs.cat(f)[:-9])")
    refused = call(store, *command(database, "archive", "import", "--manifest", "s.t"))
    assert refused.returncode == 3
    assert "s.t_01.parquet was truncated" in refused.stderr


@pytest.mark.parametrize(
    ("changes", "destination", "words"),
    [
        ({}, "s3://none/months", "cannot write s3://none/months/s.t_01.parquet"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "s3://archive/months", "cannot look for s3://archive/months"),
    ],
)
def test_a_store_that_is_not_there(
    database: Database, store: dict[str, str], changes: dict[str, str], destination: str, words: str
) -> None:
    before = everything(build(database))
    more = {"AWS_MAX_ATTEMPTS": "1"}
    refused = call(
        store | changes | more,
        *command(database, "archive", "export", "s.t_01", "--to", destination, "--drop", "--yes"),
    )
    assert refused.returncode == 1
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    assert (
        database.sql("SELECT count(*) FROM schema_kit.archive_file") == [(0,)] if words.startswith("cannot w") else True
    )
    one_place(database, store, before)
