"""TikTok's two APIs over the same videos, as far as the adapter's tests need them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta

from metrics_pipeline.windows import Window
from metrics_pipeline_tests.platforms.loopback import NOW, Asked, Loopback, Reply, Turn, settings_for, take_turn

LIST, QUERY, USER = "/v2/video/list/", "/v2/video/query/", "/v2/user/info/"
BUSINESS, BUSINESS_VIDEOS = "/open_api/v1.3/business/get/", "/open_api/v1.3/business/video/list/"
SEVEN_DAYS = Window.of_days(date(2026, 11, 12), date(2026, 11, 19))


def seconds(days_ago: float) -> int:
    return int((NOW - timedelta(days=days_ago)).timestamp())


def failed(code: str, status: int, message: str = "text") -> Reply:
    return Reply({"data": {}, "error": {"code": code, "message": message, "log_id": "l"}}, status)


class TikTokServer:
    """Both APIs over the same videos; `pages` holds ids, and an empty page is one."""

    def __init__(self) -> None:
        self.user: dict[str, object] = {
            "open_id": "17001", "display_name": "acme",
            "follower_count": 900, "following_count": 0, "likes_count": 7000, "video_count": 3,
        }  # fmt: skip
        self.pages: list[list[str]] = [[]]
        self.videos: dict[str, dict[str, object]] = {}
        self.rows: dict[str, dict[str, object]] = {}
        self.unusual: Callable[[Asked], Reply | None] = lambda _asked: None

    def add(self, video_id: str, days_ago: float = 5, **more: object) -> None:
        self.pages[-1].append(video_id)
        numbers = {"view_count": 1000, "like_count": 80, "comment_count": 0, "share_count": 5}
        business = {"video_views": 1000, "likes": 80, "comments": 0, "shares": 5, "favorites": 9, "reach": 700}
        watched = {"total_time_watched": 9000, "average_time_watched": 9.0, "full_video_watched_rate": 0.25}
        names = ("new_followers", "profile_views", "website_clicks", "email_clicks", "phone_number_clicks")
        rare = dict.fromkeys((*names, "address_clicks", "app_download_clicks", "lead_submissions"), 1)
        about = {"title": "", "video_description": "words", "caption": "words", "share_url": "u", "is_aigc": False}
        about |= {"duration": 30, "video_duration": 30, "media_type": "VIDEO", "is_ad": False}
        ids = {"id": video_id, "item_id": video_id, "create_time": seconds(days_ago)}
        self.videos[video_id] = {**ids, **about, **numbers, **business, **watched, **rare, **more}

    def answer(self, asked: Asked) -> Reply:
        unusual = self.unusual(asked)
        if unusual is not None:
            return unusual
        if asked.path.startswith("/v2/"):
            data = self.display(asked, asked.params["fields"].split(","))
            return Reply({"data": data, "error": {"code": "ok", "message": "", "log_id": "l"}})
        data = self.business(asked, json.loads(asked.params["fields"]))
        return Reply({"code": 0, "message": "OK", "request_id": "r", "data": data})

    def display(self, asked: Asked, fields: list[str]) -> dict[str, object]:
        if asked.path == USER:
            return {"user": {name: self.user[name] for name in fields}}
        assert asked.method == "POST"
        assert isinstance(asked.body, dict)
        if asked.path == QUERY:
            return {"videos": self.shown(asked.body["filters"]["video_ids"], fields)}
        return self.page(asked.body.get("cursor"), fields)

    def business(self, asked: Asked, fields: list[str]) -> dict[str, object]:
        if asked.path == BUSINESS and "start_date" in asked.params:
            first, last = asked.params["start_date"], asked.params["end_date"]
            rows = [{"date": day, **row} for day, row in self.rows.items() if first <= day <= last]
            asked_for = {"date", *fields}
            return {"metrics": [{k: v for k, v in row.items() if k in asked_for} for row in rows]}
        if asked.path == BUSINESS:
            levels = {"username": "u", "followers_count": 900, "following_count": 0, "total_likes": 7000}
            return {name: (levels | {"videos_count": ""})[name] for name in fields}
        if "filters" in asked.params:
            ids = json.loads(asked.params["filters"])["video_ids"]
            return {"videos": self.shown(ids, fields), "cursor": 0, "has_more": False}
        return self.page(int(asked.params["cursor"]) if "cursor" in asked.params else None, fields)

    def page(self, cursor: int | None, fields: list[str]) -> dict[str, object]:
        """Cursors are instants, as on the real platform; here each page's lies one millisecond below the last."""
        top = int(NOW.timestamp()) * 1000
        number = 0 if cursor is None else top - cursor
        more = number + 1 < len(self.pages)
        return {"videos": self.shown(self.pages[number], fields), "cursor": top - number - 1, "has_more": more}

    def shown(self, ids: list[str], fields: list[str]) -> list[dict[str, object]]:
        return [{name: self.videos[i][name] for name in fields} for i in ids if i in self.videos]


def counters(
    loopback: Loopback,
    api: str = "display",
    known: tuple[str, ...] = (),
    post_age: timedelta = timedelta(days=35),
    **more: object,
) -> Turn:
    return take_turn("tiktok", settings_for(loopback, "tiktok", tiktok_api=api, **more), known=known, post_age=post_age)


def series(loopback: Loopback, window: Window = SEVEN_DAYS, **more: object) -> Turn:
    return take_turn("tiktok", settings_for(loopback, "tiktok", tiktok_api="accounts", **more), window=window)
