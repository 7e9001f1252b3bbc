"""Operations for Alembic: classes and op.pyi say what the functions say, and autogenerate can work with them."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import alembic.op
import pytest
import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext

import schema_kit.op
from schema_kit import ops
from schema_kit.ops.operation import OPERATIONS, PlanOperation
from tools.write_operations import FILES

pytestmark = [pytest.mark.docs, pytest.mark.libraries]

CLASSES = {cls.called: cls for cls in PlanOperation.__subclasses__()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_generated_is_fresh(path: Path) -> None:
    assert ast.dump(ast.parse(path.read_text())) == ast.dump(ast.parse(FILES[path]())), (
        "python -m tools.write_operations writes it again"
    )


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_is_alembics_too(name: str) -> None:
    declared = OPERATIONS[name]
    assert getattr(schema_kit.op, name) is getattr(alembic.op, name)
    assert CLASSES[name].shared is declared.shared
    registered = inspect.signature(getattr(alembic.operations.Operations, name)).parameters
    own = inspect.signature(declared.function).parameters
    assert [(p.name, p.default) for p in registered.values()][1:] == [(p.name, p.default) for p in own.values()][1:]
    assert inspect.getdoc(getattr(alembic.operations.Operations, name)) == inspect.getdoc(declared.function)


def test_alembics_own_operations_are_offered_too() -> None:
    assert schema_kit.op.add_column is alembic.op.add_column


@pytest.mark.parametrize("name", [name for name, one in OPERATIONS.items() if isinstance(one.reversed_by, str)])
def test_the_reverse_operation_is_given_by_the_arguments(name: str) -> None:
    parameters = [*inspect.signature(OPERATIONS[name].function).parameters.values()][1:]
    needed = [one for one in parameters if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
    given = {
        one: f"<{one}>" for one in [*(one.name for one in needed), *({"schema"} & {one.name for one in parameters})]
    }
    back = CLASSES[name](**given).reverse()
    assert isinstance(back, PlanOperation)
    assert back.called == OPERATIONS[name].reversed_by
    known = inspect.signature(OPERATIONS[back.called].function).parameters
    assert back.bound.arguments == {
        next(iter(known)): None,
        **{one: text for one, text in given.items() if one in known},
    }


def test_an_operation_without_a_reverse_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"op\.drop_index_concurrently cannot be reversed"):
        ops.DropIndexConcurrentlyOp("ix").reverse()


def test_an_unknown_parameter_is_refused_when_the_operation_is_made() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'tabel_name'"):
        ops.DropTtlPolicyOp("t", tabel_name="t")


CALLS = [
    "op.create_index_concurrently('ix', 't', ['a', sa.text(\"b DESC\")], unique=True)",
    "op.set_partition_policy('t', control='at', interval='1 month', premake=6)",
    "op.update_in_batches('t', {'n': sa.text('n + 1'), 'm': 0}, where='n > 0')",
    "op.add_column_concurrently('t', sa.Column('c', sa.BigInteger(), server_default='0', nullable=False))",
    "op.create_partitioned_table('t', sa.Column('id', sa.BigInteger(), nullable=False), control='id', "
    "interval='100', sub_partitions=by_hash('id', 4))",
    "op.set_ttl_policy('t', 'at', age='90 days', tree={'u': {}})",
    "op.drop_retention('t')",
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.partition("(")[0])
def test_autogenerate_writes_the_call_that_makes_it(call: str) -> None:
    made: list[PlanOperation] = []

    class Recorder:
        def __getattr__(self, name: str) -> Any:
            return lambda *args, **keywords: made.append(CLASSES[name](*args, **keywords))

    exec(call, {"op": Recorder(), "sa": sa, "by_hash": ops.by_hash})  # noqa: S102 - the calls above
    options = {"sqlalchemy_module_prefix": "sa.", "alembic_module_prefix": "op.", "user_module_prefix": None}
    context = AutogenContext(
        MigrationContext.configure(dialect_name="postgresql"), opts=options | {"render_item": None}
    )
    written = renderers.dispatch(made[0])(context, made[0])
    assert isinstance(written, str)
    assert written.replace('"', "'") == call.replace('"', "'")
    assert made[0].to_diff_tuple()[0] == made[0].called
