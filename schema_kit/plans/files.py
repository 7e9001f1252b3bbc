"""What becomes of a table whose rows are in a file."""

from __future__ import annotations

from collections.abc import Sequence

from schema_kit.model import ArchiveFile, Detaching
from schema_kit.plans.retirement import drop
from schema_kit.steps import Plan
from schema_kit.steps.files import ForgetFile, RecordFile


def register(file: ArchiveFile, leaving: Detaching | None = None) -> Plan:
    """Write down what lies in a file that is complete; where the table shall go, in one commit with its end.

    Args:
        file: what lies where.
        leaving: the table, as observed, if it shall be dropped: one that was detached.

    Raises:
        PlanError: it never was a partition, something depends on it, rows refer to it, or rights are missing.
    """
    title = f"record {file.url}"
    if leaving is None:
        return Plan(title, (RecordFile(file),))
    return Plan(title, (RecordFile(file, drops=True), *drop(leaving.parent, leaving.name, leaving).steps))


def forget(urls: Sequence[str], known: Sequence[ArchiveFile]) -> Plan:
    """Take files out of the manifest, those that are in it still."""
    there = {file.url for file in known}
    return Plan("forget files", tuple(ForgetFile(url) for url in urls if url in there))
