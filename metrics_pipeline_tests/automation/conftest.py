"""An installation whose clock each test sets, with the real definitions and a Dagster instance in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import load_settings

Load = Callable[..., Pipeline]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """`load(now, WEEK_START="sunday")`: the pipeline of these settings, which are the environment's too."""
    monkeypatch.setenv("METRICS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("METRICS_PIPELINE_START", "2026-01-01")
    monkeypatch.setenv("METRICS_COLLECTION_START", "2026-02-01")

    def make(now: datetime, **more: str) -> Pipeline:
        monkeypatch.setenv("METRICS_NOW", now.isoformat())
        for name, value in more.items():
            monkeypatch.setenv(f"METRICS_{name}", value)
        return Pipeline(load_settings())

    return make


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def follow(
    definitions: dg.Definitions, sensor: str, instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult
) -> list[dg.RunRequest]:
    """What a run status sensor asks for after a run."""
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor,
        dagster_event=result.get_run_success_event(),
        dagster_instance=instance,
        dagster_run=run,
    )
    answer = definitions.resolve_sensor_def(sensor)(context)
    assert isinstance(answer, Iterator)
    return [request for request in answer if isinstance(request, dg.RunRequest)]


def tick(pipeline: Pipeline, schedule: str, at: datetime) -> dg.RunRequest | dg.SkipReason:
    """What a schedule asks for at one instant."""
    definitions = build_definitions(pipeline)
    with dg.build_schedule_context(scheduled_execution_time=at) as context:
        answer = definitions.resolve_schedule_def(schedule)(context)
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer
