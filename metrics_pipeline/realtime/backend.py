"""What every back end does, and the shapes that go in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from metrics_pipeline.realtime.gauges import Gauge
from metrics_pipeline.realtime.kinds import Bucket, Kind
from metrics_pipeline.realtime.refusals import RealtimeError
from metrics_pipeline.realtime.series import Series, check_metric, checked_labels
from metrics_pipeline.realtime.updates import Update
from metrics_pipeline.realtime.widths import SECOND, WIDTHS

# Clocks of several processes differ a little; what is further ahead is a mistake, and would be kept for long.
AHEAD_SECONDS = 60
USUAL_PERCENTILES = (0.5, 0.9, 0.95, 0.99)

Scope = Literal["process", "shared"]
GaugesAs = Literal["newest", "sum", "min", "max"]


@dataclass(frozen=True, slots=True)
class Refused:
    """An update that was not taken: its place among those given, and a code."""

    index: int
    code: Literal["kind_conflict", "too_late", "in_the_future", "metric_limit"]


@dataclass(frozen=True, slots=True)
class Added:
    """What became of updates: every one is accepted, refused or dropped."""

    accepted: int = 0
    # of the accepted: those that went to the series of their metric's overflow, where that is known at once
    overflowed: int = 0
    # of the accepted: those that wait in this process for Redis
    spilled: int = 0
    # lost, as Redis is away and the spill is full
    dropped: int = 0
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A question about a metric: make it with `Query.of`, which checks it."""

    workspace_id: str
    metric: str
    window_seconds: int = 60
    # series that have at least these
    labels: tuple[tuple[str, str], ...] = ()
    group_by: tuple[str, ...] = ()
    percentiles: tuple[float, ...] = USUAL_PERCENTILES
    gauges_as: GaugesAs = "newest"

    @classmethod
    def of(
        cls,
        workspace_id: str,
        metric: str,
        window_seconds: int = 60,
        labels: Mapping[str, str] | None = None,
        group_by: Sequence[str] = (),
        percentiles: Sequence[float] = USUAL_PERCENTILES,
        gauges_as: GaugesAs = "newest",
    ) -> Query:
        """Raises RealtimeError: those of names and labels, percentile_range; a read adds window_range."""
        check_metric(workspace_id, metric)
        checked_labels(dict.fromkeys(group_by, ""))
        if not all(0 <= share <= 1 for share in percentiles):
            raise RealtimeError("percentile_range", "A percentile is a share from 0 to 1, such as 0.95.")
        return cls(
            workspace_id,
            metric,
            window_seconds,
            checked_labels(labels or {}),
            tuple(group_by),
            tuple(percentiles),
            gauges_as,
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers of the series of one answer, or of one group; what its kind does not have is None."""

    # counter, up_down: the sum; rate: per second; distinct: the count; gauge: the value; histogram: the mean
    value: float | None = None
    count: int | None = None
    sum: float | None = None
    percentiles: Mapping[float, float] = field(default_factory=dict)
    per_second: float | None = None
    # what per_second was divided by
    covered_seconds: float | None = None
    approximate: bool = False
    # share that an approximate value may be off, in 95 of 100 cases for distinct and always for percentiles
    error_bound: float | None = None
    observed_at: datetime | None = None
    age_seconds: float | None = None
    stale: bool | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of the series with these labels; those beyond the cap are one group, `__overflow__`."""

    labels: tuple[tuple[str, str | None], ...]
    figures: Figures


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer. Exactly what was received from `counted_from` to `as_of` is counted."""

    query: Query
    # None: nobody has written this metric
    kind: Kind | None
    unit: str
    as_of: datetime
    counted_from: datetime
    resolution_seconds: int
    figures: Figures
    groups: tuple[Group, ...]
    series: int
    # whether there are more series than the cap: their updates are in totals, not under their own labels
    overflow: bool
    # when the metric was first written to; nothing earlier is known
    known_since: datetime | None
    scope: Scope
    # the number may lack updates: Redis is away, or lost some that this window reaches
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """A series that is known, with the first and the last instant it was written to."""

    series: Series
    kind: Kind
    unit: str
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class StoredBucket:
    """What one series holds in one bucket: from number * width_seconds on, Unix time."""

    series: Series
    kind: Kind
    width_seconds: int
    number: int
    content: Bucket

    @property
    def begins(self) -> int:
        """Microseconds of Unix time."""
        return self.number * self.width_seconds * SECOND


@dataclass(frozen=True, slots=True)
class Stats:
    """What a back end holds and has done since this process began."""

    backend: str
    scope: Scope
    accepted: int
    refused: int
    # None where only Redis knows
    series: int | None = None
    away: bool = False
    spilled: int = 0
    replayed: int = 0
    dropped: int = 0


class Backend(Protocol):
    """Where buckets are kept. All times are those of the clock it was made with."""

    async def add(self, updates: Sequence[Update]) -> Added:
        """Count updates, each in its bucket of every width that still keeps it."""
        ...

    async def read(self, query: Query) -> Reading:
        """Raises RealtimeError (window_range)."""
        ...

    async def metrics(self, workspace_id: str) -> list[str]:
        """Names of the metrics of a workspace, sorted."""
        ...

    async def series(self, workspace_id: str, metric: str) -> list[SeriesInfo]:
        """The series of a metric, by labels."""
        ...

    async def gauge(self, series: Series) -> Gauge | None:
        """The newest observation of a gauge."""
        ...

    async def buckets(
        self, workspace_id: str, metric: str, width_seconds: int, first: int, end: int
    ) -> list[StoredBucket]:
        """All kept buckets with first <= number < end that hold something, by labels and number: for comparing."""
        ...

    async def overwrite_bucket(self, bucket: StoredBucket, counted_at: datetime) -> bool:
        """Put a recount in place of a bucket; empty content empties it. Twice is once. A lost series is made anew.

        False: not done, as the metric has another kind, or the cap no place for the series.

        counted_at: when the recount was read. What came in before it and reaches the back end later is in the recount
        already, and is not added to this bucket again.
        """
        ...

    async def delete_series(self, series: Series) -> bool:
        """Forget a series with all its buckets; whether there was one."""
        ...

    async def expire(self, now: datetime) -> int:
        """Forget what is beyond its time; returns how many series went."""
        ...

    async def stats(self) -> Stats:
        """What it holds and has done."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


def timely(updates: Sequence[Update], now: int) -> tuple[list[tuple[int, Update]], list[Refused]]:
    """Updates whose time can be right, with their places, and the others."""
    taken: list[tuple[int, Update]] = []
    refused: list[Refused] = []
    longest = WIDTHS[-1]
    latest = now + AHEAD_SECONDS * SECOND
    for index, each in enumerate(updates):
        if each.received_at > latest:
            refused.append(Refused(index, "in_the_future"))
        elif not longest.is_kept(longest.number(each.received_at), now):
            refused.append(Refused(index, "too_late"))
        else:
            taken.append((index, each))
    return taken, refused
