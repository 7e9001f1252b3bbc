"""How long a conversion's swap holds its locks where the network is slow: ``python -m tests.benchmarks.network``.

A proxy on this machine passes on what is sent after half of ``--delay`` milliseconds, each way. A table of ``--rows``
rows is converted through it, with no delay and with that, in turns, ``--repeat`` times, by ``attach`` and by ``copy``.
A session next to the proxy reads no row of it again and again while the swap is sent: the longest that it is kept
out is what the locks are held for. Another looks when they are granted and when they are gone: how often the client
was waited for in between is what a round trip is paid for. Prints medians and their ratio.

Takes an empty schema of its own in the database (``--url``, DATABASE_URL or the embedded server's), and drops it again.
"""

from __future__ import annotations

import argparse
import queue
import socket
import statistics
import threading
import time
from contextlib import suppress
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict

from schema_kit import environment, execute
from schema_kit.catalog import Catalog
from schema_kit.execute import Event, StepDone, StepStarted
from schema_kit.model import Partitioning
from schema_kit.plans.copied_table import Strategy
from schema_kit.script import LockPolicy
from schema_kit.steps.conversion import Swap
from schema_kit.steps.copied_table import SwapTable
from schema_kit.tasks.conversion import Convert
from tests.benchmarks.copying import fill, forget, prepare
from tests.benchmarks.fill import find_url
from tests.benchmarks.waits import Probe, T

LOCKED = """
SELECT count(*) FROM pg_locks WHERE relation = to_regclass('bench.t') AND mode = 'AccessExclusiveLock' AND granted
"""


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--delay", type=float, default=50, help="milliseconds of a round trip")
    parser.add_argument("--url")
    options = parser.parse_args()
    url = find_url(options.url)
    with psycopg.connect(url, autocommit=True) as plain:
        print(plain.execute("SELECT version()").fetchone())
        plain.execute("CREATE SCHEMA bench")
        try:
            fill(plain, options.rows)
            for strategy in ("attach", "copy"):
                compare(plain, url, strategy, options.delay, options.repeat)
        finally:
            forget(plain)
            plain.execute("DROP SCHEMA bench CASCADE")


def compare(plain: psycopg.Connection[Any], url: str, strategy: Strategy, delay: float, repeat: int) -> None:
    """Without and with the delay in turns, so that whatever else the machine does meets both."""
    held: dict[float, list[float]] = {0.0: [], delay: []}
    trips: dict[float, list[int]] = {0.0: [], delay: []}
    for _ in range(repeat):
        for milliseconds in held:
            prepare(plain)
            longest, waited_for = swap(url, strategy, milliseconds)
            held[milliseconds].append(1000 * longest)
            trips[milliseconds].append(waited_for)
    print(f"\n{strategy}, how long the swap keeps a reader out, median of {repeat}:")
    for milliseconds, taken in held.items():
        print(
            f"  {milliseconds:4.0f} ms a round trip: {statistics.median(taken):7.1f} ms   ({min(taken):.1f} to "
            f"{max(taken):.1f}), {max(trips[milliseconds])} round trips under lock at most"
        )
    print(f"  ratio {statistics.median(held[delay]) / statistics.median(held[0.0]):.2f}")


def swap(url: str, strategy: Strategy, milliseconds: float) -> tuple[float, int]:
    """Convert it through the proxy: the longest that a reader was kept out, and round trips under the swap's locks."""
    with Proxy(url, milliseconds / 2000) as proxy:
        probe, locks = Probe(url), _Locks(url, proxy)
        for thread in (probe, locks):
            thread.start()

        def tell(event: Event) -> None:
            if isinstance(event, StepStarted | StepDone) and isinstance(event.step, Swap | SwapTable):
                for thread in (probe, locks):
                    (thread.begin if isinstance(event, StepStarted) else thread.end).set()

        op = Convert(Partitioning(T, "at", "1 mon", premake=1), "refuse", strategy)
        with environment.connect(sa.make_url(proxy.url), autocommit=True) as connection:
            execute.run(connection, lambda: op.plan(Catalog(connection)), LockPolicy(), tell)
        for thread in (probe, locks):
            thread.join()
        return probe.longest, locks.trips


class _Locks(threading.Thread):
    """Looks whether the table is locked; how often the client was waited for from the first moment to the last."""

    def __init__(self, url: str, proxy: Proxy) -> None:
        super().__init__(daemon=True)
        self.connection, self.proxy = psycopg.connect(url, autocommit=True), proxy
        self.begin, self.end, self.trips = threading.Event(), threading.Event(), 0

    def run(self) -> None:
        """From *begin* to *end*."""
        self.begin.wait()
        first: int | None = None
        with self.connection as connection:
            while not self.end.is_set():
                turns = self.proxy.turns
                if connection.execute(LOCKED).fetchall()[0][0]:  # as it was still, when so many turns were over
                    first = self.proxy.turns if first is None else first
                    self.trips = max(self.trips, turns - first)


class Proxy:
    """Passes on what a client and the server send each other, each way after so many seconds.

    Attributes:
        url: where clients connect to.
        turns: how often a client has spoken after the server.
    """

    def __init__(self, url: str, seconds: float) -> None:
        self.seconds, self.turns, self.threads = seconds, 0, list[threading.Thread]()
        there = conninfo_to_dict(url)
        host, port = str(there.get("host", "127.0.0.1")), str(there.get("port", 5432))
        self.server = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, int(port))
        self.listener = socket.create_server(("127.0.0.1", 0))
        here = sa.make_url(url).set(drivername="postgresql", host="127.0.0.1", port=self.listener.getsockname()[1])
        self.url = here.set(query={}).render_as_string(hide_password=False)

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return  # closed
            family = socket.AF_UNIX if isinstance(self.server, str) else socket.AF_INET
            server = socket.socket(family, socket.SOCK_STREAM)
            server.connect(self.server)
            last = ["server"]
            for source, target, name in ((client, server, "client"), (server, client, "server")):
                threading.Thread(target=self._pass_on, args=(source, target, name, last), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, name: str, last: list[str]) -> None:
        """Each piece is due so long after it came, whatever is in transit before it."""
        pieces: queue.Queue[tuple[float, bytes]] = queue.Queue()

        def deliver() -> None:
            while True:
                due, piece = pieces.get()
                time.sleep(max(0.0, due - time.monotonic()))
                if not piece:
                    with suppress(OSError):
                        target.shutdown(socket.SHUT_WR)
                    return
                with suppress(OSError):
                    target.sendall(piece)

        threading.Thread(target=deliver, daemon=True).start()
        piece = b"-"
        while piece:
            piece = b""
            with suppress(OSError):
                piece = source.recv(65536)
            if piece and last[0] != name:
                self.turns += name == "client"
                last[0] = name
            pieces.put((time.monotonic() + self.seconds, piece))


if __name__ == "__main__":
    main()
