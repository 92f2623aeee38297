"""Insights of a Threads profile and of its posts.

A profile's `views` are a series by Pacific day, dated by the midnight that ends it; the other metrics are totals of
the window since <= t < until. What is younger than two days is low. Reposts of others' posts have no numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.graph_errors import invalid
from metrics_pipeline.sandbox.graph_paging import window_links
from metrics_pipeline.sandbox.graph_time import Span, insight_span
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.series import META_SETTLING, increments
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import PACIFIC, day_edges, day_of, day_start, iso

# Metric -> the counter of posts behind it.
POST_METRICS: Mapping[str, str] = {
    "views": "views",
    "likes": "likes",
    "replies": "comments",
    "reposts": "reposts",
    "quotes": "quotes",
    "shares": "shares",
}
_TOTALS: Mapping[str, str] = {"likes": "likes", "replies": "comments", "reposts": "reposts", "quotes": "quotes"}
_USER_METRICS = ("clicks", "followers_count", "views", *_TOTALS)
_EARLIEST = 1_712_991_600  # 2024-04-13
_LINKS = (("https://shop.example.org/new", 0.7), ("https://blog.example.org/story", 0.3))


def post_insights(call: Call, account: AccountWorld, post: Post, post_id: str) -> dict[str, object]:
    """Lifetime counters of a post; nothing at all for a repost.

    Raises:
        RefusedError: no metric, or an unknown one.
    """
    names = _names(call, account, tuple(POST_METRICS))
    if post.kind == "repost":
        return {"data": []}
    return {
        "data": [
            _entry(post_id, name, "lifetime")
            | {"values": [{"value": account.counter(post, POST_METRICS[name], call.at)}]}
            for name in names
        ]
    }


def user_insights(call: Call, account: AccountWorld) -> dict[str, object]:
    """A profile's insights. One unknown metric fails the whole request.

    Raises:
        RefusedError: no metric, an unknown one, or a window from before the first numbers.
    """
    names = _names(call, account, _USER_METRICS)
    span = insight_span(call, None)
    if min(span.since, span.until) < _EARLIEST:
        raise invalid(f"param since and until must be at least {_EARLIEST}")
    data = [_entry(account.external_id, name, "day") | _value(call, account, name, span) for name in names]
    return {"data": data, "paging": window_links(call, span)}


def _names(call: Call, account: AccountWorld, known: Sequence[str]) -> list[str]:
    names = call.listed("metric")
    if not names:
        raise invalid("The parameter metric is required")
    left = sorted(set(known) - call.faults.names("threads", account.external_id))
    for place, name in enumerate(names):
        if name not in left:
            raise invalid(f"metric[{place}] must be one of the following values: {', '.join(left)}")
    return names


def _value(call: Call, account: AccountWorld, name: str, span: Span) -> dict[str, object]:
    if name == "followers_count":
        return {"total_value": {"value": account.followers(call.at)}}
    if name == "views":
        return {"values": _profile_views(call, account, span)}
    if name == "clicks":
        total = _total(call, account, "clicks", span.since, span.until)
        first = int(total * _LINKS[0][1])
        counts = zip((link for link, _ in _LINKS), (first, total - first), strict=True)
        return {"link_total_values": [{"value": count, "link_url": link} for link, count in counts if count]}
    return {"total_value": {"value": _total(call, account, _TOTALS[name], span.since, span.until)}}


def _profile_views(call: Call, account: AccountWorld, span: Span) -> list[dict[str, object]]:
    points: list[dict[str, object]] = []
    day = day_of(max(span.since, account.created), PACIFIC)
    while (end := day_start(day + timedelta(days=1), PACIFIC)) <= min(span.until, call.at):
        if end > span.since:
            views = _total(call, account, "profile_visits", day_start(day, PACIFIC), end)
            points.append({"value": views, "end_time": iso(end, "+0000")})
        day += timedelta(days=1)
    return points


def _total(call: Call, account: AccountWorld, counter: str, start: float, end: float) -> int:
    """A counter over start <= t < end from the profile's own posts, restatements included."""
    count = _sum(account, counter, start, end, call.at)
    for day, factor in call.faults.restated("threads", account.external_id, call.at).items():
        low, high = day_edges(day, day, PACIFIC)
        low, high = max(low, int(start)), min(high, int(end))
        if low < high:
            count += round((factor - 1.0) * _sum(account, counter, low, high, call.at))
    return count


def _sum(account: AccountWorld, counter: str, start: float, end: float, at: float) -> int:
    posts = [post for post in account.active_posts(start, min(end, at)) if post.kind != "repost"]
    return int(increments(account, posts, [counter], [start, end], at, META_SETTLING)[counter].sum())


def _entry(owner: str, name: str, period: str) -> dict[str, object]:
    return {
        "name": name,
        "period": period,
        "title": name.replace("_", " "),
        "description": f"{name.replace('_', ' ').capitalize()} on Threads.",
        "id": f"{owner}/insights/{name}/{period}",
    }
