"""What `schema_kit lint --fix` makes of a file: our calls, every other letter as it was, and chains of revisions."""

from __future__ import annotations

import textwrap

import pytest

from schema_kit.lint.fix.chain import chained
from schema_kit.lint.fix.rewrite import Asked, rewritten
from schema_kit.lint.fix.source import Source
from schema_kit.lint.fix.statements import CannotRewrite, calls

pytestmark = [pytest.mark.lint]

HEAD = """\
from alembic import op
import sqlalchemy as sa

revision = "a1"
down_revision = "a0"


def upgrade():
"""
FIRST = HEAD.count("\n") + 1
"""The line of the first statement of upgrade()."""


def written(up: str, down: str = "pass", *, head: str = HEAD) -> str:
    indented = [textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") for body in (up, down)]
    return f"{head}{indented[0]}\n\n\ndef downgrade():\n{indented[1]}\n"


def fixed(up: str, down: str = "pass", *lines: int, whole: bool = True) -> list[str]:
    """The bodies of upgrade() and downgrade()."""
    before, now = written(up, down), rewritten(Source(written(up, down)), Asked(frozenset(lines), whole=whole)).code
    head, bodies = now.split("def upgrade():\n")
    ours = HEAD if now == before else HEAD.replace("from alembic import op", "from schema_kit import op")
    assert head == ours.removesuffix("def upgrade():\n")
    return [textwrap.dedent(body).rstrip("\n") for body in bodies.split("\n\n\ndef downgrade():\n")]


CALLS = {
    "op.create_index('ix', 't', ['x'])": "op.create_index_concurrently('ix', 't', ['x'])",
    "op.create_index(op.f('ix'), 't', ['x', sa.text('lower(s)')], unique=True, schema='s')": (
        "op.create_index_concurrently(op.f('ix'), 't', ['x', sa.text('lower(s)')], unique=True, schema='s')"
    ),
    "op.create_index(index_name=n, table_name=t, columns=c, postgresql_where='x > 0', if_not_exists=True)": (
        "op.create_index_concurrently(index_name=n, table_name=t, columns=c, postgresql_where='x > 0')"
    ),
    "op.drop_index('ix', table_name='t')": "op.drop_index_concurrently('ix', table_name='t')",
    "op.drop_column('t', 'x')": "op.drop_column_concurrently('t', 'x')",
    "op.drop_table('t')": "op.drop_table_concurrently('t')",
    "op.alter_column('t', 'x', existing_type=sa.Integer(), nullable=False)": "op.set_not_null_concurrently('t', 'x')",
    "op.alter_column('t', 'x', nullable=False, schema='s')": "op.set_not_null_concurrently('t', 'x', schema='s')",
    "op.alter_column('t', 'x', type_=sa.Text(), nullable=False)": (
        "op.alter_column_concurrently('t', 'x', type_=sa.Text(), nullable=False)"
    ),
    "op.alter_column('t', 'x', new_column_name='y')": "op.alter_column('t', 'x', new_column_name='y')",
    "op.add_column('t', sa.Column('z', sa.Integer))": "op.add_column_concurrently('t', sa.Column('z', sa.Integer))",
    "op.add_column('t', sa.Column('z', sa.Integer, unique=True, index=True), schema='s')": (
        "op.add_column_concurrently('t', sa.Column('z', sa.Integer), schema='s')\n"
        "op.create_unique_constraint_concurrently(None, 't', ['z'], schema='s')\n"
        "op.create_index_concurrently(None, 't', ['z'], schema='s')"
    ),
    "op.add_column('t', sa.Column('z', sa.Integer, nullable=False, comment='why'))": (
        "op.add_column_concurrently('t', sa.Column('z', sa.Integer, comment='why'))\n"
        "op.set_not_null_concurrently('t', 'z')"
    ),
    "op.bulk_insert(t, rows)": "op.bulk_insert(t, rows)",
    "op.execute('DROP INDEX s.ix')": 'op.drop_index_concurrently("ix", schema="s")',
    "op.execute(sa.text('CREATE INDEX ix ON t (x)'))": 'op.create_index_concurrently("ix", "t", ["x"])',
    "op.get_bind().execute(sa.text('CREATE INDEX ix ON t (x)'))": 'op.create_index_concurrently("ix", "t", ["x"])',
    "bind = op.get_bind()\nbind.exec_driver_sql('CREATE INDEX ix ON t (x)')": (
        'bind = op.get_bind()\nop.create_index_concurrently("ix", "t", ["x"])'
    ),
    "n = 't'\nop.execute(f'CREATE INDEX ix_{n} ON {n} ' '(x)')": (
        'n = \'t\'\nop.create_index_concurrently("ix_t", "t", ["x"])'
    ),
    "for n in ('t', 'u'):\n    op.execute(f'CREATE INDEX ix_{n} ON {n} (x)')": (
        "for n in ('t', 'u'):\n    op.execute(f'CREATE INDEX ix_{n} ON {n} (x)')"
    ),
    "op.create_index('a', 't', ['x']); op.drop_index('b')  # both": (
        "op.create_index_concurrently('a', 't', ['x']); op.drop_index_concurrently('b')  # both"
    ),
    "# before\nop.execute('CREATE INDEX a ON t (x); CREATE INDEX b ON t (y)'); n = 1  # after": (
        '# before\nop.create_index_concurrently("a", "t", ["x"])\nop.create_index_concurrently("b", "t", ["y"])\n'
        "n = 1  # after"
    ),
    "op.create_index(\n    'ix',  # its name\n    't',\n    ['x'],\n    postgresql_concurrently=True,\n)": (
        "op.create_index_concurrently(\n    'ix',  # its name\n    't',\n    ['x'],\n)"
    ),
    "if True:\n    op.create_index('ix', 't', ['x'])\nelse:\n    op.drop_index('ix')": (
        "if True:\n    op.create_index_concurrently('ix', 't', ['x'])\nelse:\n    op.drop_index_concurrently('ix')"
    ),
    "def make(n):\n    op.create_index(n, 't', ['x'])\n\nmake('a')": (
        "def make(n):\n    op.create_index_concurrently(n, 't', ['x'])\n\nmake('a')"
    ),
    "# why\nwith op.batch_alter_table('t', schema='s') as b:\n    # the index\n    b.create_index('ix', ['x'])\n"
    "    b.add_column(sa.Column('z', sa.Integer))  # new\n    b.drop_constraint('c')": (
        "# why\n# the index\nop.create_index_concurrently('ix', 't', ['x'], schema='s')\n"
        "op.add_column_concurrently('t', sa.Column('z', sa.Integer), schema='s')  # new\n"
        "op.drop_constraint_concurrently('c', 't', schema='s')"
    ),
    "with op.batch_alter_table('t') as b:\n    b.create_foreign_key('f', 'r', ['x'], ['id'], ondelete='CASCADE')": (
        "op.create_foreign_key_concurrently('f', 't', 'r', ['x'], ['id'], ondelete='CASCADE')"
    ),
    "with op.batch_alter_table('t') as b:\n    for n in 'ab':\n        b.drop_column(n)": (
        "with op.batch_alter_table('t') as b:\n    for n in 'ab':\n        b.drop_column(n)"
    ),
}


@pytest.mark.parametrize("up", CALLS)
def test_calls(up: str) -> None:
    assert fixed(up)[0] == CALLS[up]
    assert fixed("pass", up)[1] == CALLS[up]  # in the downgrade, too


def test_only_what_is_on_the_lines_is_replaced() -> None:
    up = "op.drop_column('t', 'x')\nop.create_index('ix', 't', ['y'])"
    assert fixed(up, "op.drop_index('ix')", FIRST + 1, whole=False) == [
        "op.drop_column('t', 'x')\nop.create_index_concurrently('ix', 't', ['y'])",
        "op.drop_index_concurrently('ix')",
    ]


FUTURE = '"""Doc."""\nfrom __future__ import annotations\n\n'
OP = "from schema_kit import op"
DROP, UPDATE = "op.drop_index('i')", "op.execute('UPDATE t SET x = 1')"


@pytest.mark.parametrize(
    ("head", "call", "becomes"),
    [
        ("from alembic import context, op as o\n", "o.drop_index('i')", f"from alembic import context\n{OP} as o\n"),
        (f"{OP}\n", DROP, f"{OP}\n"),
        (f"{FUTURE}from alembic import op\n", UPDATE, f"{FUTURE}import sqlalchemy as sa\n{OP}\n"),
        ("import sqlalchemy\nfrom alembic import op\n", UPDATE, f"import sqlalchemy\n{OP}\n"),
    ],
)
def test_imports(head: str, call: str, becomes: str) -> None:
    source = Source(written(call, head=f"{head}\n\ndef upgrade():\n"))
    text = rewritten(source, Asked(frozenset(), whole=True)).code
    assert text.startswith(becomes)
    assert ("sqlalchemy.text" if "import sqlalchemy\n" in head else "") in text


SQL = {
    'CREATE UNIQUE INDEX "Ix" ON s.t USING gin (x, lower(y) DESC) INCLUDE (z) WITH (fillfactor = 70) WHERE x > 0': (
        'op.create_index_concurrently("Ix", "t", ["x", sa.text("lower(y) DESC")], schema="s", unique=True, '
        'postgresql_using="gin", postgresql_where=sa.text("x > 0"), postgresql_include=["z"], '
        'postgresql_with={"fillfactor": "70"})'
    ),
    "REINDEX TABLE s.t": 'op.reindex_concurrently(table_name="t", schema="s")',
    "reindex index ix": 'op.reindex_concurrently("ix")',
    "REFRESH MATERIALIZED VIEW m": 'op.refresh_materialized_view_concurrently("m")',
    "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (x) REFERENCES s.r (id) ON DELETE SET NULL NOT VALID": (
        'op.create_foreign_key_concurrently("f", "t", "r", ["x"], ["id"], referent_schema="s", ondelete="SET NULL", '
        "postgresql_not_valid=True)"
    ),
    "ALTER TABLE t ADD CHECK (x > 0 AND (y < 1))": (
        'op.create_check_constraint_concurrently(None, "t", "x > 0 AND (y < 1)")'
    ),
    "ALTER TABLE t ADD CONSTRAINT u UNIQUE (x, y) INCLUDE (z)": (
        'op.create_unique_constraint_concurrently("u", "t", ["x", "y"], postgresql_include=["z"])'
    ),
    "ALTER TABLE t ADD PRIMARY KEY (x)": 'op.create_primary_key_concurrently(None, "t", ["x"])',
    "ALTER TABLE t VALIDATE CONSTRAINT f": 'op.validate_constraint("f", "t")',
    "ALTER TABLE t ALTER x SET NOT NULL, ALTER COLUMN y SET NOT NULL": (
        'op.set_not_null_concurrently("t", "x") op.set_not_null_concurrently("t", "y")'
    ),
    "ALTER TABLE t ADD COLUMN z uuid DEFAULT gen_random_uuid() NOT NULL": (
        'op.add_column_concurrently("t", sa.Column("z", sa.Uuid, server_default=sa.text("gen_random_uuid()"), '
        "nullable=False))"
    ),
    "ALTER TABLE p DETACH PARTITION s.p1": 'op.detach_partition_concurrently("p", "p1", partition_schema="s")',
    "ALTER TYPE mood ADD VALUE 'it''s' BEFORE 'x'": 'op.add_enum_value_concurrently("mood", "it\'s", before="x")',
    "UPDATE t SET a = 'x, y', b = coalesce(b, 1) WHERE c IN (1, 2) AND d IS NULL;": (
        'op.update_in_batches("t", {"a": sa.text("\'x, y\'"), "b": sa.text("coalesce(b, 1)")}, '
        'where="c IN (1, 2) AND d IS NULL")'
    ),
}


@pytest.mark.parametrize("sql", SQL)
def test_statements(sql: str) -> None:
    assert " ".join(calls(sql, "op", "sa")) == SQL[sql]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("CREATE INDEX ix ON t (x) -- slow", "holds a comment"),
        ("DELETE FROM t", "DELETE of one range of keys after the other"),
        ("UPDATE t SET x = u.x FROM u", "updates from other tables"),
        ("UPDATE t SET (x, y) = (1, 2)", "assigns several columns"),
        ("ALTER TABLE t ADD COLUMN z point", "no plain word in SQLAlchemy"),
        ("ALTER TABLE t ADD COLUMN z int NOT NULL", "without a default"),
        ("ALTER TABLE t ALTER x TYPE bigint", "takes the place of the old one"),
        ("VACUUM FULL t", "VACUUM without FULL"),
        ("CREATE INDEX ON t (x)", "more than the operation takes"),
        ("DO $$ BEGIN ALTER TABLE t ADD CHECK (x > 0); END $$", "operation"),
        ("GRANT SELECT ON t TO r", "no operation of schema_kit does it"),
        ("CREATE INDEX ix ON t (x", "cannot be read"),
    ],
)
def test_statements_that_stay(sql: str, why: str) -> None:
    with pytest.raises(CannotRewrite, match=why):
        calls(sql, "op", "sa")


