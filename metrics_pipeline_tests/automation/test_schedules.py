"""Each schedule, tick by tick: which partitions it asks for at which time."""

from __future__ import annotations

import dagster as dg
import pytest

from metrics_pipeline.automation.ranges import keys_of_tags
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.control.account_status import disable
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline_tests.automation.conftest import Load, instant, tick


def connect(pipeline: Pipeline, *platforms: str) -> None:
    """One account on each of the platforms."""
    now = pipeline.settings.clock.now()
    add_workspace(pipeline.control, "W", "w", now=now)
    for platform in platforms:
        add_account(pipeline.control, pipeline.ring, "w", platform, "1", token="token", now=now)


@pytest.mark.parametrize(
    ("schedule", "at", "first", "last"),
    [
        # the running hour, late in it; the last one closes the day
        ("x_counters_hourly", "2026-03-10T14:50", "2026-03-10-14:00", "2026-03-10-14:00"),
        ("x_counters_hourly", "2026-03-10T23:50", "2026-03-10-23:00", "2026-03-10-23:00"),
        ("x_counters_hourly", "2026-02-01T00:50", "2026-02-01-00:00", "2026-02-01-00:00"),
        # yesterday and the days that Instagram may still restate, never the running day
        ("instagram_insights_daily", "2026-03-10T02:30", "2026-03-06", "2026-03-09"),
        # the running day, yesterday, 14 days that a platform may restate, and the one that has just become final
        ("daily_close", "2026-03-20T03:00", "2026-03-04", "2026-03-20"),
        # snapshots of whatever the closes may have changed
        ("daily_snapshots", "2026-03-20T03:20", "2026-03-04", "2026-03-20"),
        ("weekly_snapshots", "2026-03-16T04:20", "2026-02-23", "2026-03-16"),
        ("monthly_snapshots", "2026-03-02T05:20", "2026-02-01", "2026-03-01"),
        ("daily_refresh", "2026-03-10T11:05", "2026-03-09", "2026-03-10"),
        ("daily_refresh", "2026-03-10T00:05", "2026-03-09", "2026-03-10"),
        # Monday: the week that has just begun, the one that has just ended, and those a restatement reaches
        ("weekly_close", "2026-03-16T04:00", "2026-02-23", "2026-03-16"),
        ("monthly_close", "2026-03-02T05:00", "2026-02-01", "2026-03-01"),
        ("monthly_close", "2026-03-20T05:00", "2026-03-01", "2026-03-01"),
        # the first days there are: nothing before the first partition is asked for
        ("daily_refresh", "2025-12-29T11:05", "2025-12-29", "2025-12-29"),
        ("monthly_close", "2026-01-02T05:00", "2026-01-01", "2026-01-01"),
    ],
)
def test_a_tick_asks_for_exactly_these_partitions(load: Load, schedule: str, at: str, first: str, last: str) -> None:
    pipeline = load(instant(at))
    connect(pipeline, "x", "instagram")
    asked = tick(pipeline, schedule, instant(at))
    assert isinstance(asked, dg.RunRequest)
    assert keys_of_tags(asked.tags) == (first, last)
    assert asked.run_key == f"{schedule}:{at}"


def test_a_tick_before_the_first_partition_asks_for_nothing(load: Load) -> None:
    for schedule, at in (("x_counters_hourly", "2026-01-31T23:50"), ("monthly_close", "2025-12-20T05:00")):
        assert isinstance(tick(load(instant(at)), schedule, instant(at)), dg.SkipReason)


def test_a_collector_without_an_account_starts_no_run(load: Load) -> None:
    at = instant("2026-03-10T14:50")
    pipeline = load(at)
    assert isinstance(tick(pipeline, "x_counters_hourly", at), dg.SkipReason)
    connect(pipeline, "x", "youtube")
    assert isinstance(tick(pipeline, "x_counters_hourly", at), dg.RunRequest)
    disable(pipeline.control, "x-1", now=at)
    assert isinstance(tick(pipeline, "x_counters_hourly", at), dg.SkipReason)
    assert isinstance(tick(pipeline, "youtube_counters_hourly", at), dg.RunRequest)


def test_every_insights_schedule_covers_its_platforms_restatement(load: Load) -> None:
    at = instant("2026-03-20T02:30")
    pipeline = load(at)
    connect(pipeline, *catalog().platforms)
    for platform, spec in catalog().platforms.items():
        asked = tick(pipeline, f"{platform}_insights_daily", at)
        assert isinstance(asked, dg.RunRequest)
        keys = keys_of_tags(asked.tags)
        assert keys is not None
        assert keys[1] == "2026-03-19"
        assert (at.date() - at.date().fromisoformat(keys[0])).days == spec.restatement_days + 1


def test_crons_are_settings_and_everything_runs_in_utc(load: Load) -> None:
    pipeline = load(instant("2026-03-10T10:00"), COUNTERS_CRON="20 * * * *", DAILY_CRON="0 7 * * *")
    schedules = {s.name: s for s in build_definitions(pipeline).schedules or []}
    assert schedules["x_counters_hourly"].cron_schedule == "20 * * * *"  # type: ignore[union-attr]
    assert schedules["daily_close"].cron_schedule == "0 7 * * *"  # type: ignore[union-attr]
    assert {s.execution_timezone for s in schedules.values()} == {"UTC"}  # type: ignore[union-attr]
