"""The gap filler, tick by tick: it asks for what is missing, newest first, a few runs at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import pytest

from metrics_pipeline.assets.aggregates import DAILY_KEYS, MONTHLY_KEY, WEEKLY_KEY
from metrics_pipeline.assets.collection import platform_asset_key
from metrics_pipeline.assets.snapshots import SNAPSHOT_KEYS
from metrics_pipeline.automation.gaps import gap_requests
from metrics_pipeline.automation.ranges import keys_of_tags
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.partitions import partition_sets
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline_tests.automation.conftest import Load, instant

NOW = instant("2026-03-18T10:30")
INSIGHTS = platform_asset_key("x", "insights")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def pipeline(load: Load) -> Pipeline:
    made = load(NOW)
    add_workspace(made.control, "Acme", "acme", now=NOW)
    add_account(made.control, made.ring, "acme", "x", "2244994945", token="token", now=NOW)
    return made


def built(instance: dg.DagsterInstance, asset: dg.AssetKey, *keys: str) -> None:
    for key in keys:
        instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=key))


def days(first: str, last: str, without: tuple[str, ...] = ()) -> list[str]:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    every = (start + timedelta(days=n) for n in range((end - start).days + 1))
    return [f"{day}" for day in every if f"{day}" not in without]


def all_built(instance: dg.DagsterInstance, without: tuple[str, ...] = ()) -> None:
    """Everything the gap filler looks at on the 18th of March, but for some days."""
    for asset in (INSIGHTS, DAILY_KEYS["workspace"], SNAPSHOT_KEYS["daily"]):
        built(instance, asset, *days("2026-03-01", "2026-03-17", without))
    for asset in (WEEKLY_KEY, SNAPSHOT_KEYS["weekly"]):
        built(instance, asset, "2026-03-02", "2026-03-09")
    for asset in (MONTHLY_KEY, SNAPSHOT_KEYS["monthly"]):
        built(instance, asset, "2026-02-01")


def ask(pipeline: Pipeline, instance: dg.DagsterInstance) -> list[tuple[str, tuple[str, str] | None]]:
    found = gap_requests(pipeline, instance, partition_sets(pipeline.settings), pipeline.settings.clock.now())
    return [(str(request.job_name), keys_of_tags(request.tags)) for request in found]


def test_nothing_is_missing(pipeline: Pipeline, instance: dg.DagsterInstance) -> None:
    all_built(instance)
    assert ask(pipeline, instance) == []


def test_a_day_of_downtime_is_asked_for_and_nothing_else(pipeline: Pipeline, instance: dg.DagsterInstance) -> None:
    all_built(instance, without=("2026-03-16",))
    day = ("2026-03-16", "2026-03-16")
    assert ask(pipeline, instance) == [("collect_x_insights", day), ("daily_close", day), ("daily_snapshots", day)]
    built(instance, INSIGHTS, "2026-03-16")
    assert ask(pipeline, instance) == [("daily_close", day), ("daily_snapshots", day)]
    built(instance, DAILY_KEYS["workspace"], "2026-03-16")
    built(instance, SNAPSHOT_KEYS["daily"], "2026-03-16")
    assert ask(pipeline, instance) == []


def test_gaps_come_newest_first_and_only_so_many_at_a_tick(
    load: Load, pipeline: Pipeline, instance: dg.DagsterInstance
) -> None:
    lost = ("2026-03-06", "2026-03-09", "2026-03-10", "2026-03-13", "2026-03-15")
    all_built(instance, without=lost)
    collect = "collect_x_insights"
    expected = [
        (collect, ("2026-03-15", "2026-03-15")),
        (collect, ("2026-03-13", "2026-03-13")),
        (collect, ("2026-03-09", "2026-03-10")),
        (collect, ("2026-03-06", "2026-03-06")),
    ]
    assert ask(pipeline, instance) == expected
    assert ask(load(NOW, GAP_MAX_RUNS="2"), instance) == expected[:2]


def test_a_first_start_asks_for_no_more_than_the_lookback_and_never_for_counters_or_the_running_day(
    load: Load, pipeline: Pipeline, instance: dg.DagsterInstance
) -> None:
    asked = ask(pipeline, instance)
    assert asked == [
        ("collect_x_insights", ("2026-03-04", "2026-03-17")),
        ("daily_close", ("2026-03-04", "2026-03-17")),
        ("weekly_close", ("2026-03-02", "2026-03-09")),
        ("daily_snapshots", ("2026-03-04", "2026-03-17")),
    ]
    # the month of February is out of reach here, and is asked for where the look-back touches it
    early = load(instant("2026-03-05T10:30"))
    assert ("monthly_close", ("2026-02-01", "2026-02-01")) in ask(early, instance)
    assert not [job for job, _ in ask(early, instance) if job.endswith("_counters")]


def test_days_before_the_first_partition_are_never_asked_for(
    load: Load, pipeline: Pipeline, instance: dg.DagsterInstance
) -> None:
    asked = dict(ask(load(instant("2025-12-31T10:30")), instance))
    assert asked["daily_close"] == ("2025-12-29", "2025-12-30")
    assert "weekly_close" not in asked
    assert ask(load(instant("2025-12-29T10:30")), instance) == []


def test_without_a_connected_account_nothing_is_asked_for(load: Load, instance: dg.DagsterInstance) -> None:
    assert ask(load(NOW), instance) == []
