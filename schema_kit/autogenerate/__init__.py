"""What Alembic's autogenerate sees, hides and writes once the operations are imported."""

from schema_kit.autogenerate import declared as declared  # registers what models declare of partitions
from schema_kit.autogenerate import hidden as hidden  # registers what diffs leave out
