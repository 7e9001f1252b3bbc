"""`from schema_kit import op` is typed: the stub and the registered operations say the same."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import schema_kit.op
from schema_kit.ops import PlanOperation

pytestmark = [pytest.mark.docs, pytest.mark.libraries]

STUB = Path(schema_kit.op.__file__).with_suffix(".pyi")


def _operations() -> dict[str, inspect.Signature]:
    found = {}
    for cls in PlanOperation.__subclasses__():
        for name, value in vars(cls).items():
            if isinstance(value, classmethod):
                found[name] = inspect.signature(getattr(cls, name))
    return found


def test_stub_names_each_operation_and_its_parameters() -> None:
    stub = {node.name: node for node in ast.parse(STUB.read_text()).body if isinstance(node, ast.FunctionDef)}
    for helper in ("lock_policy", "by_hash", "by_list"):
        assert stub.pop(helper).args.args or helper == "lock_policy"
    operations = _operations()
    assert stub.keys() == operations.keys()
    for name, signature in operations.items():
        declared = stub[name].args
        expected = [p for p in signature.parameters.values() if p.name != "operations"]
        several = [declared.vararg] if declared.vararg else []
        rest = [declared.kwarg] if declared.kwarg else []
        assert [a.arg for a in declared.args + several + declared.kwonlyargs + rest] == [p.name for p in expected]
        defaults = [None if d is None else ast.literal_eval(d) for d in declared.kw_defaults]
        keyword = [None if p.default is p.empty else p.default for p in expected if p.kind is p.KEYWORD_ONLY]
        assert defaults == keyword, name


def test_operations_are_there_for_alembic() -> None:
    import alembic.op

    for name in _operations():
        assert getattr(schema_kit.op, name) is getattr(alembic.op, name)
    assert schema_kit.op.add_column is alembic.op.add_column
