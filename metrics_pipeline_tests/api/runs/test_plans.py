"""What may be asked for: checked here against the orchestrator's own partitions, jobs and platforms."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from metrics_pipeline.api.problems import Problem
from metrics_pipeline.api.runs.partition_keys import Keys, PartitionKeys
from metrics_pipeline.api.runs.run_plans import LEVELS, PROCESS_EVENTS, Plan, Planner, Scope
from metrics_pipeline.automation.jobs import partition_set_of
from metrics_pipeline.automation.ranges import keys_in_window, range_tags
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.control.accounts import AccountRecord
from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.partitions import partition_sets
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings, load_settings
from metrics_pipeline.windows import Window, midnight
from metrics_pipeline_tests.api.runs.conftest import NOW

DAYS = st.dates(date(2025, 12, 1), date(2026, 4, 10))
WEEKDAYS = ("monday", "wednesday", "sunday")


def settings_of(**more: object) -> Settings:
    return load_settings(
        **{"now": NOW, "pipeline_start": date(2026, 1, 1), "collection_start": date(2026, 3, 1), **more}
    )


def account(platform: str, workspace: str = "acme", status: str = "active") -> AccountRecord:
    return AccountRecord(workspace, f"{platform}-1", platform, "1", status, None, NOW, NOW, NOW, None)


def refused(make: object, **extensions: object) -> str:
    with pytest.raises(Problem) as raised:
        make()  # type: ignore[operator]
    assert raised.value.status == 422
    assert extensions.items() <= raised.value.extensions.items()
    return raised.value.code


@examples(max_examples=400 if os.environ.get("PROVE") else 25, deadline=None)
@given(first=DAYS, length=st.integers(1, 90), start=DAYS, week_start=st.sampled_from(WEEKDAYS), now=DAYS)
def test_partitions_are_those_of_the_orchestrator(
    first: date, length: int, start: date, week_start: str, now: date
) -> None:
    settings = settings_of(pipeline_start=start, week_start=week_start)
    at = midnight(max(now, start)) + timedelta(hours=10)
    window = Window.of_days(first, first + timedelta(days=length))
    sets, keys = partition_sets(settings), PartitionKeys.of(settings)
    for period, partitions in (("day", sets.daily), ("week", sets.weekly), ("month", sets.monthly)):
        known = [key for key in partitions.get_partition_keys(current_time=at) if key >= keys.first_day.isoformat()]
        overlapping = [key for key in known if key in keys_in_window(partitions, window, at)]
        found = keys.overlapping(period, window, at)  # type: ignore[arg-type]
        assert (found and found.tags()) == (range_tags(overlapping) if overlapping else None)
        assert found is None or Keys.of_tags(found.tags()) == found


def test_jobs_are_those_of_the_definitions_and_have_these_partitions() -> None:
    settings = settings_of()
    jobs = {job.name for job in build_definitions(Pipeline(settings)).jobs or ()}
    sets = partition_sets(settings)
    periods = {"day": sets.daily, "week": sets.weekly, "month": sets.monthly}
    assert {job for job, _ in LEVELS.values()} | {PROCESS_EVENTS} <= jobs
    assert all(partition_set_of(job, sets) == periods[period] for job, period in LEVELS.values())
    planner = Planner.of(settings)
    for platform in catalog().platforms:
        (run,) = planner.collection([account(platform)], Scope(["acme"])).runs
        assert run.job in jobs
        assert run.keys == Keys("2026-03-18-10:00", "2026-03-18-10:00")


def test_what_cannot_be_observed_is_refused_with_the_reason() -> None:
    planner = Planner.of(settings_of())
    everybody = [account(name) for name in ("x", "instagram", "whatsapp", "youtube")]

    def collect(start: str | None, end: str | None, *platforms: str, posts: tuple[str, ...] = ()) -> Plan:
        first, last = (None if day is None else date.fromisoformat(day) for day in (start, end))
        return planner.collection(everybody, Scope(posts=posts), first, last, platforms or None)

    assert refused(lambda: collect("2026-03-02", "2026-03-02")) == "invalid_window"
    assert refused(lambda: collect("2026-03-02", None)) == "invalid_window"
    assert refused(lambda: collect("2026-03-18", "2026-03-20")) == "window_in_future"
    assert refused(lambda: collect("2025-12-28", "2026-01-03"), first_day="2025-12-29") == "before_pipeline_start"
    assert refused(lambda: collect("2026-02-01", "2026-03-05"), most_days=31) == "window_too_long"
    assert refused(lambda: collect(None, None, "x", "myspace"), pointer="/platforms/1") == "unknown_platform"
    assert refused(lambda: collect(None, None, "linkedin")) == "no_account"
    assert refused(lambda: collect(None, None, "whatsapp", posts=("p1",))) == "posts_not_read"
    assert refused(lambda: planner.collection([], Scope())) == "nothing_to_collect"
    # the running day may be named, and the first one
    assert collect("2026-03-18", "2026-03-19", "youtube").runs[0].keys == Keys("2026-03-18", "2026-03-18")


def test_a_platform_that_no_longer_has_the_days_is_left_out_unless_it_was_named() -> None:
    later = Planner.of(settings_of(now=datetime(2026, 6, 1, tzinfo=UTC)))
    accounts = [account("instagram"), account("youtube")]
    asked = (Scope(), date(2026, 3, 1), date(2026, 3, 2))
    named = refused(
        lambda: later.collection(accounts, *asked, platforms=["instagram"]),
        retention_days=90,
        earliest="2026-03-03",
    )
    assert named == "beyond_retention"
    plan = later.collection(accounts, *asked)
    assert [run.job for run in plan.runs] == ["collect_youtube_insights"]
    assert [(left["platform"], left["code"]) for left in plan.skipped] == [("instagram", "beyond_retention")]


def test_levels_run_in_the_order_in_which_they_are_built_from_each_other() -> None:
    planner = Planner.of(settings_of())
    start, end = date(2026, 2, 27), date(2026, 3, 3)
    runs = planner.aggregation(["snapshots", "monthly", "weekly", "daily", "content"], start, end).runs
    assert [run.job for run in runs] == [job for job, _ in LEVELS.values()]
    priorities = [int(run.tags["dagster/priority"]) for run in runs]
    assert priorities == sorted(priorities, reverse=True)
    assert [run.keys for run in runs[1:4]] == [
        Keys("2026-02-27", "2026-03-02"), Keys("2026-02-23", "2026-03-02"), Keys("2026-02-01", "2026-03-01")
    ]  # fmt: skip
    old = Planner.of(settings_of(now=datetime(2026, 6, 18, tzinfo=UTC)))
    assert refused(lambda: old.aggregation(["content"], start, end)) == "beyond_retention"
    assert refused(lambda: old.aggregation(["daily"], date(2026, 6, 18), date(2026, 6, 18))) == "invalid_window"
    assert refused(lambda: planner.aggregation(["monthly"], date(2025, 12, 29), date(2026, 1, 1))) == "nothing_to_run"
