"""TikTok's Display API: levels of the token's own account and counters of its public videos, without any history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from metrics_pipeline.catalog.models import PlatformSpec, SourceMetric
from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext, Post, Profile
from metrics_pipeline.platforms.errors import Act, Answer, PlatformError
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.tiktok_videos import (
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

HOST = "display"
USER_PATH, LIST_PATH, QUERY_PATH = "/v2/user/info", "/v2/video/list", "/v2/video/query"
VIDEO_FIELDS = ("id", "create_time", "title", "video_description", "duration", "share_url", "is_aigc")


class DisplayReader:
    """One account's counters. The requests name no account: the token alone says whose numbers come back."""

    def __init__(self, session: Session, spec: PlatformSpec, result: AccountResult) -> None:
        self._session = session
        self._result = result
        self._levels = spec.select("account", api="display_user")
        self._counters = spec.select("post", api="display_videos")
        self._fields = FieldGroups(VIDEO_FIELDS, [self._counters])

    async def read(self, account: Account, context: CollectionContext, tally: Tally) -> None:
        day = context.observed_at.date()
        keeper = Keeper(day, self._result, tally)
        user = FieldGroups(["open_id", "display_name"], [self._levels])
        numbers = await self._user(account, user)  # always: it checks whose token this is
        if context.reads_account:
            for source in self._levels:
                tally.plan("account", source.metric, day)
            keeper.account(self._levels, numbers, user.refused)
        if not context.reads_posts:
            return
        try:
            videos = await self._videos(context)
        except PlatformError as error:
            Patience().weigh(error)
            keeper.refuse_videos(self._counters, error)
            return
        keeper.videos(self._counters, videos, self._fields.refused, _figure)

    async def _user(self, account: Account, fields: FieldGroups) -> dict[str, float]:
        """The account's levels.

        Raises:
            PlatformError: reauth, when the token belongs to somebody else: another account's numbers must not be
                stored under this one's name.
        """

        async def send(names: list[str]) -> Answer:
            return await self._session.get(USER_PATH, {"fields": ",".join(names)}, host=HOST)

        answer = await fields.ask(send)
        with Fields(answer.body, "user_info", self._result.unknown_fields) as body:
            body.ignore("error")
            with data_of(body) as data:
                user = data.child("user")
                if user is None:
                    raise PlatformError(Act.RETRY, "user_info came without a user")
                with user:
                    user.ignore("union_id", "avatar_url")
                    name = user.text("display_name")
                    if user.identifier("open_id") != account.external_id:
                        raise PlatformError(Act.REAUTH, "the token belongs to another TikTok account than this one")
                    self._result.profile = Profile(name)
                    numbers = {s.source: user.number_or_blank(s.source) for s in self._levels}
        return {name: number for name, number in numbers.items() if number is not None}

    async def _videos(self, context: CollectionContext) -> list[Video]:
        async def page_after(cursor: int | None) -> Page:
            asked = {"max_count": PAGE_SIZE} | ({} if cursor is None else {"cursor": cursor})
            return await self._page(LIST_PATH, asked)

        async def look_up(ids: Sequence[str]) -> list[Video]:
            return (await self._page(QUERY_PATH, {"filters": {"video_ids": list(ids)}})).videos

        listed = await walk(page_after, context.oldest) if context.oldest is not None else []
        return await with_known(listed, context.known_posts, look_up, self._result)

    async def _page(self, path: str, asked: Mapping[str, object]) -> Page:
        async def send(names: list[str]) -> Answer:
            return await self._session.post(path, {"fields": ",".join(names)}, asked, host=HOST)

        answer = await self._fields.ask(send)
        with Fields(answer.body, "videos", self._result.unknown_fields) as body:
            body.ignore("error")
            with data_of(body) as data:
                return page_in(data, self._video)

    def _video(self, entry: Fields) -> Video | None:
        entry.ignore("height", "width", "cover_image_url", "embed_html", "embed_link")
        video_id = entry.identifier("id")
        if video_id is None:
            return None
        title, description = entry.text("title"), entry.text("video_description")
        made_by_ai = entry.flag("is_aigc")
        post = Post(
            video_id,
            "video",
            instant_of(entry, "create_time"),
            title or description,
            entry.text("share_url"),
            entry.number_or_blank("duration"),
            metadata={} if made_by_ai is None else {"is_aigc": made_by_ai},
        )
        numbers = {s.source: entry.number_or_blank(s.source) for s in self._counters}
        return Video(post, {name: number for name, number in numbers.items() if number is not None})


def _figure(source: SourceMetric, counts: dict[str, float]) -> tuple[float, float | None, float | None] | None:
    raw = counts.get(source.source)
    return None if raw is None else (raw, None, None)
