"""The numbers behind the Accounts API: one to two days late, blank after a quiet week, frozen after a year."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.reach import people
from metrics_pipeline.sandbox.series import TIKTOK_SETTLING, follower_changes, increments
from metrics_pipeline.sandbox.tiktok_list import PLATFORM
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import DAY_SECONDS, HOUR_SECONDS, UTC_ZONE, day_edges, day_of, day_start

Cell = int | float | str
_BLANK = ""
_FROZEN_SECONDS = 365 * DAY_SECONDS
_QUIET_SECONDS = 7 * DAY_SECONDS
_FIRST_READY_HOURS, _SPREAD_HOURS = 24, 24

# Field of a video -> counter.
VIDEO_COUNTERS: Mapping[str, str] = {
    "video_views": "views",
    "likes": "likes",
    "comments": "comments",
    "shares": "shares",
    "favorites": "saves",
    "total_time_watched": "watch_seconds",
    "new_followers": "follows",
    "profile_views": "profile_visits",
    "website_clicks": "clicks",
    "email_clicks": "contact_taps",
    "phone_number_clicks": "phone_taps",
    "address_clicks": "address_taps",
    "app_download_clicks": "app_taps",
    "lead_submissions": "leads",
}
VIDEO_FIELDS = {*VIDEO_COUNTERS, "reach", "average_time_watched", "full_video_watched_rate"}
_BLANK_WHEN_QUIET = {"reach", "average_time_watched", "total_time_watched", "full_video_watched_rate"}
# Field of a day -> counter.
DAY_COUNTERS: Mapping[str, str] = {
    "video_views": "views",
    "likes": "likes",
    "comments": "comments",
    "shares": "shares",
    "profile_views": "profile_visits",
    "bio_link_clicks": "clicks",
    "email_clicks": "contact_taps",
    "phone_number_clicks": "phone_taps",
    "address_clicks": "address_taps",
    "app_download_clicks": "app_taps",
    "lead_submissions": "leads",
}
DAY_FIELDS = {
    *DAY_COUNTERS,
    "followers_count",
    "unique_video_views",
    "engaged_audience",
    "daily_new_followers",
    "daily_lost_followers",
}
# Fields that a personal account does not have.
BUSINESS_ONLY = (
    (set(VIDEO_COUNTERS) | DAY_FIELDS)
    - {"video_views", "likes", "comments", "shares", "favorites", "profile_views", "followers_count"}
    - {"total_time_watched"}
)


def counted_until(at: float) -> int:
    """The instant up to which numbers are out: the end of a UTC day, 24 to 48 hours back."""
    return day_start(day_of(at - _FIRST_READY_HOURS * HOUR_SECONDS, UTC_ZONE), UTC_ZONE)


def video_number(account: AccountWorld, post: Post, name: str, at: float) -> Cell:
    """A video's number as the API shows it at `at`; empty text where it shows none."""
    until = min(counted_until(at), post.published + _FROZEN_SECONDS)
    if until <= post.published:
        return _BLANK
    views = account.counter(post, "views", until)
    if name in _BLANK_WHEN_QUIET and views == account.counter(post, "views", counted_until(at) - _QUIET_SECONDS):
        return _BLANK
    if name == "reach":
        return people(views, account.audience)
    if name == "average_time_watched":
        return round(account.counter(post, "watch_seconds", until) / views, 2) if views else 0
    if name == "full_video_watched_rate":
        return round(account.counter(post, "full_watches", until) / views, 4) if views else 0
    return account.counter(post, VIDEO_COUNTERS[name], until)


def day_rows(call: Call, account: AccountWorld, names: list[str], first: date, last: date) -> list[dict[str, object]]:
    """One row per day that is out, as known at the instant asked; days before the account existed have none."""
    last = min(last, _last_ready_day(account, call.at))
    first = max(first, day_of(account.created, UTC_ZONE))
    if last < first:
        return []
    edges = day_edges(first, last, UTC_ZONE)
    counters = sorted(set(DAY_COUNTERS.values()))
    posts = account.active_posts(edges[0], edges[-1])
    grown = increments(account, posts, counters, edges, call.at, TIKTOK_SETTLING)
    sums = {name: values.sum(axis=0) for name, values in grown.items()}
    changes = follower_changes(account, edges, call.at, TIKTOK_SETTLING)
    factors = call.faults.restated(PLATFORM, account.external_id, call.at)
    rows: list[dict[str, object]] = []
    for place, (gained, lost) in enumerate(changes):
        day = first + timedelta(days=place)
        counts = {name: int(values[place]) for name, values in sums.items()} | {"gained": gained, "lost": lost}
        counts = {name: int(count * factors.get(day, 1.0)) for name, count in counts.items()}
        followers = account.followers(edges[place + 1])
        cells = {name: _day_number(account, name, counts, followers) for name in names}
        rows.append({"date": day.isoformat(), **cells})
    return rows


def _day_number(account: AccountWorld, name: str, counts: Mapping[str, int], followers: int) -> int:
    if name == "followers_count":
        return followers
    if name == "unique_video_views":
        return people(counts["views"], account.audience)
    if name == "engaged_audience":
        return people(counts["likes"] + counts["comments"] + counts["shares"], account.audience)
    own = {"daily_new_followers": "gained", "daily_lost_followers": "lost"}
    return counts[own.get(name) or DAY_COUNTERS[name]]


def _last_ready_day(account: AccountWorld, at: float) -> date:
    """The newest day that is out at `at`: 24 to 48 hours after its end, differently for each day."""
    day = day_of(at - _FIRST_READY_HOURS * HOUR_SECONDS, UTC_ZONE)
    while True:
        day -= timedelta(days=1)
        wait = _FIRST_READY_HOURS + _SPREAD_HOURS * account.luck("ready", day)
        if day_start(day + timedelta(days=1), UTC_ZONE) + wait * HOUR_SECONDS <= at:
            return day