@pytest.mark.parametrize(
    ("up", "why"),
    [
        ("op.rename_table('t', 'u')", "op.rename_table: the code that runs uses the old name"),
        ("op.create_exclude_constraint('e', 't', ('x', '='))", "cannot build an exclusion constraint"),
        ("op.add_column('t', sa.Column('z', sa.Integer, sa.Computed('x * 2')))", "stored generated column"),
        ("op.execute(sql)", "put together at run time"),
        ("op.execute('UPDATE t SET x = :x', {'x': 1})", "put together at run time"),
        ("op.create_index(*a)", "put together at run time"),
        ("with op.batch_alter_table('t', recreate='always') as b:\n    b.drop_column('x')", "options of its own"),
        ("with op.batch_alter_table('t') as b:\n    print(b)", "more than calls"),
    ],
)
def test_what_cannot_be_replaced_is_said_with_its_line(up: str, why: str) -> None:
    with pytest.raises(CannotRewrite, match=f"line {FIRST}: .*{why}"):
        rewritten(Source(written(up)), Asked(frozenset({FIRST})))


def chain(up: str, down: str = "pass", head: str = HEAD) -> list[tuple[str, str, str, str]]:
    """Identifier, the revision below, and both bodies of each revision of a chain."""
    found = []
    for part in chained(Source(written(up, down, head=head)), "a1", frozenset({"a0", "a1"})):
        names: dict[str, str] = {}
        exec(part.text.split("def upgrade")[0], names)  # noqa: S102
        up_, down_ = part.text.split("def upgrade():\n")[1].split("\n\n\ndef downgrade():\n")
        assert names["revision"] == part.revision
        found.append((part.revision, names["down_revision"], textwrap.dedent(up_), textwrap.dedent(down_).rstrip("\n")))
    return found


