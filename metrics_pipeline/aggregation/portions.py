"""Long stretches of time in portions whose rows fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.periods import Period


def portions(engine: Engine, periods: Sequence[Period], rows_at_once: int) -> Iterator[Sequence[Period]]:
    """The periods in portions of so many rows of daily_metrics; one period at least."""
    per_day = engine.rows_per_day("daily_metrics", periods[0].previous_start, periods[-1].end)
    portion: list[Period] = []
    rows = 0
    for period in periods:
        in_period = sum(n for day, n in per_day.items() if period.start <= day < period.end)
        if portion and rows + in_period > rows_at_once:
            yield portion
            portion, rows = [], 0
        portion.append(period)
        rows += in_period
    yield portion
