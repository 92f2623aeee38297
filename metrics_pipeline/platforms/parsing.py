"""Strict reading of JSON objects: known fields are taken, what nobody took is reported, nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from metrics_pipeline.platforms.errors import Act, PlatformError

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


class Fields:
    """One JSON object being read. Every reader gives None where the field is absent or null.

    Use it as a context manager: leaving it adds the dotted path of every field nobody took to `unknown`.

    Raises:
        PlatformError: config, when a field has a type the parser does not know; reading on would be a guess.
    """

    def __init__(self, value: object, path: str, unknown: set[str]) -> None:
        if not isinstance(value, dict):
            raise PlatformError(Act.CONFIG, f"{path} should be an object, not {type(value).__name__}")
        self._values: Mapping[str, object] = value
        self._left = set(value)
        self.path = path
        self._unknown = unknown

    def __enter__(self) -> Fields:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._unknown.update(f"{self.path}.{name}" for name in self._left)

    def _take(self, name: str) -> object:
        self._left.discard(name)
        return self._values.get(name)

    def _wrong(self, name: str, wanted: str, value: object) -> PlatformError:
        return PlatformError(Act.CONFIG, f"{self.path}.{name} should be {wanted}, not {type(value).__name__}")

    def names(self) -> list[str]:
        return list(self._values)

    def ignore(self, *names: str) -> None:
        """Fields that are known and not needed."""
        self._left.difference_update(names)

    def report(self, problem: str) -> None:
        """An odd record: said, not fatal."""
        self._unknown.add(f"{self.path}: {problem}")

    def raw(self, name: str) -> object:
        """A field as it came, for callers that know several shapes of it."""
        return self._take(name)

    def text(self, name: str) -> str | None:
        value = self._take(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, "text", value)
        return value

    def identifier(self, name: str) -> str | None:
        """An id: text that may have been sent as a number; it stays text, since large ones overflow floats."""
        value = self._take(name)
        if value is None or isinstance(value, str):
            return value or None
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise self._wrong(name, "an id", value)

    def number(self, name: str) -> float | None:
        """A number, also one sent as text."""
        value = self._take(name)
        if value is None:
            return None
        number = as_number(value)
        if number is None:
            raise self._wrong(name, "a number", value)
        return number

    def number_or_blank(self, name: str) -> float | None:
        """A number where the platform leaves empty text for what it does not know."""
        if self._values.get(name) == "":
            self.ignore(name)
            return None
        return self.number(name)

    def flag(self, name: str) -> bool | None:
        value = self._take(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "true or false", value)
        return value

    def instant(self, name: str) -> datetime | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            raise PlatformError(Act.CONFIG, f"{self.path}.{name} should be an instant: {value[:40]}") from None
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)

    def child(self, name: str) -> Fields | None:
        value = self._take(name)
        return None if value is None else Fields(value, f"{self.path}.{name}", self._unknown)

    def children(self, name: str) -> list[Fields]:
        return [Fields(value, f"{self.path}.{name}[]", self._unknown) for value in self.items(name)]

    def items(self, name: str) -> list[object]:
        """A list, empty where absent."""
        value = self._take(name)
        if value is not None and not isinstance(value, list):
            raise self._wrong(name, "a list", value)
        return value or []


def as_number(value: object) -> float | None:
    """A JSON number, or text that is one; None for anything else (true is not 1)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if number - number == 0 else None  # neither infinite nor NaN


def seconds_of(duration: str | None) -> float | None:
    """An ISO 8601 duration such as PT1H2M3S in seconds; None where absent or in another form."""
    match = _DURATION.fullmatch(duration) if duration else None
    if match is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + seconds
