"""Lifetime numbers of posts over the Graph API: one request per post and kind of answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from metrics_pipeline.catalog.models import SourceMetric
from metrics_pipeline.platforms.contract import AccountResult, Post, State
from metrics_pipeline.platforms.errors import PlatformError
from metrics_pipeline.platforms.graph_errors import NOT_ENOUGH_VIEWERS
from metrics_pipeline.platforms.graph_insights import Fetched, Insight, ask_without_refused, insights_in
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import applies_to, asked_name, asked_names, reading

# (value as the platform gives it, numerator, denominator in catalogue units); None where there is no value.
Figures = tuple[float, float | None, float | None] | None
Figure = Callable[[SourceMetric, Mapping[str, Insight]], Figures]


def plain_figure(source: SourceMetric, insights: Mapping[str, Insight]) -> Figures:
    """The value of the insight that a source is named after; a sum needs all its parts."""
    found = [insights[name].value for name in asked_names(source) if name in insights]
    known = [value for value in found if value is not None]
    return (sum(known), None, None) if len(known) == len(asked_names(source)) else None


class PostInsights:
    """Reads the lifetime numbers of one account's posts.

    What the platform refuses for one kind of post is not asked again for that kind in this turn.

    Args:
        prefix: what stands before an id in a path: the API version.
        sources: the post-level sources that insights answer.
        parameters: further request parameters by the sources' `api`.
        figure: how a source's value is found among the insights.
    """

    def __init__(
        self,
        session: Session,
        prefix: str,
        sources: Sequence[SourceMetric],
        parameters: Mapping[str, Mapping[str, str]],
        patience: Patience,
        result: AccountResult,
        figure: Figure = plain_figure,
    ) -> None:
        self._session = session
        self._prefix = prefix
        self._sources = sources
        self._parameters = parameters
        self._patience = patience
        self._result = result
        self._figure = figure
        self._refused: dict[tuple[str, str], PlatformError] = {}

    async def read(self, posts: Sequence[Post], day: date, tally: Tally) -> None:
        """Readings dated `day` of every post, by the sources that apply to its type."""
        for source in self._sources:
            tally.plan("post", source.metric, day, sum(applies_to(source, p) for p in posts))
        for post in posts:
            for api in dict.fromkeys(s.api for s in self._sources):
                sources = [s for s in self._sources if s.api == api and applies_to(s, post)]
                if sources:
                    await self._read_post(post, sources, day, tally)

    async def _read_post(self, post: Post, sources: list[SourceMetric], day: date, tally: Tally) -> None:
        try:
            fetched = await self._fetch(post, sources)
        except PlatformError as error:
            self._patience.weigh(error)
            for source in sources:
                tally.refuse("post", source.metric, day, error)
            return
        self._patience.succeeded()
        for source in sources:
            refusal = next((fetched.refused[n] for n in asked_names(source) if n in fetched.refused), None)
            if refusal is not None and refusal.code == NOT_ENOUGH_VIEWERS:
                tally.miss("post", source.metric, day, State.INSUFFICIENT_DATA, "too few viewers", refusal.act.value)
            elif refusal is not None:
                tally.refuse("post", source.metric, day, refusal)
            else:
                self._keep(source, post, fetched.insights, day, tally)

    async def _fetch(self, post: Post, sources: list[SourceMetric]) -> Fetched:
        names = list(dict.fromkeys(name for s in sources for name in asked_names(s)))
        known = {n: self._refused[post.post_type, n] for n in names if (post.post_type, n) in self._refused}
        extra = self._parameters.get(sources[0].api, {})

        async def ask(metrics: Sequence[str]) -> dict[str, Insight]:
            params = {"metric": ",".join(metrics), **extra}
            answer = await self._session.get(f"/{self._prefix}/{post.post_id}/insights", params)
            return insights_in(answer, "media_insights", self._result.unknown_fields, extra.get("period"))

        fetched = await ask_without_refused(ask, [n for n in names if n not in known])
        for name, error in fetched.refused.items():
            if error.code != NOT_ENOUGH_VIEWERS:
                self._refused[post.post_type, name] = error
        fetched.refused |= known
        return fetched

    def _keep(self, source: SourceMetric, post: Post, insights: Mapping[str, Insight], day: date, tally: Tally) -> None:
        found = self._figure(source, insights)
        if found is None:
            tally.miss("post", source.metric, day, State.UNKNOWN, "the platform gave no value")
            return
        raw, numerator, denominator = found
        insight = insights.get(asked_name(source))
        parts = insight.metadata() if insight else None
        kept = reading(source, day, raw, post=post, numerator=numerator, denominator=denominator, metadata=parts)
        self._result.readings.append(kept)
        tally.hit("post", source.metric, day, kept.value)