def test_one_kind_stays_one_revision() -> None:
    for body in ("op.add_column('t', c)\nop.drop_column('t', 'x')", "op.drop_index_concurrently('a')", "pass"):
        assert chain(body) == [("a1", "a0", body, "pass")]


def test_two_kinds_become_two_revisions_and_the_downgrade_goes_with_what_it_takes_back() -> None:
    up = "op.add_column('t', sa.Column('x', sa.Text))\n# and\nop.create_index_concurrently('ix', 't', ['x'])"
    down = "op.drop_index_concurrently('ix')\nop.drop_column('t', 'x')"
    assert chain(up, down) == [
        ("a1_1", "a0", "op.add_column('t', sa.Column('x', sa.Text))", "op.drop_column('t', 'x')"),
        ("a1", "a1_1", "# and\nop.create_index_concurrently('ix', 't', ['x'])", "op.drop_index_concurrently('ix')"),
    ]


def test_names_go_with_those_that_use_them() -> None:
    up = "t, c = 't', ['x']\nop.drop_column(t, 'y')\nop.create_index_concurrently('ix', t, c)\nop.execute('ANALYZE')"
    assert [one[2] for one in chain(up)] == [
        "t, c = 't', ['x']\nop.drop_column(t, 'y')",
        "t, c = 't', ['x']\nop.create_index_concurrently('ix', t, c)",
        "op.execute('ANALYZE')",
    ]


