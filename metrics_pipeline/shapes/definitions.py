"""Metrics that users define: their definitions, versions, values and audit, and what they may be made of."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from metrics_pipeline.shapes.lists import CacheTier
from metrics_pipeline.shapes.words import Shape

Visibility = Literal["private", "team", "organization", "public"]
MetricType = Literal["simple", "ratio", "cumulative", "derived"]
MetricStatus = Literal["draft", "active", "deprecated", "archived"]
CostClass = Literal["low", "medium", "high"]
CustomGranularity = Literal["day", "week", "month", "quarter", "year", "custom"]


def _whole(value: object) -> object:
    """JSON knows one kind of number: 3.0 is the version 3."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Number = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(_whole)]


class CustomMetric(Shape):
    """A metric as whoever asks may see it."""

    definition_id: str = Field(description="Stays the same for ever; the name is free again after archiving.")
    workspace_id: str
    name: str
    type: MetricType
    owner: str = Field(description="user:ID or team:ID.")
    visibility: Visibility = Field(description="Who sees it.")
    status: MetricStatus
    version: int = Field(description="The one that is shown: the last in force, unless another was asked for.")
    revision: int = Field(description="Counts every change, also of what is only shown.")
    content_hash: str = Field(description="Over all that makes the numbers, inputs included.")
    effective_from: date | None = Field(description="The day from which the version counts; null for all periods.")
    created_at: datetime = Field(description="When it was made.")
    created_by: str = Field(description="Who made it.")
    updated_at: datetime = Field(description="When it was last changed.")
    has_formulas: bool = Field(description="Whether `definition` is all of it: of public metrics formulas stay out.")
    definition: dict[str, Any] = Field(description="The document, in the format metric/v1.")


class PageMeta(Shape):
    next_cursor: str | None = Field(description="For the next page, with the same parameters; null on the last.")
    has_more: bool


class CustomMetricAnswer(Shape):
    data: CustomMetric
    meta: dict[str, str]


class CustomMetricsAnswer(Shape):
    data: list[CustomMetric]
    meta: PageMeta


class ChangedMetric(Shape):
    """What became of a metric."""

    what: Literal["created", "updated", "unchanged", "activated", "archived", "restored"] = Field(
        description="What was done; unchanged where it was so already."
    )
    metric: CustomMetric = Field(description="As it is now.")
    others: list[str] = Field(
        description="Names of metrics made of it that got a new version, or were archived with it, as far as seen."
    )


class ChangedMetricAnswer(Shape):
    data: ChangedMetric
    meta: dict[str, str]


class ChangedMetricsAnswer(Shape):
    data: list[ChangedMetric] = Field(description="In the order they were sent; an older ratio makes three.")
    meta: dict[str, str]


class ReadFormula(Shape):
    place: str = Field(description="The metric and its field, such as revenue.expr.")
    text: str = Field(description="How it is read, with its parentheses.")


class Previewed(Shape):
    start: date
    end: date
    value: float | None = Field(description="Null where there is none: see state.")
    state: str = Field(description="value, zero, or why there is none: no_data, zero_denominator, undefined.")
    is_complete: bool


class TriedMetric(Shape):
    """What a definition would be and give."""

    name: str
    definition: dict[str, Any] = Field(description="As it would be stored.")
    grains: list[str] = Field(description="What it can be asked by.")
    formulas: list[ReadFormula] = Field(description="How formulas and filters are read, those of inputs too.")
    usual_conditions: list[str] = Field(description="What data sets leave out unless the definition speaks of it.")
    cost_class: CostClass = Field(description="Of the preview; from the rows of the files that are read.")
    preview: list[Previewed] = Field(description="The last periods of its finest grain, the running one included.")
    statement: str | None = Field(description="The SQL of the preview; null where a formula in it is not for you.")


class TriedMetricsAnswer(Shape):
    data: list[TriedMetric] = Field(description="In the order they were sent.")
    meta: dict[str, str]


class MetricVersionRow(Shape):
    """One version; it never changes."""

    version: int
    content_hash: str = Field(description="Over all that makes the numbers, inputs included.")
    effective_from: date | None = Field(description="The day from which it counts; null for all periods.")
    created_at: datetime = Field(description="When it was made.")
    created_by: str | None = Field(description="Told to its owner, the owner's team and admins.")
    change_note: str | None = Field(description="Why; told to the same.")
    is_active: bool = Field(description="Whether it is the last in force.")
    definition: dict[str, Any] = Field(description="The document, in the format metric/v1.")
    inputs: dict[str, int] = Field(description="The versions of the metrics it is made of, by name.")


class MetricVersionsAnswer(Shape):
    data: list[MetricVersionRow] = Field(description="Oldest first.")
    meta: dict[str, str]


