"""One server for the whole run, on the programs that SCHEMA_KIT_PG_BIN or the embedded wheel gives.

The first test that asks for it starts it, whichever process that test runs in: a run without such a test has none.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from schema_kit import embedded

# Each run tries the same examples, however long they take on a busy machine: --hypothesis-profile=others tries others.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("others", deadline=None)
settings.load_profile("same")

_FOLDER = pytest.StashKey[Path]()
_SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_connections": "200", "max_prepared_transactions": "10"}


def pytest_configure(config: pytest.Config) -> None:
    """Say where the server's folder is: xdist's workers take that of the controller, which removes it."""
    told = getattr(config, "workerinput", {}).get("folder")
    config.stash[_FOLDER] = Path(told) if told else _new_folder()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where that folder is."""
    node.workerinput["folder"] = str(node.config.stash[_FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server after the last worker."""
    folder = config.stash[_FOLDER]
    if not hasattr(config, "workerinput"):
        if (folder / "pg").exists():
            embedded.stop(folder / "pg")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What uses the server needs it; of a test with many points, a run tries the first and the last."""
    points: dict[tuple[str, str], list[pytest.Item]] = {}
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        if isinstance(item, pytest.Function) and "running_server" in item.fixturenames:
            item.add_marker(pytest.mark.postgres)
            if not marks & {"exhaustive", "deep", "chaos"}:
                points.setdefault((item.nodeid.partition("[")[0], "further"), []).append(item)
        if "exhaustive" in marks and not marks & {"deep", "chaos", "projects"}:
            points.setdefault((item.nodeid.partition("[")[0], "deep"), []).append(item)
    for (_, left), found in points.items():
        for number, item in enumerate(found[1:-1]):
            item.add_marker(left)
            item.add_marker("odd" if number % 2 else "even")


@pytest.fixture(scope="session")
def running_server(pytestconfig: pytest.Config) -> None:
    """The server that --postgresql-host names, or that of this run: started here, if it is not yet."""
    option = pytestconfig.option
    if not option.postgresql_host:
        server = embedded.start(pytestconfig.stash[_FOLDER] / "pg", quiet=True, settings=_SETTINGS)
        option.postgresql_host, option.postgresql_port = str(server.socket_dir), str(server.port)
        option.postgresql_user = "postgres"


def _new_folder() -> Path:
    shm = Path("/dev/shm")  # noqa: S108 - a RAM disk, where there is one
    roomy = shm.is_dir() and os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > 2_000_000_000
    folder = Path(tempfile.mkdtemp(prefix="sk-", dir=shm if roomy else None))
    folder.chmod(0o755)  # as root, the server runs as another user
    return folder
