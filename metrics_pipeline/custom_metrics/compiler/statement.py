"""One statement for a metric and a question: leaves, steps, and what is said of each value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from metrics_pipeline.custom_metrics.compiler.conditions import Value
from metrics_pipeline.custom_metrics.compiler.leaf import READS, LeafStatement
from metrics_pipeline.custom_metrics.compiler.plan import Computed, Leaf, Plan, Quotient
from metrics_pipeline.custom_metrics.compiler.question import Question
from metrics_pipeline.custom_metrics.compiler.rows import LeafRows, partition_days
from metrics_pipeline.custom_metrics.datasets import Dataset, Datasets
from metrics_pipeline.custom_metrics.faults import DefinitionError
from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.formula import Formula, parse_formula, require
from metrics_pipeline.custom_metrics.formulas.second_gate import check_statement
from metrics_pipeline.custom_metrics.periods import Period, utc_bounds
from metrics_pipeline.custom_metrics.versions import MetricVersion
from metrics_pipeline.windows import DAY

PERIODS, DAYS = "asked_periods", "asked_days"


@dataclass(frozen=True)
class Statement:
    """What is run: the text, its parameters, the small tables it joins, and which days of which tables it reads.

    reads: by table the UTC days first <= day < end that may matter; None for all of it. period_reads: the same of each
    asked period, without what only says until when things are known.
    """

    text: str
    parameters: Mapping[str, Value]
    periods: pa.Table
    days: pa.Table
    reads: Mapping[str, tuple[date, date] | None]
    period_reads: Sequence[Mapping[str, tuple[date, date] | None]] = ()


def compile_metric(version: MetricVersion, question: Question, datasets: Datasets) -> Statement:
    """The statement that answers a question about a metric.

    Its rows: period (the number of the asked one), dimensions (JSON), value, state, numerator, denominator,
    is_complete, people.

    Raises:
        DefinitionError: the metric does not fit its data sets, or the question does not fit the metric.
    """
    plan = Plan.of(version)
    writer = _Writer(plan, question, datasets)
    text = writer.text()
    check_statement(text, tables=writer.tables)
    days = _days(writer.spans, question.timezone)
    return Statement(text, writer.parameters, _periods(question), days, writer.reads, writer.period_reads)


def _periods(question: Question) -> pa.Table:
    return pa.table({"period": pa.array(range(len(question.periods)), pa.int32())})


def _days(spans: Sequence[tuple[int, int, int, date]], timezone: str) -> pa.Table:
    """With the UTC days utc_first <= day < utc_end that a day of the zone lies in, and the instant it ends at."""
    leaves, periods, points, days = zip(*spans, strict=True) if spans else ((), (), (), ())
    numbers = {"leaf": leaves, "period": periods, "point": points}
    columns = {name: pa.array(values, pa.int32()) for name, values in numbers.items()}
    bounds = {day: utc_bounds(day, timezone) for day in set(days)}
    firsts, utc_ends, ends = zip(*(bounds[day] for day in days), strict=True) if days else ((), (), ())
    return pa.table(
        {
            **columns,
            "day": pa.array(days, pa.date32()),
            "utc_first": pa.array(firsts, pa.date32()),
            "utc_end": pa.array(utc_ends, pa.date32()),
            "ends": pa.array(ends, pa.timestamp("us", "UTC")),
        }
    )


class _Writer:
    def __init__(self, plan: Plan, question: Question, datasets: Datasets) -> None:
        self._plan = plan
        self._question = question
        self._groups = [f"_d{n}" for n in range(len(question.dimensions))]
        self.spans: list[tuple[int, int, int, date]] = []
        self.parameters: dict[str, Value] = {}
        self.reads: dict[str, tuple[date, date] | None] = {}
        self.period_reads: list[dict[str, tuple[date, date] | None]] = [{} for _ in question.periods]
        self._leaves = [self._leaf(number, leaf, datasets) for number, leaf in plan.leaves]

    @property
    def tables(self) -> frozenset[str]:
        """Every table the statement may name."""
        return frozenset({PERIODS, DAYS, READS, *self.reads})

    def text(self) -> str:
        expressions = [expression for leaf in self._leaves for expression in leaf.expressions()]
        for leaf in self._leaves:
            self.parameters |= leaf.rows.parameters
        expressions += [("frame", self._frame()), ("leaves", self._joined())]
        source = "leaves"
        for number, step in enumerate(self._plan.steps):
            if not isinstance(step, Leaf):
                name = f"step_{number}"
                expressions.append((name, self._step(number, step, source)))
                source = name
        common = ",\n".join(f"{name} as ({statement})" for name, statement in expressions)
        return f"with {common}\n{self._answer(source)}"

    def _leaf(self, number: int, leaf: Leaf, datasets: Datasets) -> LeafStatement:
        dataset = datasets.get(leaf.metric.dataset)
        if dataset is None:
            raise DefinitionError.at("/dataset", "dataset_unknown", "There is no such data set.")
        if self._question.grain == "custom" and dataset.finest != "day":
            detail = f"Rows of {dataset.name} are of a whole {dataset.finest}: other days would cut them."
            raise DefinitionError.at("/granularity", "grain_not_allowed", detail)
        for dimension in self._question.dimensions:
            if dimension not in dataset.fields:
                raise DefinitionError.at(
                    "/dimensions", "dimension_not_allowed", f"{dataset.name} has no field to break it down by."
                )
        _see_that_fields_are_there(leaf, dataset)
        rows = list(leaf.leg.spans(self._question))
        self.spans += [(number, period, point, day) for period, point, day in rows]
        days = Period(min(row[2] for row in rows), max(row[2] for row in rows) + DAY) if rows else None
        if dataset.is_application:
            self.reads[READS] = None
        _note_reads(self.reads, leaf, dataset, days, self._question)
        of_period: dict[int, list[date]] = {}
        for period, _, day in rows:
            of_period.setdefault(period, []).append(day)
        for period, mine in of_period.items():
            _note_reads(self.period_reads[period], leaf, dataset, Period(min(mine), max(mine) + DAY), self._question)
        return LeafStatement(LeafRows(number, leaf, dataset, self._question, days))

    def _frame(self) -> str:
        """The cells of the answer: every period once, or what rows there are of a breakdown."""
        if not self._groups:
            return f"select period from {PERIODS}"
        keys = ", ".join(["period", *self._groups])
        return " union ".join(f"select {keys} from leaf_{leaf.number}" for leaf in self._leaves)

    def _joined(self) -> str:
        """Every cell with the value of each leaf; filled where no rows are known to be the whole truth."""
        columns = ["f.period as _period", *(f"f.{group}" for group in self._groups)]
        joins = []
        finals, people = [], []
        for leaf in self._leaves:
            n = leaf.number
            value = f"l{n}._value"
            if leaf.rows.leaf.metric.fill_nulls_with is not None:
                value = f"coalesce({value}, case when k{n}.is_begun then 0.0 end)"
            columns.append(f"{value} as _s{n}")
            finals.append(f"coalesce(l{n}._final, true) and coalesce(k{n}.is_over, false)")
            people.append(f"l{n}._people")
            same = [f"f.period = l{n}.period", *(f"f.{g} is not distinct from l{n}.{g}" for g in self._groups)]
            joins.append(f"left join leaf_{n} l{n} on {' and '.join(same)}")
            joins.append(f"left join known_{n} k{n} on f.period = k{n}.period")
        columns.append(f"{' and '.join(finals)} as _final")
        columns.append(f"least({', '.join(people)}) as _people" if len(people) > 1 else f"{people[0]} as _people")
        return f"select {', '.join(columns)} from frame f {' '.join(joins)}"

    def _step(self, number: int, step: Quotient | Computed, source: str) -> str:
        kept = ", ".join(self._kept(number, "t."))
        if isinstance(step, Quotient):
            value = f"t._s{step.numerator} / nullif(t._s{step.denominator}, 0)"
            return f"select {kept}, {value} as _s{number} from {source} t"
        formula = derived_formula(step.metric.expr, [name for name, _ in step.inputs])
        named = ", ".join(f'_s{at} as "{name}"' for name, at in step.inputs)
        value = f"cast({formula.sql} as double)"
        return f"select {kept}, {value} as _s{number} from (select *, {named} from {source}) t"

    def _kept(self, number: int, prefix: str = "") -> Iterator[str]:
        """The columns that a step hands on; what a formula calls its inputs is not among them."""
        leaves = [leaf.number for leaf in self._leaves if leaf.number > number]
        names = ["_period", *self._groups, "_final", "_people", *(f"_s{n}" for n in sorted({*range(number), *leaves}))]
        return (f"{prefix}{name}" for name in names)

    def _answer(self, source: str) -> str:
        last = len(self._plan.steps) - 1
        root = self._plan.steps[last]
        missing = " or ".join(f"_s{leaf.number} is null" for leaf in self._leaves)
        above, under = (
            (f"_s{root.numerator}", f"_s{root.denominator}") if isinstance(root, Quotient) else ("null", "null")
        )
        by_zero = f"when {under} = 0 then 'zero_denominator' " if isinstance(root, Quotient) else ""
        state = (
            f"case when _v is not null then case when _v = 0 then 'zero' else 'value' end "
            f"{by_zero}when {missing} then 'no_data' else 'undefined' end"
        )
        pairs = ", ".join(f"'{name}', _d{n}" for n, name in enumerate(self._question.dimensions))
        dimensions = f"cast(json_object({pairs}) as varchar)" if pairs else "'{}'"
        return (
            f"select _period as period, {dimensions} as dimensions, _v as value, {state} as state, "
            f"cast({above} as double) as numerator, cast({under} as double) as denominator, "
            "_final as is_complete, _people as people "
            f"from (select *, case when isfinite(_s{last}) then _s{last} end as _v from {source}) "
            "order by period, dimensions"
        )


def _see_that_fields_are_there(leaf: Leaf, dataset: Dataset) -> None:
    """A data set may have lost fields since the metric was defined; those of formulas and filters tell by themselves.

    Raises:
        DefinitionError: the time, or a grouping of a balance, is gone.
    """
    metric = leaf.metric
    if not dataset.times or (metric.agg_time_dimension or dataset.times[0]) not in dataset.times:
        raise DefinitionError.at("/agg_time_dimension", "time_unknown", f"{dataset.name} has no such time.")
    balance = metric.non_additive_dimension
    for number, name in enumerate(balance.window_groupings if balance else ()):
        if name not in dataset.fields:
            pointer = f"/non_additive_dimension/window_groupings/{number}"
            raise DefinitionError.at(pointer, "dimension_not_allowed", f"{dataset.name} has no such field.")


def _note_reads(
    reads: dict[str, tuple[date, date] | None], leaf: Leaf, dataset: Dataset, days: Period | None, question: Question
) -> None:
    """Add what a leaf reads for these days."""
    at = leaf.metric.agg_time_dimension or dataset.times[0]
    table = dataset.table
    if at != dataset.partition_time or dataset.spec.day_column is None:
        reads[table] = None
    elif days is not None:
        first, end = partition_days(days, question.timezone)
        known = reads.get(table, (first, end))
        reads[table] = None if known is None else (min(first, known[0]), max(end, known[1]))
    else:
        reads.setdefault(table, (date.min, date.min))


def derived_formula(text: str, inputs: list[str]) -> Formula:
    """The formula of a derived metric: a number over its inputs.

    Raises:
        DefinitionError: it is none.
    """
    try:
        formula = parse_formula(text, dict.fromkeys(inputs, "number"))
        require(formula, "number", "integer")
    except FormulaError as error:
        raise DefinitionError.at("/expr", error.code, error.detail) from None
    return formula
