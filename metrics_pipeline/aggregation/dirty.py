"""Which days of daily_metrics have to be built again, because something they are made of has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from metrics_pipeline.lake.changes import Change, changes_since
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings


@dataclass(frozen=True)
class Reach:
    """How many days before and after a changed day may come out differently; after None: all that follow.

    is_level: the days that follow what its rows newly tell count, and not the days its rows stand under.
    """

    before: int
    after: int | None
    is_level: bool = False


def sources(settings: Settings) -> dict[str, Reach]:
    """The tables that daily_metrics is made of outside of its own, with how far a change of a day reaches.

    A total changes the difference of the next reading of that total, a level the growth of the next one, and it is
    carried on in sums for some days; who was asked on a day is expected on the days that follow. A message can answer
    ones before it, and stands in the scores of contacts and the totals of its campaign after; how many contacts,
    conversations and campaigns there are is so from a day on.
    """
    lookback = Reach(0, settings.counter_lookback_days)
    return {
        "counter_readings": lookback,
        "insight_readings": lookback,
        "collection_status": Reach(0, settings.level_carry_days),
        "posts": Reach(0, 0),
        "app_messages": Reach(settings.reply_window_days, None),
        "message_statuses": Reach(settings.reply_window_days, None),
        "app_contacts": Reach(0, None, is_level=True),
        "app_conversations": Reach(0, None, is_level=True),
        "app_campaigns": Reach(0, None, is_level=True),
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
            for day in _reached(change, reach, today):
                changed_at[day] = max(change.at, changed_at.get(day, change.at))
    return Dirty(changed_at, tuple(sorted(causes, key=lambda change: change.at)), versions, is_unknown)


def _reached(change: Change, reach: Reach, today: date) -> set[date]:
    starts = {change.since} if reach.is_level and change.since is not None else change.days
    reached: set[date] = set()
    for day in starts:
        last = today if reach.after is None else min(today, day + timedelta(days=reach.after))
        first = day - timedelta(days=reach.before)
        reached.update(first + timedelta(days=n) for n in range((last - first).days + 1))
    return reached
