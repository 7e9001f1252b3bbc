"""Tables as the catalog would describe them, and what each step would change about that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from schema_kit import model
from schema_kit.keys import Key, key_for
from schema_kit.marks import BOUND_CHECK, being_built, composite_column
from schema_kit.model import (
    Column,
    Conversion,
    ForeignKey,
    Grant,
    Index,
    IndexDeclaration,
    IndexElement,
    Partition,
    Partitioning,
    Referring,
    Relation,
    Stored,
    Table,
    Trigger,
    View,
)
from schema_kit.names import QualifiedName
from schema_kit.steps import Step
from schema_kit.steps.constraints import AddCheck, ValidateConstraint
from schema_kit.steps.conversion import BuildParent, DropBuiltParent, Swap, fingerprint
from schema_kit.steps.indexes import (
    AttachIndex,
    CreateIndexConcurrently,
    CreateParentIndex,
    DropIndexConcurrently,
    DropParentIndex,
)
from schema_kit.steps.partitions import Analyze, CreatePartition, RegisterPolicy
from schema_kit.steps.referring import AddFilledKeyColumn, FillKeyColumn
from schema_kit.steps.storage import EnsureTable

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
AWARE = "timestamp with time zone"


def name(text: str) -> QualifiedName:
    return QualifiedName.parse(text, "public")


MESSAGES = name("bots.messages")
CHAT_KEY = ForeignKey(
    "messages_chat_id_fkey",
    MESSAGES,
    ("chat_id",),
    name("bots.chats"),
    ("id",),
    "FOREIGN KEY (chat_id) REFERENCES bots.chats(id) ON DELETE CASCADE",
    on_delete="c",
)
REACTION_KEY = ForeignKey(
    "reactions_message_id_fkey",
    name("bots.reactions"),
    ("message_id",),
    MESSAGES,
    ("id",),
    "FOREIGN KEY (message_id) REFERENCES bots.messages(id) ON DELETE CASCADE",
    on_delete="c",
)


def simple(table: str = "public.events", control: str = "created_at", kind: str = AWARE) -> Table:
    """A plain table with a primary key, an index, and nothing else."""
    own = name(table)
    return Table(
        own,
        (Column("id", "bigint", not_null=True), Column(control, kind, not_null=True), Column("body", "text")),
        primary_key=("id",),
        indexes=(
            Index(f"{own.name}_pkey", "btree (id)", ("id",), unique=True, primary=True, constraint="PRIMARY KEY (id)"),
            Index(f"ix_{own.name}_{control}", f"btree ({control})", (control,)),
        ),
    )


def rich() -> Table:
    """A plain table with one of everything that a conversion has to carry over."""
    return Table(
        MESSAGES,
        (
            Column("id", "bigint", not_null=True, identity="a"),
            Column("number", "integer", not_null=True, default="nextval('bots.messages_number_seq'::regclass)"),
            Column("chat_id", "bigint", not_null=True),
            Column("text", "text"),
            Column("length", "integer", generated=True, default="length(text)"),
            Column("created_at", AWARE, not_null=True, default="now()"),
        ),
        primary_key=("id",),
        indexes=(
            Index(
                "ix_messages_text",
                "gin (text public.gin_trgm_ops) WHERE (text IS NOT NULL)",
                ("text",),
                comment="what the bot's search needs",
            ),
            Index(
                "messages_chat_id_created_at_key",
                "btree (chat_id, created_at)",
                ("chat_id", "created_at"),
                unique=True,
                constraint="UNIQUE (chat_id, created_at)",
            ),
            Index("messages_pkey", "btree (id)", ("id",), unique=True, primary=True, constraint="PRIMARY KEY (id)"),
        ),
        foreign_keys=(CHAT_KEY,),
        incoming=(REACTION_KEY,),
        checks=(("messages_text_check", "CHECK ((length(text) < 5000))", True),),
        triggers=(
            Trigger(
                "tell",
                "CREATE TRIGGER tell AFTER INSERT ON bots.messages FOR EACH ROW EXECUTE FUNCTION bots.tell()",
                source="BEGIN PERFORM pg_notify('m', NEW.id::text); RETURN NULL; END",
            ),
            Trigger(
                "trim",
                "CREATE TRIGGER trim BEFORE INSERT ON bots.messages FOR EACH ROW EXECUTE FUNCTION bots.trim()",
                enabled="D",
                source="BEGIN NEW.text := trim(NEW.text); RETURN NEW; END",
                before_row=True,
            ),
        ),
        sequences=(
            model.Sequence(
                name("bots.messages_id_seq"),
                "id",
                identity=True,
                options="START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1",
                comment="numbers of messages",
                grants=(Grant("SELECT, USAGE", "app"),),
            ),
            model.Sequence(
                name("bots.messages_number_seq"),
                "number",
                identity=False,
                options="START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1",
            ),
        ),
        views=(
            View(
                name("bots.recent"),
                "reader",
                "SELECT messages.id, messages.text FROM bots.messages",
                ("security_invoker=true",),
            ),
        ),
        policies=(("own", "AS PERMISSIVE FOR ALL TO app USING ((chat_id = bots.me()))"),),
        row_security=True,
        grants=(Grant("INSERT, SELECT", "app"), Grant("SELECT (id, text)", "reader WITH GRANT OPTION")),
        default_grantees=("PUBLIC", "reader"),
        default_sequence_grantees=("reader",),
        owner="bots",
        comment="what people and bots say",
        options=("fillfactor=90", "autovacuum_vacuum_scale_factor=0.05"),
    )


def referring(key: ForeignKey, control: str = "created_at") -> Referring:
    """The table at the other end of an incoming foreign key, before anything was done to it."""
    return Referring(key, composite_column(key.columns[0], control))


def index_declaration(table: QualifiedName = MESSAGES, index: str = "ix_messages_chat") -> IndexDeclaration:
    """An index of two columns."""
    return IndexDeclaration(index, table, (IndexElement('"chat_id"'), IndexElement('"created_at" DESC')))


def tree(*indexes: Index) -> tuple[Relation, ...]:
    """A table with two partitions, one of which is partitioned again; *indexes* are the table's own."""
    return (
        Relation(MESSAGES, indexes, partitioned=True),
        Relation(name("bots.messages_2025"), parent=MESSAGES, partitioned=True),
        Relation(name("bots.messages_2026"), parent=MESSAGES),
        Relation(name("bots.messages_2025_a"), parent=name("bots.messages_2025")),
        Relation(name("bots.messages_2025_b"), parent=name("bots.messages_2025")),
    )


