"""The rows of one simple metric: which count, on which day, in which part of a breakdown, with which value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property, partial
from zoneinfo import ZoneInfo

from metrics_pipeline.custom_metrics.compiler.conditions import Value, condition
from metrics_pipeline.custom_metrics.compiler.plan import Leaf
from metrics_pipeline.custom_metrics.compiler.question import Question
from metrics_pipeline.custom_metrics.datasets import Dataset
from metrics_pipeline.custom_metrics.faults import DefinitionError, Fault
from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.formula import Datatype, Formula, parse_formula, require
from metrics_pipeline.custom_metrics.periods import Period
from metrics_pipeline.windows import DAY

_RULES_DIFFER = timedelta(hours=3)


@dataclass
class LeafRows:
    """Columns: _day, _value, _final (null where rows do not say whether they are), _d0, ... of the breakdown, _g0, ...
    and _at of a balance, _person where the data set knows people.

    days: the days that matter; None where none does. parameters: filled while statements are written.
    """

    number: int
    leaf: Leaf
    dataset: Dataset
    question: Question
    days: Period | None
    parameters: dict[str, Value] = field(default_factory=dict)

    def bind(self, value: Value) -> str:
        """The name of a parameter with this value."""
        name = f"p{self.number}_{len(self.parameters)}"
        self.parameters[name] = value
        return f"${name}"

    @property
    def time(self) -> str:
        """The field that places a row in a period."""
        return self.leaf.metric.agg_time_dimension or self.dataset.times[0]

    @property
    def groups(self) -> list[str]:
        """The columns of the breakdown."""
        return [f"_d{n}" for n in range(len(self.question.dimensions))]

    @property
    def groupings(self) -> list[str]:
        """The columns of what each has its own latest row, of a balance."""
        balance = self.leaf.metric.non_additive_dimension
        return [] if balance is None else [f"_g{n}" for n in range(len(balance.window_groupings))]

    @cached_property
    def value(self) -> Formula | None:
        """What is aggregated; None where rows are counted.

        Raises:
            DefinitionError: the formula does not fit.
        """
        metric = self.leaf.metric
        if metric.expr is None:
            return None
        formula = self._formula(metric.expr, "/expr")
        if metric.agg == "sum_boolean":
            _required(formula, "/expr", "boolean")
        elif metric.agg not in ("count", "count_distinct"):
            _required(formula, "/expr", "integer", "number")
        return formula

    @property
    def datatype(self) -> Datatype:
        """Of the value of a row."""
        return "integer" if self.value is None else self.value.datatype

    @cached_property
    def _conditions(self) -> list[Formula]:
        metric = self.leaf.metric
        texts = [text for text in (*self.leaf.conditions, metric.filter) if text is not None]
        formulas = [self._formula(text, "/filter") for text in texts]
        for formula in formulas:
            _required(formula, "/filter", "boolean")
        return formulas

    def _formula(self, text: str, pointer: str) -> Formula:
        try:
            return parse_formula(text, self.dataset.datatypes)
        except FormulaError as error:
            raise DefinitionError.at(pointer, error.code, error.detail) from None

    def faults(self) -> list[Fault]:
        """Everything that is wrong with the formulas and filters, each for itself."""
        attempts: list[Callable[[], object]] = [lambda: self.value, lambda: self._conditions]
        for number, entry in enumerate(self.leaf.metric.filters):
            attempts.append(partial(condition, entry, self.dataset, self.bind, f"/filters/{number}"))
        found: list[Fault] = []
        for attempt in attempts:
            try:
                attempt()
            except DefinitionError as error:
                found += error.faults
        return found

    def statement(self) -> str:
        """Every row that counts."""
        value, conditions = self.value, self._conditions
        dataset, metric = self.dataset, self.leaf.metric
        balance = metric.non_additive_dimension
        named = {column for formula in (*conditions, *([value] if value else [])) for column in formula.columns}
        named |= {entry.field for entry in metric.filters}
        named |= set(balance.window_groupings) if balance else set()
        # what it is broken down by is not spoken of: the parts are those of the total, whichever rows that has
        usual = [entry.condition for entry in dataset.usual if not named & set(entry.fields)]
        fields = named | {self.time, *self.question.dimensions}
        columns = [f"{self._day()} as _day", f"{'1' if value is None else value.sql} as _value"]
        columns += [f't."{name}" as _d{n}' for n, name in enumerate(self.question.dimensions)]
        columns += [f't."{name}" as _g{n}' for n, name in enumerate(balance.window_groupings if balance else [])]
        columns += [f't."{self.time}" as _at'] if balance else []
        columns += ["t._final"] + (["t._person"] if dataset.people else [])
        where = [f"({entry})" for entry in usual] + [f"({formula.sql})" for formula in conditions]
        where += [condition(entry, dataset, self.bind, f"/filters/{n}") for n, entry in enumerate(metric.filters)]
        where += self._within()
        extra = {column for entry in dataset.usual for column in entry.fields if column in dataset.fields}
        scan = self._pivoted(fields | extra) if dataset.is_pivoted else self._plain(fields | extra)
        return f"select {', '.join(columns)} from ({scan}) t where {' and '.join(where) or 'true'}"

    def _plain(self, fields: set[str]) -> str:
        dataset = self.dataset
        columns = [f'"{dataset.fields[name].column}" as "{name}"' for name in sorted(fields)]
        columns.append(
            f'"{dataset.completeness}" as _final' if dataset.completeness else "cast(null as boolean) as _final"
        )
        columns += [f'"{dataset.people}" as _person'] if dataset.people else []
        return f'select {", ".join(columns)} from "{dataset.table}" where {self._partitions()}'

    def _pivoted(self, fields: set[str]) -> str:
        """One row for each entity and day, from one for each metric of it."""
        dataset = self.dataset
        metrics = sorted(name for name in fields if dataset.fields[name].additivity is not None)
        keys = sorted(name for name, entry in dataset.fields.items() if entry.additivity is None)
        columns = [f'"{name}"' for name in keys]
        columns += [f"max(value) filter (where metric = '{name}') as \"{name}\"" for name in metrics]
        wanted = ", ".join(f"'{name}'" for name in metrics)
        only = f" and metric in ({wanted})" if metrics else ""
        return (
            f'select {", ".join(columns)}, bool_and(is_complete) as _final from "{dataset.table}" '
            f"where {self._partitions()}{only} group by all"
        )

    def _partitions(self) -> str:
        """The tenant, and no day that cannot matter."""
        dataset, question = self.dataset, self.question
        self.parameters["workspace"] = question.workspace_id
        tenant = "workspace_id = $workspace"
        if question.reads_unowned and dataset.is_application:
            tenant = "(workspace_id = $workspace or workspace_id is null)"
        day = dataset.spec.day_column
        if day is None or self.days is None or self.time != dataset.partition_time:
            return tenant
        first, end = partition_days(self.days, self.question.timezone)
        return f'{tenant} and "{day}" >= {self.bind(first)} and "{day}" < {self.bind(end)}'

    def _day(self) -> str:
        """The day of a row in the question's zone."""
        name = f't."{self.time}"'
        if self.dataset.datatypes[self.time] == "date":
            return name
        if self.question.timezone == "UTC":
            return f"cast({name} as date)"
        self.parameters["zone"] = self.question.timezone
        return f"cast(timezone($zone, {name}) as date)"

    def _within(self) -> list[str]:
        if self.days is None:
            return ["false"]
        name = f't."{self.time}"'
        if self.dataset.datatypes[self.time] == "date":
            return [f"{name} >= {self.bind(self.days.first)}", f"{name} < {self.bind(self.days.end)}"]
        zone = ZoneInfo(self.question.timezone)
        first, end = (datetime.combine(day, time.min, zone) for day in (self.days.first, self.days.end))
        if self.question.timezone == "UTC":
            return [f"{name} >= {self.bind(first)}", f"{name} < {self.bind(end)}"]
        # the engine says which day a row is of; where its rules of a zone are older or newer than Python's, what
        # Python takes for midnight is an hour off
        return [
            f"{name} >= {self.bind(first - _RULES_DIFFER)}",
            f"{name} < {self.bind(end + _RULES_DIFFER)}",
            f"{self._day()} >= {self.bind(self.days.first)}",
            f"{self._day()} < {self.bind(self.days.end)}",
        ]


def partition_days(days: Period, timezone: str) -> tuple[date, date]:
    """The UTC days that may hold rows of these days of a zone."""
    beside = timedelta(0) if timezone == "UTC" else DAY
    return days.first - beside, days.end + beside


def _required(formula: Formula, pointer: str, *datatypes: Datatype) -> None:
    try:
        require(formula, *datatypes)
    except FormulaError as error:
        raise DefinitionError.at(pointer, error.code, error.detail) from None
