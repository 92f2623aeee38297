"""YouTube's daily series: Pacific days, complete two to three days later, missing until then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from metrics_pipeline.catalog.models import PlatformSpec, SourceMetric
from metrics_pipeline.platforms.contract import AccountResult, Post, State
from metrics_pipeline.platforms.errors import Act, Answer, PlatformError
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields, as_number
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import asked_name, reading
from metrics_pipeline.platforms.youtube_errors import PACIFIC
from metrics_pipeline.windows import DAY, Window, midnight

PATH = "/v2/reports"
HOST = "analytics"
CORE = "channel_analytics"
VIDEO_BATCH = 200  # a top list by video has no second page, so never ask about more videos than it can hold


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a report: its dimension's value and the metrics that have a number."""

    key: str
    values: dict[str, float]


def rows_in(answer: Answer, unknown: set[str]) -> list[Row]:
    """The rows of a report with one dimension, matched to the column headers by position.

    Raises:
        PlatformError: config, when rows and headers do not fit together.
    """
    with Fields(answer.body, "report", unknown) as body:
        body.ignore("kind")
        names: list[str] = []
        for header in body.children("columnHeaders"):
            with header:
                header.ignore("columnType", "dataType")
                names.append(header.text("name") or "")
        rows: list[Row] = []
        for value in body.items("rows"):
            if not isinstance(value, list) or len(value) != len(names) or not isinstance(value[0], str):
                raise PlatformError(Act.CONFIG, "a report's row does not fit its column headers")
            numbers = {name: as_number(cell) for name, cell in zip(names[1:], value[1:], strict=True)}
            rows.append(Row(value[0], {name: number for name, number in numbers.items() if number is not None}))
        return rows


def figure(source: SourceMetric, values: dict[str, float]) -> tuple[float, float | None, float | None] | None:
    """(value as the platform gives it, numerator, denominator in catalogue units); None where a part is missing."""
    engaged = values.get("engagedViews")
    raw = values.get(source.source)
    if source.source == "averageViewPercentage.engagedViews":
        percent = values.get("averageViewPercentage")
        return None if percent is None or engaged is None else (percent * engaged, None, None)
    if raw is None:
        return None
    numerator: float | None = None
    if source.source == "averageViewDuration" and "estimatedMinutesWatched" in values:
        numerator = values["estimatedMinutesWatched"] * 60
    elif source.source == "averageViewPercentage" and engaged is not None:
        numerator = round(raw / 100 * engaged, 9)
    if numerator is None or engaged is None:
        return raw, None, None
    return raw, numerator, engaged


