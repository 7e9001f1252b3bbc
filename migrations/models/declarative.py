"""What all five systems share: one metadata, and PostgreSQL's types behind Python's."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Double, Identity, Interval, Numeric, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column


class Base(DeclarativeBase):
    """The root of all models.

    Its metadata has no naming convention: the names are those PostgreSQL gives by itself, so that a model
    describes a database whose tables were created without it.
    """

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger(),
        float: Double(),
        str: Text(),
        Decimal: Numeric(),
        uuid.UUID: Uuid(),
        datetime: DateTime(timezone=True),
        timedelta: Interval(),
        dict[str, Any]: JSONB(),
        list[str]: JSONB(),
    }


BigId = Annotated[int, mapped_column(Identity(always=True), primary_key=True)]
"""A number that PostgreSQL alone gives out."""

ArchivedId = Annotated[int, mapped_column(primary_key=True, autoincrement=False)]
"""A number that came along: an archive gives out none."""

UuidId = Annotated[uuid.UUID, mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))]
"""A primary key that an application may make before it inserts."""

Now = Annotated[datetime, mapped_column(server_default=text("now()"))]
"""The server's clock, never a client's."""

PartitionKey = Annotated[datetime, mapped_column(primary_key=True, server_default=text("now()"))]
"""The time a table is partitioned by: PostgreSQL wants it in the primary key."""
