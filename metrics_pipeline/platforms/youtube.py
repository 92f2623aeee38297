"""YouTube: public counters of a channel and its videos, and the owner's daily series of both."""

from __future__ import annotations

from datetime import date, timedelta

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext, Post, State
from metrics_pipeline.platforms.dialect import Dialect
from metrics_pipeline.platforms.http import PlatformClient
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.platforms.youtube_analytics import ChannelSeries
from metrics_pipeline.platforms.youtube_errors import classify
from metrics_pipeline.platforms.youtube_videos import Channel, Video, list_uploads, read_channel, read_videos
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window, midnight

DIALECT = Dialect(classify)


class YouTubeAdapter:
    """One account is a channel id and its owner's OAuth token."""

    name = "youtube"

    def __init__(self, spec: PlatformSpec, settings: Settings, client: PlatformClient) -> None:
        self._spec = spec
        self._settings = settings
        self._client = client

    async def counters(self, account: Account, context: CollectionContext, result: AccountResult) -> None:
        session = self._client.session(account, context.observed_at, result)
        day = context.observed_at.date()
        with Tally(result) as tally:
            ids: list[str] = []
            if context.reads_account or context.oldest is not None:
                for source in self._spec.select("account", api="channels"):
                    tally.plan("account", source.metric, day)
                channel = await read_channel(session, account.external_id, result)
                self._keep_channel(channel, day, result, tally)
                if context.oldest is not None:
                    ids = await list_uploads(session, channel.uploads, context.oldest, result)
            if not context.reads_posts:
                return
            ids += sorted(set(context.known_posts) - set(ids))
            videos, gone = await read_videos(session, ids, self._settings.youtube_short_max_seconds, result)
            result.posts += [video.post for video in videos]
            result.posts += [Post(video_id, "video", deleted=True) for video_id in gone]
            self._keep_videos(videos, day, result, tally)

    async def insights(
        self, account: Account, window: Window, context: CollectionContext, result: AccountResult
    ) -> None:
        session = self._client.session(account, context.now, result)
        days = [day for day in window.days() if day <= context.now.date()]
        if not days:
            return
        series = ChannelSeries(session, account.external_id, self._spec, context.now, result)
        with Tally(result) as tally:
            await series.read_channel(days, tally)
            channel = await read_channel(session, account.external_id, result)
            age = context.post_age or timedelta(0)
            ids = await list_uploads(session, channel.uploads, midnight(days[0]) - age, result)
            ids += sorted(set(context.known_posts) - set(ids))
            videos, _gone = await read_videos(session, ids, self._settings.youtube_short_max_seconds, result)
            posts = [video.post for video in videos]
            result.posts += posts
            await series.read_videos(posts, days, age, tally)

    def _keep_channel(self, channel: Channel, day: date, result: AccountResult, tally: Tally) -> None:
        for source in self._spec.select("account", api="channels"):
            raw = channel.counts.get(source.source)
            if raw is not None:
                rounded = {"rounded": "down to three digits"} if source.source == "subscriberCount" else None
                result.readings.append(reading(source, day, raw, metadata=rounded))
                tally.hit("account", source.metric, day, raw)
            elif source.source == "subscriberCount" and channel.hidden_subscribers:
                tally.miss("account", source.metric, day, State.NOT_PERMITTED, "the channel hides its subscriber count")

    def _keep_videos(self, videos: list[Video], day: date, result: AccountResult, tally: Tally) -> None:
        for source in self._spec.select("post", api="videos"):
            tally.plan("post", source.metric, day, len(videos))
            for video in videos:
                raw = video.counts.get(source.source)
                if raw is None:
                    reason = "hidden or switched off by the owner"
                    tally.miss("post", source.metric, day, State.NOT_SUPPORTED, reason)
                else:
                    result.readings.append(reading(source, day, raw, post=video.post))
                    tally.hit("post", source.metric, day, raw)

    async def aclose(self) -> None:
        await self._client.aclose()
