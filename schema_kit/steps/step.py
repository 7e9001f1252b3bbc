"""What a step is: the unit of SQL, lock, retry, progress and idempotence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from schema_kit.model.locks import Lock as Lock
from schema_kit.model.locks import LockMode as LockMode
from schema_kit.model.locks import Seen as Seen
from schema_kit.model.locks import exclusive as exclusive
from schema_kit.names import QualifiedName, asking_sql, literal
from schema_kit.storage import SCRIPTS


class Transaction(Enum):
    """How a step stands to transactions."""

    SHARED = "may join a migration's transaction"
    OWN = "is a transaction of its own"
    NONE = "runs outside of any transaction block"


@dataclass(frozen=True)
class Step:
    """One commit. Subclasses hold the fields; everything here is derived from them."""

    says: ClassVar[str] = ""
    """What it does, in a few words: its own attributes in braces, ``{self.table}``."""
    transaction: ClassVar[Transaction] = Transaction.OWN
    left_behind: ClassVar[str] = "This step changed nothing."
    """What is left where PostgreSQL has refused it."""
    repeats: ClassVar[bool] = False
    """Sent again, a commit each time, until its last statement changes no row."""
    fresh: ClassVar[bool] = False
    """Embeds catalog state; planned again before it is sent if earlier steps of the plan were committed."""
    decide_again: ClassVar[bool] = False
    """What comes after it depends on what it has found, so it is decided again."""
    tells: ClassVar[bool] = False
    """The last statement returns the progress row, so no separate query is needed."""
    clears: ClassVar[bool] = False
    """What the steps before it have left (`lingers`) is gone with it."""
    once: ClassVar[bool] = False
    """Leaves nothing behind that could be observed, so it is sent once in a run, whatever is decided afterwards."""
    throttled: ClassVar[bool] = False
    """Before it is sent, each time, it gives way to what `pressure` names."""
    parallel: ClassVar[bool] = False
    """Several sessions may send it at once: a repeated one as it is, another along with its neighbours in the plan."""
    may_block: ClassVar[bool] = False
    """Holds its locks for as long as the work takes, so no statement_timeout ends it."""
    within_budget: ClassVar[bool] = False
    """Its one statement takes locks as it goes along: all of its waits together stay within the lock budget."""
    locks_late: ClassVar[bool] = False
    """Its statements take the locks that it says once other work is done, and keep to the budget themselves."""
    reads_rows: ClassVar[bool] = False
    """It reads rows of a user's tables: all of them, or PostgreSQL refuses where row security would hide any."""
    older_snapshots: ClassVar[bool] = False
    """It waits for every snapshot in the database that is older than its own."""
    settings: ClassVar[tuple[tuple[str, str], ...]] = ()
    """What its own transaction sets, by name and value."""
    races: ClassVar[bool] = False
    """What it works off grows while it works, so that it may be asked for again though it was sent."""
    counted: ClassVar[int] = -1
    """Which of its statements says how many rows it has changed."""

    @property
    def summary(self) -> str:
        """What it does, in a few words."""
        return self.says.format(self=self)

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Every lock from SHARE UPDATE EXCLUSIVE upwards, on what existed before the step.

        A step that waits for rows also names ROW EXCLUSIVE, so that it can be said who holds them.
        """
        return ()

    @property
    def meets(self) -> tuple[Lock, ...]:
        """Those, and ROW EXCLUSIVE on the tables of schema_kit's own that it writes: whose rows others may hold."""
        statements = self.sql()
        own = (table for table in SCRIPTS if any(table.sql in statement for statement in statements))
        return (*self.locks, *(Lock(LockMode.ROW_EXCLUSIVE, table) for table in own))

    @property
    def locks_first(self) -> tuple[str, ...]:
        """Statements of a DO block that lock other objects than tables, before the tables: with `command`, a text."""
        return ()

    @property
    def lingers(self) -> str:
        """What it leaves for the rest of its plan that others notice, if the plan stops after it; empty: nothing."""
        return ""

    @property
    def brings(self) -> tuple[QualifiedName, ...]:
        """Indexes that come into a schema with their table: their names have to be free there, as those it says."""
        return ()

    @property
    def awaited(self) -> tuple[QualifiedName, ...]:
        """Names that others have while it waits for them: behind it is decided again, so steps there may need them."""
        return ()

    @property
    def relies_on(self) -> tuple[Seen, ...]:
        """The tables that it gives back or rests on, as last seen: compared under its locks, and decided again."""
        return ()

    @property
    def waits(self) -> tuple[Lock, ...]:
        """Locks whose holders it waits for without taking them, so that no session waits behind it."""
        return ()

    @property
    def pressure(self) -> str | None:
        """A SELECT of one text column: the reasons for a throttled step to pause; none, and it goes on."""
        return None

    @property
    def grows(self) -> QualifiedName | None:
        """What grows while a throttled step is sent: it pauses, too, while the server's disk has little room for it."""
        return None

    @property
    def progress(self) -> str | None:
        """A SELECT of one row that says how far a repeated step is: a text, and the share of all there is, or NULL."""
        return None

    @property
    def row_moved(self) -> str | None:
        """What is sent when a row that it waited for has moved to another partition (40001), before it is tried again.

        None where that is an error as any other.
        """
        return None

    @property
    def data(self) -> Iterator[bytes] | None:
        """What its last statement reads, where that is a COPY ... FROM STDIN; from the beginning each time."""
        return None

    @property
    def diagnosis(self) -> str | None:
        """A SELECT of one text column that says which rows, say, stand in the way, asked only after it failed."""
        return None

    def sql(self) -> tuple[str, ...]:
        """The statements, without BEGIN, SET and COMMIT: those are script.py's."""
        raise NotImplementedError


