"""How a table is partitioned by the values of a column, as operations and models say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schema_kit.errors import DeclarationError
from schema_kit.model import Cut
from schema_kit.names import literal

MOST_PARTS = 1000


def by_hash(column: str, modulus: int) -> Cut:
    """Partition by the hash of a column; for *partition_by* or *sub_partitions*.

    Args:
        column: the partition key.
        modulus: number of partitions, 2 to 1000.

    Raises:
        DeclarationError: the modulus is out of its range.

    Example:
        op.by_hash("customer_id", 8)
    """
    if not 2 <= modulus <= MOST_PARTS:
        raise DeclarationError(f"a table is partitioned by hash into 2 to {MOST_PARTS} parts, not {modulus}")
    parts = ((f"_h{n}", f"FOR VALUES WITH (MODULUS {modulus}, REMAINDER {n})") for n in range(modulus))
    return Cut(column, "HASH", tuple(parts))


def by_list(column: str, parts: Mapping[str, Sequence[Any]], *, default: bool = False) -> Cut:
    """Partition by the values of a column; for *partition_by* or *sub_partitions*.

    Args:
        column: the partition key.
        parts: the values of each partition (texts, integers, or None for NULL), by the suffix of its name.
        default: whether to create a default partition for all other values.

    Raises:
        DeclarationError: no partition is given, a partition has no value, or two partitions have the same value.

    Example:
        op.by_list("region", {"eu": ["ES", "FR"], "us": ["US"]}, default=True)
    """
    texts = {name: [value_sql(value) for value in values] for name, values in parts.items()}
    all_values = [text for values in texts.values() for text in values]
    if not texts or not all(texts.values()) or len(set(all_values)) < len(all_values):
        raise DeclarationError(
            f"{column!r} is partitioned by list into one partition or more, each with values of its own"
        )
    if default and "default" in texts:
        raise DeclarationError("the part for all other values is called default; call yours by another name")
    cut = [(f"_{name}", f"FOR VALUES IN ({', '.join(values)})") for name, values in texts.items()]
    return Cut(column, "LIST", (*cut, *([("_default", "DEFAULT")] if default else [])))


def value_sql(value: Any) -> str:
    """Return a value of a LIST partition.

    Raises:
        DeclarationError: a migration cannot write such a value literally.
    """
    if isinstance(value, str):
        return literal(value)
    if value is None or isinstance(value, bool | int):
        return "NULL" if value is None else str(value).lower()
    raise DeclarationError(f"{value!r} cannot be a value of a list partition: write a text, a whole number or None.")
