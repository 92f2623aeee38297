"""A metric asked by somebody: whether they may, what it costs, and the values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from metrics_pipeline.control.people import ADMIN
from metrics_pipeline.custom_metrics.asking import Surroundings, question
from metrics_pipeline.custom_metrics.calculating import Asked, Calculated, Calculator, Costed, Failed, query_hash
from metrics_pipeline.custom_metrics.checking import Checker
from metrics_pipeline.custom_metrics.costs import CostClass, highest
from metrics_pipeline.custom_metrics.faults import DefinitionError, QuestionError
from metrics_pipeline.custom_metrics.periods import Period, PeriodGrain
from metrics_pipeline.custom_metrics.registry.actors import Actor
from metrics_pipeline.custom_metrics.registry.reader import Reader
from metrics_pipeline.custom_metrics.registry.records import version_in_force
from metrics_pipeline.custom_metrics.versions import MetricVersion
from metrics_pipeline.errors import RunFailedError, UserError

MOST_PERIODS = 10_000
# Of a public metric no part of a breakdown is told that fewer people are behind: they could be known again.
FEWEST_PEOPLE = 5


@dataclass(frozen=True, slots=True)
class Value:
    """One period's value, or that of a part of it. dimensions: JSON of the part, {} for the total."""

    first: date
    end: date
    dimensions: str
    value: float | None
    state: str
    numerator: float | None
    denominator: float | None
    is_complete: bool
    version: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Values in the order of their periods. generation: of the data, as with every answer of the HTTP interface."""

    metric: MetricVersion
    values: tuple[Value, ...]
    generation: str
    cost: CostClass
    rows_scanned: int
    approximate: bool

    @property
    def is_complete(self) -> bool:
        return all(value.is_complete for value in self.values)


@dataclass(frozen=True, slots=True)
class Posed:
    """A question about a metric: of each version in force its part."""

    metric: MetricVersion
    asked: tuple[Asked, ...]


@dataclass(frozen=True)
class Answerer:
    """Answers from stored rows, not from stored values: what is stored is computed in the same way."""

    registry: Reader
    checker: Checker
    calculator: Calculator
    surroundings: Callable[[], Surroundings]

    def ask(
        self,
        actor: Actor,
        reference: str,
        grain: PeriodGrain,
        days: tuple[date, date],
        dimensions: Sequence[str] = (),
        version: int | None = None,
        periods: Sequence[Period] = (),
    ) -> Answer:
        """Every period of the grain that overlaps the days first <= day < end; with grain custom those given.

        version: as this version makes it; without one each period as the version in force for it does.

        Raises:
            MetricNotFoundError: there is no such metric, or not for whoever asks.
            DefinitionError: it cannot be asked so; cost_too_high where that takes the role metrics:admin.
            OverLimitsError: it took too long.
        """
        posed = self.pose(actor, reference, grain, days, dimensions, version, periods)
        return self.answer(actor, posed)

    def pose(
        self,
        actor: Actor,
        reference: str,
        grain: PeriodGrain,
        days: tuple[date, date],
        dimensions: Sequence[str] = (),
        version: int | None = None,
        periods: Sequence[Period] = (),
    ) -> Posed:
        """The question, before anything is computed; as `ask`, without its costs and limits."""
        metric = self.registry.readable(actor, reference, version)
        around = self.surroundings()
        asked_periods = list(periods)
        if grain != "custom":
            if grain not in self.checker.grains(metric):
                possible = ", ".join(self.checker.grains(metric))
                raise QuestionError.at("/granularity", "grain_not_allowed", f"It can be asked by {possible}.")
            asked_periods = around.calendar.periods(grain, *days)
        if len(asked_periods) > MOST_PERIODS:
            raise QuestionError.at("", "too_many_points", f"At most {MOST_PERIODS:,} periods at a time.")
        unknown = [name for name in dimensions if name not in metric.definition.dimensions]
        if unknown:
            allowed = ", ".join(metric.definition.dimensions) or "nothing"
            raise QuestionError.at("/dimensions", "dimension_not_allowed", f"It is broken down by {allowed}.")
        return Posed(metric, tuple(self._asked(metric, grain, asked_periods, dimensions, version, around)))

    def _asked(
        self,
        metric: MetricVersion,
        grain: PeriodGrain,
        periods: Sequence[Period],
        dimensions: Sequence[str],
        version: int | None,
        around: Surroundings,
    ) -> list[Asked]:
        if version is not None:
            asked = [Asked(metric, question(metric, grain, periods, around, dimensions))]
        else:
            versions = self.registry.in_force(metric.workspace_id, metric.metric_id)
            groups: list[tuple[MetricVersion, list[Period]]] = []
            for period in periods:
                found = version_in_force(versions, period.first)
                if found is None:
                    continue
                if not groups or groups[-1][0] is not found:
                    groups.append((found, []))
                groups[-1][1].append(period)
            asked = [Asked(found, question(found, grain, mine, around, dimensions)) for found, mine in groups]
        return [entry for entry in asked if entry.question.periods]

    def answer(self, actor: Actor, posed: Posed, calculator: Calculator | None = None) -> Answer:
        """Compute it; as `ask`. calculator: another one than its own, over certain versions of the tables."""
        metric, calculate = posed.metric, calculator or self.calculator
        costed: list[Costed] = []
        try:
            costed = [calculate.cost(entry) for entry in posed.asked]
            cost = highest(entry.cost for entry in costed)
            if cost == "high" and ADMIN not in actor.roles:
                detail = "It would read too much: ask for fewer periods, or let someone with metrics:admin ask."
                raise QuestionError.at("", "cost_too_high", detail)
            answers = [_whole(entry) for entry in calculate.calculate(costed)]
        except (UserError, RunFailedError) as error:
            code = error.faults[0].code if isinstance(error, DefinitionError) else "over_limits"
            self.registry.note(actor, "calculate", metric.metric_id, metric.version, outcome="failed", reason_code=code)
            raise
        rows = sum(entry.rows_scanned for entry in costed)
        self.registry.note(
            actor,
            "calculate",
            metric.metric_id,
            metric.version,
            rows_scanned=rows,
            duration_ms=round(1000 * sum(answer.seconds for answer in answers)),
            cost_class=cost,
            query_hash=query_hash(posed.asked),
        )
        is_public = metric.definition.visibility == "public"
        values = tuple(value for answer in answers for value in _values(answer, suppress=is_public))
        generation = "-".join(answer.generation for answer in answers)
        return Answer(metric, values, generation, cost, rows, any(answer.approximate for answer in answers))


def _whole(answer: Calculated | Failed) -> Calculated:
    if isinstance(answer, Failed):
        raise answer.error
    return answer


def _values(answer: Calculated, *, suppress: bool) -> list[Value]:
    periods, version = answer.asked.question.periods, answer.asked.version.version
    values = []
    for row in answer.rows.to_pylist():
        period, people = periods[row["period"]], row["people"]
        hidden = suppress and people is not None and people < FEWEST_PEOPLE
        values.append(
            Value(
                period.first,
                period.end,
                row["dimensions"],
                None if hidden else row["value"],
                "suppressed" if hidden else row["state"],
                None if hidden else row["numerator"],
                None if hidden else row["denominator"],
                row["is_complete"],
                version,
            )
        )
    return values
