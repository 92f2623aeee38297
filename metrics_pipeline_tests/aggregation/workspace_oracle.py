"""Workspace rows of daily_metrics by brute force, from account rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from metrics_pipeline.catalog.loader import Catalog
from metrics_pipeline_tests.aggregation.day_rows import Day, state_of

CARRY_DAYS = 7


def workspace_days(accounts: list[Day], catalog: Catalog, days: Iterable[date]) -> list[Day]:
    """Every (workspace, metric, platform or 'all') that any account was asked for on the day."""
    history = {(d.workspace_id, d.metric, d.platform, d.account_id, d.date): d for d in accounts}
    members = {key[:4] for key in history}
    rows = []
    for day in days:
        for workspace, metric in {(m[0], m[1]) for m in members}:
            spec = catalog.metrics[metric]
            if "workspace" not in spec.levels or spec.across_entities == "none":
                continue
            mine = [m for m in members if m[:2] == (workspace, metric)]
            groups = {platform: [m for m in mine if m[2] == platform] for platform in {m[2] for m in mine}}
            if spec.comparable_across_platforms:
                groups["all"] = mine
            for platform, group in groups.items():
                row = _group(day, workspace, platform, metric, [_Member(history, m, day) for m in group], catalog)
                rows += [row] if row else []
    return rows


class _Member:
    """One account's part in a day: its row of the day, and what it showed in the week before."""

    def __init__(
        self,
        history: dict[tuple[str, str, str, str | None, date], Day],
        key: tuple[str, str, str, str | None],
        day: date,
    ) -> None:
        self.today = history.get((*key, day))
        before = [history.get((*key, day - timedelta(days=n))) for n in range(1, CARRY_DAYS + 1)]
        self.before = [d for d in before if d is not None]

    @property
    def is_asked(self) -> bool:
        return self.today is not None and self.today.state != "not_supported"

    @property
    def is_expected(self) -> bool:
        """Asked today; or not at all today, but lately."""
        newest = self.before[0] if self.before else None
        return self.is_asked or (self.today is None and newest is not None and newest.state != "not_supported")

    @property
    def value(self) -> float | None:
        return self.today.value if self.today else None

    @property
    def carried(self) -> float | None:
        return (
            self.value if self.value is not None else next((d.value for d in self.before if d.value is not None), None)
        )


def _group(day: date, workspace: str, platform: str, metric: str, group: list[_Member], catalog: Catalog) -> Day | None:
    spec = catalog.metrics[metric]
    expected = [m for m in group if m.is_expected]
    asked = [m.today for m in expected if m.is_asked and m.today]
    if not asked:
        return None
    values = [d.value for d in asked if d.value is not None]
    row = Day(day, workspace, platform, "workspace", workspace, None, metric, source="accounts")
    row.entities_expected, row.entities_present = len(expected), len(values)
    if spec.across_entities == "ratio":
        parts = [(d.numerator, d.denominator) for d in asked if d.numerator is not None and d.denominator is not None]
        row.numerator = sum(n for n, _ in parts) if parts else None
        row.denominator = sum(d for _, d in parts) if parts else None
        if row.denominator and row.numerator is not None:
            row.value = row.numerator / row.denominator
        row.state = "insufficient_data" if row.denominator == 0 else "no_components"
    elif spec.across_entities == "unique":
        row.value = values[0] if values and len(expected) == 1 else None
        row.state = "not_supported" if values else "unknown"
    elif spec.additivity == "last_value":
        counted = [m.carried for m in expected if m.carried is not None]
        row.value = sum(counted) if len(counted) == len(expected) else None
        row.state = "unknown"
    else:
        row.value = sum(values) if values else None
        row.state = "unknown"
    if row.value is not None:
        row.state = state_of(row.value)
    row.is_complete = (
        all(m.is_asked for m in expected) and all(d.is_complete for d in asked) and len(values) == len(expected)
    )
    row.is_provisional = any(d.is_provisional for d in asked)
    row.readings = sum(d.readings for d in asked)
    row.readings_expected = sum(d.readings_expected for d in asked) + len(expected) - len(asked)
    row.days_spanned = max((d.days_spanned for d in asked if d.days_spanned), default=None)
    row.last_read_at = max(d.last_read_at for d in asked if d.last_read_at)
    row.day_timezone = min(d.day_timezone for d in asked)
    versions = [d.definition_version for m in expected for d in [m.today or m.before[0]]]
    row.definition_version = max(versions)
    return row