class Activate(Shape):
    """Which version counts again."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"version": 1, "effective_from": "2026-04-01"}}
    )

    version: Number = Field(description="The version that shall count.")
    effective_from: date | None = Field(None, description="From which day; without it for all periods.")


class Force(Shape):
    """How far it goes."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"force": True}})

    force: bool = Field(False, description="With all metrics that are made of it, instead of being refused.")


class Calculate(Shape):
    """What to compute. Without start, end and range: the last 30 days; of a calendar all of its periods."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"start": "2026-10-01", "end": "2026-11-01", "granularity": "week", "dimensions": ["country"]}
        },
    )

    start: date | None = Field(None, description="First day, in the metric's zone; every period it touches counts.")
    end: date | None = Field(None, description="The day after the last one; default is tomorrow. Needs a start.")
    range: str | None = Field(None, max_length=20, description="In place of both: last_30d, mtd, ... as in GET.")
    granularity: CustomGranularity = Field("day", description="custom takes the periods of a calendar.")
    calendar: str | None = Field(
        None, max_length=63, description="For granularity custom: one of the workspace's own calendars, by name."
    )
    dimensions: list[str] = Field([], max_length=10, description="Fields of the definition to break it down by.")
    version: Number | None = Field(None, description="As this version makes it, in all periods.")


class CustomValue(Shape):
    """One period, or a part of one."""

    start: date
    end: date
    label: str | None = Field(description="Of a calendar's period; else null.")
    dimensions: dict[str, Any] = Field(description="Which part it is of; empty for the total.")
    value: float | None = Field(description="Null where there is none: see state.")
    state: str = Field(
        description="value, zero, no_data, zero_denominator, undefined; suppressed where fewer than 5 people are "
        "behind a part of a public one."
    )
    numerator: float | None = Field(description="Of ratios and averages: what is divided.")
    denominator: float | None = Field(description="By what it is divided.")
    is_complete: bool
    version: int = Field(description="The version that made it.")


class ValuesOf(Shape):
    definition_id: str = Field(description="The metric's id.")
    name: str
    label: str | None
    type: MetricType
    unit: str | None
    direction: Literal["increase", "decrease", "neutral"] = Field(description="Which way is better.")


class CustomValues(Shape):
    metric: ValuesOf = Field(description="What was asked.")
    values: list[CustomValue] = Field(description="In the order of their periods.")


class CustomValuesMeta(Shape):
    """What the values are about and rest on."""

    start: date = Field(description="First day of the first period.")
    end: date
    timezone: str
    granularity: CustomGranularity
    calendar: str | None = Field(description="Whose periods they are.")
    dimensions: list[str] = Field(description="What they are broken down by.")
    data_through: datetime | None = Field(description="Null: rows of data sets do not tell when they were read.")
    complete: bool
    approximate: bool
    generation: str
    cache: CacheTier | None = Field(description="How long the answer may be kept; null where it is not kept.")


class CustomValuesAnswer(Shape):
    data: CustomValues
    meta: CustomValuesMeta


class MetricAuditRow(Shape):
    """One thing that was done with a metric, or refused."""

    at: datetime
    actor_id: str = Field(description="Who: a principal, key:ID, token:DIGEST, operator:ID, cli or pipeline.")
    actor_kind: str = Field(description="principal, key, token, operator, cli or pipeline.")
    key_id: str | None = Field(description="The key's id, of a token a digest; neither opens anything.")
    action: str = Field(description="create, update, activate, archive, restore, validate, calculate, read, deny, ...")
    outcome: str = Field(description="ok, refused, denied or failed.")
    reason_code: str | None = Field(description="Why it was refused, or what a change came from.")
    version: int | None = Field(description="The metric's version.")
    duration_ms: int | None = Field(description="What computing took.")
    cost_class: CostClass | None = Field(description="Of a calculation.")
    query_hash: str | None = Field(description="The same for the same question.")
    trace_id: str | None = Field(description="Of runs: their id.")


class MetricAuditAnswer(Shape):
    data: list[MetricAuditRow] = Field(description="Newest first.")
    meta: PageMeta


class DataFieldRow(Shape):
    name: str
    datatype: str = Field(description="string, integer, number, boolean, date or timestamp.")
    description: str = Field(description="What it means.")
    additivity: str | None = Field(description="Of numbers that are metrics; null for plain columns.")
    is_personal: bool = Field(description="It names a person or a device: no dimension of public metrics.")


class DatasetRow(Shape):
    """What a definition may read under one name."""

    name: str
    description: str = Field(description="What a row is.")
    fields: list[DataFieldRow] = Field(description="What formulas, filters and dimensions may name.")
    times: list[str] = Field(description="Fields that may place a row in a period; the first where nothing is said.")
    finest: str = Field(description="The shortest period that makes sense.")
    usual_conditions: list[str] = Field(description="What is left out unless a definition speaks of it.")
    is_application: bool = Field(description="A table of the application's own.")


class DatasetsAnswer(Shape):
    data: list[DatasetRow] = Field(description="By name.")
    meta: dict[str, str]
