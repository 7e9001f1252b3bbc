"""One round: a scenario on a generated table, disturbed; then once more, quietly; and what is not as it must be."""

from __future__ import annotations

import json
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from schema_kit.names import QualifiedName
from tests.chaos import catalog
from tests.chaos.beginnings import AFTER, operate
from tests.chaos.client import Client
from tests.chaos.disturbance import Disturbance, Others, quietly
from tests.chaos.habits import HABITS
from tests.chaos.ledger import EACH, WRITERS, Ledger
from tests.chaos.readers import Reader
from tests.chaos.scenarios import Scenario
from tests.chaos.server import Server
from tests.chaos.sessions import connect, odd_settings
from tests.chaos.tables import BEFORE, SPAN, Shape, generated
from tests.chaos.watcher import Watcher
from tests.chaos.writers import Writer

SEED, MINUTES = "SCHEMA_KIT_CHAOS_SEED", "SCHEMA_KIT_CHAOS_MINUTES"
DAY = 86_400
PLACES = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'who'
WHERE c.relnamespace = 'chaos'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""
"""Wherever rows may be: what is left over holds them twice."""


@dataclass
class Round:
    """What came of one: problems by kind, figures, and the story of the run."""

    problems: list[tuple[str, str]] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    story: list[str] = field(default_factory=list)

    def wrong(self, kind: str, *texts: str) -> None:
        self.problems += [(kind, text) for text in texts]


@dataclass
class _Scene:
    """A scenario with its table, in a database."""

    scenario: Scenario
    shape: Shape
    url: str

    @property
    def own(self) -> QualifiedName:
        return QualifiedName.parse(self.shape.table)

    def text(self, template: str) -> str:
        """Names, and the moment from which on rows stay, put in."""
        first = ", ".join(f"'{self.shape.id(number)}'" for number in range(EACH * WRITERS))
        cut = self.shape.at(SPAN + DAY - (int(AFTER.split()[0]) - 2) * DAY)[0]
        words = {"t": self.shape.table, "n": self.own.name, "recent": f"at >= '{cut}'", "first": first}
        for word, text in words.items():
            template = template.replace(f"{{{word}}}", text)
        return template

    @property
    def commands(self) -> list[tuple[str, ...]]:
        found = [tuple(self.text(word) for word in command) for command in self.scenario.commands]
        return [
            (*command, "--encoding", self.shape.encoding) if "--control" in command else command for command in found
        ]

    def begin(self) -> Ledger:
        """Table, rows, policy."""
        ledger = Ledger(self.shape)
        with connect(self.url) as connection:
            for statement in (*BEFORE, *self.shape.statements, *self.scenario.begin(self.shape)):
                connection.execute(statement.encode())
            ledger.fill(connection)
            connection.execute(f"ANALYZE {self.shape.table}".encode())
        if self.scenario.ready:
            operate(self.url, self.shape, self.scenario.ready)
        with connect(self.url) as connection:
            for (name,) in connection.execute(
                "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('v', 'r', 'p') AND NOT relispartition "
                "AND relnamespace = 'chaos'::regnamespace AND (relkind = 'v' OR relname LIKE '%archive%')"
            ).fetchall():
                connection.execute(f"GRANT SELECT ON {name} TO chaos_app".encode())
        return ledger

    def findings(self) -> list[str]:
        """What `partitions check` says in the end, but of statistics: when autovacuum came differs."""
        with tempfile.NamedTemporaryFile() as file:
            client = Client(("partitions", "check"), self.url, Path(file.name))
            said = "".join(client.lines())
            if (code := client.end()) not in (0, 4):
                return [f"exit {code}: {said}"]
            found = json.loads(Path(file.name).read_text())["findings"]
        return sorted(f"{one['code']} {one['object']}" for one in found if one["code"] != "statistics_stale")


