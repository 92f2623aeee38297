"""Lifetime insights of one Page post; video metrics are left out for posts without a video."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.facebook_fields import post_id, read
from metrics_pipeline.sandbox.facebook_reactions import by_type
from metrics_pipeline.sandbox.graph_errors import graph_error, invalid
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.reach import people
from metrics_pipeline.sandbox.world import AccountWorld

Read = Callable[[str], int]

# Metric -> its value, given a reader of the post's counters, the post and the Page's audience.
METRICS: Mapping[str, Callable[[Read, Post, float], object]] = {
    "post_media_view": lambda count, post, audience: count("views"),
    "post_total_media_view_unique": lambda count, post, audience: people(count("views"), audience),
    "post_clicks": lambda count, post, audience: count("clicks"),
    "post_clicks_by_type": lambda count, post, audience: {"other clicks": count("clicks")},
    "post_reactions_by_type_total": lambda count, post, audience: by_type(count("likes")),
}
VIDEO_METRICS: Mapping[str, Callable[[Read, Post, float], object]] = {
    "post_video_views": lambda count, post, audience: count("engaged_views"),
    "post_video_avg_time_watched": lambda count, post, audience: count("watch_ms") // max(count("views"), 1),
    "post_video_length": lambda count, post, audience: post.duration * 1_000,
}


def post_insights(call: Call, account: AccountWorld, post: Post) -> dict[str, object]:
    """The insights edge of a post. One unknown metric fails the whole request.

    Raises:
        RefusedError: no metric or an unknown one, or a period that is not `lifetime`.
    """
    names = call.listed("metric")
    if not names:
        raise graph_error(3001, "(#3001) No metric was specified to be fetched.", subcode=1504028)
    known = {**METRICS, **VIDEO_METRICS}
    refused = call.faults.names("facebook", account.external_id)
    if any(name not in known or name in refused for name in names):
        raise invalid("The value must be a valid insights metric")
    if call.params.get("period", "lifetime") != "lifetime":
        return {"data": []}

    def count(counter: str) -> int:
        return read(call, account, post, counter)

    return {
        "data": [
            {
                "name": name,
                "period": "lifetime",
                "values": [{"value": known[name](count, post, account.audience)}],
                "title": name.replace("_", " ").capitalize(),
                "description": f"Lifetime {name.replace('_', ' ')} of this post.",
                "id": f"{post_id(account, post)}/insights/{name}/lifetime",
            }
            for name in names
            if name not in VIDEO_METRICS or post.kind == "video"
        ]
    }
