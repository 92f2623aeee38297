"""Daily series of X posts. Who may read them depends on the plan, so the first request of a turn is the probe."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.platforms.contract import AccountResult, Post
from metrics_pipeline.platforms.errors import Act, Answer, PlatformError
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.platforms.x_errors import NOT_ENROLLED
from metrics_pipeline.platforms.x_posts import batches, problems_in, rfc3339, value_of
from metrics_pipeline.windows import DAY, Window, midnight

PATH = "/2/tweets/analytics"
FIELDS = "analytics.fields"
SLICE_DAYS = 30
# Series the platform knows and the catalogue does not.
UNMAPPED = ("email_tweet", "app_opens", "app_install_attempts")


class PostAnalytics:
    """Reads the daily series of known posts."""

    def __init__(self, session: Session, spec: PlatformSpec, result: AccountResult) -> None:
        self._session = session
        self._sources = spec.select("post", "series")
        self._slice_days = spec.max_window_days or SLICE_DAYS
        self._result = result
        self._patience = Patience()
        self._refused: dict[str, PlatformError] = {}

    async def read(self, posts: Sequence[str], days: Sequence[date], now: datetime, tally: Tally) -> None:
        for source in self._sources:
            for day in days:
                tally.plan("post", source.metric, day, len(posts))
        if not posts or not days:
            return
        for part in Window.of_days(days[0], days[-1] + DAY).split(self._slice_days):
            end = min(part.end, now)
            if end <= part.start:
                continue
            for ids in batches(posts):
                params = {
                    "ids": ",".join(ids),
                    "start_time": rfc3339(part.start),
                    "end_time": rfc3339(end),
                    "granularity": "daily",
                }
                try:
                    answer = await self._ask(params)
                except PlatformError as error:
                    self._patience.weigh(error)
                    closed = error.status in (403, 404)
                    self._refuse(error, days if closed else part.days(), tally)
                    if closed:
                        return
                    continue
                self._patience.succeeded()
                self._keep(answer, set(part.days()), tally)
        for source in self._sources:
            for refusal in (self._refused[n] for n in source.source.split("+") if n in self._refused):
                for day in days:
                    tally.refuse("post", source.metric, day, refusal)

    async def _ask(self, params: dict[str, str]) -> Answer:
        """Ask for every field, leaving out those the platform refuses by name: one unknown name fails the request."""
        while True:
            names = [n for n in self._names() if n not in self._refused]
            try:
                return await self._session.get(PATH, params | {FIELDS: ",".join(names)})
            except PlatformError as error:
                text = str(error)
                culprits = [n for n in names if f"[{n}]" in text] if error.act is Act.CONFIG and FIELDS in text else []
                if not culprits or len(culprits) == len(names):
                    raise
                skip = PlatformError(Act.SKIP_METRIC, text, metric=culprits[0], code=error.code, status=error.status)
                self._refused |= dict.fromkeys(culprits, skip)

    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for s in self._sources for name in s.source.split("+")))

    def _refuse(self, error: PlatformError, days: Sequence[date], tally: Tally) -> None:
        if error.code == NOT_ENROLLED:
            text = f"the plan of this app does not include post analytics: {error}"
            error = PlatformError(error.act, text, code=error.code, status=error.status)
        for source in self._sources:
            for day in days:
                tally.refuse("post", source.metric, day, error)

    def _keep(self, answer: Answer, days: set[date], tally: Tally) -> None:
        with Fields(answer.body, "analytics", self._result.unknown_fields) as body:
            problems_in(body)
            for entry in body.children("data"):
                with entry:
                    post_id = entry.identifier("id")
                    for bucket in entry.children("timestamped_metrics"):
                        with bucket:
                            self._keep_day(post_id, bucket, days, tally)

    def _keep_day(self, post_id: str | None, bucket: Fields, days: set[date], tally: Tally) -> None:
        at, metrics = bucket.instant("timestamp"), bucket.child("metrics")
        if post_id is None or at is None or metrics is None:
            bucket.report("a bucket without post, timestamp or metrics")
            return
        if at != midnight(at.date()) or at.date() not in days:
            bucket.report("a bucket that is not one of the asked days")
            metrics.ignore(*metrics.names())
            return
        with metrics:
            metrics.ignore(*UNMAPPED)
            counts = {name: value for name in self._names() if (value := metrics.number(name)) is not None}
        for source in self._sources:
            raw = value_of(source, counts)
            if raw is not None:
                kept = reading(source, at.date(), raw, post=Post(post_id, "tweet"))
                self._result.readings.append(kept)
                tally.hit("post", source.metric, at.date(), kept.value)
