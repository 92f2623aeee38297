"""Requests for erasure become runs that name nobody; days that changed late become daily metrics again."""

from __future__ import annotations

import dagster as dg
import pytest

from metrics_pipeline.automation.jobs import CONTENT_DAYS, DAILY_CLOSE, DAYS_TAG, ERASE_PEOPLE
from metrics_pipeline.automation.ranges import RANGE_END_TAG, RANGE_START_TAG
from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.control.erasures import list_erasures, request_erasure
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.events.model import Handover
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import DAY
from metrics_pipeline_tests.automation.conftest import Load, instant
from metrics_pipeline_tests.test_content_flow import event

NOW = instant("2026-03-18T10:20")


@pytest.fixture
def pipeline(load: Load) -> Pipeline:
    pipeline = load(NOW)
    add_workspace(pipeline.control, "W", "w", now=NOW)
    return pipeline


def ask(pipeline: Pipeline, user: str = "planted-1") -> None:
    request_erasure(pipeline.control, pipeline.ring, "w", user, now=NOW)


def sense(pipeline: Pipeline, sensor: str, instance: dg.DagsterInstance) -> object:
    definitions = build_definitions(pipeline)
    with dg.build_sensor_context(instance=instance, definitions=definitions) as context:
        return definitions.resolve_sensor_def(sensor)(context)


def test_somebody_who_waits_is_a_run_and_nobody_is_none(pipeline: Pipeline) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert isinstance(sense(pipeline, "erasures_requested", instance), dg.SkipReason)
        ask(pipeline)
        request = sense(pipeline, "erasures_requested", instance)
        assert isinstance(request, dg.RunRequest)
        assert "planted" not in repr(request)


def test_the_run_names_nobody_and_says_which_days_changed(pipeline: Pipeline, load: Load) -> None:
    for days in (9, 2):
        at = NOW - days * DAY
        then = load(at)
        with Ingestion.open(then.settings) as ingestion:
            ingestion.submit_blocking(Handover("w", received_at=at), [event("view_start", at, user_id="planted-1")])
        ContentFlow(then).drain()
    pipeline = load(NOW)
    ask(pipeline)
    definitions = build_definitions(pipeline, fixed=True)
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def(ERASE_PEOPLE).execute_in_process(instance=instance)
        assert result.success
        run = instance.get_run_by_id(result.run_id)
        assert run is not None
        assert run.tags[DAYS_TAG] == "2026-03-08/2026-03-16"
        log = [dg.serialize_value(entry) for entry in instance.all_logs(result.run_id)]
        assert log
        assert not [entry for entry in log if "planted" in entry]
    assert [record.state for record in list_erasures(pipeline.control)] == ["completed"]


@pytest.mark.parametrize(
    ("job", "tags", "first", "last"),
    [
        (ERASE_PEOPLE, {DAYS_TAG: "2026-03-08/2026-03-15"}, "2026-03-08", "2026-03-15"),
        (CONTENT_DAYS, {RANGE_START_TAG: "2026-03-12", RANGE_END_TAG: "2026-03-18"}, "2026-03-12", "2026-03-18"),
        (CONTENT_DAYS, {RANGE_START_TAG: "2026-03-17", RANGE_END_TAG: "2026-03-18"}, None, None),
        (ERASE_PEOPLE, {}, None, None),
    ],
)
def test_daily_metrics_follow_where_days_changed_after_their_close(
    pipeline: Pipeline, job: str, tags: dict[str, str], first: str | None, last: str | None
) -> None:
    definitions = build_definitions(pipeline)
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(definitions.resolve_job_def(job), tags=tags)
        event_ = dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, job_name=job)
        context = dg.build_run_status_sensor_context(
            sensor_name="daily_after_content",
            dagster_event=event_,
            dagster_instance=instance,
            dagster_run=run,
        )
        answer = definitions.resolve_sensor_def("daily_after_content")(context)
    if first is None:
        assert isinstance(answer, dg.SkipReason)
    else:
        assert isinstance(answer, dg.RunRequest)
        assert answer.job_name == DAILY_CLOSE
        assert (answer.tags[RANGE_START_TAG], answer.tags[RANGE_END_TAG]) == (first, last)
