"""The fields of an Instagram account and of a medium."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.graph_errors import graph_error, invalid
from metrics_pipeline.sandbox.ids import PostRef, numeric_id
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import iso

_PROFILE: Mapping[str, Callable[[AccountWorld, float], object]] = {
    "id": lambda account, at: account.external_id,
    "ig_id": lambda account, at: account.external_id,
    "username": lambda account, at: account.name,
    "name": lambda account, at: account.name.replace("_", " ").title(),
    "biography": lambda account, at: "An account that exists in arithmetic only.",
    "followers_count": lambda account, at: account.followers(at),
    "follows_count": lambda account, at: account.following,
    "media_count": lambda account, at: account.listed_posts(at),
}
MEDIA_TYPES: Mapping[str, tuple[str, str]] = {
    "image": ("IMAGE", "FEED"),
    "carousel": ("CAROUSEL_ALBUM", "FEED"),
    "reel": ("VIDEO", "REELS"),
    "story": ("IMAGE", "STORY"),
}
# Plain counts are organic only; nothing here is ever boosted, so the `total_` counts are the same numbers.
_MEDIA_COUNTS: Mapping[str, str] = {
    "like_count": "likes",
    "comments_count": "comments",
    "reposts_count": "reposts",
    "saved_count": "saves",
    "shares_count": "shares",
    "total_like_count": "likes",
    "total_comments_count": "comments",
    "total_views_count": "views",
}
_STORY_WITHOUT = {"saves", "comments", "reposts"}


def profile_fields(call: Call, account: AccountWorld) -> dict[str, object]:
    """The requested fields of an account; the id alone where none are requested."""
    wanted = call.listed("fields")
    for name in wanted:
        if name not in _PROFILE:
            raise invalid(f"Tried accessing nonexisting field ({name}) on node type (IGUser)")
    return {name: _PROFILE[name](account, call.at) for name in [*wanted, "id"]}


def media_fields(call: Call, account: AccountWorld, post: Post) -> dict[str, object]:
    """The requested fields of a medium; a field that has no value for its kind is left out."""
    values: dict[str, object] = {}
    attributes = _attributes(account, post)
    for name in call.listed("fields"):
        if name in _MEDIA_COUNTS:
            counter = _MEDIA_COUNTS[name]
            watchable = name != "total_views_count" or post.kind == "reel"
            if watchable and not (post.kind == "story" and counter in _STORY_WITHOUT):
                values[name] = account.counter(post, counter, call.at)
        elif name in attributes:
            if attributes[name] is not None:
                values[name] = attributes[name]
        elif name == "view_count":
            raise graph_error(36104, "(#36104) The field view_count is only available through Business Discovery.")
        else:
            raise invalid(f"Tried accessing nonexisting field ({name}) on node type (IGMedia)")
    values["id"] = attributes["id"]
    return values


def _attributes(account: AccountWorld, post: Post) -> Mapping[str, object]:
    media_id = numeric_id("instagram", PostRef(account.external_id, post.index))
    media_type, product = MEDIA_TYPES[post.kind]
    shortcode = f"S{post.index:05d}{int(media_id) % 36**5:x}"
    folder = {"reel": "reel", "story": f"stories/{account.name}"}.get(post.kind, "p")
    return {
        "id": media_id,
        "ig_id": media_id,
        "timestamp": iso(post.published, "+0000"),
        "media_type": media_type,
        "media_product_type": product,
        "caption": None if post.kind == "story" else f"{post.kind.title()} number {post.index}",
        "permalink": f"https://www.instagram.com/{folder}/{shortcode}/",
        "shortcode": shortcode,
        "media_url": f"https://media.example.org/{shortcode}",
        "thumbnail_url": f"https://media.example.org/{shortcode}.jpg" if media_type == "VIDEO" else None,
        "username": account.name,
        "owner": {"id": account.external_id},
        "is_comment_enabled": True,
    }
