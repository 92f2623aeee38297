"""Snapshots as Dagster runs them: what a close leads to, what a run reports, and a run that is narrowed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import pytest

from metrics_pipeline.assets.collection import OUTCOME_TAG
from metrics_pipeline.automation.backfill import plan_backfill
from metrics_pipeline.automation.jobs import (
    DAILY_CLOSE,
    DAILY_SNAPSHOTS,
    MONTHLY_CLOSE,
    MONTHLY_SNAPSHOTS,
    WEEKLY_CLOSE,
    WEEKLY_SNAPSHOTS,
)
from metrics_pipeline.automation.ranges import keys_of_tags, range_tags
from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.readings import World, insight
from metrics_pipeline_tests.aggregation.test_snapshots import daily, stored, two_workspaces, value_of, write
from metrics_pipeline_tests.automation.conftest import Load, follow, instant

NOW = instant("2026-03-18T10:20")
DAYS = [date(2026, 3, 1) + timedelta(days=n) for n in (2, 3, 7)]


class Runs:
    """Jobs in this process, one instance for all."""

    def __init__(self, pipeline: Pipeline, instance: dg.DagsterInstance) -> None:
        self.pipeline, self.instance = pipeline, instance
        self.definitions = build_definitions(pipeline, fixed=True)

    def run(self, job: str, *keys: str, **config: object) -> dg.ExecuteInProcessResult:
        op = f"analytics_snapshots__{job.removesuffix('_snapshots')}"
        return self.definitions.resolve_job_def(job).execute_in_process(
            run_config={"ops": {op: {"config": config}}} if config else {},
            instance=self.instance,
            tags=range_tags(keys),
            raise_on_error=False,
        )

    def followers(self, result: dg.ExecuteInProcessResult) -> list[dg.RunRequest]:
        """What the sensor asks for after a run."""
        return follow(self.definitions, "snapshots_after_closes", self.instance, result)


@pytest.fixture
def runs(load: Load) -> Iterator[Runs]:
    pipeline = load(NOW)
    with dg.DagsterInstance.ephemeral() as instance:
        yield Runs(pipeline, instance)


def test_a_close_is_followed_by_snapshots_of_what_it_changed(runs: Runs) -> None:
    World(insights=[insight("views", day, 5, read_at=NOW) for day in DAYS]).write(runs.pipeline.engine)
    close = runs.run(DAILY_CLOSE, "2026-03-02", "2026-03-10")
    asked = runs.followers(close)
    # the growth of each next day is another one; the days between come out as they were: there are none
    assert [(r.job_name, keys_of_tags(r.tags)) for r in asked] == [
        (DAILY_SNAPSHOTS, ("2026-03-08", "2026-03-08")),
        (DAILY_SNAPSHOTS, ("2026-03-03", "2026-03-04")),
    ]
    assert len({r.run_key for r in asked}) == 2
    for request in asked:
        assert runs.run(DAILY_SNAPSHOTS, *(keys_of_tags(request.tags) or ())).success
    assert sorted({r["date"] for r in stored(runs.pipeline.engine)}) == DAYS
    assert runs.followers(runs.run(DAILY_CLOSE, "2026-03-02", "2026-03-10")) == []  # nothing came out differently

    weeks = runs.followers(runs.run(WEEKLY_CLOSE, "2026-03-02", "2026-03-09"))
    months = runs.followers(runs.run(MONTHLY_CLOSE, "2026-03-01"))
    assert [(r.job_name, keys_of_tags(r.tags)) for r in (*weeks, *months)] == [
        (WEEKLY_SNAPSHOTS, ("2026-03-02", "2026-03-09")),
        (MONTHLY_SNAPSHOTS, ("2026-03-01", "2026-03-01")),
    ]


def metadata_of(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    (event,) = [e for e in result.all_events if e.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {e.check_name: e.passed for e in result.get_asset_check_evaluations()}


def test_a_run_reports_its_partitions_and_can_be_narrowed(runs: Runs) -> None:
    engine, day = runs.pipeline.engine, DAYS[0]
    write(engine, two_workspaces(day))
    whole = runs.run(DAILY_SNAPSHOTS, f"{day}")
    assert metadata_of(whole) == {
        "rows": 6,
        "coverage": 1.0,
        "complete": 6,
        "dagster/partition_row_count": 6,
        "partition_coverage": 1.0,
    }
    passed = checks(whole)
    assert {name: passed[name] for name in ("workspaces_ok", "keys_unique", "coverage")} == {
        "workspaces_ok": True,
        "keys_unique": True,
        "coverage": True,
    }
    write(engine, two_workspaces(day, 6.0))
    assert runs.run(DAILY_SNAPSHOTS, f"{day}", workspaces=["globex"]).success
    assert [value_of(r) for r in stored(engine)] == [5.0] * 3 + [6.0] * 3


def test_a_workspace_that_cannot_be_built_makes_a_run_partial_and_only_all_of_them_a_failure(runs: Runs) -> None:
    day = DAYS[0]
    twice = [daily(day, "acme", "views", 1.0, "a"), daily(day, "acme", "views", 2.0, "a")]
    write(runs.pipeline.engine, [*twice, daily(day, "globex", "views", 3.0, "b")])
    result = runs.run(DAILY_SNAPSHOTS, f"{day}")
    run = runs.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert result.success
    assert run.tags[OUTCOME_TAG] == "PARTIAL"
    assert (checks(result)["workspaces_ok"], checks(result)["coverage"]) == (False, False)
    assert [json.loads(r["metrics"])["platforms"]["x"]["views"]["value"] for r in stored(runs.pipeline.engine)] == [3.0]
    assert not runs.run(DAILY_SNAPSHOTS, f"{day}", workspaces=["acme"]).success


def test_a_backfill_by_name_is_a_run_for_each_type_last_of_all(load: Load) -> None:
    window = Window.of_days(date(2026, 3, 1), date(2026, 3, 10))
    _, steps = plan_backfill(load(NOW), ["analytics_snapshots", "daily_metrics/account"], window)
    assert [(step.name, step.span) for step in steps] == [
        ("daily_metrics", "2026-03-01 to 2026-03-09"),
        ("analytics_snapshots/daily", "2026-03-01 to 2026-03-09"),
        ("analytics_snapshots/monthly", "2026-03-01"),
        ("analytics_snapshots/weekly", "2026-02-23 to 2026-03-09"),
    ]