@pytest.mark.parametrize(
    ("up", "down", "why"),
    [
        ("for n in 'ab':\n    op.drop_column('t', n)\n    op.drop_index_concurrently(n)", "pass", "both kinds"),
        (
            "r = op.bulk_insert(t, [])\nop.drop_index_concurrently('a')\nop.execute(r)",
            "pass",
            "needed in two revisions",
        ),
        (
            "op.drop_column('t', 'y')\nop.drop_index_concurrently('a')",
            "op.execute('CREATE VIEW v')",
            "does not show which",
        ),
        (
            "op.drop_index_concurrently('a')",
            "op.drop_index_concurrently('b')\nop.drop_column('t', 'y')",
            "downgrade holds",
        ),
    ],
)
def test_what_cannot_be_split(up: str, down: str, why: str) -> None:
    with pytest.raises(CannotRewrite, match=why):
        chain(up, down)


def test_a_downgrade_that_raises_is_in_each_and_what_sends_nothing_splits_nothing() -> None:
    down = "raise NotImplementedError('no way back')"
    found = chain("print('one')\nop.drop_index_concurrently('a')\nop.drop_column('t', 'y')", down)
    assert [one[2:] for one in found] == [
        ("print('one')\nop.drop_index_concurrently('a')", down),
        ("op.drop_column('t', 'y')", down),
    ]


