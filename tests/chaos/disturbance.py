"""What happens to a run: DDL of others at its steps, kill -9 and SIGSTOP of the client, a stop of the server."""

from __future__ import annotations

import queue
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg

from tests.chaos.client import Client
from tests.chaos.server import Server
from tests.chaos.sessions import GONE, connect
from tests.chaos.tables import OTHERS
from tests.chaos.watcher import BUDGET

REFUSALS = 6
"""How often in a row a command may fail of itself, and be run again, until it counts as one that is never done."""

DDL: dict[str, tuple[str, str]] = {
    "index": ("CREATE INDEX {n} ON {t} (n, who)", "DROP INDEX chaos.{n}"),
    "column": ("ALTER TABLE {t} ADD COLUMN {n} int DEFAULT 7", "ALTER TABLE {t} DROP COLUMN {n}"),
    "check": ("ALTER TABLE {t} ADD CONSTRAINT {n} CHECK (n > -1)", "ALTER TABLE {t} DROP CONSTRAINT {n}"),
    "trigger": (
        "CREATE TRIGGER {n} AFTER UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION chaos.nothing()",
        "DROP TRIGGER {n} ON {t}",
    ),
    "policy": (f"CREATE POLICY {{n}} ON {{t}} FOR SELECT TO {OTHERS} USING (n > 1)", "DROP POLICY {n} ON {t}"),
    "grant": (f"GRANT DELETE ON {{t}} TO {OTHERS}", f"REVOKE DELETE ON {{t}} FROM {OTHERS}"),
    "grant of a column": (f"GRANT UPDATE (n) ON {{t}} TO {OTHERS}", f"REVOKE UPDATE (n) ON {{t}} FROM {OTHERS}"),
    "comment": ("COMMENT ON TABLE {t} IS '{n}'", "COMMENT ON TABLE {t} IS NULL"),
    "comment of a column": ("COMMENT ON COLUMN {t}.n IS '{n}'", "COMMENT ON COLUMN {t}.n IS NULL"),
    "default": ("ALTER TABLE {t} ALTER body SET DEFAULT '{n}'", "ALTER TABLE {t} ALTER body DROP DEFAULT"),
    "storage": ("ALTER TABLE {t} ALTER body SET STORAGE MAIN", "ALTER TABLE {t} ALTER body SET STORAGE EXTENDED"),
    "statistics": ("CREATE STATISTICS chaos.{n} ON who, batch FROM {t}", "DROP STATISTICS chaos.{n}"),
    "statistics target": ("ALTER TABLE {t} ALTER n SET STATISTICS 55", "ALTER TABLE {t} ALTER n SET STATISTICS -1"),
    "view": ("CREATE VIEW chaos.{n} AS SELECT n, body FROM {t}", "DROP VIEW chaos.{n}"),
    "publication": (
        "CREATE PUBLICATION {n} FOR TABLE {t} WITH (publish_via_partition_root)",
        "DROP PUBLICATION {n}",
    ),
}
"""Of each kind, a statement that makes something and one that takes it back, of plain and partitioned tables."""
DONE_ALREADY = {"42710", "42P07", "42701", "42704", "42703", "42P01"}
"""What a statement says that was committed when the server went away."""


@dataclass
class Others(threading.Thread):
    """A session that sends DDL one after the other, each until it is committed; a lock is waited for half a second."""

    url: str
    table: str
    applied: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.wanted: queue.Queue[str | None] = queue.Queue()

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while (statement := self.wanted.get()) is not None:
            self._send(statement)

    def _send(self, statement: str) -> None:
        lost = False
        for _ in range(100):
            try:
                with connect(self.url, "others", lock_timeout="500ms") as connection:
                    connection.execute(statement.encode())
                self.applied.append(statement)
                return
            except psycopg.Error as error:
                if lost and error.sqlstate in DONE_ALREADY:
                    self.applied.append(statement)
                    return
                lost = lost or error.sqlstate in GONE
                if error.sqlstate not in {*GONE, "55P03", "40P01", "40001"}:
                    self.errors.append(f"{statement}: {error.sqlstate} {error}")
                    return
            time.sleep(0.1)
        self.errors.append(f"{statement}: never got its lock")


@dataclass
class Disturbance:
    """Drives commands until they are done, and lets things happen to them.

    Args:
        server: stopped now and then.
        others: who sends DDL.
        seed: decides what happens.
        kinds: of DDL that the scenario bears.
    """

    server: Server
    others: Others
    seed: random.Random
    kinds: Sequence[str]
    counts: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    """Where it said that nothing was changed, and something was."""

    def __post_init__(self) -> None:
        self.made: list[tuple[str, str]] = []
        self.left = {"kills": 3, "stops": 2, "crashes": int(self.seed.random() < 0.5), "ddl": 8}

    def drive(self, command: Sequence[str], url: str) -> str | None:
        """Run until exit code 0; what it said last where it never comes to that."""
        said, refused = "", 0
        while refused < REFUSALS:
            code, said, cut_off = self._run(command, url)
            if code == 0:
                return None
            if "Traceback" in said:
                return f"{' '.join(command)} left a traceback: {said[-3000:]}"
            if "StepDone" in said and "Nothing was changed" in said:
                self.untrue.append(said[said.index("Nothing was changed") - 300 :][:600])
            refused = 0 if cut_off else refused + 1
            self.counts["refusals"] += not cut_off
            time.sleep(0.2)
        return f"{' '.join(command)} is never done: {said[-1500:]}"

    def _run(self, command: Sequence[str], url: str) -> tuple[int, str, bool]:
        told, cut_off, began = "", False, time.monotonic()
        client = Client(command, url)
        for line in client.lines():
            told += f"{time.monotonic() - began:6.2f} {line}"
            cut_off = self._happens(client) or cut_off
        code = client.end()
        self.counts["runs"] += 1
        self.told.append(f"{' '.join(command)} -> {code} after {time.monotonic() - began:.1f} s\n{told}")
        return code, told, cut_off

    def _happens(self, client: Client) -> bool:
        """Perhaps something, a moment after a line was written; whether the run cannot end well."""
        what = self.seed.choices(("nothing", "ddl", "stops", "kills", "crashes"), (60, 22, 7, 8, 3))[0]
        if what == "nothing" or not self.left[what]:
            return False
        self.left[what] -= 1
        self.counts[what] += 1
        if what == "ddl":
            self._ddl()
            return False
        time.sleep(self.seed.expovariate(50))
        self.told.append(f"-- {what}")
        if what == "kills":
            client.signal(signal.SIGKILL)
        elif what == "stops":
            client.signal(signal.SIGSTOP)
            time.sleep(self.seed.choice((0.1, 0.5, BUDGET * 4)))
            client.signal(signal.SIGCONT)
        else:
            self.server.crash()
        return what != "stops"

    def _ddl(self) -> None:
        if not self.kinds:
            return
        if self.made and self.seed.random() < 0.3:
            statement = self.made.pop(self.seed.randrange(len(self.made)))[1]
        else:
            kind = self.seed.choice(self.kinds)
            name = f"others_{self.left['ddl']}"
            make, back = (text.format(t=self.others.table, n=name) for text in DDL[kind])
            self.made.append((make, back))
            statement = make
        self.told.append(f"-- {statement}")
        self.others.wanted.put(statement)


def quietly(command: Sequence[str], url: str) -> None:
    """Run it once, undisturbed."""
    client = Client(command, url)
    said = "".join(client.lines())
    assert client.end() == 0, f"{' '.join(command)}, undisturbed: {said}"
