"""Hypothesis strategies: definitions of every type over every data set, and questions about them."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import strategies as st

from metrics_pipeline_tests.custom_metrics.expressions import COMPUTED, DIMENSIONS, NUMBERS, THINGS, TRUTHS
from metrics_pipeline_tests.custom_metrics.oracle import Ask, Days, periods_of
from metrics_pipeline_tests.custom_metrics.worlds import CENTRES, ZONES, Document

NAMES = ("events", "events", "daily_metrics", "orders", "campaigns", "licences", "assets")
OF_NUMBERS = ("sum", "average", "min", "max", "median", "percentile")
AGGREGATES = (*OF_NUMBERS, "count", "count_distinct", "sum_boolean")
ZERO_IS_TRUE = ("count", "sum", "sum_boolean", "count_distinct")
TIMES = {"events": ("event_ts", "received_at"), "campaigns": ("started_at", "completed_at")}
DAYS_ONLY = ("assets", "daily_metrics")

INSTANT = "2025-03-29T23:00:00+00:00"
FILTERS: dict[str, list[Document]] = {
    "events": [
        {"field": "country", "op": "eq", "value": "DE"},
        {"field": "country", "op": "neq", "value": "DE"},
        {"field": "country", "op": "in", "value": ["DE", "Ö'\"%"]},
        {"field": "country", "op": "not_in", "value": ["AT"]},
        {"field": "country", "op": "is_null"},
        {"field": "country", "op": "not_null"},
        {"field": "country", "op": "contains", "value": "'\""},
        {"field": "event_type", "op": "starts_with", "value": "un"},
        {"field": "event_type", "op": "contains", "value": "%"},
        {"field": "country", "op": "gte", "value": "DE"},
        {"field": "watch_time", "op": "gt", "value": 10},
        {"field": "watch_time", "op": "lte", "value": 12.5},
        {"field": "loop_count", "op": "gte", "value": 0.5},
        {"field": "loop_count", "op": "lt", "value": 2},
        {"field": "is_rewatch", "op": "eq", "value": True},
        {"field": "is_bot", "op": "neq", "value": False},
        {"field": "received_at", "op": "lt", "value": INSTANT},
        {"field": "actor_id", "op": "in", "value": ["u1", "u2", "u3"]},
    ],
    "orders": [
        {"field": "amount_cents", "op": "gt", "value": 2_000},
        {"field": "created_at", "op": "gte", "value": INSTANT},
    ],
    "campaigns": [{"field": "completed_at", "op": "is_null"}],
    "licences": [{"field": "industry", "op": "neq", "value": "bank"}],
    "assets": [
        {"field": "date", "op": "neq", "value": "2025-03-30"},
        {"field": "hours_available", "op": "eq", "value": 24},
    ],
    "daily_metrics": [
        {"field": "likes", "op": "gte", "value": 0},
        {"field": "entity_type", "op": "in", "value": ["post", "workspace"]},
        {"field": "platform", "op": "eq", "value": "all"},
    ],
}
GROUPINGS = {
    "events": ("session_id", "country"),
    "orders": ("customer_id",),
    "campaigns": ("status",),
    "licences": ("industry",),
    "assets": ("id", "category"),
    "daily_metrics": ("account_id", "platform"),
}
SPANS = {
    "day": ("1 day", "4 weeks", "364 days"),
    "week": ("1 week", "52 weeks"),
    "month": ("1 month", "1 quarter", "1 year"),
    "quarter": ("1 quarter", "2 years"),
    "year": ("1 year",),
    "custom": ("3 days", "52 weeks"),
}
STARTS = {
    "day": ("day", "week", "month", "quarter", "year"),
    "week": ("week",),
    "month": ("month", "quarter", "year"),
    "quarter": ("quarter", "year"),
    "year": ("year",),
}


@st.composite
def simple(draw: st.DrawFn, name: str, dataset: str, *, balance: bool = False) -> Document:
    """One aggregate over one data set."""
    agg = draw(st.sampled_from(AGGREGATES))
    document: Document = {"name": name, "type": "simple", "dataset": dataset, "agg": agg}
    texts = {"count_distinct": THINGS, "sum_boolean": TRUTHS, "count": THINGS}.get(agg, NUMBERS)[dataset]
    if agg != "count" or draw(st.booleans()):
        document["expr"] = draw(st.sampled_from(sorted(texts)))
    if agg == "percentile":
        document["percentile"] = draw(st.sampled_from((0.01, 0.1, 0.25, 0.29, 0.5, 0.7, 0.95)))
        document["percentile_type"] = draw(st.sampled_from(("continuous", "discrete")))
    if draw(st.booleans()):
        document["filter"] = draw(st.sampled_from(sorted(TRUTHS[dataset])))
    document["filters"] = draw(st.lists(st.sampled_from(FILTERS[dataset]), max_size=1))
    if dataset in TIMES and draw(st.booleans()):
        document["agg_time_dimension"] = draw(st.sampled_from(TIMES[dataset]))
    if balance:
        from metrics_pipeline_tests.custom_metrics.oracle import FIRST_TIME

        document["non_additive_dimension"] = {
            "name": document.get("agg_time_dimension", FIRST_TIME[dataset]),
            "window_choice": draw(st.sampled_from(("min", "max"))),
            "window_groupings": draw(st.lists(st.sampled_from(GROUPINGS[dataset]), unique=True)),
        }
    elif agg in ZERO_IS_TRUE and draw(st.booleans()):
        document["fill_nulls_with"] = 0
    return document


@st.composite
def asks(draw: st.DrawFn, sets: tuple[str, ...]) -> Ask:
    """A question that these data sets can answer."""
    grain = draw(st.sampled_from(("day", "day", "week", "month", "quarter", "year", "custom")))
    weekday = draw(st.sampled_from((0, 6, 5)))
    around = draw(st.sampled_from(CENTRES)) + timedelta(days=draw(st.integers(-4, 1)))
    count = draw(st.integers(1, {"day": 7, "week": 3, "month": 3}.get(grain, 2)))
    if grain == "custom":
        cuts = sorted(draw(st.sets(st.integers(0, 12), min_size=2, max_size=4)))
        periods: tuple[Days, ...] = tuple(
            (around + timedelta(days=a), around + timedelta(days=b)) for a, b in pairwise(cuts)
        )
    else:
        periods = periods_of(grain, around, count, weekday)
    today = periods[-1][0] + timedelta(days=draw(st.integers(0, 9))) if draw(st.booleans()) else date(2026, 5, 1)
    known_from = around + timedelta(days=draw(st.integers(-40, 2))) if draw(st.booleans()) else date(2000, 1, 1)
    zone = "UTC" if any(name in DAYS_ONLY for name in sets) else draw(st.sampled_from(ZONES))
    shared = sorted(set.intersection(*(set(DIMENSIONS[name]) for name in sets)))
    dimensions = draw(st.lists(st.sampled_from(shared), max_size=2, unique=True)) if shared else []
    workspace = draw(st.sampled_from(("acme", "acme", "Acme")))
    return Ask(grain, periods, today, known_from, zone, tuple(dimensions), weekday, workspace, draw(st.booleans()))


Drawn = tuple[dict[str, Document], str, Ask]


@st.composite
def simple_questions(draw: st.DrawFn, *, balance: bool = False) -> Drawn:
    dataset = draw(st.sampled_from(NAMES))
    return {"m": draw(simple("m1", dataset, balance=balance))}, "m", draw(asks((dataset,)))


@st.composite
def _pair(draw: st.DrawFn) -> tuple[dict[str, Document], tuple[str, ...]]:
    """Two simple metrics, more often than not of one data set."""
    one = draw(st.sampled_from(NAMES))
    other = one if draw(st.integers(0, 3)) else draw(st.sampled_from(NAMES))
    balances = draw(st.sampled_from((False, False, True))), False
    documents = {
        "above": draw(simple("above", one, balance=balances[0])),
        "below": draw(simple("below", other, balance=balances[1])),
    }
    return documents, (one, other)


def _input(draw: st.DrawFn, name: str, dataset: str) -> Document:
    entry: Document = {"name": name}
    if draw(st.integers(0, 2)) == 0:
        entry["filter"] = draw(st.sampled_from(sorted(TRUTHS[dataset])))
    return entry


@st.composite
def ratio_questions(draw: st.DrawFn) -> Drawn:
    documents, sets = draw(_pair())
    documents["m"] = {
        "name": "m1",
        "type": "ratio",
        "numerator": _input(draw, "above", sets[0]),
        "denominator": _input(draw, "below", sets[1]),
    }
    return documents, "m", draw(asks(sets))


def _cumulative(draw: st.DrawFn, name: str, of: str, dataset: str) -> Document:
    document: Document = {"name": name, "type": "cumulative", "input_metric": _input(draw, of, dataset)}
    if draw(st.booleans()):
        document["window"] = draw(st.sampled_from(("1 day", "3 days", "30 days", "2 weeks", "1 month")))
    else:
        document["grain_to_date"] = draw(st.sampled_from(("week", "month", "quarter")))
    document["period_agg"] = draw(st.sampled_from(("first", "last", "average")))
    return document


@st.composite
def cumulative_questions(draw: st.DrawFn) -> Drawn:
    dataset = draw(st.sampled_from(NAMES))
    documents = {"base": draw(simple("base", dataset, balance=draw(st.integers(0, 4)) == 0))}
    documents["m"] = _cumulative(draw, "m1", "base", dataset)
    return documents, "m", draw(asks((dataset,)))


@st.composite
def derived_questions(draw: st.DrawFn) -> Drawn:
    """A formula over two metrics, themselves perhaps a window or a ratio, one of them perhaps of an earlier period."""
    documents, sets = draw(_pair())
    ask = draw(asks(sets))
    first, second = "above", "below"
    shape = draw(st.sampled_from(("plain", "window", "ratio", "same")))
    if shape == "window":
        documents["wide"] = _cumulative(draw, "wide", "above", sets[0])
        first = "wide"
    elif shape == "ratio":
        documents["rate"] = {"name": "rate", "type": "ratio", "numerator": "above", "denominator": "below"}
        first = "rate"
    elif shape == "same":
        second, sets = "above", (sets[0], sets[0])
    a: Document = {"name": first, "alias": "a"}
    if shape != "ratio" and draw(st.integers(0, 2)) == 0:
        a["filter"] = draw(st.sampled_from(sorted(TRUTHS[sets[0]])))
    b = _input(draw, second, sets[1]) | {"alias": "b"}
    moved = draw(st.sampled_from((a, b)))
    way = draw(st.sampled_from(("none", "window", "window", "start")))
    if way == "window":
        moved["offset_window"] = draw(st.sampled_from(SPANS[ask.grain]))
    elif way == "start" and ask.grain in STARTS:
        moved["offset_to_grain"] = draw(st.sampled_from(STARTS[ask.grain]))
    documents["m"] = {
        "name": "m1",
        "type": "derived",
        "expr": draw(st.sampled_from(sorted(COMPUTED))),
        "input_metrics": [a, b],
    }
    return documents, "m", ask