def codec(policy: Partitioning, table: Table) -> Key:
    column = table.column(policy.control)
    assert column
    return key_for(column.type, policy.zone, policy.control)


def bound_check(policy: Partitioning, table: Table, upper: str, validated: bool = True) -> tuple[str, str, bool]:
    """The bound's check as pg_get_constraintdef prints it."""
    column = table.column(policy.control)
    assert column
    control = policy.control
    text = f"CHECK ((({control} IS NOT NULL) AND ({control} < '{upper}'::{column.type})))"
    return BOUND_CHECK, text + ("" if validated else " NOT VALID"), validated


def after_conversion_step(seen: Conversion, step: Step, policy: Partitioning) -> Conversion:
    """What the catalog would tell after a step of a conversion was committed."""
    table = seen.table
    match step:
        case EnsureTable():
            return replace(seen, has_config=Stored.CURRENT)
        case RegisterPolicy(registered):
            return replace(seen, registered=registered)
        case AddCheck(checked, check) if (checked, check) == (table.name, BOUND_CHECK):
            upper = step.expression.rpartition(" < '")[2].rstrip("'")
            others = tuple(one for one in table.checks if one[0] != BOUND_CHECK)
            checks = sorted((*others, bound_check(policy, table, upper, validated=False)))
            return replace(seen, table=replace(table, checks=tuple(checks)))
        case ValidateConstraint(checked, check) if checked == table.name:
            checks = [(n, d.removesuffix(" NOT VALID"), v or n == check) for n, d, v in table.checks]
            return replace(seen, table=replace(table, checks=tuple(checks)))
        case ValidateConstraint(_, constraint):
            valid = [
                replace(other, key=replace(other.key, validated=True)) if other.key.name == constraint else other
                for other in seen.referring
            ]
            incoming = tuple(other.key for other in valid) if table.partition_strategy else table.incoming
            return replace(seen, referring=tuple(valid), table=replace(table, incoming=incoming))
        case CreateIndexConcurrently(declared, index, on) if on == table.name:
            columns = tuple(element.sql.strip('"') for element in declared.elements)
            made = Index(index, f"btree ({', '.join(columns)})", columns, unique=declared.unique)
            kept = [other for other in table.indexes if other.name != index]
            return replace(seen, table=replace(table, indexes=tuple(sorted((*kept, made), key=lambda i: i.name))))
        case DropIndexConcurrently(index, on) if on == table.name:
            left = tuple(other for other in table.indexes if other.name != index.name)
            return replace(seen, table=replace(table, indexes=left))
        case Analyze():
            return replace(seen, table=replace(table, analyzed=True))
        case BuildParent() | DropBuiltParent() | CreatePartition():
            return replace(seen, built=_after_built(seen, step, policy))
        case Swap():
            return _after_swap(seen, step, policy)
        case _:
            return replace(seen, referring=tuple(_after_referring(other, step) for other in seen.referring))


