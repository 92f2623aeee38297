"""Series of numbers and their totals."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import ConfigDict, Field

from metrics_pipeline.shapes.words import Shape


class WeekPart(Shape):
    """A week's part of a month."""

    model_config = ConfigDict(populate_by_name=True)

    week_start: date
    from_: date = Field(alias="from")
    to: date
    value: float | None
    days_present: int


class Point(Shape):
    """One period. Which fields there are follows from the granularity; a period without a point was not asked for."""

    start: date | datetime = Field(description="First day of the period, or the instant that an hour begins at.")
    end: datetime | None = Field(None, description="Hours and days of a zone: the instant that it ends before.")
    value: float | None = Field(description="By the metric's additivity; null where it is not known, never 0.")
    state: str | None = Field(None, description="Days: value, zero, or why there is none, such as not_permitted.")
    reason: str | None = Field(description="Why there is no value, or what qualifies it.")
    is_complete: bool = Field(description="It is over, and everything it needs was read.")
    is_provisional: bool = Field(description="The platform may still restate it.")
    approximate: bool = Field(description="It is an estimate.")
    last_read_at: datetime | None = Field(description="Newest reading behind it.")
    definition_version: int | None = Field(None, description="Counts changes of what the source means by the metric.")
    lifetime_value: float | None = Field(None, description="Days: the counter itself at the end of the day.")
    days_spanned: int | None = Field(None, description="Days that a counter's difference covers; more after a gap.")
    total: float | None = None
    daily_average: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    first: float | None = None
    last: float | None = None
    previous_value: float | None = Field(None, description="Weeks and months: the value of the one before.")
    change: float | None = None
    growth_rate: float | None = Field(None, description="Null where it would mean nothing: see growth_state.")
    growth_state: str | None = None
    compared_value: float | None = None
    compared_previous: float | None = None
    compared_days: int | None = None
    days_present: int | None = None
    days_expected: int | None = None
    days_elapsed: int | None = None
    error_bound: float | None = None
    weekly_breakdown: list[WeekPart] | None = None


class Total(Shape):
    """What the days of the span come to: sums are summed, levels are the last, ratios are of sums, people are null."""

    value: float | None
    days_present: int
    days_expected: int
    days_elapsed: int
    is_complete: bool
    is_provisional: bool
    approximate: bool
    reason: str | None
    last_read_at: datetime | None
    previous_value: float | None = Field(None, description="With compare: of the span compared with.")
    change: float | None = None
    growth_rate: float | None = None
    growth_state: str | None = None
    compared_value: float | None = None
    compared_previous: float | None = None
    compared_days: int | None = None


class Series(Shape):
    """One metric of one platform, of one account where the entity is a post."""

    metric: str
    platform: str
    account_id: str | None
    label: str
    unit: str
    additivity: str
    data_through: datetime | None = Field(description="Newest reading behind its points.")
    is_complete: bool = Field(description="Every point of it is complete.")
    total: Total | None = Field(description="Null by the hour and in days of a zone.")
    points: list[Point]


class Entity(Shape):
    type: Literal["workspace", "account", "post", "content", "creator"]
    id: str
    workspace_id: str


class SeriesData(Shape):
    entity: Entity
    series: list[Series]


class Meta(Shape):
    """What an answer is about and rests on."""

    start: date
    end: date = Field(description="Exclusive.")
    timezone: str
    granularity: Literal["hour", "day", "week", "month"]
    compared_start: date | None = None
    compared_end: date | None = None
    as_of: str | None = None
    data_through: datetime | None = Field(description="Newest reading behind any number; null where there is none.")
    complete: bool = Field(description="Every number is there and final, but for what may be restated.")
    approximate: bool = Field(description="Some number is an estimate.")
    generation: str = Field(description="Of the data: changes whenever a number does, and with nothing else.")
    cache: Literal["live", "dashboard", "aggregate", "closed"] = Field(description="How long an answer may be kept.")


class SeriesAnswer(Shape):
    data: SeriesData
    meta: Meta
