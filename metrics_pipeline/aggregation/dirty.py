"""Which days of daily_metrics have to be built again, because something they are made of has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from metrics_pipeline.lake.changes import Change, changes_since
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings


@dataclass(frozen=True)
class Reach:
    """How many days before and after a changed day may come out differently."""

    before: int
    after: int


def sources(settings: Settings) -> dict[str, Reach]:
    """The tables that daily_metrics is made of outside of its own, with how far a change of a day reaches.

    A total changes the difference of the next reading of that total, a level the growth of the next one, and it is
    carried on in sums for some days; who was asked on a day is expected on the days that follow.
    """
    lookback = Reach(0, settings.counter_lookback_days)
    return {
        "counter_readings": lookback,
        "insight_readings": lookback,
        "collection_status": Reach(0, settings.level_carry_days),
        "posts": Reach(0, 0),
    }


@dataclass(frozen=True)
class Dirty:
    """changed_at: the affected days, each with the newest commit that made it so. versions: what was looked at.

    causes: the commits, oldest first. is_unknown: a log does not reach back far enough, so any day may be affected.
    """

    changed_at: Mapping[date, datetime]
    causes: tuple[Change, ...]
    versions: Mapping[str, int]
    is_unknown: bool = False

    @property
    def days(self) -> frozenset[date]:
        return frozenset(self.changed_at)


def versions_now(lake: Lake, settings: Settings) -> dict[str, int]:
    """The present version of each source: what a first look starts from."""
    return {name: lake.version(name) for name in sources(settings)}


def dirty_days(lake: Lake, settings: Settings, since: Mapping[str, int]) -> Dirty:
    """The days that commits after these versions affect, none of them in the future.

    A table that `since` does not name was not there yet: all of its commits count.
    """
    today = settings.clock.now().date()
    causes: list[Change] = []
    versions: dict[str, int] = {}
    changed_at: dict[date, datetime] = {}
    is_unknown = False
    for name, reach in sources(settings).items():
        table = lake.table(name)
        versions[name] = table.version()
        found = changes_since(name, table, since.get(name, -1))
        is_unknown |= found is None
        for change in found or ():
            if change.days:
                causes.append(change)
            for day in _reached(change.days, reach, today):
                changed_at[day] = max(change.at, changed_at.get(day, change.at))
    return Dirty(changed_at, tuple(sorted(causes, key=lambda change: change.at)), versions, is_unknown)


def _reached(days: Iterable[date], reach: Reach, today: date) -> set[date]:
    return {
        day + timedelta(days=n)
        for day in days
        for n in range(-reach.before, reach.after + 1)
        if day + timedelta(days=n) <= today
    }