class ChannelSeries:
    """Reads the series of one channel and of its videos."""

    def __init__(
        self, session: Session, channel_id: str, spec: PlatformSpec, now: datetime, result: AccountResult
    ) -> None:
        self._session = session
        self._channel_id = channel_id
        self._spec = spec
        self._now = now
        self._result = result
        self._patience = Patience()
        self._refused: dict[str, PlatformError] = {}
        self._ready: set[date] = set()  # days the channel has a row for
        self._refusal: PlatformError | None = None  # why the channel's own core request failed

    async def read_channel(self, days: Sequence[date], tally: Tally) -> None:
        """One request per latency class and slice: a slow metric would hold back the fresh ones asked with it."""
        sources = self._spec.select("account", "series")
        for source in sources:
            for day in days:
                tally.plan("account", source.metric, day)
        for api in dict.fromkeys(s.api for s in sources):
            group = [s for s in sources if s.api == api]
            for part in Window.of_days(days[0], days[-1] + DAY).split(self._spec.max_window_days or 365):
                await self._channel_slice(api, group, part.days(), tally)

    async def _channel_slice(self, api: str, sources: list[SourceMetric], days: list[date], tally: Tally) -> None:
        rows = await self._report(sources, days[0], days[-1], {"dimensions": "day", "sort": "day"})
        if isinstance(rows, PlatformError):
            if api == CORE:
                self._refusal = rows
            elif rows.act is Act.CONFIG:  # a rarer group this channel's reports do not offer
                rows = PlatformError(Act.SKIP_METRIC, str(rows), code=rows.code, status=rows.status)
            for source in sources:
                for day in days:
                    tally.refuse("account", source.metric, day, rows)
            return
        by_day = {row.key: row.values for row in rows}
        for day in days:
            values = by_day.get(day.isoformat())
            if values is not None and api == CORE:
                self._ready.add(day)
            for source in sources:
                found = None if values is None else figure(source, values)
                refusal = self._refused.get(asked_name(source))
                if refusal is not None:
                    tally.refuse("account", source.metric, day, refusal)
                elif found is None:
                    tally.miss("account", source.metric, day, State.UNKNOWN, self._missing(source, day))
                else:
                    self._keep(source, day, found, None, tally)

    async def read_videos(self, posts: Sequence[Post], days: Sequence[date], max_age: timedelta, tally: Tally) -> None:
        """All videos of a day in one request per 200 of them.

        Which videos belong to a day depends on the day alone, never on the window it is read with.
        """
        sources = self._spec.select("post", "series")
        for day in days:
            out = [post for post in posts if _published_by(post, day) and _is_young(post, day, max_age)]
            for source in sources:
                tally.plan("post", source.metric, day, len(out))
            if not out:
                continue
            if day not in self._ready:
                # The channel has nothing for the day, so its videos have nothing either.
                for source in sources:
                    if self._refusal is not None:
                        tally.refuse("post", source.metric, day, self._refusal)
                    else:
                        tally.miss("post", source.metric, day, State.UNKNOWN, self._missing(source, day))
                continue
            for start in range(0, len(out), VIDEO_BATCH):
                await self._video_day(out[start : start + VIDEO_BATCH], sources, day, tally)

    async def _video_day(self, posts: Sequence[Post], sources: list[SourceMetric], day: date, tally: Tally) -> None:
        by_id = {post.post_id: post for post in posts}
        extra = {
            "dimensions": "video",
            "filters": f"video=={','.join(by_id)}",
            "sort": "-",  # by the first metric asked, since one is required
            "maxResults": str(VIDEO_BATCH),
        }
        rows = await self._report(sources, day, day, extra)
        if isinstance(rows, PlatformError):
            for source in sources:
                tally.refuse("post", source.metric, day, rows)
            return
        for source in sources:
            if (refusal := self._refused.get(asked_name(source))) is not None:
                tally.refuse("post", source.metric, day, refusal)
        for row in rows:
            post = by_id.get(row.key)
            for source in sources if post is not None else []:
                found = figure(source, row.values)
                if found is not None:
                    self._keep(source, day, found, post, tally)

    async def _report(
        self, sources: list[SourceMetric], first: date, last: date, extra: dict[str, str]
    ) -> list[Row] | PlatformError:
        """One report without the metrics the platform refuses by name, or the error that costs only its figures."""
        asked = list(dict.fromkeys(asked_name(s) for s in sources))
        while names := [name for name in asked if name not in self._refused]:
            params = {
                "ids": f"channel=={self._channel_id}",
                "startDate": first.isoformat(),
                "endDate": last.isoformat(),
                "metrics": ",".join(names),
            } | extra
            if extra["sort"] == "-":
                params["sort"] = f"-{names[0]}"
            try:
                answer = await self._session.get(PATH, params, host=HOST)
            except PlatformError as error:
                if error.act is Act.SKIP_METRIC and error.metric in names:
                    self._refused[error.metric] = error
                    continue
                self._patience.weigh(error)
                return error
            self._patience.succeeded()
            return rows_in(answer, self._result.unknown_fields)
        return self._refused[asked[0]]

    def _keep(
        self,
        source: SourceMetric,
        day: date,
        found: tuple[float, float | None, float | None],
        post: Post | None,
        tally: Tally,
    ) -> None:
        raw, numerator, denominator = found
        kept = reading(source, day, raw, post=post, numerator=numerator, denominator=denominator)
        self._result.readings.append(kept)
        tally.hit(source.level, source.metric, day, kept.value)

    def _missing(self, source: SourceMetric, day: date) -> str:
        """Why a day has no row: not computed yet, or nothing there."""
        end = datetime.combine(day + DAY, time.min, tzinfo=PACIFIC)
        if self._now < end + timedelta(hours=source.available_after_hours):
            return f"not ready yet: YouTube needs up to {source.available_after_hours} hours after the Pacific day"
        return "YouTube has no figure for this day"


def _is_young(post: Post, day: date, max_age: timedelta) -> bool:
    return post.published_at is None or post.published_at >= midnight(day) - max_age


def _published_by(post: Post, day: date) -> bool:
    return post.published_at is None or post.published_at.astimezone(PACIFIC).date() <= day
