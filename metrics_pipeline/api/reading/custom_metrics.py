"""Custom metrics as this process answers them: its registry, and the tables that it reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from deltalake import DeltaTable
from sqlalchemy import Engine

from metrics_pipeline.api.auth import Caller
from metrics_pipeline.api.reading.connection import told
from metrics_pipeline.api.reading.lake_tables import LakeTables
from metrics_pipeline.application.lake_tables import declared_tables
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.custom_metrics.answering import Answer, Answerer, Posed
from metrics_pipeline.custom_metrics.asking import Surroundings
from metrics_pipeline.custom_metrics.calculating import Calculator, Tables, query_hash
from metrics_pipeline.custom_metrics.checking import Checker
from metrics_pipeline.custom_metrics.datasets import Datasets
from metrics_pipeline.custom_metrics.flow import compiler_version, surroundings_of
from metrics_pipeline.custom_metrics.guarded import Reads, partitions_of
from metrics_pipeline.custom_metrics.registry.actors import Actor, find_actor
from metrics_pipeline.custom_metrics.registry.remembered import RememberingRegistry
from metrics_pipeline.custom_metrics.trial import Tester, Trial
from metrics_pipeline.pipeline_start import pipeline_start
from metrics_pipeline.settings import Settings

# Each may hold METRICS_CUSTOM_METRIC_MEMORY and run for METRICS_CUSTOM_METRIC_SECONDS: others wait their turn, and in
# threads of their own, so that they keep nobody from the pipeline's own numbers.
SIDE_BY_SIDE = 2

Result = TypeVar("Result")


class CustomMetrics:
    """Definitions and their values; used from several threads."""

    def __init__(self, settings: Settings, control: Engine, tables: LakeTables) -> None:
        """Raises UserError where the declaration of the application's tables cannot be used."""
        self._settings = settings
        self._control = control
        self._tables = tables
        specs = tables.lake.tables
        self.datasets = Datasets(specs, declared_tables(settings), catalog().metrics.values())
        self._checker = Checker(self.datasets)
        self.registry = RememberingRegistry(
            control, settings.clock, check=self._checker.check, compiler_version=compiler_version()
        )
        self._remembered = self.registry.remembered
        newest = self._calculator(lambda names: tables.tables(*names))
        self.answerer = Answerer(self.registry, self._checker, newest, self._surroundings)
        self._threads = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="custom-metrics")

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do work that computes, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Wait for what is being computed."""
        self._threads.shutdown()

    def actor(self, caller: Caller, workspace_id: str) -> Actor:
        """Whom a caller acts for in a workspace."""

        def load() -> Actor:
            return find_actor(
                self._control,
                workspace_id=caller.workspace_id,
                key_id=caller.key_id,
                scopes=caller.scopes,
                principal_id=caller.principal_id,
                subject=caller.subject,
                roles=caller.roles,
                teams=caller.teams,
            )

        return self._remembered.get(("actor", caller), load).within(workspace_id)

    def reads(self, posed: Posed) -> Reads:
        """The days of the tables that a question reads.

        Raises:
            DefinitionError: a data set of the metric is gone.
        """
        zones = (entry.question.timezone for entry in posed.asked)
        key = ("reads", query_hash(posed.asked), *zones, self._settings.clock.now().date())
        return self._remembered.get(key, lambda: self.answerer.calculator.reads(posed.asked))

    def generation(self, posed: Posed) -> str:
        """Of the files that a question reads. Raises as `reads`, and LakeUnavailable where nobody can tell."""
        specs = self._tables.lake.tables
        reads = self.reads(posed)
        return self._tables.generation({name: partitions_of(specs[name], days) for name, days in reads.items()})

    def answer(self, actor: Actor, posed: Posed) -> Answer:
        """The values, all from one set of versions of the tables.

        Raises:
            DefinitionError: it cannot be answered so, or costs too much for who asks.
            OverLimitsError: it took too long.
            LakeUnavailable: a table cannot be read.
        """
        with told():
            return self.answerer.answer(actor, posed, self._calculator(self._pinned()))

    def try_out(self, actor: Actor, documents: Sequence[Mapping[str, object]]) -> list[Trial]:
        """What definitions would be and give; nothing is stored. Raises as Registry.try_all, and LakeUnavailable."""
        tester = Tester(self.datasets, self._checker, self._calculator(self._pinned()))
        around = self._surroundings()
        with told():
            return [tester.try_out(metric, around) for metric in self.registry.try_all(actor, documents)]

    def _calculator(self, handles: Tables) -> Calculator:
        lake = self._tables.lake
        return Calculator(lake.location, lake.tables, self.datasets, self._settings, handles)

    def _pinned(self) -> Tables:
        """The tables, each as it is when it is first asked for."""
        pinned: dict[str, DeltaTable | None] = {}

        def handles(names: Sequence[str]) -> Mapping[str, DeltaTable]:
            for name in names:
                if name not in pinned:
                    pinned[name] = self._tables.table(name)
            return {name: handle for name in names if (handle := pinned[name]) is not None}

        return handles

    def _surroundings(self) -> Surroundings:
        around = self._remembered.get("surroundings", self._load_surroundings)
        return replace(around, now=self._settings.clock.now())

    def _load_surroundings(self) -> Surroundings:
        known_from = pipeline_start(self._settings, fix=False).collection
        return surroundings_of(self._settings, self._control, self.datasets, known_from)
