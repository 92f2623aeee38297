"""The statement of one simple metric: rows, values by day, values by period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from metrics_pipeline.custom_metrics.compiler.aggregates import stages
from metrics_pipeline.custom_metrics.compiler.conditions import Value, condition
from metrics_pipeline.custom_metrics.compiler.plan import Leaf
from metrics_pipeline.custom_metrics.compiler.question import Question
from metrics_pipeline.custom_metrics.datasets import Dataset
from metrics_pipeline.custom_metrics.faults import DefinitionError
from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.formula import Datatype, Formula, parse_formula, require
from metrics_pipeline.custom_metrics.periods import Period
from metrics_pipeline.windows import DAY

READS = "application_reads"


@dataclass
class LeafStatement:
    """Common table expressions of one leaf; the last two are `leaf_N` and `known_N`.

    leaf_N: period, the breakdown's columns, _value, _final (null where rows do not say), _people. known_N: period,
    is_over, is_begun. days: the days of rows it reads; None where it reads none.
    """

    number: int
    leaf: Leaf
    dataset: Dataset
    question: Question
    days: Period | None
    parameters: dict[str, Value] = field(default_factory=dict)

    def expressions(self) -> list[tuple[str, str]]:
        """Name and statement of each."""
        return [*self._leaf(), (f"known_{self.number}", self._known())]

    # The formula's own parts ------------------------------------------------------------------------------------

    @property
    def _metric_time(self) -> str:
        return self.leaf.metric.agg_time_dimension or self.dataset.times[0]

    def _formula(self, text: str, pointer: str) -> Formula:
        try:
            return parse_formula(text, self.dataset.datatypes)
        except FormulaError as error:
            raise DefinitionError.at(pointer, error.code, error.detail) from None

    def _value(self) -> Formula | None:
        metric = self.leaf.metric
        if metric.expr is None:
            return None
        formula = self._formula(metric.expr, "/expr")
        if metric.agg == "sum_boolean":
            _required(formula, "/expr", "boolean")
        elif metric.agg not in ("count", "count_distinct"):
            _required(formula, "/expr", "integer", "number")
        return formula

    def _conditions(self) -> list[Formula]:
        metric = self.leaf.metric
        texts = [("/filter", text) for text in (*self.leaf.conditions, metric.filter) if text is not None]
        formulas = [self._formula(text, pointer) for pointer, text in texts]
        for formula in formulas:
            _required(formula, "/filter", "boolean")
        return formulas

    # Statements -------------------------------------------------------------------------------------------------

    def _leaf(self) -> Iterable[tuple[str, str]]:
        number, metric = self.number, self.leaf.metric
        value, conditions = self._value(), self._conditions()
        ways = stages(metric, "integer" if value is None else value.datatype)
        groups = [f"_d{n}" for n in range(len(self.question.dimensions))]
        yield f"rows_{number}", self._rows(value, conditions)
        joined = f"asked_days s on s.leaf = {number} and s.day = p._day"
        keys = ", ".join(["period", "point", *groups])
        final = ", bool_and(_final) as _final"
        source = f"rows_{number}"
        if metric.non_additive_dimension is not None:
            balance = metric.non_additive_dimension
            cells = ["period", "point", *groups, *self._groupings()]
            same = " and ".join(f"j.{cell} is not distinct from e.{cell}" for cell in [*cells, "_at"])
            dated = f"select s.period, s.point, p.* from {source} p join {joined} where p._value is not null"
            extreme = f"select {', '.join(cells)}, {balance.window_choice}(_at) as _at from dated_{number} group by all"
            yield f"dated_{number}", dated
            yield f"extremes_{number}", extreme
            yield f"picked_{number}", f"select j.* from dated_{number} j join extremes_{number} e on {same}"
            daily = f"select {keys}, {ways.daily}, bool_and(_final) as _final from picked_{number} group by all"
            selected = f"({daily if ways.daily else f'select * from picked_{number}'})"
        else:
            if ways.daily is not None:
                days = ", ".join(["_day", *groups])
                yield f"days_{number}", f"select {days}, {ways.daily}{final} from {source} group by all"
                source = f"days_{number}"
            elif ways.keeps_values:
                days = ", ".join(["_day", *groups, "_value"])
                yield (
                    f"days_{number}",
                    f"select {days}{final} from {source} where _value is not null group by all",
                )
                source = f"days_{number}"
            selected = f"(select s.period, s.point, p.* from {source} p join {joined})"
        whole = f"select {keys}, {ways.whole} as _value{final} from {selected} group by all"
        people = self._people(joined, keys)
        if people is not None:
            yield f"people_{number}", people
        yield f"points_{number}", whole
        yield f"leaf_{number}", self._periods(groups, with_people=people is not None)

    def _periods(self, groups: list[str], *, with_people: bool) -> str:
        """One row a period: the mean over points where that is asked for, else the one point there is."""
        number = self.number
        keys = ", ".join(["period", *groups])
        value = (
            "fsum(_value order by _value) / nullif(count(_value), 0)" if self.leaf.leg.is_averaged else "max(_value)"
        )
        points = f"select {keys}, {value} as _value, bool_and(_final) as _final from points_{number} group by all"
        if not with_people:
            return f"select *, cast(null as bigint) as _people from ({points})"
        same = " and ".join(["l.period = u.period", *(f"l.{g} is not distinct from u.{g}" for g in groups)])
        people = f"select {keys}, min(_people) as _people from people_{number} group by all"
        return f"select l.*, u._people from ({points}) l left join ({people}) u on {same}"

    def _people(self, joined: str, keys: str) -> str | None:
        """Distinct people behind each cell of a breakdown, where the data set knows people."""
        if self.dataset.people is None or not self.question.dimensions:
            return None
        groups = ", ".join(["_day", *(f"_d{n}" for n in range(len(self.question.dimensions))), "_person"])
        once = f"select distinct {groups} from rows_{self.number} where _person is not null"
        return (
            f"select {keys}, count(distinct _person) as _people "
            f"from (select s.period, s.point, p.* from ({once}) p join {joined}) group by all"
        )

    def _groupings(self) -> list[str]:
        balance = self.leaf.metric.non_additive_dimension
        return [] if balance is None else [f"_g{n}" for n in range(len(balance.window_groupings))]

    def _rows(self, value: Formula | None, conditions: list[Formula]) -> str:
        """Every row that counts, with its day, its place in the breakdown, and its value."""
        dataset, metric = self.dataset, self.leaf.metric
        balance = metric.non_additive_dimension
        named = {column for formula in (*conditions, *([value] if value else [])) for column in formula.columns}
        named |= {entry.field for entry in metric.filters} | set(self.question.dimensions)
        named |= set(balance.window_groupings) if balance else set()
        usual = [entry.condition for entry in dataset.usual if not named & set(entry.fields)]
        fields = named | {self._metric_time}
        columns = [f"{self._day()} as _day", f"{'1' if value is None else value.sql} as _value"]
        columns += [f't."{name}" as _d{n}' for n, name in enumerate(self.question.dimensions)]
        columns += [f't."{name}" as _g{n}' for n, name in enumerate(balance.window_groupings if balance else [])]
        columns += [f't."{self._metric_time}" as _at'] if balance else []
        columns += ["t._final"] + (["t._person"] if dataset.people else [])
        where = [f"({entry})" for entry in usual] + [f"({formula.sql})" for formula in conditions]
        where += [condition(entry, dataset, self._bind, f"/filters/{n}") for n, entry in enumerate(metric.filters)]
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
        if day is None or self.days is None or self._metric_time != dataset.partition_time:
            return tenant
        first, end = partition_days(self.days, self.question.timezone)
        return f'{tenant} and "{day}" >= {self._bind(first)} and "{day}" < {self._bind(end)}'

    def _day(self) -> str:
        """The day of a row in the question's zone."""
        name = f't."{self._metric_time}"'
        if self.dataset.datatypes[self._metric_time] == "date":
            return name
        if self.question.timezone == "UTC":
            return f"cast({name} as date)"
        self.parameters["zone"] = self.question.timezone
        return f"cast(timezone($zone, {name}) as date)"

    def _within(self) -> list[str]:
        if self.days is None:
            return ["false"]
        name = f't."{self._metric_time}"'
        if self.dataset.datatypes[self._metric_time] == "date":
            return [f"{name} >= {self._bind(self.days.first)}", f"{name} < {self._bind(self.days.end)}"]
        zone = ZoneInfo(self.question.timezone)
        first, end = (datetime.combine(day, time.min, zone) for day in (self.days.first, self.days.end))
        return [f"{name} >= {self._bind(first)}", f"{name} < {self._bind(end)}"]

    def _known(self) -> str:
        """Of each period whether all of its days are over and known, and whether any of them is."""
        asked = f"asked_days s where s.leaf = {self.number}"
        self.parameters["today"] = self.question.today
        if not self.dataset.is_application:
            self.parameters["known_from"] = self.question.known_from
            over, begun = "s.day < $today and s.day >= $known_from", "s.day <= $today and s.day >= $known_from"
        elif self.dataset.spec.day_column is None:  # read whole, whatever day its rows are of
            over, begun = "s.day < $today", "s.day <= $today"
        else:
            # an application's day is known from when it was read: after its end whole, before it in part
            table = self._bind(self.dataset.name)
            reads = f'select "date" as _read, last_read_at from {READS} where table_name = {table}'
            asked = f"asked_days s left join ({reads}) r on r._read = s.day where s.leaf = {self.number}"
            over, begun = "coalesce(cast(r.last_read_at as date) > s.day, false)", "r._read is not null"
        known = f"bool_and({over}) as is_over, bool_or({begun}) as is_begun"
        return f"select s.period, {known} from {asked} group by all"

    def _bind(self, value: Value) -> str:
        name = f"p{self.number}_{len(self.parameters)}"
        self.parameters[name] = value
        return f"${name}"


def partition_days(days: Period, timezone: str) -> tuple[date, date]:
    """The UTC days that may hold rows of these days of a zone."""
    beside = timedelta(0) if timezone == "UTC" else DAY
    return days.first - beside, days.end + beside


def _required(formula: Formula, pointer: str, *datatypes: Datatype) -> None:
    try:
        require(formula, *datatypes)
    except FormulaError as error:
        raise DefinitionError.at(pointer, error.code, error.detail) from None
