"""The numbers behind Instagram's account insights: sums over posts in a window, as known at the instant asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.reach import people
from metrics_pipeline.sandbox.series import INSTAGRAM_SETTLING, follower_changes, increments
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import PACIFIC, day_edges

_STILL_AND_REEL = ("image", "carousel", "reel")
_ALL = (*_STILL_AND_REEL, "story")
# Account metric -> the (counter, post kinds) whose sum it is.
_SUMS: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "views": (("views", _ALL),),
    "likes": (("likes", _STILL_AND_REEL),),
    "comments": (("comments", _STILL_AND_REEL),),
    "saves": (("saves", _STILL_AND_REEL),),
    "shares": (("shares", _ALL),),
    "replies": (("comments", ("story",)),),
    "reposts": (("reposts", _ALL),),
    "profile_views": (("profile_visits", _ALL),),
    "website_clicks": (("clicks", _ALL),),
    "profile_links_taps": (("contact_taps", _ALL),),
    "total_interactions": (
        ("likes", _STILL_AND_REEL),
        ("comments", _ALL),
        ("saves", _STILL_AND_REEL),
        ("shares", _ALL),
    ),
}
# Distinct people are bent from the count of what they did.
_PEOPLE_BEHIND: Mapping[str, str] = {"reach": "views", "accounts_engaged": "total_interactions"}


def window_total(
    call: Call, account: AccountWorld, name: str, start: float, end: float, kinds: Sequence[str] = _ALL
) -> int:
    """An account metric over start <= t < end from posts of `kinds`, restatements included."""
    counted = _PEOPLE_BEHIND.get(name, name)
    count = _sum(account, counted, start, end, call.at, kinds)
    for day, factor in call.faults.restated("instagram", account.external_id, call.at).items():
        low, high = day_edges(day, day, PACIFIC)
        low, high = max(low, int(start)), min(high, int(end))
        if low < high:
            count += round((factor - 1.0) * _sum(account, counted, low, high, call.at, kinds))
    return people(count, account.audience) if name in _PEOPLE_BEHIND else count


def follow_changes(call: Call, account: AccountWorld, start: float, end: float) -> tuple[int, int]:
    """(followers won, followers gone) over start <= t < end."""
    return follower_changes(account, [start, end], call.at, INSTAGRAM_SETTLING)[0]


def _sum(account: AccountWorld, name: str, start: float, end: float, at: float, kinds: Sequence[str]) -> int:
    posts: list[Post] = account.active_posts(start, min(end, at))
    total = 0
    for counter, counted_kinds in _SUMS[name]:
        chosen = [post for post in posts if post.kind in counted_kinds and post.kind in kinds]
        total += int(increments(account, chosen, [counter], [start, end], at, INSTAGRAM_SETTLING)[counter].sum())
    return total
