"""TikTok's Accounts API for Business: levels, lifetime numbers of videos, and 60 days of the account's series."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from metrics_pipeline.catalog.models import PlatformSpec, SourceMetric
from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext, Post, Profile, State
from metrics_pipeline.platforms.errors import Answer, PlatformError
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import asked_name, reading
from metrics_pipeline.platforms.tiktok_videos import (
    BLANK,
    PAGE_SIZE,
    FieldGroups,
    Keeper,
    Page,
    Video,
    data_of,
    instant_of,
    page_in,
    walk,
    with_known,
)
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, Window, midnight

HOST = "accounts"
ACCOUNT_PATH, LIST_PATH = "/open_api/v1.3/business/get", "/open_api/v1.3/business/video/list"
VIDEO_FIELDS = ("item_id", "create_time", "caption", "share_url", "media_type", "is_ad", "video_duration")
VIDEO_GROUPS = ("accounts_videos", "accounts_video_insights", "accounts_video_business")
DAY_GROUPS = ("accounts_days", "accounts_business_days", "accounts_contact_days")
FROZEN_AFTER = timedelta(days=365)  # a video's numbers stand still from then on, whatever happens
FROZEN = "TikTok freezes a video's numbers a year after publication"
NOT_KEPT = "older than the platform keeps"
WATCHED_RATE = "full_video_watched_rate"


class AccountsReader:
    """One account's turn on the Accounts API; the account's id travels as business_id."""

    def __init__(
        self, session: Session, account: Account, spec: PlatformSpec, settings: Settings, result: AccountResult
    ) -> None:
        self._session = session
        self._account = account
        self._spec = spec
        self._settings = settings
        self._result = result
        self._numbers = [s for api in VIDEO_GROUPS for s in spec.select("post", api=api)]
        self._fields = FieldGroups(VIDEO_FIELDS, [spec.select("post", api=api) for api in VIDEO_GROUPS])

    async def counters(self, context: CollectionContext, tally: Tally) -> None:
        day = context.observed_at.date()
        keeper = Keeper(day, self._result, tally)
        if context.reads_account:
            levels = self._spec.select("account", api="accounts_profile")
            for source in levels:
                tally.plan("account", source.metric, day)
            profile = FieldGroups(["username"], [levels])
            keeper.account(levels, await self._profile(levels, profile), profile.refused)
        if not context.reads_posts:
            return
        try:
            videos = await self._videos(context)
        except PlatformError as error:
            Patience().weigh(error)
            keeper.refuse_videos(self._numbers, error)
            return
        newest_frozen = context.observed_at - FROZEN_AFTER
        moving = [v for v in videos if v.post.published_at is None or v.post.published_at > newest_frozen]
        keeper.videos(self._numbers, moving, self._fields.refused, self._figure)
        for _frozen in range(len(videos) - len(moving)):
            for source in self._numbers:
                tally.miss("post", source.metric, day, State.UNKNOWN, FROZEN)

    async def series(self, days: Sequence[date], now: datetime, tally: Tally) -> None:
        groups = [self._spec.select("account", "series", api) for api in DAY_GROUPS]
        sources = [source for group in groups for source in group]
        kept: list[date] = []
        for day in days:
            for source in sources:
                tally.plan("account", source.metric, day)
            if all(source.retention_days and day < now.date() - DAY * source.retention_days for source in sources):
                for source in sources:
                    tally.miss("account", source.metric, day, State.UNKNOWN, NOT_KEPT)
            else:
                kept.append(day)
        if not kept:
            return
        fields = FieldGroups((), groups)
        patience = Patience()
        for part in Window.of_days(kept[0], kept[-1] + DAY).split(self._spec.max_window_days or 60):
            try:
                rows = await self._days(sources, part, fields)
            except PlatformError as error:
                patience.weigh(error)
                for source in sources:
                    for day in part.days():
                        tally.refuse("account", source.metric, day, error)
                continue
            patience.succeeded()
            for day in part.days():
                self._keep_day(sources, day, rows.get(day), fields, now, tally)

    async def _ask(self, path: str, fields: FieldGroups, more: dict[str, str]) -> Answer:
        async def send(names: list[str]) -> Answer:
            params = {"business_id": self._account.external_id, "fields": json.dumps(names, separators=(",", ":"))}
            return await self._session.get(path, params | more, host=HOST)

        return await fields.ask(send)

    async def _profile(self, levels: Sequence[SourceMetric], fields: FieldGroups) -> dict[str, float]:
        answer = await self._ask(ACCOUNT_PATH, fields, {})
        with Fields(answer.body, "business", self._result.unknown_fields) as body:
            body.ignore("code", "message", "request_id")
            with data_of(body) as data:
                data.ignore("metrics")
                self._result.profile = Profile(data.text("username"))
                numbers = {s.source: data.number_or_blank(s.source) for s in levels}
        return {name: number for name, number in numbers.items() if number is not None}

    async def _days(
        self, sources: Sequence[SourceMetric], part: Window, fields: FieldGroups
    ) -> dict[date, dict[str, float | None]]:
        """The rows of a window by their day; a field is None where it is blank, and missing where it is absent."""
        bounds = {"start_date": part.first_day.isoformat(), "end_date": (part.end_day - DAY).isoformat()}
        answer = await self._ask(ACCOUNT_PATH, fields, bounds)
        rows: dict[date, dict[str, float | None]] = {}
        with Fields(answer.body, "business_days", self._result.unknown_fields) as body:
            body.ignore("code", "message", "request_id")
            with data_of(body) as data:
                data.ignore("username", "followers_count")
                for entry in data.children("metrics"):
                    with entry:
                        there = set(entry.names())
                        numbers = {s.source: entry.number_or_blank(s.source) for s in sources if s.source in there}
                        instant = entry.instant("date")
                        if instant is None:
                            entry.report("a row without a date")
                        else:
                            rows[instant.date()] = numbers
        return rows

    def _keep_day(
        self,
        sources: Sequence[SourceMetric],
        day: date,
        row: dict[str, float | None] | None,
        fields: FieldGroups,
        now: datetime,
        tally: Tally,
    ) -> None:
        for source in sources:
            refusal = fields.refused.get(source.source)
            raw = None if row is None else row.get(source.source)
            if raw is not None:
                kept = reading(source, day, raw)
                self._result.readings.append(kept)
                tally.hit("account", source.metric, day, kept.value)
            elif refusal is not None:
                tally.refuse("account", source.metric, day, refusal)
            elif now < midnight(day + DAY) + timedelta(hours=source.available_after_hours):
                reason = f"not ready yet: TikTok needs up to {source.available_after_hours} hours after the day"
                tally.miss("account", source.metric, day, State.UNKNOWN, reason)
            else:
                reason = "TikTok has no figure for this day" if row is None or source.source not in row else BLANK
                tally.miss("account", source.metric, day, State.UNKNOWN, reason)

    async def _videos(self, context: CollectionContext) -> list[Video]:
        """The videos young enough to be read; one removed for a violation just is no longer in any list."""

        async def page_after(cursor: int | None, more: dict[str, str]) -> Page:
            params = {"max_count": str(PAGE_SIZE), **more} | ({} if cursor is None else {"cursor": str(cursor)})
            answer = await self._ask(LIST_PATH, self._fields, params)
            with Fields(answer.body, "business_videos", self._result.unknown_fields) as body:
                body.ignore("code", "message", "request_id")
                with data_of(body) as data:
                    return page_in(data, self._video)

        async def look_up(ids: Sequence[str]) -> list[Video]:
            wanted = {"filters": json.dumps({"video_ids": list(ids)}, separators=(",", ":"))}
            return await walk(lambda cursor: page_after(cursor, wanted), None)

        listed: list[Video] = []
        if context.oldest is not None:
            oldest = max(context.oldest, context.observed_at - FROZEN_AFTER)
            listed = await walk(lambda cursor: page_after(cursor, {}), oldest)
        return await with_known(listed, context.known_posts, look_up, self._result)

    def _video(self, entry: Fields) -> Video | None:
        entry.ignore("thumbnail_url", "embed_url")
        video_id = entry.identifier("item_id")
        if video_id is None:
            return None
        kind, is_ad = entry.text("media_type"), entry.flag("is_ad")
        names = dict.fromkeys(asked_name(s) for s in self._numbers)
        numbers = {name: entry.number_or_blank(name) for name in names}
        published, title = instant_of(entry, "create_time"), entry.text("caption")
        link, seconds = entry.text("share_url"), entry.number_or_blank("video_duration")
        post_type = "video" if (kind or "video").lower() == "video" else "post"
        known = {"media_type": kind, "is_ad": is_ad}
        metadata = {name: value for name, value in known.items() if value is not None}
        counts = {name: number for name, number in numbers.items() if number is not None}
        if self._share(counts) is None and counts.pop(WATCHED_RATE, None) is not None:
            entry.report(f"{WATCHED_RATE} is no share; METRICS_TIKTOK_WATCHED_RATE says how it is given")
        return Video(Post(video_id, post_type, published, title, link, seconds, metadata=metadata), counts)

    def _share(self, counts: dict[str, float]) -> float | None:
        """The watched rate as a share of 1; None where it is blank, or cannot be one in the unit that is set."""
        raw = counts.get(WATCHED_RATE)
        if raw is None:
            return None
        share = raw / 100 if self._settings.tiktok_watched_rate == "percent" else raw
        return share if 0 <= share <= 1 else None

    def _figure(
        self, source: SourceMetric, counts: dict[str, float]
    ) -> tuple[float, float | None, float | None] | None:
        if asked_name(source) != WATCHED_RATE:
            raw = counts.get(source.source)
            return None if raw is None else (raw, None, None)
        share, views = self._share(counts), counts.get("video_views")
        watched = None if share is None or views is None else round(share * views, 6)
        if source.source != WATCHED_RATE:
            return None if watched is None else (watched, None, None)
        return None if share is None else (share, watched, None if watched is None else views)
