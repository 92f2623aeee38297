"""The fields of an event: under which names each may come, and what its value has to be.

Two spellings are read, also mixed: nested camelCase (`viewData.watchTime`) and the flat column names (`watch_time`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

EVENT_TYPES = frozenset(
    {
        "impression",
        "view_start",
        "view_progress",
        "view_complete",
        "swipe_away",
        "pause",
        "resume",
        "seek",
        "like",
        "unlike",
        "comment",
        "share",
        "save",
        "unsave",
        "report",
        "not_interested",
        "hide",
        "follow",
        "unfollow",
        "duet",
        "stitch",
        "sound_use",
        "loop",
    }
)
ABOUT_A_CREATOR = frozenset({"follow", "unfollow"})

Value = str | int | float | bool | datetime
Check = Callable[[object], Value | None]
"""Gives the normalised value, or None for one that says nothing; raises Invalid."""


class Invalid(Exception):  # noqa: N818 - it is a verdict on somebody else's data
    """A value that cannot be taken. `detail` never repeats it."""

    def __init__(self, code: str, detail: str, pointer: str = "") -> None:
        super().__init__(code)
        self.code, self.detail, self.pointer = code, detail, pointer


def text(limit: int) -> Check:
    """Text of at most `limit` characters; an empty one says nothing."""

    def check(value: object) -> str | None:
        if type(value) is str and 0 < len(value) <= limit and value.isascii() and "\0" not in value:  # nearly always
            return None if value.isspace() else value
        if not isinstance(value, str):
            raise Invalid("wrong_type", "must be text")
        if len(value) > limit:
            raise Invalid("too_long", f"may have at most {limit} characters")
        if "\0" in value or not _is_utf8(value):
            raise Invalid("bad_text", "holds characters that are no text")
        return value if value and not value.isspace() else None

    return check


def _is_utf8(value: str) -> bool:
    """Whether it can be written down: JSON lets half a surrogate pair through."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def word(limit: int, normalise: Callable[[str], str]) -> Check:
    """One of a few values, whose spelling is evened out: `forYou`, `for-you` and `for_you` are one source."""
    plain = text(limit)
    normalised = lru_cache(maxsize=1024)(normalise)

    def check(value: object) -> str | None:
        given = plain(value)
        return normalised(given) if isinstance(given, str) else None

    return check


def _lower(value: str) -> str:
    return value.strip().lower()


def _source(value: str) -> str:
    snake = "".join(f"_{c}" if c.isupper() and i and not value[i - 1].isupper() else c for i, c in enumerate(value))
    name = snake.strip().lower().replace("-", "_").replace(" ", "_").replace("__", "_")
    return "for_you" if name in {"foryou", "fyp"} else name


def _country(value: str) -> str:
    return value.upper() if len(value) == 2 else value


def number(low: float, high: float) -> Callable[[object], float]:
    """A finite number from `low` to `high`, both included; true and false are none."""

    def check(value: object) -> float:
        if type(value) is float and low <= value <= high:  # nearly always
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Invalid("wrong_type", "must be a number")
        if isinstance(value, float) and not math.isfinite(value):
            raise Invalid("not_finite", "must be a finite number")
        if not low <= value <= high:
            raise Invalid("out_of_range", f"must lie between {low:g} and {high:g}")
        return float(value)

    return check


def count(high: int) -> Check:
    """A whole number from 0 on; 3.0 is one."""
    finite = number(0, high)

    def check(value: object) -> int:
        given = finite(value)
        if given != (whole := int(given)):
            raise Invalid("wrong_type", "must be a whole number")
        return whole

    return check


def share(value: object) -> float:
    """0 to 1. Players report positions a frame past the end: up to 1.01 is the end."""
    return min(_share(value), 1.0)


_share = number(0, 1.01)


def boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise Invalid("wrong_type", "must be true or false")
    return value


def instant(value: object) -> datetime:
    """An ISO 8601 instant with its offset, in UTC. The years are those every reader of the lake can hold."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise Invalid("bad_timestamp", "must be an ISO 8601 date and time") from None
    if not isinstance(value, datetime):
        raise Invalid("wrong_type", "must be an ISO 8601 date and time as text")
    if value.utcoffset() is None:
        raise Invalid("no_offset", "must say its offset from UTC, such as Z or +02:00")
    if not 1970 < value.year < 2200:
        raise Invalid("bad_timestamp", "must lie between 1971 and 2199")
    return value.astimezone(UTC)


def event_type(value: object) -> str:
    if not isinstance(value, str):
        raise Invalid("wrong_type", "must be text")
    if value not in EVENT_TYPES:
        raise Invalid("unknown_type", "is no type of event")
    return value


# Long enough for a UUID behind a few prefixes.
ID = text(200)
LABEL = text(256)
WORD = word(64, _lower)
# A week: no view lasts longer, and sums stay far from what a double holds.
SECONDS = number(0, 7 * 86_400)

# column, check, and where camelCase has it: at the top, or inside an object
TOP: tuple[tuple[str, Check, tuple[str, ...]], ...] = (
    ("event_type", event_type, ("eventType",)),
    ("content_id", ID, ("contentId",)),
    ("creator_id", ID, ("creatorId",)),
    ("user_id", ID, ("userId",)),
    ("session_id", ID, ("sessionId",)),
    ("event_id", ID, ("eventId",)),
    ("client_ts", instant, ("clientTimestamp", "timestamp")),
    ("sent_at", instant, ("sentAt",)),
    ("user_agent", text(2000), ("userAgent",)),
)
OBJECTS: Mapping[str, tuple[tuple[str, Check, str], ...]] = {
    "viewData": (
        ("watch_time", SECONDS, "watchTime"),
        ("total_watch_time", SECONDS, "totalWatchTime"),
        ("progress", share, "progress"),
        ("duration", SECONDS, "duration"),
        # above 100 stands for loops
        ("completion_percent", number(0, 1_000_000), "completionPercent"),
        ("is_rewatch", boolean, "isRewatch"),
        ("loop_count", count(1_000_000), "loopCount"),
    ),
    "source": (
        ("source_type", word(64, _source), "type"),
        ("referrer", text(2000), "referrer"),
        ("entry_point", LABEL, "entryPoint"),
        ("campaign", LABEL, "campaign"),
    ),
    "device": (
        ("device_type", WORD, "type"),
        ("device_platform", WORD, "platform"),
        ("device_model", LABEL, "model"),
        ("device_os", LABEL, "os"),
        ("app_version", text(64), "appVersion"),
        ("screen_size", text(64), "screenSize"),
    ),
    "location": (
        ("country", word(64, _country), "country"),
        ("region", LABEL, "region"),
        ("city", LABEL, "city"),
        ("timezone", text(64), "timezone"),
        ("latitude", number(-90, 90), "latitude"),
        ("longitude", number(-180, 180), "longitude"),
        ("location_consent", boolean, "consent"),
    ),
    "network": (("network_type", WORD, "type"), ("network_quality", WORD, "quality")),
    "demographics": (("age_group", text(64), "ageGroup"), ("gender", WORD, "gender")),
}

FLAT: Mapping[str, tuple[str, Check]] = {
    **{column: (column, check) for column, check, _ in TOP},
    **{name: (column, check) for column, check, names in TOP for name in names},
    **{column: (column, check) for fields in OBJECTS.values() for column, check, _ in fields},
}
NESTED: Mapping[str, Mapping[str, tuple[str, Check]]] = {
    name: {key: (column, check) for column, check, key in fields} for name, fields in OBJECTS.items()
}
CAMEL_CASE: Mapping[str, str] = {column: names[0] for column, _, names in TOP}
