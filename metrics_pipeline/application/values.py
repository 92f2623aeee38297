"""A database's values as the declared types. What does not fit is refused with a reason that never holds the value."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation

from metrics_pipeline.catalog.application import ApplicationColumn, ValueType

Convert = Callable[[object], object]
_TRUE = frozenset({"1", "t", "true", "y", "yes", b"\x01"})
_FALSE = frozenset({"0", "f", "false", "n", "no", b"\x00"})
# More than a double has: an exponent of a million would take the memory for its digits.
_DIGITS = 350
_INT64 = range(-(2**63), 2**63)


class MisfitError(ValueError):
    """A value does not fit the declared type; says why, without the value."""


def converter(column: ApplicationColumn, zone: tzinfo) -> Convert:
    """What turns a value of the driver, other than null, into the column's type.

    `zone`: of times that come without one. The function raises MisfitError.
    """
    convert: dict[ValueType, Convert] = {
        "string": _text,
        "bigint": lambda value: _integer(value, column.scale),
        "double": lambda value: _double(value, column.scale),
        "boolean": _boolean,
        "timestamp": lambda value: _timestamp(value, zone),
        "date": lambda value: _date(value, zone),
    }
    return convert[column.type]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            raise MisfitError("is no text in UTF-8") from None
    if isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
        try:
            text.encode()
        except UnicodeEncodeError:  # half a surrogate pair, which JSON can spell
            return json.dumps(value, sort_keys=True, default=str)
        return text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def _exact(value: object) -> Decimal:
    if isinstance(value, bytes):
        value = _text(value)
    if isinstance(value, bool | int | float | Decimal | str):
        try:
            number = value if isinstance(value, Decimal) else Decimal(str(int(value) if value is True else value))
        except (InvalidOperation, ValueError):
            raise MisfitError("is no number") from None
        if number.is_finite() and abs(number.adjusted()) < _DIGITS:
            return number
    raise MisfitError("is no number")


def _integer(value: object, scale: int) -> int:
    if isinstance(value, int) and scale == 1:
        number = int(value)
    else:
        exact = _exact(int(value) if isinstance(value, bool) else value) * scale
        if exact.adjusted() > 19 or exact != exact.to_integral_value():
            raise MisfitError("is too large" if exact.adjusted() > 19 else "is no whole number")
        number = int(exact)
    if number not in _INT64:
        raise MisfitError("is too large")
    return number


def _double(value: object, scale: int) -> float:
    if isinstance(value, float):
        return value * scale
    if isinstance(value, Decimal) and value.is_nan():
        return float("nan")
    number = float(_exact(int(value) if isinstance(value, bool) else value) * scale)
    if number in (float("inf"), float("-inf")):
        raise MisfitError("is too large")
    return number


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float | Decimal):
        if value in (0, 1):
            return bool(value)
    elif isinstance(value, str | bytes):
        text = value.strip().lower() if isinstance(value, str) else value
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
    raise MisfitError("is neither true nor false")


def _timestamp(value: object, zone: tzinfo) -> datetime:
    moment = _moment(value)
    try:
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise MisfitError("lies outside the years 1 to 9999") from None


def _date(value: object, zone: tzinfo) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    moment = _moment(value)
    if moment.tzinfo is None:
        return moment.date()
    try:
        return moment.astimezone(zone).date()
    except OverflowError:
        raise MisfitError("lies outside the years 1 to 9999") from None


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time.min)
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            raise MisfitError("is no time in ISO form") from None
    raise MisfitError("is no time")
