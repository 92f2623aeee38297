"""Parameters that the routes of custom metrics share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from fastapi import Header, Path, Query
from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from metrics_pipeline.api.body_shapes import NO_NUL
from metrics_pipeline.api.ids import OwnId
from metrics_pipeline.api.problems import Problem
from metrics_pipeline.api.reading.custom_values import AskedValues
from metrics_pipeline.api.reading.parameters import Days, End, Range, SpanParameters, Start, TimeRange
from metrics_pipeline.custom_metrics.registry.registry import LONGEST_NOTE
from metrics_pipeline.settings import Settings
from metrics_pipeline.shapes.definitions import CustomGranularity

_NAME: JsonDict = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,62}$"}
_DIMENSIONS: JsonDict = {"type": "string", "pattern": "^[a-z0-9_]+(,[a-z0-9_]+)*$", "maxLength": 700}
_MOST_DIMENSIONS = 10


def _written(value: object) -> object:
    """Only what is written as a day: a number would be taken for seconds since 1970."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise ValueError("write a day as 2026-10-01")
    return value


def _text(longest: int) -> JsonDict:
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": NO_NUL}


Text = Annotated[str, Field(min_length=1, max_length=200, json_schema_extra={"pattern": NO_NUL})]
Day = Annotated[date, BeforeValidator(_written)]
DefinitionId = Annotated[OwnId, Path(description="The metric's name or id; of archived ones the id.")]
VersionOf = Annotated[
    Annotated[int, Field(ge=1, le=1_000_000)] | SkipJsonSchema[None], Query(description="An earlier version.")
]
EffectiveFrom = Annotated[
    Day | SkipJsonSchema[None],
    Query(description="First day that new versions count for; without it they count for all periods."),
]
Note = Annotated[
    Annotated[str, WithJsonSchema(_text(LONGEST_NOTE))] | SkipJsonSchema[None],
    Query(description="Why, for the history; printable characters."),
]
ForceOf = Annotated[
    bool, Query(description="Archive metrics that would be more visible than this one, instead of being refused.")
]
IfMatch = Annotated[
    Annotated[str, WithJsonSchema({"type": "string", "maxLength": 200, "pattern": '^(\\*|"[!#-~]*")$'})]
    | SkipJsonSchema[None],
    Header(description="The ETag of the metric as it was looked at; needed."),
]
MayMatch = Annotated[
    Annotated[str, WithJsonSchema({"type": "string", "maxLength": 200, "pattern": '^(\\*|"[!#-~]*")$'})]
    | SkipJsonSchema[None],
    Header(alias="If-Match", description="The ETag of the metric as it was looked at; without it as it is now."),
]


def note_of(text: str | None) -> str | None:
    """A note. Raises Problem 422 for one that cannot be kept."""
    if text is not None and not (1 <= len(text) <= LONGEST_NOTE and text.replace("\n", "").isprintable()):
        raise Problem(422, "invalid_note", f"A note has 1 to {LONGEST_NOTE} printable characters.")
    return text


class ValuesParameters(SpanParameters):
    """What one may ask of the values of a metric."""

    def __init__(
        self,
        granularity: Annotated[
            CustomGranularity, Query(description="The length of the periods; custom takes those of a calendar.")
        ] = "day",
        start: Start = None,
        end: End = None,
        named: Range = None,
        days: Days = None,
        time_range: TimeRange = None,
        dimension: Annotated[
            list[Annotated[str, WithJsonSchema(_DIMENSIONS)]],
            Query(description="Fields of the definition to break it down by, repeated or with commas."),
        ] = [],  # noqa: B006 - FastAPI copies defaults
        calendar: Annotated[
            Annotated[str, WithJsonSchema(_NAME)] | SkipJsonSchema[None],
            Query(description="For granularity custom: one of the workspace's own calendars, by name."),
        ] = None,
        version: VersionOf = None,
    ) -> None:
        super().__init__(start, end, named, days, time_range)
        self._granularity: CustomGranularity = granularity
        self._is_open = all(each is None for each in (start, end, named, days, time_range))
        self._dimensions = [name for text in dimension for name in text.split(",")]
        self._calendar = calendar
        self._version = version

    def asked(self, reference: str, now: datetime, settings: Settings) -> AskedValues:
        """The question. Raises Problem 422 where it names no span."""
        is_whole = self._granularity == "custom" and self._is_open
        return AskedValues(
            reference,
            self._granularity,
            None if is_whole else self.span(now, settings),
            self._calendar,
            dimensions_of(self._dimensions),
            self._version,
        )


def dimensions_of(named: Sequence[str]) -> tuple[str, ...]:
    """Each once, in one order. Raises Problem 422 for too many."""
    found = tuple(sorted(set(named)))
    if len(found) > _MOST_DIMENSIONS:
        raise Problem(422, "too_many_dimensions", f"At most {_MOST_DIMENSIONS} fields at a time.")
    return found
