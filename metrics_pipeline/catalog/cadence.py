"""How often a platform is read: the account itself, and its posts by their age."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Self

from metrics_pipeline.windows import DAY, HOUR, next_month, week_start_of

HOURS_OF_A_WEEK = 168
# Intervals that divide a day, so that the last slot of every one is the hour that closes the day; and the week.
INTERVALS = {"1h": 1, "2h": 2, "3h": 3, "4h": 4, "6h": 6, "8h": 8, "12h": 12, "1d": 24, "1w": HOURS_OF_A_WEEK}
DEFAULT = "1d:1h 7d:6h 30d:1d 90d:1w"

_AGE = re.compile(r"([1-9]\d{0,3})([hd])")
_HELP = (
    "a cadence is written like '1d:1h 7d:6h 30d:1d 90d:1w': posts younger than a day every hour, than 7 days every "
    "6 hours, and so on, older ones no longer; 'account:6h' in front slows the account itself down"
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Posts younger than this age, and not in an earlier stage, are read once in so many hours."""

    younger_than: timedelta
    every_hours: int


@dataclass(frozen=True, slots=True)
class Cadence:
    """The planned readings of one platform.

    Slots are aligned: every interval has one in the last hour of the UTC day, a weekly one in the last hour of
    each week and of each month, so that days, weeks and months close on a reading. Intervals grow by whole
    multiples: whoever is due at a slot, everybody younger is due as well, and one bound on the age says it all.
    """

    account_hours: int
    stages: tuple[Stage, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1d:1h 7d:6h 30d:1d 90d:1w`, optionally led by `account:6h`.

        Raises:
            ValueError: the text is no cadence; says what is wrong and how one is written.
        """
        account_hours, stages = 1, []
        for position, part in enumerate(text.split()):
            age, _, interval = part.partition(":")
            if interval not in INTERVALS:
                raise ValueError(f"{part!r} has no interval out of {', '.join(INTERVALS)}; {_HELP}")
            hours = INTERVALS[interval]
            if age == "account" and position == 0 and hours <= 24:
                account_hours = hours
                continue
            match = _AGE.fullmatch(age)
            if match is None:
                raise ValueError(f"{part!r} has no age such as 12h or 30d; {_HELP}")
            stages.append(Stage(int(match[1]) * (HOUR if match[2] == "h" else DAY), hours))
        if not stages:
            raise ValueError(f"it names no age; {_HELP}")
        for young, old in pairwise(stages):
            if old.younger_than <= young.younger_than or old.every_hours % young.every_hours:
                raise ValueError(f"ages must rise and each interval must be a multiple of the one before; {_HELP}")
        return cls(account_hours, tuple(stages))

    @property
    def max_age(self) -> timedelta:
        """Posts this old are no longer read."""
        return self.stages[-1].younger_than

    def post_age(self, since: datetime | None, at: datetime, first_weekday: int) -> timedelta | None:
        """The age below which posts are due at `at`; None if none is.

        since: when the account's posts were last read whole, so that a missed slot is made up for; None for never.
        """
        for stage in reversed(self.stages):
            if is_due(stage.every_hours, since, at, first_weekday):
                return stage.younger_than
        return None

    def account_is_due(self, since: datetime | None, at: datetime) -> bool:
        """Whether the account itself is to be read at `at`."""
        return is_due(self.account_hours, since, at, 0)


def is_due(every_hours: int, since: datetime | None, at: datetime, first_weekday: int) -> bool:
    """Whether a slot of this interval has begun after the hour of `since`, up to and including the hour of `at`."""
    if since is None:
        return True
    slot = _hour_of(at)
    if every_hours <= 24:
        slot -= HOUR * ((slot.hour + 1) % every_hours)
    else:
        while not _closes_a_period(slot, first_weekday):
            slot = slot.replace(hour=23) - DAY
    return slot > _hour_of(since)


def _hour_of(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def _closes_a_period(hour: datetime, first_weekday: int) -> bool:
    """Whether this is the last hour of a week or of a month."""
    tomorrow = hour.date() + DAY
    ends_week = week_start_of(tomorrow, first_weekday) == tomorrow
    return hour.hour == 23 and (ends_week or next_month(hour.date()) == tomorrow)
