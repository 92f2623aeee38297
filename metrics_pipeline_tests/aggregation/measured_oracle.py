"""What the readings of one account or post say about one day, worked out read by read: no SQL, no windows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from metrics_pipeline.catalog.loader import Catalog
from metrics_pipeline_tests.aggregation.day_rows import Day, state_of
from metrics_pipeline_tests.aggregation.readings import World

Record = dict[str, Any]
Entity = tuple[str, str, str, str | None]  # workspace, platform, account, post
RANK = {"series": 1, "counter": 2, "gauge": 2, "import": 3}


@dataclass(frozen=True)
class Moment:
    """When the question is asked: `now` closes days, reads after `as_of` do not exist."""

    now: datetime
    as_of: datetime
    lookback_days: int = 35
    carry_days: int = 7


def _records(rows: Iterable[dict[str, object]]) -> list[Record]:
    return [cast(Record, r) for r in rows]


def entity_of(r: Record) -> Entity:
    return r["workspace_id"], r["platform"], r["account_id"], r.get("post_id")


def start_of(day: date, zone: str = "UTC") -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))


class Measured:
    """Answers for any (entity, metric, day): the one value its readings give, or None where nothing was read."""

    def __init__(self, world: World, catalog: Catalog, moment: Moment) -> None:
        self.moment = moment
        self._series: dict[tuple[Entity, str, date, str], list[Record]] = defaultdict(list)
        self._counters: dict[tuple[Entity, str], dict[date, list[Record]]] = defaultdict(lambda: defaultdict(list))
        self._published = {entity_of(p): p["published_at"] for p in _records(world.posts)}
        self._restatement: dict[tuple[str, str, str], int] = {}
        self._cadence = {spec.platform: spec.cadence_under({}) for spec in catalog.platforms.values()}
        self._maximum: set[tuple[str, str, str]] = set()
        for spec in catalog.platforms.values():
            for s in spec.sources:
                key = (spec.platform, s.level, s.metric)
                self._restatement[key] = max(s.restatement_days, self._restatement.get(key, 0))
                if s.rule == "maximum":
                    self._maximum.add(key)
        for r in _records(world.insights):
            if r["window"] == "P1D" and r["read_at"] <= moment.as_of:
                self._series[entity_of(r), r["metric"], r["date"], r["source"]].append(r)
        for r in _records(world.counters):
            if r["observed_at"] <= moment.as_of:
                self._counters[entity_of(r), r["metric"]][r["date"]].append(r)

    def subjects(self, level: str) -> set[tuple[Entity, str]]:
        known = {(e, m) for e, m, _, _ in self._series} | set(self._counters)
        return {(e, m) for e, m in known if (e[3] is None) == (level == "account")}

    def value(self, entity: Entity, metric: str, day: date) -> Day | None:
        candidates = [
            c
            for c in (
                self._series_day(entity, metric, day, "fetched"),
                self._series_day(entity, metric, day, "import"),
                self._counter_day(entity, metric, day),
            )
            if c is not None
        ]
        if not candidates:
            return None
        # newest first, for two imports of one level: as a series and as a reading
        candidates.sort(key=lambda c: str(c.last_read_at), reverse=True)
        best = min(candidates, key=lambda c: (c.value is None, RANK[c.source]))
        best.is_complete = best.is_complete and best.value is not None and day < self.moment.now.date()
        return best

    def _source_key(self, entity: Entity, metric: str) -> tuple[str, str, str]:
        return entity[1], "post" if entity[3] else "account", metric

    def _row(self, entity: Entity, metric: str, day: date) -> Day:
        workspace, platform, account, post_id = entity
        return Day(day, workspace, platform, "post" if post_id else "account", post_id or account, account, metric)

    def _series_day(self, entity: Entity, metric: str, day: date, source: str) -> Day | None:
        reads = self._series.get((entity, metric, day, source))
        if not reads:
            return None
        key = self._source_key(entity, metric)
        if key in self._maximum:
            r = max(reads, key=lambda r: (r["value"], r["read_at"]))
        else:
            r = max(reads, key=lambda r: r["read_at"])
        row = self._row(entity, metric, day)
        row.value, row.numerator, row.denominator = r["value"], r["numerator"], r["denominator"]
        row.state = state_of(r["value"])
        row.source = "series" if source == "fetched" else "import"
        last_read_at = max(read["read_at"] for read in reads) if key in self._maximum else r["read_at"]
        row.last_read_at, row.day_timezone = last_read_at, r["day_timezone"]
        row.is_complete = last_read_at >= start_of(day + timedelta(days=1), r["day_timezone"])
        row.is_provisional = day + timedelta(days=self._restatement.get(key, 0)) > self.moment.now.date()
        row.definition_version = r["definition_version"]
        return row

    def _planned(self, entity: Entity, day: date) -> timedelta:
        """The hours that may lie between two readings at the end of a day, by the post's age then."""
        cadence = self._cadence.get(entity[1])
        if cadence is None:
            return timedelta(hours=1)
        if entity[3] is None:
            return timedelta(hours=cadence.account_hours)
        published = self._published.get(entity)
        end = start_of(day + timedelta(days=1))
        age = end - published if published is not None else timedelta(0)
        stage = next((s for s in cadence.stages if age < s.younger_than), cadence.stages[-1])
        return timedelta(hours=stage.every_hours)

    def _closing(self, entity: Entity, metric: str, day: date) -> Record | None:
        reads = self._counters.get((entity, metric), {}).get(day)
        return max(reads, key=lambda r: (r["source"] == "fetched", r["observed_at"])) if reads else None

    def _counter_day(self, entity: Entity, metric: str, day: date) -> Day | None:
        closing = self._closing(entity, metric, day)
        if closing is None:
            return None
        cadence = self._planned(entity, day)
        row = self._row(entity, metric, day)
        row.last_read_at, row.day_timezone = closing["observed_at"], closing["day_timezone"]
        row.definition_version = closing["definition_version"]
        closes = closing["observed_at"] >= start_of(day + timedelta(days=1)) - cadence
        kind = closing["kind"]
        row.source = "import" if closing["source"] == "import" else "gauge" if kind == "gauge" else "counter"
        row.lifetime_value = None if kind == "gauge" else closing["value"]
        if kind != "counter":
            row.value, row.state, row.is_complete = closing["value"], state_of(closing["value"]), closes
            return row
        row.readings, row.readings_expected = 2, 2
        for back in range(1, self.moment.lookback_days + 1):
            earlier = self._closing(entity, metric, day - timedelta(days=back))
            if earlier is None:
                continue
            row.days_spanned = back
            opens = earlier["observed_at"] >= start_of(day) - cadence
            row.is_complete = closes and opens
            if back > 1:
                row.reason = f"covers {back} days: no reading in between"
            if earlier["definition_version"] != closing["definition_version"]:
                row.state, row.reason = "unknown", "the platform changed what it counts"
            else:
                row.value = closing["value"] - earlier["value"]
                row.state = state_of(row.value)
            return row
        published = self._published.get(entity)
        if published is not None and published.date() == day:
            row.value, row.state, row.days_spanned, row.is_complete = (
                closing["value"],
                state_of(closing["value"]),
                1,
                closes,
            )
            return row
        row.readings, row.state, row.reason = 1, "unknown", "no earlier reading to compare with"
        row.is_complete = False
        return row
