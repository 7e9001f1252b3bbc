"""Where Alembic starts: `alembic upgrade head`, on the embedded PostgreSQL unless a database is named."""

from migrations.models import metadata
from migrations.sample.first import after_baseline
from schema_kit import environment

environment.run(target_metadata=metadata, on_version_apply=after_baseline)
