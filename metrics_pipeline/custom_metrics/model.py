"""The format `metric/v1`: what a definition says, and nothing about whether the data it names is there.

Names follow dbt MetricFlow (type, agg, expr, numerator, window, grain_to_date, ...) and Apache Ossie (dataset).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    TypeAdapter,
    field_validator,
    model_validator,
)

from metrics_pipeline.custom_metrics.spans import Grain, Span

FORMAT = "metric/v1"
NAME = r"^[a-z][a-z0-9_]{1,62}$"
LONGEST_FORMULA = 2_000

MetricName = Annotated[str, Field(pattern=NAME)]
FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Formula = Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_FORMULA)]
Aggregation = Literal["count", "sum", "average", "min", "max", "count_distinct", "sum_boolean", "median", "percentile"]
Operator = Literal[
    "eq", "neq", "gt", "gte", "lt", "lte", "in", "not_in", "is_null", "not_null", "contains", "starts_with"
]
Visibility = Literal["private", "team", "organization", "public"]
VISIBILITIES: tuple[Visibility, ...] = ("private", "team", "organization", "public")
"""From the narrowest to the widest."""
Status = Literal["draft", "active", "deprecated", "archived"]
Scalar = Annotated[StrictStr, Field(max_length=200)] | StrictBool | StrictInt | StrictFloat

# What can be said again without any number changing; everything else makes a new version.
PRESENTATION = ("label", "description", "owner", "visibility", "tags", "direction", "status")
# Of which 0 is the truth where there is no row; an average or a percentile of nothing is not 0.
ZERO_IS_TRUE: tuple[Aggregation, ...] = ("count", "sum", "sum_boolean", "count_distinct")


class RefusedError(ValueError):
    """A fault with a code of its own, on its way through Pydantic; its text begins the sentence that is told."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def _refuse_if(condition: bool, code: str, detail: str) -> None:
    if condition:
        raise RefusedError(code, detail)


def _span_text(value: str | None, code: str) -> str | None:
    if value is not None:
        try:
            Span.parse(value)
        except ValueError as error:
            raise RefusedError(code, str(error)) from None
    return value


