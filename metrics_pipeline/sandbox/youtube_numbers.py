"""The numbers behind YouTube reports: whole numbers per video and day, from which every table is summed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.ids import PostRef, parse_video_id, video_id
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.series import YOUTUBE_SETTLING, follower_changes, increments
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.youtube_owner import PLATFORM
from metrics_pipeline.sandbox.zones import HOUR_SECONDS, PACIFIC, day_edges, day_of, day_start

Cell = str | int | float
Counts = Mapping[str, int]

# Metric -> data type of its column.
METRICS: Mapping[str, str] = {
    "views": "INTEGER",
    "engagedViews": "INTEGER",
    "likes": "INTEGER",
    "dislikes": "INTEGER",
    "comments": "INTEGER",
    "shares": "INTEGER",
    "subscribersGained": "INTEGER",
    "subscribersLost": "INTEGER",
    "videosAddedToPlaylists": "INTEGER",
    "videosRemovedFromPlaylists": "INTEGER",
    "estimatedMinutesWatched": "INTEGER",
    "redViews": "INTEGER",
    "estimatedRedMinutesWatched": "INTEGER",
    "cardImpressions": "INTEGER",
    "cardClicks": "INTEGER",
    "cardClickRate": "FLOAT",
    "averageViewDuration": "INTEGER",
    "averageViewPercentage": "FLOAT",
}
_COUNTERS: Mapping[str, str] = {
    "views": "views",
    "engagedViews": "engaged_views",
    "likes": "likes",
    "dislikes": "dislikes",
    "comments": "comments",
    "shares": "shares",
    "subscribersGained": "follows",
    "videosAddedToPlaylists": "playlist_adds",
    "estimatedMinutesWatched": "watch_minutes",
    "redViews": "premium_views",
    "estimatedRedMinutesWatched": "premium_minutes",
    "cardImpressions": "card_impressions",
    "cardClicks": "card_clicks",
}
_WATCHED, _POSSIBLE = "watched seconds", "seconds possible"
_FIRST_READY_HOURS, _SPREAD_HOURS = 48, 24


def last_ready_day(account: AccountWorld, at: float) -> date:
    """The newest day whose numbers are out at `at`: 48 to 72 hours after its end, differently for each day."""
    day = day_of(at - _FIRST_READY_HOURS * HOUR_SECONDS, PACIFIC)
    while True:
        day -= timedelta(days=1)
        wait = _FIRST_READY_HOURS + _SPREAD_HOURS * account.luck("ready", day)
        if day_start(day + timedelta(days=1), PACIFIC) + wait * HOUR_SECONDS <= at:
            return day


def per_day(
    call: Call,
    account: AccountWorld,
    metrics: Sequence[str],
    first: date,
    last: date,
    videos: Sequence[str] | None,
    dimension: str,
) -> list[list[Cell]]:
    """Rows by day or month, or (dimension empty) the one row of the whole range."""
    posts, edges = _posts(call, account, first, last, videos), day_edges(first, last, PACIFIC)
    table = {name: by_day.sum(axis=0) for name, by_day in _table(call, account, posts, first, edges).items()}
    if videos is None:
        _add_channel_followers(call, account, table, first, edges)
    days = [first + timedelta(days=n) for n in range(len(edges) - 1)]
    groups: dict[str, list[int]] = {}
    label: Callable[[date], str] = {"day": date.isoformat, "month": lambda day: f"{day:%Y-%m}"}.get(
        dimension, lambda _: ""
    )
    for place, day in enumerate(days):
        groups.setdefault(label(day), []).append(place)
    rows: list[list[Cell]] = []
    for name, places in groups.items():
        counts = {key: int(values[places].sum()) for key, values in table.items()}
        if any(counts.values()):
            rows.append([*([name] if dimension else []), *(_cell(metric, counts) for metric in metrics)])
    return rows


def per_video(
    call: Call, account: AccountWorld, metrics: Sequence[str], first: date, last: date, videos: Sequence[str] | None
) -> list[list[Cell]]:
    """Rows by video, each the sum of its days; deleted videos and those without anything are left out."""
    posts, edges = _posts(call, account, first, last, videos), day_edges(first, last, PACIFIC)
    table = {name: by_day.sum(axis=1) for name, by_day in _table(call, account, posts, first, edges).items()}
    rows: list[list[Cell]] = []
    for place, post in enumerate(posts):
        counts = {name: int(values[place]) for name, values in table.items()}
        own_id = video_id(PostRef(account.external_id, post.index))
        if any(counts.values()) and not call.faults.is_deleted(PLATFORM, account.external_id, own_id):
            rows.append([own_id, *(_cell(metric, counts) for metric in metrics)])
    return rows


def _posts(call: Call, account: AccountWorld, first: date, last: date, videos: Sequence[str] | None) -> list[Post]:
    """The videos that can have moved. A deleted one keeps its share of the channel but cannot be asked for."""
    edges = day_start(first, PACIFIC), day_start(last + timedelta(days=1), PACIFIC)
    active = account.active_posts(*edges)
    if videos is None:
        return active
    wanted = set()
    for text in videos:
        ref = parse_video_id(text)
        gone = call.faults.is_deleted(PLATFORM, account.external_id, text)
        if ref is not None and ref.external_id == account.external_id and not gone:
            wanted.add(ref.index)
    return [post for post in active if post.index in wanted]


def _table(
    call: Call, account: AccountWorld, posts: Sequence[Post], first: date, edges: Sequence[int]
) -> dict[str, NDArray[np.int64]]:
    counters = [*_COUNTERS.values(), "watch_seconds"]
    grown = increments(account, posts, counters, edges, call.at, YOUTUBE_SETTLING)
    table = {name: grown[counter] for name, counter in _COUNTERS.items()}
    lengths = np.array([post.duration for post in posts], dtype=np.int64).reshape(len(posts), 1)
    table |= {_WATCHED: grown["watch_seconds"], _POSSIBLE: grown["views"] * lengths}
    for day, factor in call.faults.restated(PLATFORM, account.external_id, call.at).items():
        place = (day - first).days
        if 0 <= place < len(edges) - 1:
            for values in table.values():
                values[:, place] = (values[:, place] * factor).astype(np.int64)
    return table


def _add_channel_followers(
    call: Call, account: AccountWorld, table: dict[str, NDArray[np.int64]], first: date, edges: Sequence[int]
) -> None:
    """Of the whole channel: subscribers who came by themselves too, and those who left."""
    changes = follower_changes(account, edges, call.at, YOUTUBE_SETTLING)
    gained = np.array([gained for gained, _ in changes], dtype=np.int64)
    lost = np.array([lost for _, lost in changes], dtype=np.int64)
    for day, factor in call.faults.restated(PLATFORM, account.external_id, call.at).items():
        place = (day - first).days
        if 0 <= place < len(changes):
            gained[place], lost[place] = int(gained[place] * factor), int(lost[place] * factor)
    table["subscribersGained"], table["subscribersLost"] = gained, lost


def _cell(metric: str, counts: Counts) -> Cell:
    if metric == "averageViewDuration":
        return counts[_WATCHED] // counts["views"] if counts["views"] else 0
    if metric == "averageViewPercentage":
        return round(100.0 * counts[_WATCHED] / counts[_POSSIBLE], 2) if counts[_POSSIBLE] else 0.0
    if metric == "cardClickRate":
        return round(counts["cardClicks"] / counts["cardImpressions"], 4) if counts["cardImpressions"] else 0.0
    return counts.get(metric, 0)
