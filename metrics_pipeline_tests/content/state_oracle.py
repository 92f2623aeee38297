"""content_metrics by brute force from hours and days: section "Content events" of docs/metrics.md, item by item."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import sqrt

HOUR = timedelta(hours=1)
Key = tuple[str, str]


@dataclass
class Item:
    """One content item: its counts by hour, everything a test says of it, and nothing computed."""

    workspace: str
    content: str
    creator: str | None
    hours: dict[datetime, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    viewers: set[int] = field(default_factory=set)
    published_at: datetime | None = None
    kind: str | None = None
    deleted_at: datetime | None = None

    def total(self, name: str) -> int:
        return sum(counts[name] for counts in self.hours.values())

    def between(self, name: str, start: datetime, end: datetime) -> int:
        return sum(counts[name] for hour, counts in self.hours.items() if start <= hour < end)

    @property
    def since(self) -> datetime:
        first: date = min(self.hours).date()
        return self.published_at or datetime(first.year, first.month, first.day, tzinfo=min(self.hours).tzinfo)


def trend_v1(item: Item, hour: datetime) -> str:
    now, before = _days(item, hour)
    return "rising" if now > 1.2 * before else "declining" if now < 0.8 * before else "stable"


def _days(item: Item, hour: datetime) -> tuple[int, int]:
    day = 24 * HOUR
    return item.between("views", hour - day, hour), item.between("views", hour - 2 * day, hour - day)


@dataclass
class Trend:
    mu: float
    z: float
    state: str


def trends(items: list[Item], hour: datetime) -> dict[Key, Trend]:
    """Version 2, with the median ratio of the other items worked out anew for each."""
    found: dict[Key, Trend] = {}
    moves: dict[Key, tuple[float, float]] = {}
    for item in items:
        now, before = _days(item, hour)
        others = [
            _days(o, hour) for o in items if o is not item and o.workspace == item.workspace and _days(o, hour)[1] >= 20
        ]
        r = statistics.median(n / b for n, b in others) if len(others) >= 10 else 1.0
        mu = before * r
        moves[item.workspace, item.content] = 2 * (sqrt(now + 3 / 8) - sqrt(mu + 3 / 8)), mu
        found[item.workspace, item.content] = Trend(mu, r, "")
    for item in items:
        key = (item.workspace, item.content)
        restless = [move for (w, _), (move, mu) in moves.items() if w == item.workspace and mu >= 20]
        spread = 0.0
        if len(restless) >= 10:
            middle = statistics.median(restless)
            spread = 1.4826 * statistics.median(abs(move - middle) for move in restless)
        t = found[key]
        r, t.z = t.z, 0.0
        t.z = moves[key][0] / max(spread, sqrt(1 + r))
        now, before = _days(item, hour)
        if now == 0 and before == 0:
            t.state = "no_data"
        elif hour - item.since < 24 * HOUR:
            t.state = "new"
        elif t.z > 3 and now > 1.2 * t.mu and now >= 20:
            t.state = "rising"
        elif t.z < -3 and now < 0.8 * t.mu and t.mu >= 20:
            t.state = "declining"
        else:
            t.state = "stable"
    return found


def rates(item: Item) -> dict[str, tuple[float, int]]:
    """(successes, trials) of each rate."""
    weights = {"completed_full": 1, "over_75": 0.75, "over_50": 0.5, "over_25": 0.25}
    return {
        "completion": (sum(w * item.total(n) for n, w in weights.items()), item.total("views_with_progress")),
        "engagement": (
            item.total("likes") - item.total("unlikes") + item.total("comments") + item.total("shares")
            + item.total("saves") - item.total("unsaves"),
            item.total("views"),
        ),
        "share": (item.total("shares"), item.total("views")),
        "rewatch": (item.total("rewatches"), len(item.viewers)),
    }  # fmt: skip


CAPS = {"engagement": 0.20, "share": 0.05, "rewatch": 0.30}
WEIGHTS = {"completion": 0.35, "engagement": 0.30, "share": 0.20, "rewatch": 0.15}


def priors(items: list[Item]) -> dict[str, tuple[float, float]]:
    """Mean and weight of each rate of one workspace, by the method of moments."""
    found = {}
    for rate in WEIGHTS:
        trials = [(max(0, k) if rate == "engagement" else k, n) for k, n in (rates(i)[rate] for i in items) if n > 0]
        if not trials:
            continue
        total = sum(n for _, n in trials)
        mean = sum(k for k, _ in trials) / total
        squares = sum(n * (k / n - mean) ** 2 for k, n in trials)
        scale = total - sum(n * n for _, n in trials) / total
        chance = mean * max(1 - mean, 0)
        variance = (squares - (len(trials) - 1) * chance) / scale if scale else 0.0
        m = max(1, min(10_000, chance / variance - 1)) if len(trials) >= 10 and variance > 0 else 100
        found[rate] = (mean, m)
    return found


def quality(item: Item, prior: dict[str, tuple[float, float]]) -> float | None:
    """Version 2; None under five views."""
    if item.total("views") < 5:
        return None
    score = 0.0
    for rate, (k, n) in rates(item).items():
        mean, m = prior.get(rate, (None, None))
        value = (k + m * mean) / (n + m) if mean is not None and m is not None else 0.0
        score += WEIGHTS[rate] * 100 * (min(1, value / CAPS[rate]) if rate in CAPS else value)
    return max(0.0, score)


def quality_v1(item: Item) -> float | None:
    """The requirement's formula on raw rates; None without views."""
    views = item.total("views")
    if not views:
        return None
    completion, progressed = rates(item)["completion"]
    engagement = (item.total("likes") + item.total("comments") + item.total("shares")) / views
    rewatch = item.total("rewatches") / len(item.viewers) if item.viewers else 0.0
    parts = (
        35 * (completion / progressed if progressed else 0.0),
        30 * min(1, engagement / 0.20),
        20 * min(1, item.total("shares") / views / 0.05),
        15 * min(1, rewatch / 0.30),
    )
    return max(0.0, sum(parts))


