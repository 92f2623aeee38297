"""How values of rows become one: in two stages where the aggregate allows it, by day and then by period.

A sum of numbers is compensated and in a fixed order, so that it has the same bits whoever computes it; a sum of whole
numbers is exact. Averages travel as sum and count; distinct values as themselves; a percentile needs every value.
"""

from __future__ import annotations

from dataclasses import dataclass

from metrics_pipeline.custom_metrics.formulas.formula import Datatype
from metrics_pipeline.custom_metrics.model import Simple


@dataclass(frozen=True, slots=True)
class Stages:
    """daily: the columns that a day keeps, None where it keeps its rows. keeps_values: of a day each value once.

    whole: the value of a period, over what its days kept.
    """

    daily: str | None
    keeps_values: bool
    whole: str


def stages(metric: Simple, datatype: Datatype) -> Stages:
    """The two stages of a metric whose formula has this datatype (its rows have it as _value)."""
    match metric.agg:
        case "count":
            return Stages("count(_value) as _n", False, "cast(sum(_n) as double)")
        case "sum_boolean":
            return Stages("count(*) filter (where _value) as _n", False, "cast(sum(_n) as double)")
        case "sum":
            return Stages(f"{_sum('_value', datatype)} as _s", False, _total(datatype))
        case "average":
            total = _total(datatype)
            daily = f"{_sum('_value', datatype)} as _s, count(_value) as _n"
            return Stages(daily, False, f"{total} / nullif(cast(sum(_n) as double), 0)")
        case "min":
            return Stages("min(_value) as _s", False, "cast(min(_s) as double)")
        case "max":
            return Stages("max(_value) as _s", False, "cast(max(_s) as double)")
        case "count_distinct":
            function = "approx_count_distinct(_value)" if metric.approximate else "count(distinct _value)"
            return Stages(None, True, f"nullif(cast({function} as double), 0)")
        case "median":
            return Stages(None, False, "quantile_cont(cast(_value as double), 0.5)")
        case "percentile":
            function = "quantile_cont" if metric.percentile_type == "continuous" else "quantile_disc"
            assert metric.percentile is not None  # noqa: S101 - for the type checker: the format asks for it
            return Stages(None, False, f"{function}(cast(_value as double), {metric.percentile!r})")


def _total(datatype: Datatype) -> str:
    total = f"cast({_sum('_s', datatype)} as double)"
    return total if datatype == "integer" else f"significant({total})"


def _sum(column: str, datatype: Datatype) -> str:
    return f"sum({column})" if datatype == "integer" else f"fsum({column} order by {column})"
