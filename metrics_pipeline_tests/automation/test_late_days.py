"""Days whose readings change after their close are asked for again, once, and say why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import pytest

from metrics_pipeline.automation.jobs import DAILY_CLOSE
from metrics_pipeline.automation.late_days import BECAUSE_TAG
from metrics_pipeline.automation.ranges import RANGE_END_TAG, RANGE_START_TAG, keys_of_tags
from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.lake.changes import newest_changes, writing_as
from metrics_pipeline.lineage import commits
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline_tests.aggregation.readings import World, insight
from metrics_pipeline_tests.automation.conftest import Load, follow, instant

NOW = instant("2026-03-18T10:20")
LATE = date(2026, 3, 4)


class Sensing:
    """The sensor with the cursor it keeps."""

    def __init__(self, pipeline: Pipeline, instance: dg.DagsterInstance) -> None:
        self.pipeline, self.instance = pipeline, instance
        self.definitions = build_definitions(pipeline, fixed=True)
        self.cursor: str | None = None

    def look(self) -> list[dg.RunRequest]:
        with dg.build_sensor_context(instance=self.instance, cursor=self.cursor) as context:
            answer = self.definitions.resolve_sensor_def("days_after_readings")(context)
            self.cursor = context.cursor
        return list(answer.run_requests or []) if isinstance(answer, dg.SensorResult) else []

    def run(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        job = self.definitions.resolve_job_def(str(request.job_name))
        return job.execute_in_process(instance=self.instance, tags=dict(request.tags))


@pytest.fixture
def sensing(load: Load) -> Iterator[Sensing]:
    pipeline = load(NOW)
    with dg.DagsterInstance.ephemeral() as instance:
        yield Sensing(pipeline, instance)


def bring(pipeline: Pipeline, *days: date, value: float = 5.0) -> None:
    with writing_as("the-collecting-run"):
        World(insights=[insight("views", day, value, read_at=NOW) for day in days]).write(pipeline.engine)


def test_what_was_there_before_the_first_look_is_left_to_others(sensing: Sensing) -> None:
    bring(sensing.pipeline, LATE)
    assert sensing.look() == []
    assert sensing.look() == []


def test_a_late_reading_is_a_run_that_says_why_and_the_next_look_finds_nothing(sensing: Sensing) -> None:
    sensing.look()
    bring(sensing.pipeline, LATE)
    (request,) = sensing.look()
    assert request.job_name == DAILY_CLOSE
    # the growth of the days after it may be another one; yesterday and today are the refresh's affair
    assert (request.tags[RANGE_START_TAG], request.tags[RANGE_END_TAG]) == ("2026-03-04", "2026-03-16")
    assert request.tags[BECAUSE_TAG] == "insight_readings version 1 by run the-coll"
    assert sensing.look()[0].run_key == request.run_key  # which Dagster does not start twice

    result = sensing.run(request)
    assert result.success
    assert sensing.look() == []

    lake = sensing.pipeline.lake
    built = [change for change in newest_changes("daily_metrics", lake.table("daily_metrics"), None) if change.days]
    assert {change.run for change in built} == {result.run_id}
    assert {day for change in built for day in change.days} == {LATE}
    history = commits(lake, ["insight_readings", "daily_metrics"], LATE, 0, 10)
    assert [(change.table, change.run) for change in history][-1] == ("insight_readings", "the-collecting-run")
    assert history[-1].version in {change.sources.get("insight_readings") for change in history}


def test_weeks_and_months_follow_the_days_that_came_out_differently(sensing: Sensing) -> None:
    sensing.look()
    bring(sensing.pipeline, LATE)
    (request,) = sensing.look()
    assert followers(sensing, sensing.run(request)) == {
        "weekly_close": ("2026-03-02", "2026-03-09"),
        "monthly_close": ("2026-03-01", "2026-03-01"),
    }
    assert followers(sensing, sensing.run(request)) == {}  # the same again changes nothing


def test_a_run_that_was_under_way_before_the_reading_came_does_not_count(sensing: Sensing) -> None:
    sensing.look()
    bring(sensing.pipeline, LATE)
    (request,) = sensing.look()
    sensing.run(request)
    bring(sensing.pipeline, LATE + timedelta(days=2), value=7.0)
    (again,) = sensing.look()
    assert keys_of_tags(again.tags) == ("2026-03-06", "2026-03-16")


def followers(sensing: Sensing, result: dg.ExecuteInProcessResult) -> dict[str, tuple[str, str]]:
    """The partitions that `rollups_after_days` asks for after a run, by job."""
    asked = follow(sensing.definitions, "rollups_after_days", sensing.instance, result)
    found = {str(request.job_name): keys_of_tags(request.tags) for request in asked}
    return {job: keys for job, keys in found.items() if keys is not None}
