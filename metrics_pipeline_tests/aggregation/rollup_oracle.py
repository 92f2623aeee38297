"""weekly_metrics and monthly_metrics by brute force, from the days: section "Over time" of docs/metrics.md."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from metrics_pipeline.catalog.loader import Catalog
from metrics_pipeline.windows import month_start_of, next_month, week_start_of
from metrics_pipeline_tests.aggregation.day_rows import Day
from metrics_pipeline_tests.aggregation.readings import Row

Entity = tuple[str, str, str, str, str | None, str]
UNRATED = ("no_value", "definition_changed", "no_base", "negative_base", "new_from_zero")


@dataclass(frozen=True)
class Span:
    """start <= day < end, and the one before it."""

    start: date
    end: date

    @property
    def days(self) -> list[date]:
        return [self.start + timedelta(days=n) for n in range((self.end - self.start).days)]


def _covered(rows: list[Day], with_spans: bool) -> set[date]:
    """The days that complete rows speak for: their own, and of a planned difference all that it spans."""
    lengths = [(d.date, d.days_spanned or 1 if with_spans else 1) for d in rows if d.is_complete]
    return {day - timedelta(days=back) for day, length in lengths for back in range(length)}


def week_of(day: date, first_weekday: int = 0) -> Span:
    start = week_start_of(day, first_weekday)
    return Span(start, start + timedelta(days=7))


def month_of(day: date) -> Span:
    return Span(month_start_of(day), next_month(month_start_of(day)))


@dataclass
class Summary:
    """A metric of an entity over one span, without looking at any other span."""

    value: float | None
    is_complete: bool
    versions: list[int]
    by_offset: dict[int, float]
    rows: list[Day]


class Rollup:
    """Answers for any entity and span. `windows`: raw insight reads of P7D and P1M."""

    def __init__(self, days: list[Day], windows: list[Row], catalog: Catalog, today: date) -> None:
        self._catalog, self._today = catalog, today
        self._days: dict[Entity, dict[date, Day]] = defaultdict(dict)
        for d in days:
            self._days[_entity(d)][d.date] = d
        self._windows = cast(list[dict[str, Any]], windows)

    def rows(self, span: Span, previous: Span, window: str) -> list[dict[str, Any]]:
        """Every row of the span, keyed like the tables."""
        present = [e for e, days in self._days.items() if any(d in days for d in span.days)]
        return [self._row(e, span, previous, window) for e in present]

    def _own_window(self, entity: Entity, span: Span, window: str) -> float | None:
        workspace, platform, kind, name, account, metric = entity
        reads = [
            r
            for r in self._windows
            if r["window"] == window
            and r["date"] == span.end - timedelta(days=1)
            and (r["workspace_id"], r["platform"], r["account_id"], r["metric"])
            == (workspace, platform, account, metric)
            and (r["post_id"] or r["account_id"]) == name
            and kind == ("post" if r["post_id"] else "account")
        ]
        best = max(reads, key=lambda r: (r["source"] == "fetched", r["read_at"]), default=None)
        return best["value"] if best else None

    def summary(self, entity: Entity, span: Span, window: str) -> Summary | None:
        rows = [self._days[entity][d] for d in span.days if d in self._days.get(entity, {})]
        if not rows:
            return None
        valued = [d for d in rows if d.value is not None]
        additivity = self._catalog.metrics[entity[5]].additivity
        is_over = span.end <= self._today
        broken = {d.date for d in rows if not d.is_complete}
        covered = _covered(rows, additivity == "additive") - broken
        is_complete = is_over and covered.issuperset(span.days)
        value: float | None = None
        if additivity == "additive" and valued:
            value = sum(d.value for d in valued if d.value is not None)
        elif additivity == "last_value":
            value = valued[-1].value if valued else None
            is_complete = is_over and rows[-1].date == span.days[-1] and rows[-1].is_complete
        elif additivity == "ratio":
            parts = [
                (d.numerator, d.denominator) for d in rows if d.numerator is not None and d.denominator is not None
            ]
            over, under = sum(n for n, _ in parts), sum(d for _, d in parts)
            value = over / under if under else None
        elif additivity == "unique":
            value = self._own_window(entity, span, window)
            is_complete = is_over and value is not None
        offsets = {(d.date - span.start).days: d.value for d in valued if d.value is not None}
        versions = [min((d.definition_version for d in valued), default=0), max(d.definition_version for d in rows)]
        return Summary(value, is_complete, versions, offsets, rows)

    def _row(self, entity: Entity, span: Span, previous: Span, window: str) -> dict[str, Any]:
        now, before = self.summary(entity, span, window), self.summary(entity, previous, window)
        assert now is not None
        additivity = self._catalog.metrics[entity[5]].additivity
        valued = [d for d in now.rows if d.value is not None]
        values = [d.value for d in valued if d.value is not None]
        single = [d.value for d in valued if d.value is not None and d.days_spanned in (None, 1)]
        is_additive, is_level = additivity == "additive", additivity == "last_value"
        base = before.value if before else None
        row: dict[str, Any] = dict(
            zip(("workspace_id", "platform", "entity_type", "entity_id", "account_id", "metric"), entity, strict=True)
        )
        row |= {
            "start": span.start,
            "value": now.value,
            "total": sum(values) if is_additive and values else None,
            "daily_average": sum(values) / len(values) if values and (is_additive or is_level) else None,
            "minimum": min(single, default=None),
            "maximum": max(single, default=None),
            "first": values[0] if values else None,
            "last": values[-1] if values else None,
            "previous_value": base,
            "change": now.value - base if now.value is not None and base is not None else None,
            "days_present": len(values),
            "days_expected": len(span.days),
            "days_elapsed": len([d for d in span.days if d < self._today]),
            "is_complete": now.is_complete,
            "is_provisional": any(d.is_provisional for d in now.rows),
            "definition_version": now.versions[1],
            "approximate": any(d.approximate for d in now.rows),
        }
        return row | self._growth(entity, now, before, span, previous, window)

    def _growth(
        self, entity: Entity, now: Summary, before: Summary | None, span: Span, previous: Span, window: str
    ) -> dict[str, Any]:
        additivity = self._catalog.metrics[entity[5]].additivity
        value, base = now.value, before.value if before else None
        compared: dict[str, Any] = {"compared_value": None, "compared_previous": None, "compared_days": None}
        whole = before is not None and now.is_complete and before.is_complete
        if additivity == "additive" and before and base is not None and not whole:
            both = sorted(now.by_offset.keys() & before.by_offset.keys())
            if both:
                compared["compared_value"] = sum(now.by_offset[o] for o in both)
                compared["compared_previous"] = sum(before.by_offset[o] for o in both)
                compared["compared_days"] = len(both)
        if additivity == "last_value" and entity[2] == "workspace" and None not in (value, base):
            over, under = self._common_accounts(entity, span, previous, window)
            if over is not None and (over, under) != (value, base):
                compared["compared_value"], compared["compared_previous"] = over, under
            if whole:
                value, base = over, under
        state = self._state(now, before, value, base, whole)
        rate: float | None = None
        if state == "partial" and additivity == "additive" and (compared["compared_previous"] or 0) > 0:
            rate = (compared["compared_value"] - compared["compared_previous"]) / compared["compared_previous"]
        elif state == "flat_zero":
            rate = 0.0
        elif state == "ok" and value is not None and base:
            rate = (value - base) / base
        return {**compared, "growth_state": state, "growth_rate": rate}

    def _state(self, now: Summary, before: Summary | None, value: float | None, base: float | None, whole: bool) -> str:
        """The first that holds, in the order of the table of growth states."""
        if now.value is None:
            return "no_value"
        own = [v for v in now.versions if v]
        earlier = [v for v in before.versions if v] if before else []
        has_base = before is not None and before.value is not None
        if len(set(own)) > 1 or (len(set(earlier)) > 1 and 0 not in (before.versions if before else [])):
            return "definition_changed"
        if has_base and before and before.versions[1] != now.versions[1]:
            return "definition_changed"
        if not has_base:
            return "no_base"
        if not whole:
            return "partial"
        if base is None or value is None:
            return "no_base"
        if base < 0:
            return "negative_base"
        if base == 0:
            return "flat_zero" if value == 0 else "new_from_zero"
        return "ok"

    def _common_accounts(
        self, entity: Entity, span: Span, previous: Span, window: str
    ) -> tuple[float | None, float | None]:
        """Levels of the accounts that have one in both spans."""
        workspace, platform, _, _, _, metric = entity
        pairs = []
        for e in [e for e in self._days if e[0] == workspace and e[2] == "account" and e[5] == metric]:
            if platform in (e[1], "all"):
                now, before = self.summary(e, span, window), self.summary(e, previous, window)
                if now and before and now.value is not None and before.value is not None:
                    pairs.append((now.value, before.value))
        return (sum(n for n, _ in pairs), sum(b for _, b in pairs)) if pairs else (None, None)


def breakdown(days: Sequence[Day], month: Span, first_weekday: int) -> list[dict[str, Any]]:
    """The weekly parts of one entity's additive month."""
    parts: dict[date, list[Day]] = defaultdict(list)
    for d in days:
        if month.start <= d.date < month.end:
            parts[week_start_of(d.date, first_weekday)].append(d)
    return [
        {
            "week_start": start.isoformat(),
            "from": max(start, month.start).isoformat(),
            "to": min(start + timedelta(days=7), month.end).isoformat(),
            "value": sum(values) if (values := [d.value for d in parts[start] if d.value is not None]) else None,
            "days_present": len(values),
        }
        for start in sorted(parts)
    ]


def _entity(d: Day) -> Entity:
    return d.workspace_id, d.platform, d.entity_type, d.entity_id, d.account_id, d.metric
