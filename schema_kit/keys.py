"""How a key column holds its time: one codec a type, from a moment to the text of a bound and back.

Moments are aware datetimes. `timestamp` and `date` columns hold the wall clock of the policy's time zone.
Text is read under TimeZone UTC and DateStyle ISO (the catalog sees to that) and is written so that no setting of
the session that sends it can change what it means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from schema_kit.errors import PlanError


@dataclass(frozen=True, slots=True)
class Key:
    """The codec of one column type in one time zone."""

    type: str
    zone: ZoneInfo

    def encode(self, moment: datetime) -> str:
        """The text of a bound, without quotes."""
        if self.type == "timestamp with time zone":
            return _iso(moment.astimezone(UTC).replace(tzinfo=None)) + "+00"
        wall = moment.astimezone(self.zone).replace(tzinfo=None)
        return wall.date().isoformat() if self.type == "date" else _iso(wall)

    def decode(self, text: str) -> datetime | None:
        """The moment that a bound's text means; None for infinity.

        Raises:
            PlanError: a date that the calendar of Python does not reach (before year 1, after 9999).
        """
        if text in ("infinity", "-infinity"):
            return None
        try:
            if self.type == "date":
                return datetime.combine(date.fromisoformat(text), time(), self.zone)
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise PlanError(
                f"the bound {text!r} lies outside the years 1 to 9999, which is what can be planned with"
            ) from error
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)


TYPES = ("timestamp with time zone", "timestamp without time zone", "date")


def key_for(type_name: str, zone: ZoneInfo, column: str) -> Key:
    """The codec for a column's type, as ``format_type`` prints it; a precision does not matter.

    Raises:
        PlanError: no codec for this type.
    """
    bare = re.sub(r"\(\d\)", "", type_name)
    if bare not in TYPES:
        raise PlanError(
            f"column {column!r} is {type_name}; partitions by time need {', '.join(TYPES)}. Nothing was changed."
        )
    return Key(bare, zone)


def _iso(moment: datetime) -> str:
    return moment.isoformat(sep=" ")
