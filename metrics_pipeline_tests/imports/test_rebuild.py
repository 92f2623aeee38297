"""Which days, weeks and months an import can change."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from metrics_pipeline.imports.reading_store import TouchedDays
from metrics_pipeline.imports.rebuild import affected, first_partition_after, make_room
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.imports.conftest import NOW


def test_a_level_is_carried_and_a_total_reaches_the_next_reading(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, now=NOW, level_carry_days=7, counter_lookback_days=35)
    series = TouchedDays("insight_readings", "x", date(2026, 1, 2), date(2026, 1, 4))
    totals = TouchedDays("counter_readings", "x", date(2026, 1, 3), date(2026, 1, 3))
    assert affected(settings, []) is None
    windows = affected(settings, [series])
    assert windows is not None
    assert (windows.daily.first_day, windows.daily.end_day) == (date(2026, 1, 2), date(2026, 1, 12))
    # the period after the last day is compared with one that changed
    assert windows.weekly.end_day == date(2026, 1, 19)
    assert windows.monthly.end_day == date(2026, 2, 2)
    both = affected(settings, [series, totals])
    assert both is not None
    assert (both.daily.first_day, both.daily.end_day) == (date(2026, 1, 2), date(2026, 2, 8))


def test_nothing_is_built_for_days_to_come(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, now=NOW)
    windows = affected(settings, [TouchedDays("counter_readings", "x", NOW.date(), NOW.date())])
    assert windows is not None
    assert windows.daily.days() == [NOW.date()]


def test_partitions_begin_with_the_data_unless_the_start_was_set(tmp_path: Path) -> None:
    open_start = load_settings(data_dir=tmp_path, now=NOW)
    assert make_room(open_start, date(2026, 1, 1)) is None
    assert make_room(open_start, date(2021, 7, 16)) == date(2021, 7, 1)
    assert first_partition_after(open_start, date(2021, 7, 16)) is None
    fixed = load_settings(data_dir=tmp_path / "fixed", now=NOW, pipeline_start=date(2026, 1, 1))
    assert make_room(fixed, date(2021, 7, 16)) is None
    assert first_partition_after(fixed, date(2021, 7, 16)) == date(2025, 12, 29)
