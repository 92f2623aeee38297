"""Dagster in this process: runs, schedule ticks and sensor ticks as the daemon would make them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import dagster as dg

from metrics_pipeline.automation.home import use_dagster_home
from metrics_pipeline.automation.ranges import range_tags
from metrics_pipeline.definitions import build_definitions
from metrics_pipeline_tests.automation.conftest import follow
from metrics_pipeline_tests.proofs.site import REGISTERED, Site

QUIET: Mapping[str, object] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Daemon:
    """Requests runs and executes them one after the other. Run keys count once, as they do in Dagster."""

    site: Site
    used: set[str] = field(default_factory=set)
    definitions: dg.Definitions | None = None
    cursors: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def _loaded(self, now: datetime) -> Iterator[tuple[dg.Definitions, dg.DagsterInstance]]:
        """The definitions, whose steps and sensors read the clock from the environment, and the site's instance."""
        with self.site.at(now) as pipeline:
            use_dagster_home(pipeline.settings)
            self.definitions = self.definitions or build_definitions(pipeline)
            with dg.DagsterInstance.get() as instance:
                yield self.definitions, instance

    def execute(
        self,
        now: datetime,
        job: str,
        keys: Sequence[str],
        run_config: Mapping[str, object] | None = None,
    ) -> dg.ExecuteInProcessResult:
        """One run of a job over consecutive partitions."""
        with self._loaded(now) as (definitions, instance):
            return _execute(definitions, instance, job, range_tags(keys), run_config or {})

    def run_tags(self, run_id: str) -> Mapping[str, str]:
        """The tags of a recorded run."""
        with self._loaded(REGISTERED) as (_, instance):
            run = instance.get_run_by_id(run_id)
            assert run is not None
            return dict(run.tags)

    def tick(self, now: datetime, sensor: str = "gap_filler") -> list[dg.RunRequest]:
        """Evaluate a sensor, execute what it asks for and whatever follows from that; returns its own requests."""
        with self._loaded(now) as (definitions, instance):
            with dg.build_sensor_context(instance=instance, cursor=self.cursors.get(sensor, "{}")) as context:
                answer = definitions.resolve_sensor_def(sensor)(context)
                self.cursors[sensor] = context.cursor or "{}"
            asked = list(answer.run_requests or []) if isinstance(answer, dg.SensorResult) else []
            return self._serve(definitions, instance, asked)

    def schedule(self, now: datetime, schedule: str) -> list[dg.RunRequest]:
        """The same for a schedule's tick."""
        with self._loaded(now) as (definitions, instance):
            with dg.build_schedule_context(instance=instance, scheduled_execution_time=now) as context:
                answer = definitions.resolve_schedule_def(schedule)(context)
            return self._serve(definitions, instance, [answer] if isinstance(answer, dg.RunRequest) else [])

    def _serve(
        self, definitions: dg.Definitions, instance: dg.DagsterInstance, asked: Sequence[dg.RunRequest]
    ) -> list[dg.RunRequest]:
        fresh = [request for request in asked if request.run_key not in self.used]
        for request in fresh:
            self.used.add(str(request.run_key))
            result = _execute(definitions, instance, str(request.job_name), request.tags, request.run_config or {})
            if result.success:
                self._serve(definitions, instance, list(_what_follows(definitions, instance, result)))
        return fresh


def _execute(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    job: str,
    tags: Mapping[str, str],
    run_config: Mapping[str, object],
) -> dg.ExecuteInProcessResult:
    return definitions.resolve_job_def(job).execute_in_process(
        instance=instance, tags=dict(tags), run_config={**QUIET, **run_config}, raise_on_error=False
    )


def _what_follows(
    definitions: dg.Definitions, instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult
) -> Iterator[dg.RunRequest]:
    """What is requested after a successful daily close."""
    if result.dagster_run.job_name != "daily_close":
        return
    yield from follow(definitions, "rollups_after_days", instance, result)
