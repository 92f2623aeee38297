"""What TikTok's two APIs have in common: fields that may be refused, pages of videos, videos that are gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from metrics_pipeline.catalog.models import SourceMetric
from metrics_pipeline.platforms.contract import AccountResult, Post, State
from metrics_pipeline.platforms.errors import Act, Answer, PlatformError
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.readings import asked_name, reading

PAGE_SIZE = 20  # the most either API gives at once, by list or by id
BLANK = "left blank by TikTok, as after a week without activity: unknown, not zero"


@dataclass(frozen=True, slots=True)
class Video:
    """A video with the numbers an answer gave for it, by the platform's names; blank ones are not in it."""

    post: Post
    counts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of videos, newest first. cursor is the instant, in milliseconds, below which the next one begins."""

    videos: list[Video]
    cursor: int | None
    has_more: bool


class FieldGroups:
    """The fields of one kind of request. What the account's scopes do not cover is dropped, the rest stays.

    A refusal that names a field costs that field, another one the last group still asked: groups go from what
    every account has to what few have. base fields are always asked.
    """

    def __init__(self, base: Sequence[str], groups: Sequence[Sequence[SourceMetric]]) -> None:
        self._base = list(base)
        self._groups = [list(dict.fromkeys(asked_name(s) for s in group)) for group in groups]
        self.refused: dict[str, PlatformError] = {}

    async def ask(self, send: Callable[[list[str]], Awaitable[Answer]]) -> Answer:
        """Ask for every field that was not refused before.

        Raises:
            PlatformError: a failure that is not about fields, or every field was refused.
        """
        while True:
            left = [[name for name in group if name not in self.refused] for group in self._groups]
            left = [group for group in left if group]
            names = [name for group in left for name in group]
            try:
                return await send([*self._base, *names])
            except PlatformError as error:
                if error.act not in (Act.SKIP_METRIC, Act.PERMISSION) or not names:
                    raise
                dropped = [error.metric] if error.metric in names else left[-1]
                self.refused |= {name: error for name in dropped if name is not None}
                if not self._base and len(dropped) == len(names):
                    raise


async def walk(fetch: Callable[[int | None], Awaitable[Page]], oldest: datetime | None) -> list[Video]:
    """Every video of a list, down to those published before `oldest`; pages may be short or empty.

    Raises:
        PlatformError: a page failed, or says that more follows and does not say where.
    """
    seen: dict[str, Video] = {}  # a video published between two pages shifts the next one: ids may repeat
    bound = None if oldest is None else int(oldest.timestamp() * 1_000)
    cursor: int | None = None
    while True:
        page = await fetch(cursor)
        young = [
            v for v in page.videos if oldest is None or v.post.published_at is None or v.post.published_at >= oldest
        ]
        seen |= {v.post.post_id: v for v in young}
        if not page.has_more or (page.videos and not young):
            return list(seen.values())
        if page.cursor is None or page.cursor == cursor:
            raise PlatformError(Act.CONFIG, "the list of videos goes on and gives no new cursor")
        if bound is not None and page.cursor < bound:
            return list(seen.values())
        cursor = page.cursor


def page_in(data: Fields, video_of: Callable[[Fields], Video | None]) -> Page:
    """A page of either API; ids nobody can use are reported."""
    cursor, has_more = data.number("cursor"), data.flag("has_more")
    videos: list[Video] = []
    for entry in data.children("videos"):
        with entry:
            video = video_of(entry)
            if video is None:
                entry.report("a video without an id")
                entry.ignore(*entry.names())
            else:
                videos.append(video)
    return Page(videos, None if cursor is None else int(cursor), bool(has_more))


def data_of(body: Fields) -> Fields:
    """The `data` object of a successful answer.

    Raises:
        PlatformError: retry, when there is none: an empty answer must not look like an account without videos.
    """
    data = body.child("data")
    if data is None:
        raise PlatformError(Act.RETRY, f"{body.path} came without data")
    return data


def instant_of(entry: Fields, name: str) -> datetime | None:
    """An instant given in Unix seconds."""
    seconds = entry.number_or_blank(name)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + PAGE_SIZE] for start in range(0, len(ids), PAGE_SIZE))


async def with_known(
    seen: list[Video],
    known: Sequence[str],
    look_up: Callable[[Sequence[str]], Awaitable[list[Video]]],
    result: AccountResult,
) -> list[Video]:
    """The listed videos and the known ones that no list showed; what even a look-up does not show is a tombstone.

    Raises:
        PlatformError: permission, when several known videos and every other one are gone at once: that is a token
            that lost its sight, not a wave of deletions.
    """
    missing = sorted(set(known) - {v.post.post_id for v in seen})
    found = [video for batch in batches(missing) for video in await look_up(batch)]
    there = {v.post.post_id for v in found}
    gone = [post_id for post_id in missing if post_id not in there]
    if len(gone) > 1 and not seen and not found:
        raise PlatformError(Act.PERMISSION, "none of the account's known videos is visible to this token")
    result.posts += [v.post for v in [*seen, *found]]
    result.posts += [Post(post_id, "video", deleted=True) for post_id in gone]
    return [*seen, *found]


class Keeper:
    """Turns numbers into readings and outcomes of one day."""

    def __init__(self, day: date, result: AccountResult, tally: Tally) -> None:
        self._day = day
        self._result = result
        self._tally = tally

    def account(
        self, sources: Sequence[SourceMetric], counts: dict[str, float], refused: dict[str, PlatformError]
    ) -> None:
        """Levels of the account."""
        for source in sources:
            if source.source in counts:
                self._result.readings.append(reading(source, self._day, counts[source.source]))
                self._tally.hit("account", source.metric, self._day, counts[source.source])
            elif source.source in refused:
                self._tally.refuse("account", source.metric, self._day, refused[source.source])

    def videos(
        self,
        sources: Sequence[SourceMetric],
        videos: Sequence[Video],
        refused: dict[str, PlatformError],
        figure: Callable[[SourceMetric, dict[str, float]], tuple[float, float | None, float | None] | None],
    ) -> None:
        """Numbers of videos; figure gives (value, numerator, denominator) or None where a number is blank."""
        for source in sources:
            self._tally.plan("post", source.metric, self._day, len(videos))
            refusal = refused.get(asked_name(source))
            for video in videos:
                found = None if refusal is not None else figure(source, video.counts)
                if refusal is not None:
                    self._tally.refuse("post", source.metric, self._day, refusal)
                elif found is None:
                    self._tally.miss("post", source.metric, self._day, State.UNKNOWN, BLANK)
                else:
                    raw, numerator, denominator = found
                    kept = reading(
                        source, self._day, raw, post=video.post, numerator=numerator, denominator=denominator
                    )
                    self._result.readings.append(kept)
                    self._tally.hit("post", source.metric, self._day, kept.value)

    def refuse_videos(self, sources: Sequence[SourceMetric], error: PlatformError) -> None:
        for source in sources:
            self._tally.refuse("post", source.metric, self._day, error)