def test_each_thing_is_dropped_where_it_is_made() -> None:
    up = (
        "op.add_column('refs', sa.Column('event', sa.Integer))\n"
        "op.create_foreign_key_concurrently('fk', 'refs', 'events', ['event'], ['id'])"
    )
    down = "op.drop_constraint('fk', 'refs', type_='foreignkey')\nop.drop_column('refs', 'event')"
    assert [one[3].split("\n") for one in chain(up, down)] == [[one] for one in reversed(down.split("\n"))]
    up = (
        "op.create_table('homes', sa.Column('id', sa.Integer), sa.Column('customer_id', sa.Integer))\n"
        "op.create_foreign_key_concurrently(None, 'homes', 'customers', ['customer_id'], ['id'])\n"
        "op.execute('CREATE INDEX homes_ix ON homes (customer_id)')"
    )
    assert [one[3] for one in chain(up, "op.drop_table('homes')")] == ["op.drop_table('homes')", "pass", "pass"]


@pytest.mark.parametrize("commit", ["op.execute('COMMIT')", "op.get_bind().execute(sa.text('commit;'))"])
def test_a_commit_goes(commit: str) -> None:
    up, _ = fixed(f"{commit}\nop.execute('CREATE INDEX ix ON t (x)')")
    assert up == 'op.create_index_concurrently("ix", "t", ["x"])'


def test_a_type_of_sqlalchemy_sends_nothing() -> None:
    imports = "from sqlalchemy import Column, Text\nfrom sqlalchemy.dialects import postgresql as pg"
    head = HEAD.replace("import sqlalchemy as sa", imports)
    up = "op.add_column_concurrently('t', Column('x', Text()))\nop.add_column_concurrently('t', Column('y', pg.UUID()))"
    assert len(chain(up, head=head)) == 1


def test_line_ends_are_kept() -> None:
    text = written("op.drop_index('a')\nop.execute('REINDEX TABLE t')").replace("\n", "\r\n")
    now = rewritten(Source(text), Asked(frozenset(), whole=True)).code
    assert now.count("\r\n") == now.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "head",
    [
        HEAD,
        HEAD.replace('revision = "a1"\ndown_revision = "a0"', 'revision: str = "a1"\ndown_revision: str | None = "a0"'),
        HEAD.replace('revision = "a1"\ndown_revision = "a0"', 'revision, down_revision = "a1", "a0"'),
        '"""Two.\n\nRevision ID: a1\nRevises: a0\n"""\n'
        + HEAD.replace('"a0"', '"a0"\nbranch_labels = ("b",)\ndepends_on = "z"'),
    ],
    ids=["plain", "typed", "tuple", "labels"],
)
def test_heads(head: str) -> None:
    up = "op.drop_column('t', 'y')\nop.drop_index_concurrently('a')"
    first, last = chained(Source(written(up, head=head)), "a1", frozenset())
    assert [one[:2] for one in chain(up, head=head)] == [("a1_1", "a0"), ("a1", "a1_1")]
    if "labels" in head:
        assert "Revision ID: a1_1\nRevises: a0\n" in first.text
        assert "Revision ID: a1\nRevises: a1_1\n" in last.text
        assert (
            'branch_labels = None\ndepends_on = "z"' in first.text,
            'branch_labels = ("b",)\ndepends_on = None' in last.text,
        ) == (True, True)
