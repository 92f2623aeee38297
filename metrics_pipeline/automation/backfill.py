"""Backfills from the command line: recorded Dagster runs in this process, in dependency order.

One run per partition set for what is computed, chunks for what is fetched, so that a crash repeats little. Every
step replaces or merges whole partitions: the same backfill again repairs one that was interrupted anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

import dagster as dg

from metrics_pipeline.assets.collection import DAYS_PER_RUN, HOURS_PER_RUN
from metrics_pipeline.automation.alerts import Alerts
from metrics_pipeline.automation.home import open_instance
from metrics_pipeline.automation.job_log import JobLog
from metrics_pipeline.automation.ranges import keys_in_window, range_tags
from metrics_pipeline.automation.run_facts import REQUESTED_BY_TAG, first_error
from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.errors import RunFailedError, UserError
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import Window

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

# From the outside in: what is read from the application, what is fetched, what is counted from events, days, weeks,
# months and the snapshots of all three.
_STAGES: tuple[tuple[str, ...], ...] = (
    ("app",),
    ("counters",),
    ("insights",),
    ("content_hourly",),
    ("content_daily",),
    ("daily_metrics",),
    ("campaign_metrics", "contact_metrics"),
    ("anomalies",),
    ("weekly_metrics",),
    ("monthly_metrics",),
    ("reconciliations",),
    ("analytics_snapshots",),
    ("custom_metric_values",),
)
# Stages whose assets have a run each: platforms fail by themselves, types of snapshots differ in their partitions.
_ONE_BY_ONE = (("counters",), ("insights",), ("analytics_snapshots",), ("custom_metric_values",))

# Stages with tables that have no partitions: those that are read whole, and present states.
_PARTLY_WHOLE = (("app",), ("campaign_metrics", "contact_metrics"))


@dataclass(frozen=True)
class Step:
    """One run: these assets over these consecutive partitions; without any for assets that have none."""

    assets: tuple[dg.AssetKey, ...]
    keys: tuple[str, ...]

    @property
    def name(self) -> str:
        in_full = ("platforms", "analytics_snapshots", "custom_metric_values")
        parents = {a.to_user_string() if a.path[0] in in_full else a.path[0] for a in self.assets}
        return ", ".join(sorted(parents))

    @property
    def span(self) -> str:
        if not self.keys:
            return "the whole table"
        return self.keys[0] if len(self.keys) == 1 else f"{self.keys[0]} to {self.keys[-1]}"


class Backfiller:
    """Plans and runs steps against the Dagster instance of this installation."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._definitions = build_definitions(pipeline, fixed=True)
        self._graph = self._definitions.resolve_asset_graph()
        self._job = self._definitions.resolve_implicit_global_asset_job_def()
        self.instance = open_instance(pipeline.settings)
        self._log = JobLog(pipeline, self.instance)

    def resolve(self, names: Sequence[str]) -> list[dg.AssetKey]:
        """Asset keys by full name or by prefix (`daily_metrics`, `platforms/youtube`).

        Raises:
            UserError: no asset is called so, or nothing can be materialised under the name.
        """
        known = sorted(self._graph.materializable_asset_keys, key=lambda k: k.to_user_string())
        chosen: list[dg.AssetKey] = []
        for name in names:
            path = [part for part in name.split("/") if part]
            found = [k for k in known if list(k.path[: len(path)]) == path]
            if not found or not path:
                raise UserError(
                    f"There is no asset {name!r} to back-fill. There are: "
                    f"{', '.join(k.to_user_string() for k in known)}."
                )
            chosen += [k for k in found if k not in chosen]
        return chosen

    def plan(self, assets: Sequence[dg.AssetKey], window: Window) -> list[Step]:
        """The steps that cover the window: a period is selected if it overlaps."""
        now = self._pipeline.settings.clock.now()
        steps: list[Step] = []
        for stage in _STAGES:
            members = [a for a in assets if a.path[-1] in stage or a.path[0] in stage]
            if stage in _PARTLY_WHOLE:
                whole = tuple(a for a in members if self._graph.get(a).partitions_def is None)
                members = [a for a in members if a not in whole]
                steps += [Step(whole, ())] if whole else []
            groups = [(m,) for m in members] if stage in _ONE_BY_ONE else [tuple(members)]
            for group in filter(None, groups):
                partitions = self._graph.get(group[0]).partitions_def
                if not isinstance(partitions, dg.TimeWindowPartitionsDefinition):
                    raise UserError(f"{group[0].to_user_string()} has no time partitions to back-fill.")
                keys = keys_in_window(partitions, window, now)
                size = {"counters": HOURS_PER_RUN, "insights": DAYS_PER_RUN}.get(group[0].path[-1], max(1, len(keys)))
                steps += [Step(group, tuple(keys[n : n + size])) for n in range(0, len(keys), size)]
        return steps

    def restatement_days(self, platform: str) -> int:
        return self._pipeline.catalog.platforms[platform].restatement_days

    def is_materialized(self, step: Step) -> bool:
        """Whether every partition of the step, or the whole table, has been built before, by whatever run."""
        if not step.keys:
            return all(self.instance.get_latest_materialization_event(asset) is not None for asset in step.assets)
        return all(set(step.keys) <= self.instance.get_materialized_partitions(asset) for asset in step.assets)

    def run(self, step: Step, run_config: Mapping[str, object] | None = None) -> str:
        """Run one step and return its run id.

        Raises:
            RunFailedError: the run failed; the message is its first error.
        """
        run_id = str(uuid4())
        tags = {**(range_tags(step.keys) if step.keys else {}), REQUESTED_BY_TAG: "command line"}
        self._log.begin(run_id, self._job.name, sorted(a.to_user_string() for a in step.assets), tags)
        result = self._job.execute_in_process(
            run_config={**QUIET, **(run_config or {})},
            instance=self.instance,
            asset_selection=list(step.assets),
            run_id=run_id,
            tags=tags,
            raise_on_error=False,
        )
        self._log.record_id(run_id)
        if not result.success:
            Alerts.of(self._pipeline).deliver()
            error = first_error(result.all_events) or "the run failed"
            raise RunFailedError(f"{step.name}, {step.span}: {error} (run {run_id})")
        return run_id


def plan_backfill(pipeline: Pipeline, names: Sequence[str], window: Window) -> tuple[Backfiller, list[Step]]:
    """A backfiller and the steps of a request.

    Raises:
        UserError: an asset is unknown, or no partition exists in the window.
    """
    backfiller = Backfiller(pipeline)
    steps = backfiller.plan(backfiller.resolve(names), window)
    if not steps:
        raise UserError(
            f"No partition of {', '.join(names)} lies in {window}. Partitions begin with METRICS_PIPELINE_START "
            "(pipeline.toml in the data directory) and end with the running period."
        )
    return backfiller, steps
