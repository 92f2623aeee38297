"""A simulated application with an audience: content that people view, like and share, as events it would send.

Deterministic: the same seed gives the same events for an hour, whoever asks and however often.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from metrics_pipeline.sandbox.draws import draws

Event = dict[str, object]

ITEMS = 12
CREATORS = ("ada", "ben", "chloe")
KINDS = (("short", 24.0), ("video", 300.0), ("article", 120.0))
PEOPLE = 300
# The share of views that begin in each hour of the day, UTC: a European evening.
_DAY_CURVE = (3, 2, 1, 1, 1, 2, 4, 6, 6, 5, 5, 6, 7, 7, 6, 6, 7, 9, 11, 12, 11, 9, 7, 5)
_SOURCES = (*("for_you",) * 3, *("following",) * 2, "profile", "search", "hashtag", "direct", "other")
_DEVICES = (("mobile", "ios"), ("mobile", "android"), ("mobile", "android"), ("desktop", "web"), ("tablet", "ios"))
# Country, city, and where its middle is.
_PLACES = (
    ("DE", "Berlin", 52.520, 13.405),
    ("DE", "Hamburg", 53.551, 9.994),
    ("FR", "Paris", 48.857, 2.352),
    ("AT", "Vienna", 48.208, 16.373),
    ("NL", "Amsterdam", 52.373, 4.893),
)
_AGES = ("18-24", "25-34", "25-34", "35-44", "45-54")


@dataclass(frozen=True)
class Item:
    """One content item with the attributes that an application would give for it."""

    content_id: str
    creator_id: str
    content_type: str
    duration_seconds: float
    published_at: datetime
    pull: float
    """Views in its first hours, relative to other items."""


@dataclass(frozen=True)
class Audience:
    """The people of one workspace's application. `views_per_hour` is the average over a day."""

    seed: int
    workspace_id: str
    until: datetime
    views_per_hour: float = 15.0

    def items(self) -> list[Item]:
        """What there is to view: one new item about every other day, the newest a day old."""
        return [self._item(n) for n in range(ITEMS)]

    def events(self, hour: datetime) -> Iterator[Event]:
        """What the application would send for one hour, in the order it happened within each view."""
        items = [item for item in self.items() if item.published_at < hour + timedelta(hours=1)]
        weights = [self._weight(item, hour) for item in items]
        total = sum(weights)
        if not total:
            return
        share = _DAY_CURVE[hour.hour] * 24 / sum(_DAY_CURVE)
        for n in range(round(self.views_per_hour * share * (0.7 + 0.6 * draws(self.seed, hour, "busy")[0]))):
            key = (self.seed, self.workspace_id, hour, n)
            yield from self._visit(_chosen(items, weights, draws(*key, "item")[0] * total), hour, key)

    def _item(self, n: int) -> Item:
        d = draws(self.seed, self.workspace_id, "item", n)
        kind, length = KINDS[int(d[0] * len(KINDS))]
        return Item(
            content_id=f"{self.workspace_id}-{kind}-{n + 1:02}",
            creator_id=f"{self.workspace_id}-{CREATORS[int(d[1] * len(CREATORS))]}",
            content_type=kind,
            duration_seconds=round(length * (0.5 + d[2])),
            published_at=self.until - timedelta(hours=24 + 44 * (ITEMS - 1 - n) + round(20 * d[3])),
            pull=0.4 + 2 * d[4] ** 2,
        )

    def _weight(self, item: Item, hour: datetime) -> float:
        age = max(0.0, (hour - item.published_at).total_seconds() / 3600)
        return item.pull * (0.08 + math.exp(-age / 40))

    def _visit(self, item: Item, hour: datetime, key: tuple[object, ...]) -> Iterator[Event]:
        """One person meets one item: sometimes it is only shown, mostly it is viewed, now and then liked."""
        d = draws(*key)
        person = int(d[0] ** 1.6 * PEOPLE)
        began = max(hour, item.published_at) + timedelta(seconds=int(d[1] * 3000))
        common = {**self._viewer(person, f"{key[2]:%d%H}-{key[3]}"), "content_id": item.content_id}
        common["creator_id"] = item.creator_id
        source = _SOURCES[int(d[2] * len(_SOURCES))]

        def event(kind: str, seconds: float, **more: object) -> Event:
            at = began + timedelta(seconds=seconds)
            event_id = f"{self.workspace_id}-{hour:%m%d%H}-{key[3]}-{kind}-{int(seconds)}"
            return {**common, "event_id": event_id, "event_type": kind, "client_ts": at.isoformat(), **more}

        if source in ("for_you", "following"):
            yield event("impression", 0, source_type=source)
            if d[3] < 0.3:
                yield event("swipe_away", 1)
                return
        yield event("view_start", 2, source_type=source, is_rewatch=d[4] < 0.12, duration=item.duration_seconds)
        reach = min(1.0, 0.05 + d[5] ** 0.7 * 1.05)
        watched = round(reach * item.duration_seconds, 1)
        yield event("view_progress", 3 + watched, progress=round(reach, 3), total_watch_time=watched)
        if reach >= 1:
            yield event("view_complete", 4 + watched, total_watch_time=watched)
        for kind, chance in (("like", 0.09), ("save", 0.02), ("share", 0.015), ("comment", 0.012), ("follow", 0.006)):
            if draws(*key, kind)[0] < chance * (0.4 + 1.2 * reach):
                yield event(kind, 6 + watched)

    def _viewer(self, person: int, visit: str) -> Event:
        """Who it is: a third of the people never sign in, a fifth agreed to a precise location."""
        d = draws(self.seed, self.workspace_id, "person", person)
        device, platform = _DEVICES[int(d[0] * len(_DEVICES))]
        country, city, latitude, longitude = _PLACES[int(d[1] * len(_PLACES))]
        viewer: Event = {
            "session_id": f"{self.workspace_id}-s{person}-{visit}",
            "device_type": device,
            "device_platform": platform,
            "country": country,
        }
        if d[2] > 1 / 3:
            viewer |= {"user_id": f"{self.workspace_id}-u{person}", "age_group": _AGES[int(d[3] * len(_AGES))]}
        if d[4] < 0.2:
            viewer |= {
                "location_consent": True,
                "city": city,
                "latitude": round(latitude + (d[5] - 0.5) / 8, 4),
                "longitude": round(longitude + (d[6] - 0.5) / 8, 4),
            }
        return viewer


def _chosen(items: list[Item], weights: list[float], point: float) -> Item:
    """The item at a point of the weights laid end to end."""
    for item, weight in zip(items, weights, strict=True):
        point -= weight
        if point < 0:
            return item
    return items[-1]
