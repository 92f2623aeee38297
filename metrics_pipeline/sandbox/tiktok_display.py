"""TikTok's Display API: the token's own profile and public videos. Fields are query parameters even of a POST."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from metrics_pipeline.sandbox.calls import Call, Reply
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.tiktok_errors import bad_request, display_error, display_ok
from metrics_pipeline.sandbox.tiktok_list import MOST, PLATFORM, video_id, video_page, videos_by_id
from metrics_pipeline.sandbox.world import AccountWorld

_DEFAULT_PAGE = 10
_COUNTS = {"view_count": "views", "like_count": "likes", "comment_count": "comments", "share_count": "shares"}
_USER: Mapping[str, Callable[[AccountWorld, float], object]] = {
    "open_id": lambda account, at: account.external_id,
    "display_name": lambda account, at: account.name,
    "follower_count": lambda account, at: account.followers(at),
    "following_count": lambda account, at: account.following,
    "likes_count": lambda account, at: account.total("likes", at),
    "video_count": lambda account, at: account.listed_posts(at),
}
_VIDEO: Mapping[str, Callable[[AccountWorld, Post], object]] = {
    "id": video_id,
    "create_time": lambda account, post: post.published,
    "title": lambda account, post: f"Clip number {post.index}",
    "video_description": lambda account, post: f"Clip number {post.index} #sandbox",
    "duration": lambda account, post: post.duration,
    "share_url": lambda account, post: f"https://www.tiktok.com/@{account.name}/video/{video_id(account, post)}",
    "is_aigc": lambda account, post: post.index % 11 == 0,
}


def user_info(call: Call, account: AccountWorld) -> Reply:
    fields = _fields(call, account, set(_USER))
    return _answer({"user": {name: _USER[name](account, call.at) for name in fields}})


def video_list(call: Call, account: AccountWorld) -> Reply:
    fields, asked = _fields(call, account, {*_VIDEO, *_COUNTS}), _body(call)
    size, cursor = asked.get("max_count", _DEFAULT_PAGE), asked.get("cursor")
    if not isinstance(size, int) or not 1 <= size <= MOST:
        raise bad_request(f"max_count should be between 1 and {MOST}")
    if cursor is not None and not isinstance(cursor, int):
        raise bad_request("cursor should be an integer")
    page = video_page(call, account, cursor, size)
    videos = [_video(call, account, post, fields) for post in page.posts]
    return _answer({"videos": videos, "cursor": page.cursor, "has_more": page.has_more})


def video_query(call: Call, account: AccountWorld) -> Reply:
    fields, filters = _fields(call, account, {*_VIDEO, *_COUNTS}), _body(call).get("filters")
    ids = filters.get("video_ids") if isinstance(filters, dict) else None
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST:
        raise bad_request(f"filters.video_ids should hold 1 to {MOST} ids")
    return _answer({"videos": [_video(call, account, post, fields) for post in videos_by_id(call, account, ids)]})


def _answer(data: Mapping[str, object]) -> Reply:
    return Reply({"data": data, "error": display_ok()})


def _body(call: Call) -> dict[str, object]:
    if not isinstance(call.body, dict):
        raise bad_request("The request body is missing or no JSON object")
    return call.body


def _fields(call: Call, account: AccountWorld, known: set[str]) -> list[str]:
    names = call.listed("fields")
    if not names:
        raise bad_request("fields is required as a query parameter")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise bad_request(f"Invalid fields: {', '.join(unknown)}")
    for name in call.faults.names(PLATFORM, account.external_id) & set(names):
        raise display_error(400, "scope_permission_missed", f"The app has no scope for the field {name}.")
    return names


def _video(call: Call, account: AccountWorld, post: Post, fields: list[str]) -> dict[str, object]:
    return {
        name: account.counter(post, _COUNTS[name], call.at) if name in _COUNTS else _VIDEO[name](account, post)
        for name in fields
    }
