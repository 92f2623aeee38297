"""What the database says of its columns, and what follows for reading them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, TypeAlias

from sqlalchemy import types
from sqlalchemy.dialects import mysql

from metrics_pipeline.catalog.application import ValueType
from metrics_pipeline.windows import DAY, Window

# SQLAlchemy's types are generic in what they read as, which is of no matter here.
SqlType: TypeAlias = types.TypeEngine[Any]
# A local time may stand for two instants when clocks are put back; what is read too much is dropped afterwards.
CLOCK_CHANGE = timedelta(hours=2)

_FITS: dict[ValueType, tuple[type[SqlType], ...]] = {
    "bigint": (types.Integer, types.Numeric, types.Float, types.Boolean),
    "double": (types.Integer, types.Numeric, types.Float),
    "boolean": (types.Boolean, types.Integer, mysql.BIT),
    "timestamp": (types.DateTime, types.Date),
    "date": (types.Date, types.DateTime),
}


@dataclass(frozen=True)
class Bounds:
    """A column's share of a window as the database compares it: start <= column < end."""

    start: object
    end: object
    type: SqlType


def fits(declared: ValueType, found: SqlType, dialect: str) -> bool:
    """Whether a column of this type can be expected to hold values of the declared one."""
    if declared == "string" or isinstance(found, types.NullType):
        return True
    if isinstance(found, types.String) and dialect == "sqlite" and declared in ("timestamp", "date"):
        return True  # SQLite has no times: they are texts
    return isinstance(found, _FITS[declared])


def zone_of(found: SqlType, declared: tzinfo) -> tzinfo:
    """The zone of times without one: MySQL's TIMESTAMP is an instant, which our sessions read in UTC."""
    return UTC if isinstance(found, mysql.TIMESTAMP) else declared


def bounds(window: Window, found: SqlType, dialect: str, zone: tzinfo) -> Bounds | None:
    """The bounds of a time column, never narrower than the window; None if the column holds no times."""
    if dialect == "sqlite":
        if isinstance(found, types.Integer | types.Numeric | types.Float | types.Boolean):
            return None
        # texts compare by their day whatever stands between day and time; an offset moves them by a day at most
        return Bounds(_text(window.first_day - DAY), _text(window.end_day + DAY), types.NullType())
    if isinstance(found, types.DateTime):
        if getattr(found, "timezone", False) and dialect == "postgresql":
            return Bounds(window.start, window.end, types.DateTime(timezone=True))
        slack = timedelta(0) if zone is UTC else CLOCK_CHANGE
        start, end = (_naive(moment, zone) for moment in (window.start, window.end))
        return Bounds(start - slack, end + slack, types.DateTime())
    if isinstance(found, types.Date):
        return Bounds(window.first_day - DAY, window.end_day + DAY, types.Date())
    return None


def _naive(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _text(day: date) -> str:
    return day.isoformat()
