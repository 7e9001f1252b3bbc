"""ops/classes.py and op.pyi, from the functions in schema_kit/ops: `python -m tools.write_operations` writes both."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import schema_kit
from schema_kit.ops import by_hash, by_list, lock_policy
from schema_kit.ops.operation import OPERATIONS, Declared

PACKAGE = Path(schema_kit.__file__).parent
IMPORTS = """
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

import sqlalchemy as sa
"""
NOUNS = """
from schema_kit.model import Cut, Tree
from schema_kit.plans.conversion import IncomingForeignKeys
from schema_kit.plans.copied_table import KeepOld, Strategy
"""
CLASSES = f'''"""What Alembic needs of each operation; written by tools/write_operations.py."""

from __future__ import annotations
{IMPORTS}from alembic.operations import Operations

from schema_kit.model import Cut, Tree
from schema_kit.ops import {{modules}}
from schema_kit.ops.invoke import register
from schema_kit.ops.operation import PlanOperation
from schema_kit.plans.conversion import IncomingForeignKeys
from schema_kit.plans.copied_table import KeepOld, Strategy

__all__ = {{names}}
'''
CLASS = '''

@register
class {name}(PlanOperation):
    """{first}"""

    called = "{called}"
    function = staticmethod({module}.{called})
    shared = {shared}

    @classmethod
    def {called}(cls, operations: Operations, {parameters}) -> None:
        operations.invoke(cls({arguments}))
'''
STUB = f"""# What `from schema_kit import op` offers: Alembic's own operations, and these; written by tools/write_operations.py.
{IMPORTS.replace("from datetime", "from contextlib import AbstractContextManager" + chr(10) + "from datetime")}from alembic.op import *
{NOUNS}"""
STARS: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
LOCK_POLICY = (
    "*, longest: str | int = ..., first: str | int = ..., statement_timeout: str | int = ..., attempts: int = ..., "
    "look_first: bool = ..."
)


def declared() -> list[tuple[str, str, Declared]]:
    """Each operation with its module, as they stand in the files."""
    found = [(one.function.__module__.rpartition(".")[2], name, one) for name, one in OPERATIONS.items()]
    return sorted(found, key=lambda one: (one[0], one[2].function.__code__.co_firstlineno))


def class_name(called: str) -> str:
    return "".join(map(str.capitalize, called.split("_"))) + "Op"


def parameters(function: Callable[..., Any]) -> str:
    """As they are declared, but for the first, defaults as literals: Alembic makes a function of that text."""
    found: list[str] = []
    for one in _own(function):
        if one.kind is one.KEYWORD_ONLY and not any(text.startswith("*") for text in found):
            found.append("*")
        default = "" if one.default is one.empty else f" = {one.default!r}"
        found.append(f"{STARS.get(one.kind, '')}{one.name}: {one.annotation}{default}")
    return ", ".join(found)


def arguments(function: Callable[..., Any]) -> str:
    """The same, handed on."""
    named = {one.name: f"{one.name}=" for one in _own(function) if one.kind is one.KEYWORD_ONLY}
    return ", ".join(f"{STARS.get(one.kind) or named.get(one.name, '')}{one.name}" for one in _own(function))


def _own(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return [one for one in inspect.signature(function).parameters.values() if one.name != "operations"]


def documented(function: Callable[..., Any]) -> str:
    text = re.sub(r"\n *operations: given by Alembic\.", "", inspect.getdoc(function) or "")
    text = re.sub(r"\n\nArgs:(?=\n\n|$)", "", text)
    lines = f'"""{text}"""' if "\n" not in text else f'"""{text}\n"""'
    return textwrap.indent(("r" if "\\" in text else "") + lines, "    ")


def classes() -> str:
    """The text of ops/classes.py, not formatted."""
    found = declared()
    modules = ", ".join(dict.fromkeys(module for module, _, _ in found))
    text = CLASSES.format(modules=modules, names=sorted(class_name(called) for _, called, _ in found))
    for module, called, one in found:
        text += CLASS.format(
            name=class_name(called),
            first=(inspect.getdoc(one.function) or "").split("\n", 1)[0],
            called=called,
            module=module,
            shared=one.shared,
            parameters=parameters(one.function),
            arguments=arguments(one.function),
        ).replace(", )", ")")
    return text


def stub() -> str:
    """The text of op.pyi, not formatted."""
    text = STUB
    for helper in (by_hash, by_list):
        text += f"def {helper.__name__}({parameters(helper)}) -> Cut:\n{documented(helper)}\n"
    text += f"def lock_policy({LOCK_POLICY}) -> AbstractContextManager[None]:\n{documented(lock_policy)}\n"
    for _, called, one in declared():
        text += f"def {called}({parameters(one.function)}) -> None:\n{documented(one.function)}\n"
    return text


FILES = {PACKAGE / "ops" / "classes.py": classes, PACKAGE / "op.pyi": stub}


def main() -> None:
    for path, text in FILES.items():
        path.write_text(text())
        for command in (("check", "--select=I", "--fix"), ("format",)):
            subprocess.run([sys.executable, "-m", "ruff", *command, "-q", str(path)], check=True)


if __name__ == "__main__":
    main()