@cache
def _zones() -> set[str]:
    """The names of all time zones: reading them from the disk takes milliseconds, too long for each definition."""
    from zoneinfo import available_timezones

    # what these mean depends on the machine, and the engine does not know them
    return available_timezones() - {"localtime", "posixrules"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FieldFilter(_Part):
    """One condition on a field of the data set: `{field: country, op: in, value: [DE, AT]}`."""

    field: FieldName
    op: Operator
    value: Scalar | list[Scalar] | None = Field(None, description="A list for in and not_in, nothing for is_null.")

    @model_validator(mode="after")
    def _value_fits(self) -> FieldFilter:
        if self.op in ("is_null", "not_null"):
            _refuse_if(self.value is not None, "filter_value_type", f"{self.op} takes no value")
        elif self.op in ("in", "not_in"):
            fits = isinstance(self.value, list) and 1 <= len(self.value) <= 200
            _refuse_if(not fits, "filter_value_type", f"{self.op} takes a list of 1 to 200 values")
        else:
            fits = self.value is not None and not isinstance(self.value, list)
            _refuse_if(not fits, "filter_value_type", f"{self.op} takes one value")
            text_only = self.op in ("contains", "starts_with") and not isinstance(self.value, str)
            _refuse_if(text_only, "filter_value_type", f"{self.op} takes a text")
        return self


class NonAdditive(_Part):
    """A balance: of each group the rows at the latest (max) or earliest (min) time of a period count."""

    name: FieldName = Field(description="The time field; the one that places rows in periods.")
    window_choice: Literal["min", "max"] = "max"
    window_groupings: list[FieldName] = Field(default=[], max_length=5, description="Each has its own latest row.")


class Input(_Part):
    """A metric that another is made of, perhaps of fewer rows."""

    name: MetricName
    filter: Formula | None = Field(None, description="A condition on the fields of the input's data set.")

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value


class DerivedInput(Input):
    """An input of a derived metric. offset_window: its value so much earlier; offset_to_grain: at that one's start."""

    alias: FieldName | None = Field(None, description="What the formula calls it; its name where nothing is said.")
    offset_window: str | None = None
    offset_to_grain: Grain | None = None

    @field_validator("offset_window")
    @classmethod
    def _is_a_span(cls, value: str | None) -> str | None:
        return _span_text(value, "offset_invalid")

    @model_validator(mode="after")
    def _one_offset(self) -> DerivedInput:
        both = self.offset_window is not None and self.offset_to_grain is not None
        _refuse_if(both, "offset_invalid", "offset_window and offset_to_grain exclude each other")
        return self

    @property
    def called(self) -> str:
        """Its name in the formula."""
        return self.alias or self.name

    @property
    def offset(self) -> Span | None:
        """The length of offset_window."""
        return None if self.offset_window is None else Span.parse(self.offset_window)


class _Definition(_Part):
    name: MetricName
    label: str | None = Field(None, max_length=200)
    description: str | None = Field(None, max_length=2_000)
    owner: str | None = Field(
        None, pattern=r"^(user|team):[A-Za-z0-9_.:@-]{1,120}$", description="user:ID or team:ID; whoever creates it."
    )
    visibility: Visibility = "organization"
    tags: list[Annotated[str, Field(min_length=1, max_length=60)]] = Field(default=[], max_length=20)
    unit: str | None = Field(None, max_length=40, description="Such as EUR, ms or 1; part of what the number means.")
    direction: Literal["increase", "decrease", "neutral"] = Field("neutral", description="Which way is better.")
    time_grains: list[Grain] = Field(default=[], description="What it may be asked by; empty: all that can be.")
    dimensions: list[FieldName] = Field(default=[], max_length=10, description="What it may be broken down by.")
    timezone: str = Field("UTC", description="IANA name of the zone whose days count, where rows have a time of day.")
    status: Status = "active"

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        _refuse_if(value not in _zones(), "timezone_unknown", "there is no such time zone")
        return value

    @field_validator("dimensions", "time_grains", "tags")
    @classmethod
    def _each_once(cls, value: list[str]) -> list[str]:
        _refuse_if(len(set(value)) != len(value), "listed_twice", "an entry is listed twice")
        return value


class Simple(_Definition):
    """One aggregate over the rows of a data set."""

    type: Literal["simple"]
    dataset: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    agg: Aggregation
    expr: Formula | None = Field(None, description="What is aggregated, row by row; count needs none.")
    percentile: float | None = Field(None, gt=0, lt=1)
    percentile_type: Literal["continuous", "discrete"] = "continuous"
    approximate: StrictBool = Field(False, description="Of count_distinct an estimate is enough.")
    filter: Formula | None = Field(None, description="A condition on a row.")
    filters: list[FieldFilter] = Field(default=[], max_length=20, description="Conditions that all have to hold.")
    agg_time_dimension: FieldName | None = Field(None, description="The time that places a row in a period.")
    non_additive_dimension: NonAdditive | None = None
    fill_nulls_with: Literal[0] | None = Field(None, description="0 where a period that is over has no rows.")
    join_to_timespine: StrictBool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Simple:
        _refuse_if(self.expr is None and self.agg != "count", "expr_missing", f"{self.agg} needs expr")
        needs = self.agg == "percentile" and self.percentile is None
        _refuse_if(needs, "percentile_required", "percentile needs percentile, such as 0.95")
        has = self.agg != "percentile" and self.percentile is not None
        _refuse_if(has, "percentile_not_used", f"percentile is for agg percentile, not for {self.agg}")
        filled = self.fill_nulls_with is not None and (self.agg not in ZERO_IS_TRUE or self.non_additive_dimension)
        _refuse_if(bool(filled), "fill_not_meaningful", f"no rows do not make {self.agg} 0")
        estimated = self.approximate and self.agg != "count_distinct"
        _refuse_if(estimated, "approximate_not_used", f"{self.agg} is exact; leave approximate out")
        return self


class Ratio(_Definition):
    """The sum above by the sum below, never a mean of ratios."""

    type: Literal["ratio"]
    numerator: Input
    denominator: Input


class Cumulative(_Definition):
    """A simple metric over a window that moves, or since the start of a longer period."""

    type: Literal["cumulative"]
    input_metric: Input
    window: str | None = Field(None, description='Such as "30 days"; the day it is asked for is the last of them.')
    grain_to_date: Grain | None = None
    period_agg: Literal["first", "last", "average"] = Field("last", description="Which day's value a period has.")

    @field_validator("window")
    @classmethod
    def _is_a_span(cls, value: str | None) -> str | None:
        return _span_text(value, "window_invalid")

    @model_validator(mode="after")
    def _one_of_both(self) -> Cumulative:
        both = (self.window is None) == (self.grain_to_date is None)
        _refuse_if(both, "cumulative_window_and_grain", "give either window or grain_to_date")
        return self


class Derived(_Definition):
    """A formula over other metrics."""

    type: Literal["derived"]
    expr: Formula
    input_metrics: list[DerivedInput] = Field(min_length=1, max_length=8)

    @model_validator(mode="after")
    def _aliases_differ(self) -> Derived:
        names = [entry.called for entry in self.input_metrics]
        _refuse_if(len(set(names)) != len(names), "derived_duplicate_alias", "two inputs have the same name")
        return self


Definition = Annotated[Simple | Ratio | Cumulative | Derived, Field(discriminator="type")]
DEFINITION: TypeAdapter[Simple | Ratio | Cumulative | Derived] = TypeAdapter(Definition)


def document_of(definition: Definition) -> dict[str, object]:
    """The definition as it is stored: everything said, in a fixed order, nothing that is the default."""
    document: dict[str, object] = DEFINITION.dump_python(definition, mode="json", exclude_defaults=True)
    return document | {"type": definition.type}


def content_hash(definition: Definition, inputs: Mapping[str, str]) -> str:
    """SHA-256 over everything that makes the numbers: without what only presents them, with the hashes of inputs."""
    document = {key: value for key, value in document_of(definition).items() if key not in PRESENTATION}
    text = json.dumps({"definition": document, "inputs": dict(inputs)}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def inputs_of(definition: Definition) -> list[tuple[str, Input]]:
    """The metrics it is made of, each with the pointer to it."""
    match definition:
        case Simple():
            return []
        case Ratio():
            return [("/numerator", definition.numerator), ("/denominator", definition.denominator)]
        case Cumulative():
            return [("/input_metric", definition.input_metric)]
        case Derived():
            return [(f"/input_metrics/{n}", entry) for n, entry in enumerate(definition.input_metrics)]
