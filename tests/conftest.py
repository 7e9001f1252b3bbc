"""One server for the whole run, on the programs that SCHEMA_KIT_PG_BIN or the embedded wheel gives."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from schema_kit import embedded

_FOLDER: list[Path] = []
_SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_connections": "200", "max_prepared_transactions": "10"}


def pytest_configure(config: pytest.Config) -> None:
    """Start the server in the controller alone; xdist's workers are told where it is."""
    told = getattr(config, "workerinput", {}).get("postgresql")
    if told is None and not hasattr(config, "workerinput") and _needs_server(config):
        told = _start()
    if told:
        config.option.postgresql_host, config.option.postgresql_port = told
        config.option.postgresql_user = "postgres"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where the server is."""
    option = node.config.option
    if _FOLDER:
        node.workerinput["postgresql"] = (option.postgresql_host, option.postgresql_port)


def pytest_unconfigure() -> None:
    """Stop what was started here."""
    while _FOLDER:
        folder = _FOLDER.pop()
        embedded.stop(folder / "pg")
        shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What stands under tests/postgres/ needs a server."""
    for item in items:
        if item.path.parent.name == "postgres":
            item.add_marker(pytest.mark.postgres)


def _needs_server(config: pytest.Config) -> bool:
    named = bool(config.option.postgresql_host)
    return not named and not all("pure" in str(argument) for argument in config.args)


def _start() -> tuple[str, str]:
    shm = Path("/dev/shm")  # noqa: S108 - a RAM disk, where there is one
    roomy = shm.is_dir() and os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > 2_000_000_000
    folder = Path(tempfile.mkdtemp(prefix="sk-", dir=shm if roomy else None))
    folder.chmod(0o755)  # as root, the server runs as another user
    _FOLDER.append(folder)
    server = embedded.start(folder / "pg", quiet=True, settings=_SETTINGS)
    return str(server.socket_dir), str(server.port)
