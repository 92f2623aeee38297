"""A Page's insights: points by Pacific day, each dated by the midnight that ends it, for a day, a week or 28 days.

A window holds the points with since < end_time <= until. Days that have not ended have no point; those younger
than two days are low. `week` and `days_28` points roll: each covers the days up to its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.facebook_reactions import by_type
from metrics_pipeline.sandbox.graph_errors import graph_error, invalid
from metrics_pipeline.sandbox.graph_paging import window_links
from metrics_pipeline.sandbox.graph_time import Span, insight_span
from metrics_pipeline.sandbox.reach import people
from metrics_pipeline.sandbox.series import META_SETTLING, follower_changes, increments
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import DAY_SECONDS, PACIFIC, day_edges, day_of, day_start, iso

_PERIODS: Mapping[str, int] = {"day": 1, "week": 7, "days_28": 28}
_MAX_DAYS = 93
_DEFAULT_DAYS = 2
_KEPT_DAYS = 730
_COUNTERS = ("views", "likes", "comments", "shares", "clicks", "profile_visits", "contact_taps", "watch_ms")


@dataclass(frozen=True, slots=True)
class _Point:
    """What happened in the days that one point covers; `end` is the instant they end at."""

    account: AccountWorld
    counts: Mapping[str, int]
    end: float

    def sum(self, *names: str) -> int:
        return sum(self.counts[name] for name in names)


@dataclass(frozen=True, slots=True)
class _Metric:
    value: Callable[[_Point], object]
    rolling: bool = True


METRICS: Mapping[str, _Metric] = {
    "page_media_view": _Metric(lambda p: p.sum("views")),
    "page_total_media_view_unique": _Metric(lambda p: people(p.sum("views"), p.account.audience)),
    "page_post_engagements": _Metric(lambda p: p.sum("likes", "comments", "shares", "clicks")),
    "page_views_total": _Metric(lambda p: p.sum("profile_visits")),
    "page_total_actions": _Metric(lambda p: p.sum("contact_taps")),
    "page_follows": _Metric(lambda p: p.account.followers(p.end), rolling=False),
    "page_daily_follows_unique": _Metric(lambda p: p.sum("gained")),
    "page_daily_unfollows_unique": _Metric(lambda p: p.sum("lost")),
    "page_actions_post_reactions_total": _Metric(lambda p: by_type(p.sum("likes")), rolling=False),
    "page_video_view_time": _Metric(lambda p: p.sum("watch_ms"), rolling=False),
}


def page_insights(call: Call, account: AccountWorld) -> dict[str, object]:
    """The insights edge of a Page. One unknown metric fails the whole request; a metric comes once per period.

    Raises:
        RefusedError: no metric, an unknown one, an unknown period, or a window it does not accept.
    """
    names = call.listed("metric")
    if not names:
        raise graph_error(3001, "(#3001) No metric was specified to be fetched.", subcode=1504028)
    refused = call.faults.names("facebook", account.external_id)
    if any(name not in METRICS or name in refused for name in names):
        raise invalid("The value must be a valid insights metric")
    asked = call.params.get("period")
    if asked is not None and asked not in (*_PERIODS, "month", "lifetime"):
        raise invalid("period must be one of the following values: day, week, days_28, month, lifetime")
    span = insight_span(call, _MAX_DAYS, _DEFAULT_DAYS)
    days = _days(call, account, span)
    data = []
    for period, width in _PERIODS.items():
        if asked in (None, period):
            points = _points(call, account, days, width)
            data += [
                _entry(account, name, period, points) for name in names if period == "day" or METRICS[name].rolling
            ]
    return {"data": data, "paging": window_links(call, span)}


def _days(call: Call, account: AccountWorld, span: Span) -> list[date]:
    """The measured days whose points lie in the window: ended, kept, and of the Page's life."""
    oldest = max(account.created, call.at - _KEPT_DAYS * DAY_SECONDS)
    day = max(day_of(span.since, PACIFIC), day_of(oldest, PACIFIC))
    days = []
    while (end := day_start(day + timedelta(days=1), PACIFIC)) <= min(span.until, call.at):
        if end > span.since:
            days.append(day)
        day += timedelta(days=1)
    return days


def _points(call: Call, account: AccountWorld, days: list[date], width: int) -> list[_Point]:
    if not days:
        return []
    first = days[0] - timedelta(days=width - 1)
    edges = day_edges(first, days[-1], PACIFIC)
    posts = account.active_posts(edges[0], edges[-1])
    grown = increments(account, posts, _COUNTERS, edges, call.at, META_SETTLING)
    by_day = {name: [int(count) for count in table.sum(axis=0)] for name, table in grown.items()}
    changes = follower_changes(account, edges, call.at, META_SETTLING)
    by_day |= {"gained": [gained for gained, _ in changes], "lost": [lost for _, lost in changes]}
    for day, factor in call.faults.restated("facebook", account.external_id, call.at).items():
        place = (day - first).days
        if 0 <= place < len(changes):
            for counts in by_day.values():
                counts[place] = int(counts[place] * factor)
    return [
        _Point(account, {name: sum(counts[n : n + width]) for name, counts in by_day.items()}, edges[n + width])
        for n in range(len(days))
    ]


def _entry(account: AccountWorld, name: str, period: str, points: list[_Point]) -> dict[str, object]:
    return {
        "name": name,
        "period": period,
        "values": [{"value": METRICS[name].value(point), "end_time": iso(point.end, "+0000")} for point in points],
        "title": name.replace("_", " ").capitalize(),
        "description": f"{name.replace('_', ' ').capitalize()} of this Page.",
        "id": f"{account.external_id}/insights/{name}/{period}",
    }
