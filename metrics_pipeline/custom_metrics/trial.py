"""A definition tried out before it is stored: how its formulas are read, what it costs, what it gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from metrics_pipeline.custom_metrics.asking import Surroundings, question
from metrics_pipeline.custom_metrics.calculating import Asked, Calculated, Calculator
from metrics_pipeline.custom_metrics.checking import Checker
from metrics_pipeline.custom_metrics.compiler.plan import Computed, Leaf, Plan
from metrics_pipeline.custom_metrics.compiler.statement import derived_formula
from metrics_pipeline.custom_metrics.costs import CostClass
from metrics_pipeline.custom_metrics.datasets import Datasets
from metrics_pipeline.custom_metrics.formulas.formula import parse_formula
from metrics_pipeline.custom_metrics.periods import Period
from metrics_pipeline.custom_metrics.spans import Grain
from metrics_pipeline.custom_metrics.versions import MetricVersion
from metrics_pipeline.windows import DAY

PREVIEWED = 7


@dataclass(frozen=True, slots=True)
class Previewed:
    """One value of the preview."""

    period: Period
    value: float | None
    state: str
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """What a definition would be. formulas: (where, how it is read). usual: conditions that data sets add.

    preview: the last periods of its finest grain, the running one included; rows_scanned and cost are of them.
    statement: the SQL behind the preview.
    """

    metric: MetricVersion
    grains: tuple[Grain, ...]
    formulas: tuple[tuple[str, str], ...]
    usual: tuple[str, ...]
    cost: CostClass
    rows_scanned: int
    preview: tuple[Previewed, ...]
    statement: str


@dataclass(frozen=True)
class Tester:
    """Tries versions that the checker has passed."""

    datasets: Datasets
    checker: Checker
    calculator: Calculator

    def try_out(self, metric: MetricVersion, around: Surroundings) -> Trial:
        """Compute the last periods.

        Raises:
            DefinitionError: it cannot be compiled.
            OverLimitsError: the preview takes too long or too much memory.
        """
        grains = tuple(self.checker.grains(metric))
        periods = self._last(grains[0], around)
        costed = self.calculator.cost(Asked(metric, question(metric, grains[0], periods, around)))
        [answer] = self.calculator.calculate([costed])
        if not isinstance(answer, Calculated):
            raise answer.error
        asked = answer.asked.question.periods
        preview = tuple(
            Previewed(asked[row["period"]], row["value"], row["state"], row["is_complete"])
            for row in answer.rows.to_pylist()
        )
        plan = Plan.of(metric)
        return Trial(
            metric,
            grains,
            tuple(dict.fromkeys(self._formulas(plan))),
            tuple(dict.fromkeys(self._usual(plan))),
            costed.cost,
            costed.rows_scanned,
            preview,
            costed.statement.text,
        )

    def _last(self, grain: Grain, around: Surroundings) -> Sequence[Period]:
        today = around.now.date()
        days = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[grain] * (PREVIEWED - 1)
        return around.calendar.periods(grain, today - timedelta(days=days), today + DAY)[-PREVIEWED:]

    def _formulas(self, plan: Plan) -> Iterator[tuple[str, str]]:
        for step in plan.steps:
            if isinstance(step, Leaf):
                fields = self.datasets[step.metric.dataset].datatypes
                for place, text in (("expr", step.metric.expr), ("filter", step.metric.filter)):
                    if text is not None:
                        yield f"{step.metric.name}.{place}", parse_formula(text, fields).text
                for text in step.conditions:
                    yield f"{step.metric.name}.filter", parse_formula(text, fields).text
            elif isinstance(step, Computed):
                named = [name for name, _ in step.inputs]
                yield f"{step.metric.name}.expr", derived_formula(step.metric.expr, named).text

    def _usual(self, plan: Plan) -> Iterator[str]:
        for _, leaf in plan.leaves:
            dataset, metric = self.datasets[leaf.metric.dataset], leaf.metric
            texts = [text for text in (metric.expr, metric.filter, *leaf.conditions) if text is not None]
            named = {name for text in texts for name in parse_formula(text, dataset.datatypes).columns}
            named |= {entry.field for entry in metric.filters}
            for entry in dataset.usual:
                if not named & set(entry.fields):
                    yield f"{dataset.name}: {entry.says}"
