"""Post analytics of X: hourly, daily, weekly or total buckets in UTC, for accounts that were enrolled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.series import IMMEDIATE, increments
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.x_errors import bad_request, not_enrolled
from metrics_pipeline.sandbox.x_fields import PLATFORM
from metrics_pipeline.sandbox.x_timeline import parse_time
from metrics_pipeline.sandbox.zones import DAY_SECONDS, HOUR_SECONDS, UTC_ZONE, day_of, iso

_STEP: Mapping[str, int | None] = {
    "hourly": HOUR_SECONDS,
    "daily": DAY_SECONDS,
    "weekly": 7 * DAY_SECONDS,
    "total": None,
}
_MAX_BUCKETS = 5_000
_FIELDS: Mapping[str, str] = {
    "impressions": "views",
    "likes": "likes",
    "replies": "comments",
    "retweets": "reposts",
    "quote_tweets": "quotes",
    "bookmarks": "saves",
    "shares": "shares",
    "follows": "follows",
    "url_clicks": "clicks",
    "user_profile_clicks": "profile_visits",
    "unlikes": "unlikes",
    "unfollows": "unfollows",
    "permalink_clicks": "permalink_clicks",
    "detail_expands": "detail_expands",
    "hashtag_clicks": "hashtag_clicks",
    "media_views": "media_views",
}
# Nobody mails these posts or installs an app from them.
_NEVER = ("email_tweet", "app_opens", "app_install_attempts")
_ENGAGEMENT_PARTS = ("likes", "replies", "retweets", "quote_tweets", "bookmarks", "url_clicks", "user_profile_clicks")


def post_analytics(
    call: Call, owners: Sequence[str], posts: Mapping[str, tuple[AccountWorld, Post]]
) -> list[dict[str, object]]:
    """Buckets per post. Buckets without anything are left out; those after the instant asked do not exist.

    Raises:
        RefusedError: an owner is not enrolled, the window is missing or reversed, or a field is unknown.
    """
    if any(not call.faults.of(PLATFORM, owner, "analytics_enabled") for owner in owners):
        raise not_enrolled()
    start, end = parse_time(call, "start_time"), parse_time(call, "end_time")
    if start >= end:
        raise bad_request("start_time", call.params["start_time"], "'start_time' must be before 'end_time'")
    granularity = call.params.get("granularity", "total")
    if granularity not in _STEP:
        raise bad_request("granularity", granularity, f"[{granularity}] is not one of [hourly,daily,weekly,total]")
    known = {*_FIELDS, *_NEVER, "engagements"}
    names = call.listed("analytics.fields") or ["impressions"]
    refused = {name for owner in owners for name in call.faults.names(PLATFORM, owner)}
    for name in names:
        if name not in known or name in refused:
            raise bad_request("analytics.fields", name, f"[{name}] is not one of [{','.join(sorted(known - refused))}]")
    edges = _edges(start, end, _STEP[granularity])
    return [
        {"id": post_id, "timestamped_metrics": _buckets(call, account, post, names, edges)}
        for post_id, (account, post) in posts.items()
    ]


def _edges(start: float, end: float, step: int | None) -> list[float]:
    if step is None:
        return [start, end]
    first = start - start % min(step, DAY_SECONDS)
    count = int(-(-(end - first) // step))
    if count > _MAX_BUCKETS:
        raise bad_request("granularity", str(count), "The window holds too many buckets")
    return [first + number * step for number in range(count + 1)]


def _buckets(
    call: Call, account: AccountWorld, post: Post, names: Sequence[str], edges: Sequence[float]
) -> list[dict[str, object]]:
    counters = sorted(set(_FIELDS.values()))
    grown = increments(account, [post], counters, edges, call.at, IMMEDIATE)
    restated = call.faults.restated(PLATFORM, account.external_id, call.at)
    buckets: list[dict[str, object]] = []
    for place, begin in enumerate(edges[:-1]):
        if begin >= call.at:
            break
        factor = restated.get(day_of(begin, UTC_ZONE), 1.0)
        counts = {name: round(int(grown[counter][0, place]) * factor) for name, counter in _FIELDS.items()}
        # The public counter is net of undone likes, this series is gross.
        counts["likes"] += counts["unlikes"]
        counts["engagements"] = sum(counts[part] for part in _ENGAGEMENT_PARTS)
        counts |= dict.fromkeys(_NEVER, 0)
        if any(counts.values()):
            buckets.append({"timestamp": iso(begin, ".000Z"), "metrics": {name: counts[name] for name in names}})
    return buckets
