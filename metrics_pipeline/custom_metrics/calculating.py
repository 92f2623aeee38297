"""Values of metrics: the one way to them, for runs, for the HTTP interface and for the command line."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
from deltalake import DeltaTable

from metrics_pipeline.custom_metrics.compiler.plan import Plan
from metrics_pipeline.custom_metrics.compiler.question import Question
from metrics_pipeline.custom_metrics.compiler.statement import Statement, compile_metric
from metrics_pipeline.custom_metrics.costs import CostClass, Generations, cost_class, rows_read, weighted_rows
from metrics_pipeline.custom_metrics.datasets import Datasets
from metrics_pipeline.custom_metrics.faults import QuestionError
from metrics_pipeline.custom_metrics.guarded import GuardedLake, Limits, Reads
from metrics_pipeline.custom_metrics.versions import MetricVersion
from metrics_pipeline.errors import RunFailedError, UserError
from metrics_pipeline.lake.table_spec import TableSpec
from metrics_pipeline.settings import Settings

Tables = Callable[[Sequence[str]], Mapping[str, DeltaTable]]
"""Gives the handles of those tables that exist."""


@dataclass(frozen=True)
class Asked:
    """One metric and one question about it."""

    version: MetricVersion
    question: Question


@dataclass(frozen=True)
class Calculated:
    """What came of it. rows: as `compile_metric` says, `period` in the place of the question's periods.

    generation: of all files that were read; period_generations: for each period of those it rests on.
    """

    asked: Asked
    rows: pa.Table
    generation: str
    period_generations: tuple[str, ...]
    rows_scanned: int
    cost: CostClass
    seconds: float
    approximate: bool


@dataclass(frozen=True)
class Failed:
    """A question that could not be answered; the others were."""

    asked: Asked
    error: UserError | RunFailedError


@dataclass(frozen=True)
class Costed:
    """A compiled question, what it reads and what that costs."""

    asked: Asked
    statement: Statement
    rows_scanned: int
    cost: CostClass


class Calculator:
    """Answers questions over one set of table versions at a time."""

    def __init__(
        self, location: str, specs: Mapping[str, TableSpec], datasets: Datasets, settings: Settings, tables: Tables
    ) -> None:
        self._location = location
        self._specs = specs
        self.datasets = datasets
        self._settings = settings
        self._tables = tables

    def reads(self, asked: Sequence[Asked]) -> Reads:
        """The days of the tables that questions read together; no table is opened.

        Raises:
            DefinitionError: one cannot be answered.
        """
        return _together(compile_metric(entry.version, entry.question, self.datasets).reads for entry in asked)

    def cost(self, asked: Asked) -> Costed:
        """Compile a question and tell what it costs; no row is read.

        Raises:
            DefinitionError: it cannot be answered.
        """
        statement = compile_metric(asked.version, asked.question, self.datasets)
        tables = self._tables(list(statement.reads))
        rows = rows_read(self._specs, tables, statement.reads)
        plan = Plan.of(asked.version)
        table_of = {leaf.metric.dataset: self.datasets[leaf.metric.dataset].table for _, leaf in plan.leaves}
        weighted = weighted_rows(plan, rows, table_of)
        settings = self._settings
        limits = settings.custom_metric_cost_medium, settings.custom_metric_cost_high
        return Costed(asked, statement, sum(rows.values()), cost_class(weighted, *limits))

    def calculate(self, costed: Sequence[Costed]) -> Iterator[Calculated | Failed]:
        """Answer questions one after the other, all from the same versions of the tables."""
        reads = _together(entry.statement.reads for entry in costed)
        tables = self._tables(list(reads))
        settings = self._settings
        limits = Limits(settings.custom_metric_memory, settings.custom_metric_seconds)
        generations = Generations(self._specs, tables)
        with GuardedLake(self._location, self._specs, tables, reads, limits) as lake:
            for entry in costed:
                try:
                    yield self._calculated(entry, lake, generations)
                except (UserError, RunFailedError) as error:
                    yield Failed(entry.asked, error)

    def _calculated(self, entry: Costed, lake: GuardedLake, generations: Generations) -> Calculated:
        started = time.monotonic()
        rows = lake.run(entry.statement)
        most = self._settings.custom_metric_groups
        if entry.asked.question.dimensions and rows.num_rows > most:
            raise QuestionError.at(
                "/dimensions",
                "too_many_groups",
                f"The breakdown has {rows.num_rows:,} parts, more than {most:,}: ask for fewer periods, or filter.",
            )
        return Calculated(
            entry.asked,
            rows,
            generations.of(entry.statement.reads),
            tuple(generations.of(reads) for reads in entry.statement.period_reads),
            entry.rows_scanned,
            entry.cost,
            time.monotonic() - started,
            any(leaf.metric.approximate for _, leaf in Plan.of(entry.asked.version).leaves),
        )


def query_hash(asked: Iterable[Asked]) -> str:
    """A digest of what is asked: definitions, periods and breakdowns, and none of their words."""
    parts: list[str] = []
    for entry in asked:
        parts += [entry.version.content_hash, str(entry.question.grain), *entry.question.dimensions]
        parts += [f"{period.first}/{period.end}" for period in entry.question.periods]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _together(parts: Iterable[Reads]) -> Reads:
    reads: dict[str, tuple[date, date] | None] = {}
    for part in parts:
        for name, days in part.items():
            reads[name] = _both(reads[name], days) if name in reads else days
    return reads


def _both(one: tuple[date, date] | None, other: tuple[date, date] | None) -> tuple[date, date] | None:
    if one is None or other is None:
        return None
    return min(one[0], other[0]), max(one[1], other[1])
