"""Lifetime insights of one medium: which metrics its product type has, and their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.graph_errors import graph_error, invalid
from metrics_pipeline.sandbox.ids import PostRef, numeric_id
from metrics_pipeline.sandbox.instagram_fields import MEDIA_TYPES
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.reach import people
from metrics_pipeline.sandbox.world import AccountWorld

Read = Callable[[str], int]

_FEED, _REELS, _STORY = frozenset({"FEED"}), frozenset({"REELS"}), frozenset({"STORY"})
_EVERY = _FEED | _REELS | _STORY
# A metric the platform knows -> the product types that have it.
SUPPORTED: Mapping[str, frozenset[str]] = {
    "reach": _EVERY,
    "views": _EVERY,
    "likes": _FEED | _REELS,
    "comments": _FEED | _REELS,
    "saved": _FEED | _REELS,
    "shares": _EVERY,
    "total_interactions": _EVERY,
    "reposts": _EVERY,
    "follows": _FEED | _STORY,
    "profile_visits": _FEED | _STORY,
    "profile_activity": _FEED | _STORY,
    "ig_reels_avg_watch_time": _REELS,
    "ig_reels_video_view_total_time": _REELS,
    "reels_skip_rate": _REELS,
    "navigation": _STORY,
    "replies": _STORY,
    "link_clicks": _STORY,
    "crossposted_views": _REELS,
    "facebook_views": _EVERY,
    "total_likes": _FEED | _REELS,
    "total_comments": _FEED | _REELS,
    "total_views": _EVERY,
}
_NOT_SHARED_TO_FACEBOOK = frozenset({"crossposted_views", "facebook_views"})
_BREAKDOWNS: Mapping[str, str] = {"navigation": "story_navigation_action_type", "profile_activity": "action_type"}
_PARTS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "navigation": (("tap_forward", 0.7), ("tap_back", 0.12), ("tap_exit", 0.1), ("swipe_forward", 0.08)),
    "profile_activity": (("bio_link_clicked", 0.6), ("call", 0.1), ("email", 0.2), ("direction", 0.1)),
}
_STORY_PRIVACY_FLOOR = 5


def interactions(kind: str, read: Read) -> int:
    """What counts as an interaction: likes, comments, saves and shares; on a story replies and shares."""
    if kind == "story":
        return read("comments") + read("shares")
    return read("likes") + read("comments") + read("saves") + read("shares")


def media_insights(call: Call, account: AccountWorld, post: Post) -> dict[str, object]:
    """The insights edge of a medium. One metric that does not fit fails the whole request.

    Raises:
        RefusedError: no metric, an unknown one, one its product type lacks, a breakdown it has not, or a story
            that too few people saw.
    """
    names = call.listed("metric")
    if not names:
        raise invalid("The parameter metric is required")
    product = MEDIA_TYPES[post.kind][1]
    refused = call.faults.names("instagram", account.external_id)
    for place, name in enumerate(names):
        if name not in SUPPORTED or name in refused:
            known = ", ".join(sorted(set(SUPPORTED) - refused))
            raise invalid(f"metric[{place}] must be one of the following values: {known}")
        if product not in SUPPORTED[name]:
            raise invalid(f"The Media Insights API does not support the {name} metric for this media product type.")
        if name in _NOT_SHARED_TO_FACEBOOK:
            raise graph_error(-1, "Fatal", subcode=2207086)
    breakdown = call.params.get("breakdown")
    if breakdown and any(_BREAKDOWNS.get(name) != breakdown for name in names):
        raise invalid(f"Incompatible breakdowns ({breakdown}) for the metrics requested")

    def read(counter: str) -> int:
        return account.counter(post, counter, call.at)

    if product == "STORY" and people(read("views"), account.audience) < _STORY_PRIVACY_FLOOR:
        raise graph_error(10, "(#10) Not enough viewers for the media to show insights")
    media_id = numeric_id("instagram", PostRef(account.external_id, post.index))
    return {"data": [_insight(name, media_id, _value(name, account, post, read), breakdown) for name in names]}


def _value(name: str, account: AccountWorld, post: Post, read: Read) -> int | float:
    views = read("views")
    if name == "reach":
        return people(views, account.audience)
    if name == "total_interactions":
        return interactions(post.kind, read)
    if name == "ig_reels_avg_watch_time":
        return read("watch_ms") // views if views else 0
    if name == "reels_skip_rate":
        return round(25.0 + 35.0 * account.luck("skip", post.index), 1)
    if name == "navigation":
        return _split_total(name, views)
    if name == "profile_activity":
        return _split_total(name, read("clicks"))
    counters = {
        "saved": "saves",
        "replies": "comments",
        "link_clicks": "clicks",
        "ig_reels_video_view_total_time": "watch_ms",
        "total_likes": "likes",
        "total_comments": "comments",
        "total_views": "views",
    }
    return read(counters.get(name, name))


def _split_total(name: str, count: int) -> int:
    return sum(int(count * share) for _, share in _PARTS[name])


def _insight(name: str, media_id: str, value: int | float, breakdown: str | None) -> dict[str, object]:
    entry: dict[str, object] = {
        "name": name,
        "period": "lifetime",
        "values": [{"value": value}],
        "title": name.replace("_", " ").capitalize(),
        "description": f"Lifetime {name.replace('_', ' ')} of this medium.",
        "id": f"{media_id}/insights/{name}/lifetime",
    }
    if breakdown:
        entry["total_value"] = {
            "value": value,
            "breakdowns": [{"dimension_keys": [breakdown], "results": _results(name, int(value))}],
        }
    return entry


def _results(name: str, total: int) -> list[dict[str, object]]:
    """The parts of a total: whole numbers that add up to it, the rest given to the first."""
    parts = [(part, int(total * share)) for part, share in _PARTS[name]]
    rest = total - sum(count for _, count in parts)
    return [
        {"dimension_values": [part], "value": count + (rest if number == 0 else 0)}
        for number, (part, count) in enumerate(parts)
    ]
