"""TikTok's Accounts API for Business: the account is named in the request, fields and filters are JSON in the query."""

from __future__ import annotations

import json
from datetime import date, timedelta

from metrics_pipeline.sandbox.calls import Call, Reply
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.tiktok_errors import accounts_error, bad_parameter
from metrics_pipeline.sandbox.tiktok_list import MOST, PLATFORM, VideoPage, video_id, video_page, videos_by_id
from metrics_pipeline.sandbox.tiktok_numbers import BUSINESS_ONLY, DAY_FIELDS, VIDEO_FIELDS, day_rows, video_number
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import UTC_ZONE, day_of

_DEFAULT_PAGE = 10
_LOOK_BACK = timedelta(days=60)
_PERSONAL_PREFIX = "personal"
_PROFILE = ("username", "followers_count", "following_count", "total_likes", "videos_count")
_ATTRIBUTES = ("item_id", "create_time", "caption", "share_url", "media_type", "is_ad", "video_duration")


def business_get(call: Call, account: AccountWorld) -> Reply:
    """Levels of the account, and its series where dates are given."""
    names = _fields(call, account, {*_PROFILE, *DAY_FIELDS})
    data: dict[str, object] = {name: _level(account, name, call.at) for name in names if name in _PROFILE}
    daily = [name for name in names if name in DAY_FIELDS]
    if daily and ("start_date" in call.params or "end_date" in call.params):
        data["metrics"] = day_rows(call, account, daily, *_dates(call))
    return _answer(data)


def business_videos(call: Call, account: AccountWorld) -> Reply:
    names = _fields(call, account, {*_ATTRIBUTES, *VIDEO_FIELDS})
    size, cursor = call.params.get("max_count", str(_DEFAULT_PAGE)), call.params.get("cursor")
    if not size.isdigit() or not 1 <= int(size) <= MOST:
        raise bad_parameter(f"max_count: must be between 1 and {MOST}")
    if cursor is not None and not cursor.isdigit():
        raise bad_parameter("cursor: must be an integer")
    if "filters" in call.params:
        page = _filtered(call, account)
    else:
        page = video_page(call, account, None if cursor is None else int(cursor), int(size))
    videos = [{name: _video_field(account, post, name, call.at) for name in names} for post in page.posts]
    return _answer({"videos": videos, "cursor": page.cursor, "has_more": page.has_more})


def _answer(data: dict[str, object]) -> Reply:
    return Reply({"code": 0, "message": "OK", "request_id": "20261120000000SANDBOX", "data": data})


def _level(account: AccountWorld, name: str, at: float) -> object:
    levels: dict[str, object] = {
        "username": account.name,
        "followers_count": account.followers(at),
        "following_count": account.following,
        "total_likes": account.total("likes", at),
        "videos_count": account.listed_posts(at),
    }
    return levels[name]


def _fields(call: Call, account: AccountWorld, known: set[str]) -> list[str]:
    names = _json(call, "fields")
    if not isinstance(names, list) or not names:
        raise bad_parameter("fields: must be a JSON array")
    refused = call.faults.names(PLATFORM, account.external_id)
    unknown = [str(name) for name in names if name not in known or name in refused]
    if unknown:
        raise bad_parameter(f"fields: {', '.join(unknown)} is not a valid choice")
    business = sorted(BUSINESS_ONLY & set(names))
    if business and account.external_id.startswith(_PERSONAL_PREFIX):
        raise accounts_error(40001, f"A personal account has no permission for the fields {', '.join(business)}")
    return [str(name) for name in names]


def _json(call: Call, name: str) -> object:
    try:
        decoded: object = json.loads(call.params.get(name, ""))
    except ValueError:
        return None
    return decoded


def _dates(call: Call) -> tuple[date, date]:
    try:
        first, last = (date.fromisoformat(call.params.get(name, "")) for name in ("start_date", "end_date"))
    except ValueError:
        raise bad_parameter("start_date, end_date: must be given as YYYY-MM-DD") from None
    if last < first or first < day_of(call.at, UTC_ZONE) - _LOOK_BACK:
        raise bad_parameter("start_date: must not lie after end_date nor more than 60 days back")
    return first, last


def _filtered(call: Call, account: AccountWorld) -> VideoPage:
    filters = _json(call, "filters")
    ids = filters.get("video_ids") if isinstance(filters, dict) else None
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST:
        raise bad_parameter(f"filters: video_ids must hold 1 to {MOST} ids")
    return VideoPage(videos_by_id(call, account, ids), 0, False)


def _video_field(account: AccountWorld, post: Post, name: str, at: float) -> object:
    if name in VIDEO_FIELDS:
        return video_number(account, post, name, at)
    own_id = video_id(account, post)
    attributes: dict[str, object] = {
        "item_id": own_id,
        "create_time": str(post.published),
        "caption": f"Clip number {post.index} #sandbox",
        "share_url": f"https://www.tiktok.com/@{account.name}/video/{own_id}",
        "media_type": "VIDEO",
        "is_ad": False,
        "video_duration": post.duration,
    }
    return attributes[name]
