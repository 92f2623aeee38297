"""What is asked of a metric: periods, a breakdown, and until when things are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from metrics_pipeline.custom_metrics.periods import MONDAYS, Calendar, Period, PeriodGrain


@dataclass(frozen=True, slots=True)
class Question:
    """Periods of one grain in order, of one workspace.

    dimensions: what the values are broken down by; empty for the total. timezone: whose days the periods are made of.
    today: the day in that zone on which it is asked; later days do not exist yet. known_from: what happened before this
    day nobody has told the lake. kept_from: of tables that expire the first day whose rows are all there still.
    reads_unowned: rows of application tables that say no workspace are this workspace's.
    """

    workspace_id: str
    grain: PeriodGrain
    periods: tuple[Period, ...]
    today: date
    known_from: date
    timezone: str = "UTC"
    dimensions: tuple[str, ...] = ()
    calendar: Calendar = MONDAYS
    reads_unowned: bool = False
    kept_from: Mapping[str, date] = field(default_factory=dict)
