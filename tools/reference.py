"""The generated parts of README and docs/: from docstrings, plans and the commands' help.

`python -m tools.reference` writes them between their marks, in README.md and in each page of docs/.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent

import alembic.op
import click

import schema_kit
from schema_kit import environment, op
from schema_kit.autogenerate import Safe
from schema_kit.cli import cli
from tools.operations_chapter import EXAMPLES, sent

ROOT = Path(__file__).parents[1]
STUB = ROOT / "schema_kit" / "op.pyi"
SECTION = re.compile(r"^(Args|Raises|Yields|Example|See Also):\n", re.MULTILINE)
MARKED = re.compile(r"(<!-- generated: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> list[Path]:
    """Where generated parts can be."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def page_of(name: str) -> Path:
    """The page of an operation."""
    return ROOT / "docs" / "operations" / f"{name}.md"


def docstring(called: object) -> dict[str, str]:
    """The sections of a docstring; what comes before the first one is called "text"."""
    text, *parts = SECTION.split(inspect.getdoc(called) or "")
    return {"text": text} | {title: dedent(body).strip() for title, body in zip(parts[::2], parts[1::2], strict=True)}


def summary(name: str) -> str:
    """The first line of an operation's docstring."""
    return markdown(docstring(getattr(alembic.op, name))["text"].partition("\n")[0])


def markdown(text: str) -> str:
    """The marks of a docstring as those of Markdown."""
    literal = re.compile(r"::\n\n((?:    .*\n|\n)+)")
    text = text.replace("``", "`") + "\n"
    return literal.sub(lambda match: f":\n\n```python\n{dedent(match[1]).strip()}\n```\n\n", text).strip()


def described(section: str) -> Iterator[tuple[str, str]]:
    """The entries of a docstring's section, each on one line."""
    for entry in re.split(r"\n(?=\w)", section):
        name, _, text = entry.partition(": ")
        yield name, markdown(" ".join(text.split()))


def signature(name: str) -> tuple[str, dict[str, str]]:
    """How an operation is called, with types, and the default of each parameter that has one."""
    [found] = [node for node in ast.parse(STUB.read_text("utf-8")).body if getattr(node, "name", None) == name]
    assert isinstance(found, ast.FunctionDef)
    spec = found.args
    defaults = [None] * (len(spec.args) - len(spec.defaults)) + spec.defaults + spec.kw_defaults
    parts = [spec.args, [spec.vararg] if spec.vararg else [], spec.kwonlyargs, [spec.kwarg] if spec.kwarg else []]
    lines, shown = list[str](), dict[str, str]()
    for prefix, arguments in zip(("", "*", "", "**"), parts, strict=True):
        if arguments is spec.kwonlyargs and arguments and not spec.vararg:
            lines.append("*,")
        for argument in arguments:
            assert argument.annotation is not None
            default = defaults.pop(0) if not prefix else None
            line = f"{prefix}{argument.arg}: {ast.unparse(argument.annotation)}"
            if default is not None:
                shown[argument.arg] = ast.unparse(default).replace("'", '"')
                line += f" = {shown[argument.arg]}"
            lines.append(f"{line},")
    inside = "".join(f"    {line}\n" for line in lines)
    return f"op.{name}(\n{inside})" if lines else f"op.{name}()", shown


def table(*rows: tuple[str, ...]) -> str:
    """A table of Markdown; the first row is its head."""
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, f"|{' --- |' * len(rows[0])}", *body])


def parameters(sections: Mapping[str, str], defaults: Mapping[str, str]) -> Iterator[str]:
    """The table of parameters, where a call has any."""
    rows = [
        (f"`{name}`", f"`{defaults[name]}`" if name in defaults else "", about)
        for name, about in described(sections["Args"])
        if name != "operations"
    ]
    if rows:
        yield table(("parameter", "default", ""), *rows)


def raises(sections: Mapping[str, str]) -> str:
    """The table of errors."""
    return table(("error", "when"), *((f"`{error}`", when) for error, when in described(sections["Raises"])))


