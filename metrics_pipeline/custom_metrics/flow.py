"""Custom metrics as the pipeline runs them: its settings, its lake, its control database, its clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from importlib.metadata import version as package_version

from deltalake import DeltaTable
from sqlalchemy import Engine

from metrics_pipeline.application.lake_tables import declared_tables
from metrics_pipeline.control.workspaces import list_workspaces
from metrics_pipeline.custom_metrics.answering import Answerer
from metrics_pipeline.custom_metrics.asking import Surroundings
from metrics_pipeline.custom_metrics.building import Built, ValueBuilder
from metrics_pipeline.custom_metrics.calculating import Calculated, Calculator, query_hash
from metrics_pipeline.custom_metrics.checking import Checker
from metrics_pipeline.custom_metrics.costs import highest
from metrics_pipeline.custom_metrics.datasets import Datasets
from metrics_pipeline.custom_metrics.following import StaleFinder
from metrics_pipeline.custom_metrics.periods import Calendar
from metrics_pipeline.custom_metrics.registry.actors import Actor, pipeline_actor
from metrics_pipeline.custom_metrics.registry.records import ActiveMetric
from metrics_pipeline.custom_metrics.registry.registry import Registry
from metrics_pipeline.custom_metrics.spans import Grain
from metrics_pipeline.custom_metrics.staleness import Stale
from metrics_pipeline.custom_metrics.trial import Tester, Trial
from metrics_pipeline.lake.maintenance import Retention
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.pipeline_start import pipeline_start
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window


@dataclass(frozen=True)
class CustomMetricFlow:
    """What assets, sensors and commands ask of custom metrics."""

    pipeline: Pipeline

    @cached_property
    def datasets(self) -> Datasets:
        """What definitions may name."""
        lake = self.pipeline.lake
        return Datasets(lake.tables, declared_tables(self.pipeline.settings), self.pipeline.catalog.metrics.values())

    @cached_property
    def checker(self) -> Checker:
        return Checker(self.datasets)

    @cached_property
    def registry(self) -> Registry:
        """Definitions; whatever is stored fits the data sets there are."""
        settings = self.pipeline.settings
        return Registry(
            self.pipeline.control, settings.clock, check=self.checker.check, compiler_version=compiler_version()
        )

    @property
    def calculator(self) -> Calculator:
        """A calculator that sees one version of each table, whatever is committed while it works."""
        lake = self.pipeline.lake
        handles: dict[str, DeltaTable] = {}

        def tables(names: Sequence[str]) -> Mapping[str, DeltaTable]:
            for name in names:
                if name not in handles:
                    handles[name] = lake.table(name)
            return {name: handles[name] for name in names}

        return Calculator(lake.location, lake.tables, self.datasets, self.pipeline.settings, tables)

    @property
    def answerer(self) -> Answerer:
        """Whom to ask for values."""
        return Answerer(self.registry, self.checker, self.calculator, self.surroundings)

    def try_out(self, actor: Actor, documents: Sequence[Mapping[str, object]]) -> list[Trial]:
        """What definitions would be and give; nothing is stored.

        Raises:
            DefinitionError: one of them cannot be used.
        """
        tester = Tester(self.datasets, self.checker, self.calculator)
        around = self.surroundings()
        return [tester.try_out(metric, around) for metric in self.registry.try_all(actor, documents)]

    def surroundings(self) -> Surroundings:
        """What questions need that are asked now."""
        settings = self.pipeline.settings
        return surroundings_of(settings, self.pipeline.control, self.datasets, pipeline_start(settings).collection)

    def active(self, metric_ids: Collection[str] = ()) -> list[ActiveMetric]:
        """The metrics that are calculated; those alone that are named, by id or by name."""
        wanted = set(metric_ids)
        return [
            metric
            for metric in self.registry.all_active()
            if not wanted or metric.metric_id in wanted or metric.name in wanted
        ]

    def build(
        self,
        grain: Grain,
        window: Window,
        *,
        metrics: Collection[str] = (),
        workspaces: Collection[str] = (),
        run_id: str | None = None,
    ) -> Built:
        """Compute and store the values of active metrics that can be asked by this grain; each is audited.

        window: every period that overlaps it.
        """
        chosen = [
            metric
            for metric in self.active(metrics)
            if (not workspaces or metric.workspace_id in workspaces)
            and any(grain in self.checker.grains(version) for version in metric.versions)
        ]
        builder = ValueBuilder(self.pipeline.engine, self.calculator, self.checker)
        histories = [metric.versions for metric in chosen]
        around = self.surroundings()
        periods = around.calendar.periods(grain, window.first_day, window.end_day)
        built = builder.build(histories, grain, periods, around, run_id)
        self._audit(built, run_id)
        return built

    def stale(self, cursor: Mapping[str, object]) -> Stale:
        """What has to be computed since an earlier look, whose cursor this is; an empty one: everything."""
        lake, settings = self.pipeline.lake, self.pipeline.settings
        return StaleFinder(lake, self.registry, self.datasets, settings).find(cursor)

    def _audit(self, built: Built, run_id: str | None) -> None:
        by_version: dict[tuple[str, str, int], list[Calculated]] = {}
        for answer in built.answers:
            version = answer.asked.version
            by_version.setdefault((version.workspace_id, version.metric_id, version.version), []).append(answer)
        for (workspace_id, metric_id, number), answers in by_version.items():
            self.registry.note(
                pipeline_actor(workspace_id),
                "calculate",
                metric_id,
                number,
                rows_scanned=sum(answer.rows_scanned for answer in answers),
                duration_ms=round(1000 * sum(answer.seconds for answer in answers)),
                cost_class=highest(answer.cost for answer in answers),
                query_hash=query_hash([answers[0].asked]),
                trace_id=run_id,
            )
        for failed in built.failed:
            version = failed.asked.version
            self.registry.note(
                pipeline_actor(version.workspace_id),
                "calculate",
                version.metric_id,
                version.version,
                outcome="failed",
                reason_code=type(failed.error).__name__,
                trace_id=run_id,
            )


def surroundings_of(settings: Settings, control: Engine, datasets: Datasets, known_from: date) -> Surroundings:
    """What questions need that are asked now. known_from: the first day of collection."""
    workspaces = [workspace.workspace_id for workspace in list_workspaces(control)]
    return Surroundings(
        settings.clock.now(),
        known_from,
        Calendar(settings.week_start_index),
        owner_of_unowned(settings.application_workspace, workspaces),
        _kept_from(settings, datasets),
    )


def _kept_from(settings: Settings, datasets: Datasets) -> dict[str, date]:
    retention = Retention(settings.api_responses_days, settings.events_days)
    today = settings.clock.now().date()
    days = {name: retention.days(name) for name in datasets.tables}
    return {name: today - timedelta(days=kept) for name, kept in days.items() if kept is not None}


def owner_of_unowned(named: str | None, workspaces: Sequence[str]) -> str | None:
    """Whose rows of application tables are that name no workspace: as the settings say, or the only one there is."""
    if named is not None:
        return named
    return workspaces[0] if len(workspaces) == 1 else None


def compiler_version() -> str:
    """What statements were written by, kept with every version of a definition."""
    return f"metrics-pipeline {package_version('metrics-pipeline')}"