def _after_built(seen: Conversion, step: Step, policy: Partitioning) -> Table | None:
    match step:
        case BuildParent():
            return replace(
                Table(step.name, seen.table.columns),
                partitioned_by=(policy.control,),
                partition_strategy="r",
                foreign_keys=seen.table.foreign_keys,
                comment=fingerprint(seen.table),
            )
        case CreatePartition(_, partition, lower, upper):
            assert seen.built
            return replace(seen.built, partitions=(*seen.built.partitions, Partition(partition, lower, upper)))
        case _:
            return None


def _after_swap(seen: Conversion, swap: Swap, policy: Partitioning) -> Conversion:
    assert seen.built
    table = replace(
        seen.table,
        partitioned_by=(policy.control,),
        partition_strategy="r",
        primary_key=(*seen.table.primary_key, policy.control),
        partitions=(Partition(swap.leaf, None, swap.upper), *seen.built.partitions),
        checks=tuple(check for check in seen.table.checks if check[0] != BOUND_CHECK),
        incoming=(),
        analyzed=False,
    )
    longer = [
        replace(
            other,
            key=replace(
                other.key,
                columns=(*other.key.columns, other.column),
                referenced_columns=(*other.key.referenced_columns, policy.control),
                on_update="c",
                validated=False,
            ),
            provisional=None,
        )
        for other in seen.referring
    ]
    table = replace(table, incoming=tuple(other.key for other in longer))
    return replace(seen, table=table, built=None, registered=policy, referring=tuple(longer))


def _after_referring(other: Referring, step: Step) -> Referring:
    match step:
        case AddFilledKeyColumn(key) if key == other.key:
            return replace(other, has_column=True, unfilled=True, provisional=being_built(key.name))
        case FillKeyColumn(key) if key == other.key:
            return replace(other, unfilled=False)
        case CreateIndexConcurrently(_, index, on) if on == other.key.table:
            return replace(other, fill_index=Index(index, "btree (message_id)"))
        case DropIndexConcurrently(_, on) if on == other.key.table:
            return replace(other, fill_index=None)
        case _:
            return other


def after_index_step(relations: Sequence[Relation], step: Step) -> tuple[Relation, ...]:
    """What the catalog would tell of a partition tree after a step on its indexes."""
    match step:
        case CreateIndexConcurrently(_, index, table):
            return _with(relations, table, Index(index, "btree (chat_id)"))
        case CreateParentIndex(declared):
            # Valid at once only where there is no partition to wait for.
            childless = not any(relation.parent == declared.table for relation in relations)
            return _with(relations, declared.table, Index(declared.name, "btree (chat_id)", valid=childless))
        case DropIndexConcurrently(index, table):
            return tuple(
                replace(one, indexes=tuple(other for other in one.indexes if other.name != index.name))
                if one.name == table
                else one
                for one in relations
            )
        case DropParentIndex(index):
            return tuple(replace(one, indexes=()) for one in relations)
        case AttachIndex(parent, child):
            return _attached(relations, parent, child)
        case _:
            raise AssertionError(step)


def _with(relations: Sequence[Relation], table: QualifiedName, index: Index) -> tuple[Relation, ...]:
    return tuple(
        replace(one, indexes=(*(i for i in one.indexes if i.name != index.name), index)) if one.name == table else one
        for one in relations
    )


def _attached(relations: Sequence[Relation], parent: QualifiedName, child: QualifiedName) -> tuple[Relation, ...]:
    owner = next(one for one in relations if one.index(parent.name) and one.partitioned)
    found = []
    for one in relations:
        own = one.index(child.name) if one.parent == owner.name else None
        found.append(_with((one,), one.name, replace(own, parent=parent))[0] if own else one)
    children = [one for one in found if one.parent == owner.name]
    whole = all(any(index.parent == parent and index.valid for index in one.indexes) for one in children)
    index = owner.index(parent.name)
    assert index
    result = _with(found, owner.name, replace(index, valid=index.valid or whole))
    above = index.parent
    # A partitioned index that becomes valid makes its own parent valid too, if it was the last one.
    return _attached(result, above, parent) if whole and not index.valid and above else result
