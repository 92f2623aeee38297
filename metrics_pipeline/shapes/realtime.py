"""Real-time metrics as they are sent, and what is told of them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from metrics_pipeline.shapes.words import Shape

MetricType = Literal["counter", "up_down", "gauge", "histogram", "rate", "distinct"]
Scope = Literal["process", "shared"]


class LiveFigures(Shape):
    """The numbers of one window; what a metric's type does not have is null."""

    value: float | None = Field(
        description="counter, up_down: the sum; rate: per second; distinct: how many; gauge: the value; "
        "histogram: the mean. Null where there is none."
    )
    count: int | None = Field(None, description="Values of a histogram, series of a gauge.")
    sum: float | None = Field(None, description="Sum of a counter, a rate or a histogram.")
    per_second: float | None = Field(None, description="Of a counter or rate: divided by covered_seconds.")
    covered_seconds: float | None = Field(
        None, description="The window, or the time since the series began where that is shorter."
    )
    percentiles: dict[str, float] | None = Field(
        None, description="Of a histogram: the value by share, within 1 %, such as 0.95."
    )
    approximate: bool
    error_bound: float | None = Field(
        None, description="Relative error of what is approximate: of percentiles at most, else in 95 of 100 cases."
    )
    observed_at: datetime | None = Field(None, description="Of a gauge: when the newest value was observed.")
    age_seconds: float | None = Field(None, description="Of a gauge: how long ago that was.")
    stale: bool | None = Field(None, description="Of a gauge: older than METRICS_REALTIME_GAUGE_SECONDS.")


class LiveGroup(LiveFigures):
    labels: dict[str, str | None] = Field(description="The group's labels; `__overflow__` for what is beyond the cap.")


class LiveMetric(LiveFigures):
    metric: str = Field(description="The metric's name.")
    type: MetricType = Field(description="counter, up_down, gauge, histogram, rate or distinct.")
    unit: str
    window_seconds: int = Field(description="Length of the window that ends at as_of.")
    labels: dict[str, str] = Field(description="Only series with these.")
    series: int = Field(description="Series that were put together.")
    groups: list[LiveGroup] | None = Field(None, description="By the labels of group_by.")


class LiveMeta(Shape):
    as_of: datetime = Field(description="The end of the window.")
    counted_from: datetime = Field(description="Exactly what was received from here to as_of is counted.")
    resolution_seconds: int = Field(description="Length of the buckets: the window's old end lacks less than one.")
    degraded: bool = Field(description="The number may lack updates: Redis is away, or some were lost.")
    scope: Scope = Field(description="process: counted by this process alone; shared: by all, in Redis.")
    overflow: bool = Field(description="There are more series than the cap: groups may lack something.")


class LiveAnswer(Shape):
    data: LiveMetric
    meta: LiveMeta


class LiveListed(Shape):
    metric: str = Field(description="The metric's name.")
    type: MetricType = Field(description="counter, up_down, gauge, histogram, rate or distinct.")
    unit: str
    window_seconds: int = Field(description="Window of a read that names none.")
    is_fed: bool = Field(description="Counted from the events that come in; others are sent.")
    description: str | None = Field(None, description="What it counts; of metrics that are fed.")


class LiveListAnswer(Shape):
    data: list[LiveListed]
    meta: dict[str, str]


class RefusedUpdate(Shape):
    index: int = Field(description="Place among the updates, from 0.")
    code: str


class Counted(Shape):
    metric: str = Field(description="The metric's name.")
    type: MetricType = Field(description="counter, up_down, gauge, histogram, rate or distinct.")
    unit: str
    window_seconds: int = Field(description="Window of a read that names none.")
    accepted: int = Field(description="Updates that are counted.")
    overflowed: int = Field(description="Of these, how many went to the series beyond the cap.")
    waiting: int = Field(description="Of these, how many wait in this process for Redis.")
    dropped: int = Field(description="Updates that were lost, as Redis is away and too many wait: send them again.")
    refused: list[RefusedUpdate] = Field(description="Updates that cannot be counted.")
    received_at: datetime


class CountedAnswer(Shape):
    data: Counted
    meta: dict[str, str]


class Forgotten(Shape):
    metric: str = Field(description="The metric's name.")
    series: int = Field(description="Series that were forgotten.")


class ForgottenAnswer(Shape):
    data: Forgotten
    meta: dict[str, str]


class LiveWindow(LiveFigures):
    window_seconds: int = Field(description="Length of the window that ends at as_of.")
    counted_from: datetime = Field(description="Exactly what was received from here to as_of is counted.")
    resolution_seconds: int = Field(description="Length of the buckets: the window's old end lacks less than one.")
    degraded: bool = Field(description="The number may lack updates.")


class LiveLine(Shape):
    metric: str = Field(description="The metric's name.")
    type: MetricType = Field(description="counter, up_down, gauge, histogram, rate or distinct.")
    unit: str
    windows: list[LiveWindow] = Field(description="The last minute, five minutes and hour.")


class LiveBundle(Shape):
    as_of: datetime = Field(description="The end of the windows.")
    metrics: list[LiveLine] = Field(description="The metrics that events feed.")


class LiveBundleMeta(Shape):
    degraded: bool = Field(description="Some number may lack updates.")
    scope: Scope = Field(description="process: counted by this process alone; shared: by all, in Redis.")
    cache: Literal["live"]


class LiveBundleAnswer(Shape):
    data: LiveBundle
    meta: LiveBundleMeta
