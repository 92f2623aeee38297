"""Whether a definition makes sense with the data there is: asked before anything is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from metrics_pipeline.custom_metrics.compiler.legs import Leg
from metrics_pipeline.custom_metrics.compiler.plan import Leaf, Plan
from metrics_pipeline.custom_metrics.compiler.question import Question
from metrics_pipeline.custom_metrics.compiler.rows import LeafRows
from metrics_pipeline.custom_metrics.compiler.statement import compile_metric, derived_formula
from metrics_pipeline.custom_metrics.datasets import DataField, Dataset, Datasets
from metrics_pipeline.custom_metrics.faults import DefinitionError, Fault
from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.formula import parse_formula, require
from metrics_pipeline.custom_metrics.model import Derived, Simple, inputs_of
from metrics_pipeline.custom_metrics.periods import MONDAYS
from metrics_pipeline.custom_metrics.spans import GRAINS, Grain
from metrics_pipeline.custom_metrics.versions import MetricVersion

# Any day of a leap year: what fits here fits everywhere.
_SOME_DAY = date(2024, 2, 29)
_BROKEN_DOWN_BY = ("string", "boolean", "integer", "date")


class Checker:
    """Finds what the format alone cannot show: fields, types, grains, and numbers that must not be added."""

    def __init__(self, datasets: Datasets) -> None:
        self._datasets = datasets

    def check(self, version: MetricVersion) -> None:
        """Raises DefinitionError with every fault that can be told apart."""
        plan = Plan.of(version)
        faults = [fault for _, leaf in plan.leaves for fault in self._leaf_faults(leaf, version)]
        if not isinstance(version.definition, Simple):
            # a condition of an input stands at the input
            faults = [fault for fault in faults if fault.pointer != "/filter"]
            faults += self._input_faults(version)
        faults += _zone_faults(version)
        if not faults:
            faults += self._grain_faults(version, plan)
        if faults:
            raise DefinitionError(list(dict.fromkeys(faults)))
        self._compile(version)

    def grains(self, version: MetricVersion) -> list[Grain]:
        """What the metric can be asked by: not finer than its rows, and no offset that has no counterpart."""
        plan = Plan.of(version)
        listed = [set(entry.definition.time_grains) for entry in version.walk() if entry.definition.time_grains]
        return [
            grain
            for grain in GRAINS
            if all(grain in grains for grains in listed)
            and all(self._is_possible(grain, leaf) for _, leaf in plan.leaves)
        ]

    def _is_possible(self, grain: Grain, leaf: Leaf) -> bool:
        dataset = self._datasets.get(leaf.metric.dataset)
        finest = "day" if dataset is None else dataset.finest  # one that is gone is told when values are computed
        rows_fit = grain == finest or (GRAINS.index(grain) > GRAINS.index(finest) and not _splits(finest, grain))
        return (rows_fit or leaf.leg.cumulative is not None) and _offsets_fit(leaf.leg, grain)

    def _leaf_faults(self, leaf: Leaf, version: MetricVersion) -> Iterator[Fault]:
        metric = leaf.metric
        dataset = self._datasets.get(metric.dataset)
        if dataset is None:
            known = ", ".join(self._datasets.names)
            yield Fault("/dataset", "dataset_unknown", f"There is no such data set; there are {known}.")
            return
        at = metric.agg_time_dimension or next(iter(dataset.times), None)
        if at not in dataset.times:
            detail = f"{dataset.name} has these times: {', '.join(dataset.times) or 'none'}."
            yield Fault("/agg_time_dimension", "time_unknown", detail)
            return
        if dataset.datatypes[at] == "date" and version.definition.timezone != "UTC":
            detail = f"{at} of {dataset.name} is a day in UTC: it cannot be cut in another zone."
            yield Fault("/timezone", "timezone_not_possible", detail)
        yield from _dimension_faults(version, dataset)
        yield from _balance_faults(leaf, dataset, at)
        yield from _additivity_faults(leaf, dataset)
        yield from LeafRows(0, leaf, dataset, _question(version, "day", ()), None).faults()

    def _input_faults(self, version: MetricVersion) -> Iterator[Fault]:
        for pointer, entry in inputs_of(version.definition):
            for _, leaf in Plan.of(version.inputs[entry.name]).leaves:
                dataset = self._datasets.get(leaf.metric.dataset)
                if entry.filter is None or dataset is None:
                    continue
                try:
                    require(parse_formula(entry.filter, dataset.datatypes), "boolean")
                except FormulaError as error:
                    yield Fault(f"{pointer}/filter", error.code, error.detail)

    def _grain_faults(self, version: MetricVersion, plan: Plan) -> Iterator[Fault]:
        wanted = version.definition.time_grains or GRAINS
        possible = self.grains(version)
        refused = [grain for grain in version.definition.time_grains if grain not in possible]
        offsets = [leaf.leg for _, leaf in plan.leaves if not all(_offsets_fit(leaf.leg, grain) for grain in wanted)]
        if refused and offsets:
            detail = (
                f"An offset has no counterpart by {', '.join(refused)}: days move by days or weeks, weeks by weeks, "
                "months by months. 4 weeks keep the weekday; 364 days are a year of weeks."
            )
            yield Fault("/time_grains", "offset_invalid", detail)
        elif refused or not possible:
            detail = f"It can be asked by {', '.join(possible) or 'nothing'}."
            yield Fault("/time_grains", "grain_not_allowed", detail)

    def _compile(self, version: MetricVersion) -> None:
        definition = version.definition
        for grain in self.grains(version):
            for dimensions in ((), definition.dimensions):
                compile_metric(version, _question(version, grain, dimensions), self._datasets)
        if isinstance(definition, Derived):
            derived_formula(definition.expr, [entry.called for entry in definition.input_metrics])


def _question(version: MetricVersion, grain: Grain, dimensions: Sequence[str]) -> Question:
    """A question about one period, as good as any."""
    period = MONDAYS.period(grain, _SOME_DAY)
    zone = version.definition.timezone
    return Question("checked", grain, (period,), period.end, period.first, zone, tuple(dimensions))


def _splits(finest: Grain, grain: Grain) -> bool:
    """Whether rows of weeks would be cut by months: a week belongs to the month of its first day, which is allowed."""
    return finest == "month" and grain == "week"


def _offsets_fit(leg: Leg, grain: Grain) -> bool:
    for entry in leg.offsets:
        if entry.offset is not None and not entry.offset.fits(grain):
            return False
        to = entry.offset_to_grain
        if to is not None and (GRAINS.index(to) < GRAINS.index(grain) or (grain == "week" and to != "week")):
            return False
    return True


def _zone_faults(version: MetricVersion) -> Iterator[Fault]:
    zones = {entry.definition.timezone for entry in version.walk()}
    if len(zones) > 1:
        yield Fault("/timezone", "timezone_differs", "Its inputs are of days of another zone; give all of them one.")


def _dimension_faults(version: MetricVersion, dataset: Dataset) -> Iterator[Fault]:
    is_public = version.definition.visibility == "public"
    for number, name in enumerate(version.definition.dimensions):
        field = dataset.fields.get(name)
        pointer = f"/dimensions/{number}"
        if field is None or field.additivity is not None or field.datatype not in _BROKEN_DOWN_BY:
            detail = f"{dataset.name} has no field of this name to break it down by."
            yield Fault(pointer, "dimension_not_allowed", detail)
        elif is_public and field.is_personal:
            yield Fault(pointer, "dimension_not_allowed", "A public metric is not broken down by persons or devices.")


def _balance_faults(leaf: Leaf, dataset: Dataset, at: str) -> Iterator[Fault]:
    balance = leaf.metric.non_additive_dimension
    if balance is None:
        return
    if balance.name != at:
        detail = f"The rows of {dataset.name} are placed by {at}: name that."
        yield Fault("/non_additive_dimension/name", "time_unknown", detail)
    for number, name in enumerate(balance.window_groupings):
        field = dataset.fields.get(name)
        if field is None or field.additivity is not None:
            pointer = f"/non_additive_dimension/window_groupings/{number}"
            yield Fault(pointer, "dimension_not_allowed", f"{dataset.name} has no such field.")


def _additivity_faults(leaf: Leaf, dataset: Dataset) -> Iterator[Fault]:
    """Sums of what has no sum: distinct people, ratios, levels over time."""
    metric = leaf.metric
    if metric.expr is None or metric.agg not in ("sum", "average"):
        return
    try:
        columns = parse_formula(metric.expr, dataset.datatypes).columns
    except FormulaError:
        return  # told with its own code
    for field in sorted((dataset.fields[name] for name in columns), key=lambda field: field.name):
        reason = _not_added(field, metric.agg == "sum", metric.non_additive_dimension is not None)
        if reason is not None:
            yield Fault("/expr", "metric_not_reaggregable", reason)


def _not_added(field: DataField, is_sum: bool, is_balance: bool) -> str | None:
    match field.additivity:
        case "unique" if is_sum:
            return f"{field.name} counts distinct people: days and accounts share them, so they have no sum."
        case "ratio":
            return f"{field.name} is a ratio: use a metric of type ratio over its parts, not a sum or mean of ratios."
        case "maximum" | "minimum" if is_sum:
            return f"{field.name} is an extreme value: it has no sum."
        case "last_value" if is_sum and not is_balance:
            return (
                f"{field.name} is a level: added up over days it would count everybody once a day. "
                "Add non_additive_dimension to take the last day of each period."
            )
    return None
