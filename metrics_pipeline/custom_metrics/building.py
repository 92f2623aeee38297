"""Stored values of metrics: of any metrics over any periods of one grain, in one commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from metrics_pipeline.custom_metrics.asking import Surroundings, stored_questions, without_expired
from metrics_pipeline.custom_metrics.calculating import Asked, Calculated, Calculator, Costed, Failed
from metrics_pipeline.custom_metrics.checking import Checker
from metrics_pipeline.custom_metrics.periods import Period
from metrics_pipeline.custom_metrics.spans import Grain
from metrics_pipeline.custom_metrics.values import value_rows
from metrics_pipeline.custom_metrics.versions import MetricVersion
from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.custom_metric_tables import CUSTOM_METRIC_VALUES
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.predicates import Partitions

STORED_GRAINS: tuple[Grain, ...] = ("day", "week", "month")

History = Sequence[MetricVersion]
"""The versions of one metric that may be in force."""


@dataclass
class Built:
    """What a build did. gained: rows more than there were. metrics: how many were computed, in whole."""

    answers: list[Calculated] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    rows: int = 0
    gained: int = 0

    @property
    def metrics(self) -> int:
        failed = {(entry.asked.version.workspace_id, entry.asked.version.metric_id) for entry in self.failed}
        return len({(a.asked.version.workspace_id, a.asked.version.metric_id) for a in self.answers} - failed)

    def problems(self) -> list[str]:
        """A sentence for each metric that could not be computed."""
        lines = (
            f"{entry.asked.version.workspace_id}: {entry.asked.version.name} version {entry.asked.version.version}: "
            f"{entry.error}"
            for entry in self.failed
        )
        return list(dict.fromkeys(lines))


class ValueBuilder:
    """Computes and stores. A metric that fails keeps its earlier values and holds up no other."""

    def __init__(self, engine: Engine, calculator: Calculator, checker: Checker) -> None:
        self._engine = engine
        self._calculator = calculator
        self._checker = checker

    def build(
        self,
        histories: Sequence[History],
        grain: Grain,
        periods: Sequence[Period],
        around: Surroundings,
        run_id: str | None,
    ) -> Built:
        """Compute the metrics' totals and breakdowns over periods of one grain, and store them in one commit.

        The same again changes nothing and commits nothing.
        """
        built = Built()
        costed = list(self._costed(histories, grain, periods, around, built))
        if costed:
            for answer in self._calculator.calculate(costed):
                if isinstance(answer, Failed):
                    built.failed.append(answer)
                else:
                    built.answers.append(answer)
        self._store(built, grain, periods, around.now, run_id)
        return built

    def _costed(
        self,
        histories: Sequence[History],
        grain: Grain,
        periods: Sequence[Period],
        around: Surroundings,
        built: Built,
    ) -> Iterator[Costed]:
        def can_be_asked(version: MetricVersion) -> bool:
            return grain in self._checker.grains(version)

        for history in histories:
            for asked in stored_questions(history, grain, periods, around, can_be_asked):
                try:
                    kept = without_expired(asked, self._calculator.datasets)
                    if kept.question.periods:
                        yield self._calculator.cost(kept)
                except UserError as error:  # a data set that is gone, or has lost a field, since it was defined
                    built.failed.append(Failed(asked, error))

    def _store(self, built: Built, grain: Grain, periods: Sequence[Period], now: datetime, run_id: str | None) -> None:
        broken = {_identity(entry.asked) for entry in built.failed}
        whole = [answer for answer in built.answers if _identity(answer.asked) not in broken]
        rows = value_rows(whole, now, run_id)
        built.rows = rows.num_rows
        if rows.num_rows:
            days = ("period_start", min(p.first for p in periods), max(p.end for p in periods))
            built.gained = self._engine.merge(
                CUSTOM_METRIC_VALUES.name,
                "merge/custom_metric_values.sql",
                rows,
                Partitions(equals={"grain": grain}, between=days),
                only_changes=True,
            )


def _identity(asked: Asked) -> tuple[str, str]:
    return asked.version.workspace_id, asked.version.metric_id
