"""How autogenerate writes an operation into a revision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import render, renderers
from alembic.autogenerate.api import AutogenContext

from schema_kit.model import Cut
from schema_kit.ops.operation import PlanOperation


@renderers.dispatch_for(PlanOperation)
def rendered(context: AutogenContext, operation: PlanOperation) -> str:
    """The call, with what was given alone."""
    given = [_value(value, context) for value in operation.bound.args[1:]]
    given += [f"{name}={_value(value, context)}" for name, value in operation.bound.kwargs.items()]
    return f"{render._alembic_autogenerate_prefix(context)}{operation.called}({', '.join(given)})"


def _value(value: Any, context: AutogenContext) -> str:
    match value:
        case sa.Column():
            return render._render_column(value, context)
        case sa.Constraint():
            return str(render._render_constraint(value, context, None))
        case sa.types.TypeEngine():
            return str(render._repr_type(value, context))
        case sa.ClauseElement():
            return str(render._render_potential_expr(value, context))
        case Cut(column, "HASH", parts):
            return f"{render._alembic_autogenerate_prefix(context)}by_hash({column!r}, {len(parts)})"
        case Mapping():
            return f"{{{', '.join(f'{key!r}: {_value(one, context)}' for key, one in value.items())}}}"
        case list() | tuple():
            return f"[{', '.join(_value(one, context) for one in value)}]"
        case _:
            return repr(value)
