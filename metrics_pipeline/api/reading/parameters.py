"""Query parameters that the reading routes share, each with its meaning for /docs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query
from pydantic import Field, WithJsonSchema
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from metrics_pipeline.api.reading.question import Level, Question, metrics_of, platforms_of
from metrics_pipeline.api.reading.times import MOST_DAYS, RANGES, Compare, Granularity, Span, days_back, span_of
from metrics_pipeline.settings import Settings

# What a schema can say of what `question.py` and `times.py` check.
_NAMES: JsonDict = {"type": "string", "pattern": r"^[a-z0-9_]+(,[a-z0-9_]+)*$", "maxLength": 4000}
_DAY_OR_INSTANT: JsonDict = {
    "type": "string",
    "anyOf": [{"format": "date"}, {"format": "date-time"}],
    "pattern": r"^(19[7-9]|2[01][0-9])[0-9]-",
}
_RANGE: JsonDict = {
    "type": "string",
    "pattern": "^("
    + "|".join(name for name in RANGES if not name[-2].isdecimal())
    + r"|last_([1-9][0-9]{0,2}|[12][0-9]{3}|3[0-5][0-9]{2}|36[0-5][0-9]|3660)d)$",
}
_ZONE: JsonDict = {"type": "string", "pattern": "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$", "maxLength": 64}
_CURSOR: JsonDict = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": 2000}
_Names = Annotated[str, WithJsonSchema(_NAMES)]
_DayOrInstant = Annotated[str, WithJsonSchema(_DAY_OR_INSTANT)]
_DaysBack = Annotated[int, Field(ge=1, le=MOST_DAYS)]

Metrics = Annotated[
    list[_Names],
    Query(
        alias="metric",
        description="Metrics of the catalogue, repeated or with commas; all that the entity has where none is named.",
        examples=[["views", "followers"]],
    ),
]
Platforms = Annotated[
    list[_Names],
    Query(
        alias="platform",
        description="Platforms, repeated or with commas; `all` sums comparable ones, `app` is first-party content.",
    ),
]
Start = Annotated[
    _DayOrInstant | SkipJsonSchema[None],
    Query(description="First day (UTC), 2026-10-01, or an instant with its offset; every period it touches counts."),
]
End = Annotated[
    _DayOrInstant | SkipJsonSchema[None],
    Query(description="The day or instant that the span ends before; default is now. Needs a start."),
]
Range = Annotated[
    Annotated[str, WithJsonSchema(_RANGE)] | SkipJsonSchema[None],
    Query(
        alias="range",
        description="In place of start and end: last_Nd (N days up to yesterday), or one of "
        f"{', '.join(name for name in RANGES if not name.startswith('last_') or name[-1] != 'd')}.",
        examples=["last_30d"],
    ),
]
Days = Annotated[
    _DaysBack | SkipJsonSchema[None], Query(description="In place of range: so many days up to yesterday.")
]
TimeRange = Annotated[
    _DaysBack | SkipJsonSchema[None], Query(alias="timeRange", description="The same as days; give one of them.")
]
Granularities = Annotated[Granularity, Query(description="Weeks and months are answered whole.")]
Compared = Annotated[
    Compare,
    Query(description="Growth of the totals from the span before, or from 52 weeks (months: 12 months) before."),
]
AsOf = Annotated[
    _DayOrInstant | SkipJsonSchema[None],
    Query(description="The numbers as they were known at the end of a day, or at an instant; takes about a second."),
]
Timezone = Annotated[
    Annotated[str, WithJsonSchema(_ZONE)],
    Query(description="Days of this zone, for content and creators only; a name such as Europe/Berlin."),
]
Limit = Annotated[int, Query(ge=1, le=1000, description="Rows of a page.")]
Cursor = Annotated[
    Annotated[str, WithJsonSchema(_CURSOR)] | SkipJsonSchema[None],
    Query(description="`next_cursor` of the page before; only with the same parameters."),
]


class SpanParameters:
    """`start` and `end`, or `range`, or `days`."""

    def __init__(
        self,
        start: Start = None,
        end: End = None,
        named: Range = None,
        days: Days = None,
        time_range: TimeRange = None,
    ) -> None:
        self._given = {"start": start, "end": end, "named": named}
        self._days = days_back(days, time_range)

    def span(self, now: datetime, settings: Settings) -> Span:
        """The span they name. Raises Problem 422 where they name none."""
        today = now.astimezone(UTC).date()
        return span_of(today, settings.week_start_index, **self._given, days=self._days)


class SeriesParameters(SpanParameters):
    """What one may ask of the numbers of an entity."""

    def __init__(
        self,
        metric: Metrics = [],  # noqa: B006 - FastAPI copies defaults
        platform: Platforms = [],  # noqa: B006
        granularity: Granularities = "day",
        start: Start = None,
        end: End = None,
        named: Range = None,
        days: Days = None,
        time_range: TimeRange = None,
        compare: Compared = "none",
        as_of: AsOf = None,
        timezone: Timezone = "UTC",
    ) -> None:
        super().__init__(start, end, named, days, time_range)
        self._metrics: Sequence[str] = metric
        self._platforms: Sequence[str] = platform
        self._granularity: Granularity = granularity
        self._compare: Compare = compare
        self._as_of = as_of
        self._timezone = timezone

    def question(
        self, workspace_id: str, level: Level, entity_id: str, now: datetime, settings: Settings, account_id: str = ""
    ) -> Question:
        """The question, checked. Raises Problem."""
        span = self.span(now, settings)
        question = Question(
            workspace_id,
            level,
            entity_id,
            span.over_whole(self._granularity, settings.week_start_index),
            self._granularity,
            metrics_of(self._metrics),
            platforms_of(self._platforms),
            account_id,
            self._compare,
            self._as_of,
            self._timezone,
        )
        question.check()
        return question
