"""Sets are analyzed as a whole after what changed many of their rows: no command of its own."""

from __future__ import annotations

from schema_kit.cli.jobs import Job
from schema_kit.tasks import partitions

JOB = Job("analyze sets", partitions.analyze, partitions.analyze_due)
OF_ARCHIVE = Job("analyze sets", partitions.analyze_archived)