class SharedStep(Step):
    """A step that may join a migration's transaction, next to the work of others in it."""

    transaction = Transaction.SHARED


class OnTable(Step):
    """A step that takes one lock: on its table, and on those that it names as others."""

    mode: ClassVar[LockMode] = LockMode.ACCESS_EXCLUSIVE
    table: QualifiedName | None
    """None where it was not read (--sql)."""
    others: tuple[QualifiedName, ...] = ()
    """Tables at the other end of foreign keys, with their partitions."""

    @property
    def tree(self) -> tuple[QualifiedName, ...]:
        """The table, and those below it that are locked with it."""
        return (self.table,) if self.table else ()

    @property
    def locks(self) -> tuple[Lock, ...]:
        """By ACCESS EXCLUSIVE all access waits, briefly; by SHARE UPDATE EXCLUSIVE other DDL and VACUUM do."""
        return tuple(Lock(self.mode, table) for table in dict.fromkeys((*self.tree, *self.others)))


class OnTree(OnTable):
    """The same of a table and its partitions."""

    partitions: tuple[QualifiedName, ...]

    @property
    def tree(self) -> tuple[QualifiedName, ...]:
        """The table and its partitions."""
        return (*super().tree, *self.partitions)


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in order; an empty plan has nothing to do."""

    title: str
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    """What is left alone, and why: said in each run."""
    abort: str = ""
    """What to type, or to call, to give it up before its end."""

    def __add__(self, other: Plan) -> Plan:
        return Plan(self.title, self.steps + other.steps, self.notes + other.notes, self.abort or other.abort)

    def __bool__(self) -> bool:
        return bool(self.steps)


def refuse_sql(condition: str, state: str, message: str) -> str:
    """Return a statement that raises where something is so.

    Args:
        condition: what must not be, in SQL.
        state: the condition's name in PL/pgSQL: serialization_failure has it decided again.
        message: what is said then.
    """
    return asking_sql(f"IF {condition} THEN RAISE {state} USING MESSAGE = {literal(message)}; END IF;")


def expect_sql(condition: str, message: str) -> str:
    """Raises serialization_failure, and so has it decided again, where that is not so."""
    return refuse_sql(f"({condition}) IS NOT TRUE", "serialization_failure", message)
