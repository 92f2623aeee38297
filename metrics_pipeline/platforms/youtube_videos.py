"""A YouTube channel and its videos through the Data API: public counters, only visible as they are now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from metrics_pipeline.platforms.contract import AccountResult, Post, Profile
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.parsing import Fields, seconds_of

HOST = "data"
BATCH = 50  # ids of one request and items of one page
STATISTICS = ("viewCount", "likeCount", "commentCount")
ENVELOPE = ("kind", "etag", "pageInfo", "eventId", "visitorId")


@dataclass(frozen=True, slots=True)
class Channel:
    """The channel's counters; subscribers is None where the channel hides them (hidden) or the answer lacks them."""

    counts: dict[str, float]
    hidden_subscribers: bool
    uploads: str | None


@dataclass(frozen=True, slots=True)
class Video:
    post: Post
    counts: dict[str, float] = field(default_factory=dict)


async def read_channel(session: Session, channel_id: str, result: AccountResult) -> Channel:
    """The channel.

    Raises:
        PlatformError: skip_object, when there is no such channel.
    """
    params = {"part": "snippet,statistics,contentDetails", "id": channel_id}
    answer = await session.get("/youtube/v3/channels", params, host=HOST)
    with Fields(answer.body, "channels", result.unknown_fields) as body:
        body.ignore(*ENVELOPE)
        items = body.children("items")
        if not items:
            raise PlatformError(Act.SKIP_OBJECT, "YouTube shows no such channel")
        with items[0] as channel:
            channel.ignore("kind", "etag", "id")
            snippet = channel.child("snippet")
            result.profile = Profile(snippet.text("title") if snippet is not None else None)
            counts: dict[str, float] = {}
            hidden = False
            statistics = channel.child("statistics")
            if statistics is not None:
                with statistics:
                    statistics.ignore("commentCount")
                    hidden = bool(statistics.flag("hiddenSubscriberCount"))
                    counts = _numbers(statistics, ("viewCount", "subscriberCount", "videoCount"))
            if hidden:
                counts.pop("subscriberCount", None)  # sent as 0 or not at all; neither is a number of people
            return Channel(counts, hidden, _uploads(channel.child("contentDetails")))


def _uploads(details: Fields | None) -> str | None:
    if details is None:
        return None
    with details:
        playlists = details.child("relatedPlaylists")
        if playlists is None:
            return None
        with playlists:
            playlists.ignore("likes", "favorites", "watchHistory", "watchLater")
            return playlists.text("uploads")


async def list_uploads(session: Session, playlist: str | None, oldest: datetime, result: AccountResult) -> list[str]:
    """Ids of the videos published since `oldest`, newest first. A channel without uploads has no playlist."""
    ids: list[str] = []
    token: str | None = None
    while playlist is not None:
        params = {"part": "contentDetails,snippet", "playlistId": playlist, "maxResults": str(BATCH)}
        try:
            answer = await session.get(
                "/youtube/v3/playlistItems", params | ({"pageToken": token} if token else {}), host=HOST
            )
        except PlatformError as error:
            if error.act is Act.SKIP_OBJECT:
                return ids
            raise
        last: datetime | None = None
        with Fields(answer.body, "playlistItems", result.unknown_fields) as body:
            body.ignore(*ENVELOPE, "prevPageToken")
            token = body.text("nextPageToken")
            for item in body.children("items"):
                with item:
                    video_id, published = _upload(item)
                    last = published or last
                    if video_id is not None and (published is None or published >= oldest):
                        ids.append(video_id)
        if token is None or (last is not None and last < oldest):
            break
    return list(dict.fromkeys(ids))


def _upload(item: Fields) -> tuple[str | None, datetime | None]:
    """The video's id and when it was published, from whichever part of the item has them."""
    item.ignore("kind", "etag", "id", "status")
    video_id: str | None = None
    published: datetime | None = None
    added: datetime | None = None
    details = item.child("contentDetails")
    if details is not None:
        with details:
            details.ignore("startAt", "endAt", "note")
            video_id, published = details.text("videoId"), details.instant("videoPublishedAt")
    snippet = item.child("snippet")
    if snippet is not None:
        added = snippet.instant("publishedAt")
        resource = snippet.child("resourceId")
        if video_id is None and resource is not None:
            video_id = resource.text("videoId")
    if video_id is None:
        item.report("an upload without a video id")
    return video_id, published or added


async def read_videos(
    session: Session, ids: Sequence[str], short_max_seconds: int, result: AccountResult
) -> tuple[list[Video], list[str]]:
    """(videos, ids the platform left out of its answer: deleted or private)."""
    videos: list[Video] = []
    for start in range(0, len(ids), BATCH):
        params = {"part": "snippet,statistics,contentDetails,status", "id": ",".join(ids[start : start + BATCH])}
        answer = await session.get("/youtube/v3/videos", params, host=HOST)
        with Fields(answer.body, "videos", result.unknown_fields) as body:
            body.ignore(*ENVELOPE, "nextPageToken", "prevPageToken")
            for item in body.children("items"):
                with item:
                    video = _video(item, short_max_seconds)
                    if video is not None:
                        videos.append(video)
    there = {video.post.post_id for video in videos}
    return videos, [video_id for video_id in ids if video_id not in there]


def _video(item: Fields, short_max_seconds: int) -> Video | None:
    item.ignore("kind", "etag", "status")
    video_id = item.text("id")
    title: str | None = None
    published: datetime | None = None
    seconds: float | None = None
    counts: dict[str, float] = {}
    snippet, details, statistics = item.child("snippet"), item.child("contentDetails"), item.child("statistics")
    if snippet is not None:  # descriptive and wide: read for two fields, not checked for new ones
        title, published = snippet.text("title"), snippet.instant("publishedAt")
    if details is not None:
        seconds = seconds_of(details.text("duration"))
    if statistics is not None:
        with statistics:
            statistics.ignore("favoriteCount", "dislikeCount")  # always 0; owner only and given by the series
            counts = _numbers(statistics, STATISTICS)
    if video_id is None:
        item.report("a video without an id")
        return None
    # A live stream that has not ended has the duration 0: that is no short.
    short = seconds is not None and 0 < seconds <= short_max_seconds
    permalink = f"https://www.youtube.com/watch?v={video_id}"
    return Video(Post(video_id, "short" if short else "video", published, title, permalink, seconds), counts)


def _numbers(fields: Fields, names: Sequence[str]) -> dict[str, float]:
    return {name: value for name in names if (value := fields.number(name)) is not None}
