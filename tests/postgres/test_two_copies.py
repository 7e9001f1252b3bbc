"""One copy, two runs at once: from the shell and from a migration, say, which know nothing of each other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import op
from schema_kit.fingerprints.stamps import OVERTAKEN
from schema_kit.script import render
from schema_kit.steps.copy_changes import ReplayKeys, VerifyCopy
from schema_kit.steps.copy_chunks import BuildIndexes, CopyChunk, CutChunks
from schema_kit.steps.copy_swap import Settle, SwapCopy
from schema_kit.steps.copying import AbandonCopy
from tests.support.copies import DEFAULT, PATIENT, PLAIN, WHOLE, begin, held, left_behind
from tests.support.database import QUICK, Database
from tests.support.matrix import longer
from tests.support.scene import CONTENT, Scene
from tests.support.writers import writing

pytestmark = [pytest.mark.partitions, pytest.mark.majors]


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


@pytest.mark.exhaustive
def test_chunks_are_split_once(scene: Scene) -> None:
    """Split again while some are copied, those rows would be copied twice."""
    cut = scene.until(CutChunks)
    expected = scene.database.sql(CONTENT)
    chunk = scene.until(CopyChunk)
    scene.send(chunk)
    with pytest.raises(psycopg.errors.SerializationFailure):
        scene.send(cut)
    scene.run()
    assert scene.database.sql(CONTENT) == expected
    assert scene.sent(AbandonCopy) == 0


@pytest.mark.exhaustive
def test_nothing_is_replayed_during_an_open_chunk(scene: Scene) -> None:
    """By a run that has decided it for an earlier copy: the chunk would bring the row a second time."""
    replay = scene.until(ReplayKeys)
    scene.send(scene.abandoned())
    chunk = scene.until(CopyChunk)
    with psycopg.connect(scene.database.url, autocommit=True) as other:
        for statement in render(chunk, QUICK)[:-1]:
            other.execute(statement.encode())
        with pytest.raises(psycopg.errors.LockNotAvailable):
            scene.send(replay)
        other.execute("ROLLBACK")
    with pytest.raises(psycopg.errors.SerializationFailure):
        scene.send(replay)


@pytest.mark.exhaustive
def test_a_key_is_replayed_by_one_at_a_time(scene: Scene) -> None:
    verify = scene.until(VerifyCopy)
    assert isinstance(verify, VerifyCopy)
    replay = ReplayKeys(verify.copy)
    with psycopg.connect(scene.database.url, autocommit=True) as other:
        scene.database.sql("INSERT INTO s.t VALUES (-1, '2026-01-05', 'first')")
        for statement in render(replay, QUICK)[:-1]:
            other.execute(statement.encode())
        scene.database.sql("UPDATE s.t SET body = 'second' WHERE id = -1")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            scene.send(replay)
        other.execute("COMMIT")
    scene.send(replay)
    assert scene.database.sql("SELECT body FROM s.t_default__staging WHERE id = -1") == [("second",)]


@pytest.mark.exhaustive
def test_an_index_is_built_once(scene: Scene) -> None:
    scene.database.sql("CREATE INDEX t_body ON s.t (body)")
    build = scene.until(BuildIndexes)
    scene.send(build)
    with pytest.raises(psycopg.errors.SerializationFailure):
        scene.send(build)
    scene.run()
    assert scene.database.sql(
        "SELECT count(*) FROM pg_index WHERE indrelid = 's.t_p20260101'::regclass AND NOT indisprimary"
    ) == [(1,)]


@pytest.mark.exhaustive
def test_what_was_decided_for_an_earlier_copy_ends_no_later_one(scene: Scene) -> None:
    """Aborted and begun again in the meantime, nothing is in the targets yet."""
    swap, expected = scene.until(SwapCopy), scene.database.sql(CONTENT)
    abandon = scene.abandoned()
    assert isinstance(abandon, AbandonCopy)
    scene.send(abandon)
    chunk = scene.until(CopyChunk)
    assert isinstance(chunk, CopyChunk)
    scene.send(Settle(chunk.copy))
    with pytest.raises(psycopg.Error, match="was changed after it was looked at") as refused:
        scene.send(swap)
    assert refused.value.sqlstate == OVERTAKEN
    scene.run()
    assert scene.database.sql(CONTENT) == expected
    targets = tuple(target.built for target in chunk.copy.targets if not target.default)
    with pytest.raises(psycopg.errors.SerializationFailure):
        scene.send(replace(abandon, tables=targets, logged=None))
    assert scene.database.sql(CONTENT) == expected


@pytest.mark.deep
@pytest.mark.parametrize("what", longer(["drain", "split", "convert"], "split", "convert", mark=pytest.mark.deep))
def test_two_runs_at_once_during_writes(database: Database, what: str) -> None:
    """Each with workers of its own; both come to the end, and no row exists twice."""
    doors: dict[str, tuple[tuple[str, ...], Callable[[], None]]] = {
        "drain": (DEFAULT, lambda: op.drain_default_concurrently("t", schema="s", workers=2)),
        "split": (WHOLE, lambda: op.split_partition_concurrently("t", "t_before", schema="s", workers=2)),
        "convert": (
            PLAIN,
            lambda: op.convert_to_partitioned("t", "at", "1 month", schema="s", strategy="copy", workers=2),
        ),
    }
    tables, work = doors[what]
    if what == "convert":
        database.sql(*tables)
    else:
        begin(database, *tables)
    failed: list[BaseException] = []
    connections = [database.sqlalchemy() for _ in range(3)]

    def door(connection: sa.Connection) -> None:
        try:
            with schema_kit.operations(connection, policy=PATIENT):
                work()
        except BaseException as error:
            failed.append(error)

    with writing(database, "s.t", "s.control", on_conflict="" if what == "convert" else "(id, at)", writers=3):
        threads = [threading.Thread(target=door, args=(connection,)) for connection in connections]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failed == []
    assert left_behind(database) == []
    assert len(held(database)) == 6
    own = "SELECT count(*) FROM pg_index WHERE indrelid = 's.t_p20260201'::regclass"
    assert database.sql(own) == [(3,)], "each index once"


@pytest.mark.exhaustive
def test_bounds_of_chunks_mean_the_columns_that_they_were_split_by(scene: Scene) -> None:
    """Whatever index or statistics there are by then."""
    scene.database.sql("CREATE INDEX t_at ON s.t (at)", "ANALYZE s.t_default")
    chunk = scene.until(CopyChunk)
    assert isinstance(chunk, CopyChunk)
    assert [column.name for column in chunk.by] == ["at"]
    scene.database.sql("DROP INDEX s.t_at")
    expected = scene.database.sql(CONTENT)
    scene.run()
    assert scene.sent(AbandonCopy) == 0
    assert scene.database.sql(CONTENT) == expected
