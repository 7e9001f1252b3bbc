"""Names that steps need: what a run before has made for them is not in their way."""

from __future__ import annotations

import pytest

from schema_kit.names import QualifiedName
from schema_kit.steps import Step
from schema_kit.steps.claims import claims
from schema_kit.steps.indexes import WaitForBuild

pytestmark = pytest.mark.constraints


class Sent(Step):
    """One statement."""

    def __init__(self, statement: str) -> None:
        self.statement = statement

    def sql(self) -> tuple[str, ...]:
        return (self.statement,)


@pytest.mark.parametrize(
    ("statement", "needed"),
    [
        ('ALTER TABLE "s"."t" ADD CONSTRAINT "u" UNIQUE USING INDEX "u" ', []),
        ('ALTER TABLE "s"."t" ADD CONSTRAINT "u" UNIQUE USING INDEX "u"', []),
        ('ALTER TABLE "s"."t" ADD CONSTRAINT "a ""b" PRIMARY KEY USING INDEX "a ""b" DEFERRABLE', []),
        ('ALTER TABLE "s"."t" ADD CONSTRAINT "u" UNIQUE USING INDEX "u2"', ["u"]),
        ('ALTER TABLE "s"."t" ADD CONSTRAINT "u" PRIMARY KEY USING INDEX "t__key"', ["u"]),
        ('ALTER TABLE ONLY "s"."t" ADD CONSTRAINT "u" UNIQUE ("id")', ["u"]),
    ],
)
def test_an_index_that_becomes_a_constraint_of_its_own_name_exists_already(statement: str, needed: list[str]) -> None:
    assert [claim.name for claim in claims([Sent(statement)]).needed] == [QualifiedName("s", name) for name in needed]


@pytest.mark.parametrize(("built", "needed"), [("i", []), ("other", ["i"])])
def test_what_another_session_is_building_is_waited_for(built: str, needed: list[str]) -> None:
    plan = [WaitForBuild(built, QualifiedName("s", "t")), Sent('CREATE INDEX CONCURRENTLY "i" ON "s"."t" ("v")')]
    assert [claim.name for claim in claims(plan).needed] == [QualifiedName("s", name) for name in needed]
