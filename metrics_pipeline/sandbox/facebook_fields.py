"""The fields of a Page and of its posts, with the summaries that connections are asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.graph_errors import invalid
from metrics_pipeline.sandbox.ids import PostRef, numeric_id
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import iso

_PAGE: Mapping[str, Callable[[AccountWorld, float], object]] = {
    "id": lambda account, at: account.external_id,
    "name": lambda account, at: account.name.replace("_", " ").title(),
    "access_token": lambda account, at: f"sandbox-page-{account.external_id}",  # never ends
    "category": lambda account, at: account.given_type or "Outdoor equipment store",
    "followers_count": lambda account, at: account.followers(at),
    "fan_count": lambda account, at: int(account.followers(at) * 0.96),
    "talking_about_count": lambda account, at: int(account.followers(at) * 0.02),
}
STATUS_TYPES: Mapping[str, str] = {
    "photo": "added_photos",
    "video": "added_video",
    "link": "shared_story",
    "status": "mobile_status_update",
}
# Connections whose number is asked for with `.summary(total_count)`, and the counter behind each.
_SUMMARIES: Mapping[str, str] = {"reactions": "likes", "comments": "comments"}
_COMMA = re.compile(r",(?![^(]*\))")


def post_id(account: AccountWorld, post: Post) -> str:
    """`{page}_{number}`, as the platform writes it."""
    return f"{account.external_id}_{numeric_id('facebook', PostRef(account.external_id, post.index))}"


def page_fields(call: Call, account: AccountWorld) -> dict[str, object]:
    """The requested fields of a Page; the id alone where none are requested."""
    wanted = call.listed("fields")
    for name in wanted:
        if name not in _PAGE:
            raise invalid(f"Tried accessing nonexisting field ({name}) on node type (Page)")
    return {name: _PAGE[name](account, call.at) for name in [*wanted, "id"]}


def post_fields(call: Call, account: AccountWorld, post: Post) -> dict[str, object]:
    """The requested fields of a post. `shares` is left out while there are none."""
    attributes = _attributes(account, post)
    values: dict[str, object] = {}
    for asked in filter(None, _COMMA.split(call.params.get("fields", ""))):
        name, *modifiers = asked.split(".")
        if name in _SUMMARIES:
            values[name] = {"data": []}
            if "summary(total_count)" in modifiers or "summary(1)" in modifiers:
                values[name] = {"data": [], "summary": {"total_count": read(call, account, post, _SUMMARIES[name])}}
        elif name == "shares":
            shares = read(call, account, post, "shares")
            if shares:
                values[name] = {"count": shares}
        elif name in attributes:
            values[name] = attributes[name]
        else:
            raise invalid(f"Tried accessing nonexisting field ({name}) on node type (Post)")
    return values | {"id": attributes["id"]}


def read(call: Call, account: AccountWorld, post: Post, counter: str) -> int:
    """A post's counter at the instant asked."""
    return account.counter(post, counter, call.at)


def _attributes(account: AccountWorld, post: Post) -> Mapping[str, object]:
    own_id = post_id(account, post)
    return {
        "id": own_id,
        "created_time": iso(post.published, "+0000"),
        "message": f"{post.kind.title()} number {post.index}",
        "permalink_url": f"https://www.facebook.com/{account.external_id}/posts/{own_id.rpartition('_')[2]}",
        "status_type": STATUS_TYPES[post.kind],
    }
