"""How long lint takes: ``python -m tests.benchmarks.lint --revisions 300``.

Writes a history of revisions of all kinds, runs it plainly, judges all of it, then the newest one alone: without and
with the template of the state before it, once and with a second run. Exits with 1 where lint takes more than its share.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from schema_kit.lint import judge, run
from schema_kit.lint.server import Scratch
from tests.support.lint import Project

KINDS = (
    "op.create_table('t{i}', sa.Column('id', sa.Integer, primary_key=True), sa.Column('x', sa.Integer), "
    "sa.Column('s', sa.String(20)), sa.Column('up', sa.Integer, sa.ForeignKey('t0.id')))",
    "op.create_index('ix{i}', 't{t}', ['x'])",
    "op.add_column('t{t}', sa.Column('c{i}', sa.Integer, nullable=True))",
    "op.add_column('t{t}', sa.Column('d{i}', sa.Integer, nullable=False, server_default='0'))",
    "op.create_check_constraint('k{i}', 't{t}', 'x > -{i}')",
    "with op.get_context().autocommit_block():\n"
    "    op.create_index('cx{i}', 't{t}', ['s'], postgresql_concurrently=True, if_not_exists=True)",
    "op.execute('UPDATE t{t} SET x = {i}')",
    'op.execute("DO $$ BEGIN ALTER TABLE t{t} ALTER s TYPE text; END $$")',
    "kit.create_index_concurrently('kx{i}', 't{t}', ['x', 's'])",
    "op.create_unique_constraint('u{i}', 't{t}', ['id', 'x'])",
    "op.execute('CREATE VIEW v{i} AS SELECT id FROM t{t}')",
    "op.bulk_insert(sa.table('t{t}', sa.column('id'), sa.column('x')), [dict(id={i}, x=1)])",
)
Timed = TypeVar("Timed")


def history(folder: Path, url: str, count: int) -> Project:
    project = Project.new(folder, url)
    first = "op.create_table('t0', sa.Column('id', sa.Integer, primary_key=True), sa.Column('x', sa.Integer), "
    project.revision("r0", first + "sa.Column('s', sa.String(20)))")
    newest = 0
    for i in range(1, count):
        body = KINDS[i % len(KINDS)].format(i=i, t=newest)
        newest = i if i % len(KINDS) == 0 else newest
        project.revision(f"r{i}", body, below=f"r{i - 1}")
    return project


def timed(what: str, work: Callable[[], Timed]) -> tuple[float, Timed]:
    began = time.monotonic()
    done = work()
    seconds = time.monotonic() - began
    print(f"{what:60} {seconds:7.2f} s", flush=True)
    return seconds, done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--revisions", type=int, default=300)
    parser.add_argument("--url", help="a scratch server")
    given = parser.parse_args()
    scratch = Scratch.start(given.url)
    url = scratch.admin.set(drivername="postgresql").render_as_string(hide_password=False)
    with tempfile.TemporaryDirectory() as folder:
        project = history(Path(folder, "p"), url, given.revisions)
        newest = f"r{given.revisions - 1}"
        empty = scratch.template("0" * 24, lambda _: None)
        with scratch.copy(empty) as name:
            plain, ran = timed("plain run", lambda: run.bring(project.config, scratch.url(name), "head"))
            assert ran.error is None, ran.error
        watched, report = timed("all judged", lambda: project.judge(since="base", twice=False))
        print(
            f"{len(report.findings)} findings in {len(report.revisions)} revisions, {len(report.unjudged)} not judged"
        )
        timed("the newest, and the template before it", lambda: judge(project.config, [newest], url=url))
        once, _ = timed("the newest, once", lambda: project.judge(newest, twice=False))
        twice, _ = timed("the newest, with a second run and back", lambda: project.judge(newest))
    print(f"all judged: {watched / plain:.1f} times the plain run (5 at most)")
    sys.exit(int(watched > 5 * plain or once > 1 or twice > 3 or bool(report.unjudged)))


if __name__ == "__main__":
    main()
