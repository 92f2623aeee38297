"""Buckets in the memory of one process."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from metrics_pipeline.clock import Clock
from metrics_pipeline.realtime.answers import Loaded, Metric, Told, answer, is_asked
from metrics_pipeline.realtime.backend import Added, Query, Reading, Refused, SeriesInfo, Stats, StoredBucket, timely
from metrics_pipeline.realtime.distinct import Distinct, hash_of
from metrics_pipeline.realtime.gauges import Gauge, newer
from metrics_pipeline.realtime.kinds import Bucket, Kind, add_fields, amounts, empty, is_same, merge
from metrics_pipeline.realtime.series import OVERFLOW_LABELS, Labels, Series
from metrics_pipeline.realtime.updates import Update
from metrics_pipeline.realtime.widths import (
    BY_SECONDS,
    SECOND,
    SERIES_KEPT_SECONDS,
    WIDTHS,
    Plan,
    Width,
    instant_of,
    micros,
    plan_of,
)

MOST_SERIES = 2000
GAUGE_TTL_SECONDS = 300.0
# Series that nobody writes to are looked for when updates come in, at most so often.
TIDY_SECONDS = 30


@dataclass(slots=True)
class _Line:
    """One series; times in microseconds."""

    first_at: int
    last_at: int
    buckets: tuple[dict[int, Bucket], ...] = field(default_factory=lambda: tuple({} for _ in WIDTHS))
    gauge: Gauge | None = None


@dataclass(slots=True)
class _Table:
    """One metric of a workspace."""

    metric: Metric
    lines: dict[Labels, _Line] = field(default_factory=dict)

    def place(self, labels: Labels, most: int) -> Labels:
        """The labels under which an update is counted."""
        if labels in self.lines or len(self.lines) - (OVERFLOW_LABELS in self.lines) < most:
            return labels
        return OVERFLOW_LABELS


class MemoryBackend:
    """See Backend. Every call takes a lock for a moment, so that threads may use it beside an event loop."""

    def __init__(
        self, clock: Clock, most_series: int = MOST_SERIES, gauge_ttl_seconds: float = GAUGE_TTL_SECONDS
    ) -> None:
        self._clock = clock
        self._most_series = most_series
        self._told = Told("process", gauge_ttl_seconds=gauge_ttl_seconds)
        self._tables: dict[tuple[str, str], _Table] = {}
        self._lock = threading.Lock()
        self._tidied_at = 0
        self._accepted = self._refused = 0

    async def add(self, updates: Sequence[Update]) -> Added:
        """See Backend."""
        return self.add_now(updates)

    def add_now(self, updates: Sequence[Update]) -> Added:
        """As add, for those outside an event loop."""
        now = micros(self._clock.now())
        taken, refused = timely(updates, now)
        overflowed = 0
        with self._lock:
            if now - self._tidied_at > TIDY_SECONDS * SECOND:
                self._tidy(now)
            for index, each in taken:
                series = each.series
                table = self._tables.get((series.workspace_id, series.metric))
                if table is None:
                    metric = Metric(each.kind, each.unit, now)
                    table = self._tables[(series.workspace_id, series.metric)] = _Table(metric)
                if table.metric.kind is not each.kind:
                    refused.append(Refused(index, "kind_conflict"))
                    continue
                labels = table.place(series.labels, self._most_series)
                overflowed += labels is not series.labels
                self._count(table, labels, each, now)
            self._accepted += len(updates) - len(refused)
            self._refused += len(refused)
        refused.sort(key=lambda each: each.index)
        return Added(len(updates) - len(refused), overflowed, refused=tuple(refused))

    async def read(self, query: Query) -> Reading:
        """See Backend."""
        plan = plan_of(query.window_seconds, self._clock.now())
        with self._lock:
            table = self._tables.get((query.workspace_id, query.metric))
            if table is None:
                return answer(query, plan, None, [], False, self._told)
            loaded = [
                _load(table.metric.kind, labels, line, plan)
                for labels, line in sorted(table.lines.items())
                if is_asked(query, labels)
            ]
            overflow = OVERFLOW_LABELS in table.lines
        return answer(query, plan, table.metric, loaded, overflow, self._told)

    async def metrics(self, workspace_id: str) -> list[str]:
        """See Backend."""
        with self._lock:
            return sorted(metric for workspace, metric in self._tables if workspace == workspace_id)

    async def series(self, workspace_id: str, metric: str) -> list[SeriesInfo]:
        """See Backend."""
        with self._lock:
            table = self._tables.get((workspace_id, metric))
            if table is None:
                return []
            return [
                SeriesInfo(
                    Series(workspace_id, metric, labels),
                    table.metric.kind,
                    table.metric.unit,
                    instant_of(line.first_at),
                    instant_of(line.last_at),
                )
                for labels, line in sorted(table.lines.items())
            ]

    async def gauge(self, series: Series) -> Gauge | None:
        """See Backend."""
        with self._lock:
            line = self._line(series)
            return line.gauge if line else None

    async def buckets(
        self, workspace_id: str, metric: str, width_seconds: int, first: int, end: int
    ) -> list[StoredBucket]:
        """See Backend."""
        width, now = BY_SECONDS[width_seconds], micros(self._clock.now())
        with self._lock:
            table = self._tables.get((workspace_id, metric))
            if table is None:
                return []
            kind = table.metric.kind
            return [
                StoredBucket(Series(workspace_id, metric, labels), kind, width_seconds, number, _copy(kind, held))
                for labels, line in sorted(table.lines.items())
                for number, held in sorted(line.buckets[WIDTHS.index(width)].items())
                if first <= number < end and width.is_kept(number, now)
            ]

    async def overwrite_bucket(self, bucket: StoredBucket, counted_at: datetime) -> bool:
        """See Backend. Nothing waits on its way into memory, so counted_at does not matter here."""
        labels, begins = bucket.series.labels, bucket.begins
        key = (bucket.series.workspace_id, bucket.series.metric)
        with self._lock:
            table, is_empty = self._tables.get(key), is_same(bucket.content, empty(bucket.kind))
            if table is None:
                table = _Table(Metric(bucket.kind, "", micros(self._clock.now())))
                if not is_empty:
                    self._tables[key] = table
            if table.metric.kind is not bucket.kind or table.place(labels, self._most_series) != labels:
                return False
            if is_empty and labels not in table.lines:
                return True
            line = table.lines.setdefault(labels, _Line(begins, begins))
            numbered = line.buckets[WIDTHS.index(BY_SECONDS[bucket.width_seconds])]
            numbered.pop(bucket.number, None)
            if not is_empty:
                numbered[bucket.number] = _copy(bucket.kind, bucket.content)
                line.first_at, line.last_at = min(line.first_at, begins), max(line.last_at, begins)
            return True

    async def delete_series(self, series: Series) -> bool:
        """See Backend."""
        with self._lock:
            if self._line(series) is None:
                return False
            self._forget((series.workspace_id, series.metric), lambda labels, line: labels == series.labels)
            return True

    async def expire(self, now: datetime) -> int:
        """See Backend."""
        with self._lock:
            return self._tidy(micros(now))

    async def stats(self) -> Stats:
        """See Backend."""
        with self._lock:
            held = sum(len(table.lines) for table in self._tables.values())
            return Stats("memory", "process", self._accepted, self._refused, held)

    async def close(self) -> None:
        """See Backend."""

    def wipe(self) -> None:
        """Forget everything."""
        with self._lock:
            self._tables.clear()

    def _line(self, series: Series) -> _Line | None:
        table = self._tables.get((series.workspace_id, series.metric))
        return table.lines.get(series.labels) if table else None

    def _count(self, table: _Table, labels: Labels, each: Update, now: int) -> None:
        at, kind = each.received_at, table.metric.kind
        line = table.lines.get(labels)
        if line is None:
            line = table.lines[labels] = _Line(at, at)
        line.first_at, line.last_at = min(line.first_at, at), max(line.last_at, at)
        if each.gauge is not None:
            line.gauge = newer(line.gauge, each.gauge)
            return
        hashes = [hash_of(each.series.workspace_id, each.value)] if isinstance(each.value, str) else []
        added = amounts(kind, each.value) if not isinstance(each.value, str) else {}
        for width, numbered in zip(WIDTHS, line.buckets, strict=True):
            number = width.number(at)
            bucket = numbered.get(number)
            if bucket is None:
                if not width.is_kept(number, now) or not (hashes or added):
                    continue
                _make_room(width, numbered, now)
                bucket = numbered[number] = empty(kind)
            if isinstance(bucket, Distinct):
                bucket.add(hashes)
            else:
                add_fields(kind, bucket, added)

    def _tidy(self, now: int) -> int:
        self._tidied_at = now
        forgotten, oldest = 0, now - SERIES_KEPT_SECONDS * SECOND
        for key, table in list(self._tables.items()):
            for line in table.lines.values():
                for width, numbered in zip(WIDTHS, line.buckets, strict=True):
                    # those of a series that is written to go when it gets new ones
                    if not width.is_kept(width.number(line.last_at), now):
                        numbered.clear()
            forgotten += self._forget(key, lambda _, line: line.last_at < oldest)
        return forgotten

    def _forget(self, key: tuple[str, str], is_meant: Callable[[Labels, _Line], bool]) -> int:
        table = self._tables[key]
        meant = [labels for labels, line in table.lines.items() if is_meant(labels, line)]
        for labels in meant:
            del table.lines[labels]
        if not table.lines:
            del self._tables[key]
        return len(meant)


def _load(kind: Kind, labels: Labels, line: _Line, plan: Plan) -> Loaded:
    numbered = line.buckets[WIDTHS.index(plan.width)]
    inside = empty(kind)
    for number in range(plan.first, plan.last + 1):
        if number in numbered:
            merge(inside, numbered[number])
    cut = numbered.get(plan.cut) if plan.cut is not None else None
    return Loaded(
        labels, line.first_at, inside, {} if cut is None or isinstance(cut, Distinct) else dict(cut), line.gauge
    )


def _make_room(width: Width, numbered: dict[int, Bucket], now: int) -> None:
    """Forget the oldest buckets, which stand in front but for late updates."""
    for number in list(itertools.takewhile(lambda number: not width.is_kept(number, now), numbered)):
        del numbered[number]


def _copy(kind: Kind, bucket: Bucket) -> Bucket:
    copy = empty(kind)
    merge(copy, bucket)
    return copy