def play(server: Server, scenario: Scenario, name: str, seed: int, *, seconds: float = 0.0) -> Round:
    """Play a round.

    Args:
        server: where.
        scenario: what.
        name: what it is called.
        seed: decides everything but time.
        seconds: how long it lasts at least.
    """
    chance = random.Random(f"{seed} {name}")
    shape = generated(chance, partitioned=scenario.partitioned)
    found = Round(story=[f"{name}, SCHEMA_KIT_CHAOS_SEED={seed}", *shape.statements])
    scene = _Scene(scenario, shape, server.database("chaos"))
    ledger = scene.begin()
    _settings(scene.url, chance, found)
    others = Others(scene.url, shape.table)
    disturbance = Disturbance(server, others, chance, scenario.ddl)
    others.start()
    with _everybody(server, scene, ledger, seed, found):
        began = time.monotonic()
        time.sleep(0.3)
        for command in scene.commands:
            if said := disturbance.drive(command, scene.url):
                found.wrong("not done", said)
                break
        others.wanted.put(None)
        others.join()
        time.sleep(max(0.3, seconds - (time.monotonic() - began)))
    found.story.append(f"disturbed for {time.monotonic() - began:.1f} s")
    found.figures.update(disturbance.counts)
    found.story += disturbance.told
    found.wrong("ddl", *others.errors)
    found.wrong("told", *disturbance.untrue)
    found.figures["rounds"] += 1
    if any(kind == "not done" for kind, _ in found.problems):
        return found  # what it left is not what it would leave in the end
    _contents(scene, ledger, found)
    here, told = catalog.catalog(scene.url), scene.findings()
    quiet = _Scene(scenario, shape, server.database("quiet"))
    quiet.begin()
    with connect(quiet.url) as connection:
        for statement in others.applied:
            connection.execute(statement.encode())
    for command in quiet.commands:
        quietly(command, quiet.url)
    found.wrong("catalog", *catalog.differences(here, catalog.catalog(quiet.url)))
    found.wrong("check", *catalog.differences(told, quiet.findings()))
    return found


@contextmanager
def _everybody(server: Server, scene: _Scene, ledger: Ledger, seed: int, found: Round) -> Iterator[None]:
    """Writers, readers and the watcher at work; afterwards, what they met."""
    stop, table, scenario = threading.Event(), scene.shape.table, scene.scenario
    habits = [
        habit
        for habit in HABITS
        if HABITS[habit].since <= server.major and not (habit == "copy" and scene.shape.secured)
    ]
    writers = [
        Writer(scene.url, ledger, number, habit, HABITS[habit], seed, stop, scenario.windows)
        for number, habit in enumerate(habits, 1)
    ]
    where = scene.text(scenario.where)
    with connect(scene.url) as connection:
        still = connection.execute(f"SELECT count(*) FROM {table} WHERE {where}".encode()).fetchall()[0][0]
    readers = [
        Reader(scene.url, scenario.view or table, repeatable, seed, stop, where, still) for repeatable in (False, True)
    ]
    watcher = Watcher(scene.url, stop)
    threads = (*writers, *readers, watcher)
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for writer in writers:
        found.wrong("write", *writer.errors)
        found.figures.update({f"{writer.called}": writer.counts["transactions"]})
        found.figures.update(writer.counts)
        if not writer.counts["transactions"]:
            found.wrong("write", f"{writer.called}: not one transaction")
    for reader in readers:
        found.wrong("read", *reader.errors[:3], *reader.wrong[:3])
        found.figures.update(reader.counts)
        found.figures["wrong reads"] += len(reader.wrong)
    if not scenario.old_snapshots and readers[1].counts["old snapshots"]:
        found.wrong("read", f"{readers[1].counts['old snapshots']} snapshots from before saw another table")
    found.wrong("wait", *watcher.beyond[:5])
    found.figures["longest wait, ms"] = round(watcher.longest * 1000)


def _contents(scene: _Scene, ledger: Ledger, found: Round) -> None:
    """What is where it should be: all rows once, what had to leave gone, what the scenario promises."""
    if scene.scenario.leave:
        cut = time.time() - int(AFTER.split()[0]) * DAY
        for key, (at, who, _, _) in list(ledger.rows.items()):
            if who == 0 and at is not None and at < cut + DAY:
                del ledger.rows[key]
                ledger.optional |= {key} if at > cut - 2 * DAY else set()
    with connect(scene.url) as connection:
        places = [row[0] for row in connection.execute(PLACES)]
        found.wrong("content", *ledger.differences(connection, places))
        for sql in scene.scenario.then:
            if (left := connection.execute(scene.text(sql).encode()).fetchall()[0][0]) != 0:
                found.wrong("content", f"{left} by {sql}")


def _settings(url: str, chance: random.Random, found: Round) -> None:
    """The database has a few unexpected settings."""
    with connect(url) as connection:
        name = connection.info.dbname
        settings = odd_settings(connection.info.server_version)
        for setting in chance.sample(sorted(settings), 3):
            value = chance.choice(settings[setting])
            connection.execute(f"ALTER DATABASE {name} SET {setting} = {value}".encode())
            found.story.append(f"ALTER DATABASE {name} SET {setting} = {value}")