def operation(name: str) -> str:
    """The reference of one operation."""
    sections = docstring(getattr(alembic.op, name))
    text, _, locks = sections["text"].partition("Locks: ")
    call, defaults = signature(name)
    links = [f"- [{link.rpartition('/')[2]}]({link})" for link in sections["See Also"].split()]
    return "\n\n".join(
        [
            markdown(text),
            f"**Locks:** {markdown(' '.join(locks.split()))}",
            f"## Call\n\n```python\n{call}\n```",
            *parameters(sections, defaults),
            f"## Raises\n\n{raises(sections)}",
            f"## What is sent\n\n{sent(name)}",
            "## PostgreSQL's manual\n\n" + "\n".join(links),
        ]
    )


PYTHON: dict[str, Callable[..., object]] = {
    "environment.run": environment.run,
    "environment.one_migrator": environment.one_migrator,
    "schema_kit.operations": schema_kit.operations,
    "schema_kit.LockPolicy": schema_kit.LockPolicy,
    "schema_kit.assert_no_diff": schema_kit.assert_no_diff,
    "schema_kit.autogenerate.Safe": Safe,
    "op.lock_policy": op.lock_policy,
    "op.by_hash": op.by_hash,
    "op.by_list": op.by_list,
}
"""What is public in Python, besides the operations."""


def python() -> Iterator[str]:
    """The reference of what is public in Python."""
    for name, called in PYTHON.items():
        sections = docstring(called)
        specs = inspect.signature(called).parameters.values()
        defaults = {spec.name: str(spec.default) for spec in specs if spec.default is not spec.empty}
        yield f"## {name}\n\n{markdown(sections['text'])}\n\n```python\n{sections['Example']}\n```"
        yield from parameters(sections, defaults)
        yield raises(sections) if "Raises" in sections else f"Yields: {' '.join(sections['Yields'].split())}"


def operations(link: str) -> str:
    """A line for each operation, with a link to its page."""
    return table(
        ("operation", "what it does"), *((f"[`{name}`]({link}/{name}.md)", summary(name)) for name in EXAMPLES)
    )


def commands(group: click.Group = cli, path: str = "schema_kit") -> Iterator[tuple[str, str, click.Command]]:
    """Each command: how it is called, what it does, and itself."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            first = inspect.cleandoc(command.help or "").partition("\n")[0]
            yield f"{path} {name}", first, command


def arguments(command: click.Command) -> str:
    """The arguments of a command, as its help shows them."""
    context = click.Context(command)
    return " ".join(spec.make_metavar(context) for spec in command.params if isinstance(spec, click.Argument))


def command_list() -> str:
    """A line for each command."""
    lines = ((f"`{f'{path} {arguments(command)}'.strip()}`", text) for path, text, command in commands())
    return table(("command", "what it does"), *((call.replace("|", "\\|"), text) for call, text in lines))


def command_help() -> str:
    """The help of each command."""
    parts = []
    for path, _, command in commands():
        context = click.Context(
            command, info_name=path, terminal_width=100, max_content_width=100, help_option_names=["-h", "--help"]
        )
        parts.append(f"## {path.removeprefix('schema_kit ')}\n\n```text\n{command.get_help(context)}\n```")
    return "\n\n".join(parts)


def differences() -> str:
    """What pg_partman's functions do otherwise than the extension, as sql/README.md has it."""
    _, _, section = (ROOT / "sql" / "README.md").read_text("utf-8").partition("## What differs from pg_partman")
    return section.partition("\n")[2].strip()


PARTS: dict[str, Callable[[], str]] = {
    "operations": lambda: operations("docs/operations"),
    "index of operations": lambda: operations("operations"),
    "commands": command_list,
    "help": command_help,
    "differences from pg_partman": differences,
    "python": lambda: "\n\n".join(python()),
}
"""What can be generated, besides an operation's reference."""


def generated(part: str) -> str:
    """What belongs between the marks of that name."""
    return PARTS[part]() if part in PARTS else operation(part)


def rewritten(text: str) -> str:
    """A page with what the code says now between its marks."""
    return MARKED.sub(lambda match: f"{match[1]}\n{generated(match[2])}\n\n{match[3]}", text)


NEW = "# {0}\n\n- **Instead of:**\n- **Why:**\n\n<!-- generated: {0} -->\n<!-- end -->\n"
"""The page of an operation that has none yet; a test asks for what it replaces, and why."""


if __name__ == "__main__":
    for name in EXAMPLES:
        if not page_of(name).exists():
            page_of(name).write_text(NEW.format(name), "utf-8")
    for page in pages():
        page.write_text(rewritten(page.read_text("utf-8")), "utf-8")