def peak(item: Item) -> tuple[int, datetime]:
    """The most views of 24 consecutive hours, and the end of the first such span."""
    best = max(item.between("views", hour - 23 * HOUR, hour + HOUR) for hour in item.hours)
    first = min(h for h in item.hours if item.between("views", h - 23 * HOUR, h + HOUR) == best)
    return best, first + HOUR


@dataclass
class AgeMatch:
    """What the creator's other items had at an item's age."""

    expected: float | None
    items: int
    ratio: float | None


def age_matched(item: Item, items: list[Item], hour: datetime, now: datetime, oldest: date) -> AgeMatch | None:
    """None where the item cannot be compared: taken down, not published, without creator, older than its hours."""

    def is_comparable(one: Item) -> bool:
        is_kept = min(one.since.date(), min(one.hours).date()) >= oldest
        counted_from = min(min(o.hours).date() for o in items if o.workspace == one.workspace)
        is_counted = one.since.date() >= counted_from
        return one.creator is not None and one.deleted_at is None and one.since <= now and is_kept and is_counted

    def views_at(one: Item, age: int) -> int:
        return sum(counts["views"] for begin, counts in one.hours.items() if begin < one.since + age * HOUR)

    if not is_comparable(item):
        return None
    existed = max(0, (hour - item.since) // HOUR)
    age = max(1, existed) if existed <= 48 else existed // 24 * 24
    others = [
        o
        for o in items
        if o is not item
        and is_comparable(o)
        and (o.workspace, o.creator, o.kind) == (item.workspace, item.creator, item.kind)
        and (hour - o.since) // HOUR >= max(1, existed)
    ]
    last = sorted(others, key=lambda o: (o.since, o.content), reverse=True)[:30]
    found = sorted(views_at(o, age) for o in last)
    if not found:
        return AgeMatch(None, 0, None)
    cut = len(found) // 10
    kept = found[cut : len(found) - cut]
    expected = sum(kept) / len(kept)
    ratio = views_at(item, age) / expected if len(found) >= 3 and expected else None
    return AgeMatch(expected, len(found), ratio)
