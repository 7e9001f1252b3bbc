"""What Alembic's autogenerate sees, hides and writes once the operations are imported."""

from schema_kit.autogenerate import declared as declared  # registers what models declare of partitions
from schema_kit.autogenerate import hidden as hidden  # registers what diffs leave out
from schema_kit.autogenerate import last as last  # registers what is compared and replaced behind Alembic
from schema_kit.autogenerate.switches import DRIFT, SAFE, Safe

__all__ = ["DRIFT", "SAFE", "Safe"]
