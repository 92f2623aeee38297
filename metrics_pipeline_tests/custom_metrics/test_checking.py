"""Every fault that a definition can have beside its format: its code, its place, and nothing of what was sent."""

from __future__ import annotations

from typing import Any

import pytest

from metrics_pipeline.custom_metrics.faults import DefinitionError, Fault
from metrics_pipeline.custom_metrics.parsing import parse_definition
from metrics_pipeline_tests.custom_metrics.worlds import Document, checker, version_of

SECRET = "hunter2"

INPUTS: dict[str, Document] = {
    "plays": {"name": "plays", "type": "simple", "dataset": "events", "agg": "count"},
    "orders": {"name": "orders", "type": "simple", "dataset": "orders", "agg": "count"},
    "days": {"name": "days", "type": "simple", "dataset": "daily_metrics", "agg": "sum", "expr": "views"},
    "months": {"name": "months", "type": "simple", "dataset": "monthly_metrics", "agg": "sum", "expr": "views"},
    "berlin": {"name": "berlin", "type": "simple", "dataset": "events", "agg": "count", "timezone": "Europe/Berlin"},
}


def simple(dataset: str = "events", **said: object) -> Document:
    return {"name": "checked", "type": "simple", "dataset": dataset, "agg": "count", **said}


def ratio(above: object = "plays", below: object = "orders", **said: object) -> Document:
    return {"name": "checked", "type": "ratio", "numerator": above, "denominator": below, **said}


def derived(*inputs: object, expr: str = "plays", **said: object) -> Document:
    return {"name": "checked", "type": "derived", "expr": expr, "input_metrics": list(inputs), **said}


def balance(**said: object) -> Document:
    return simple(agg="sum", expr="watch_time", non_additive_dimension={"name": "event_ts", **said})


def filtered(field: str, op: str, value: object) -> Document:
    return simple(filters=[{"field": "country", "op": "is_null"}, {"field": field, "op": op, "value": value}])


CASES: list[tuple[str, str, Document]] = [
    ("dataset_unknown", "/dataset", simple("hunter2")),
    ("time_unknown", "/agg_time_dimension", simple(agg_time_dimension="hunter2")),
    ("time_unknown", "/agg_time_dimension", simple(agg_time_dimension="client_ts")),
    ("time_unknown", "/non_additive_dimension/name", balance(name="received_at")),
    ("dimension_not_allowed", "/non_additive_dimension/window_groupings/0", balance(window_groupings=["hunter2"])),
    ("timezone_not_possible", "/timezone", simple("daily_metrics", agg="sum", expr="views", timezone="Asia/Kolkata")),
    ("timezone_differs", "/timezone", ratio("berlin", "plays", timezone="Europe/Berlin")),
    ("timezone_differs", "/timezone", ratio("berlin", "berlin")),
    ("dimension_not_allowed", "/dimensions/1", simple(dimensions=["country", "hunter2"])),
    ("dimension_not_allowed", "/dimensions/0", simple(dimensions=["watch_time"])),
    ("dimension_not_allowed", "/dimensions/0", simple(dimensions=["user_id"], visibility="public")),
    ("dimension_not_allowed", "/dimensions/0", ratio(dimensions=["country"])),
    ("metric_not_reaggregable", "/expr", simple("daily_metrics", agg="sum", expr="reach")),
    ("metric_not_reaggregable", "/expr", simple("daily_metrics", agg="average", expr="engagement_rate")),
    ("metric_not_reaggregable", "/expr", simple("daily_metrics", agg="sum", expr="followers + 1")),
    ("metric_not_reaggregable", "/expr", simple("content_days", agg="sum", expr="unique_viewers")),
    ("grain_not_allowed", "/time_grains", ratio("months", "months", time_grains=["week", "month"])),
    (
        "offset_invalid",
        "/time_grains",
        derived({"name": "plays", "offset_window": "1 month"}, time_grains=["day", "month"]),
    ),
    (
        "grain_not_allowed",
        "/time_grains",
        derived(
            {"name": "plays", "offset_window": "1 month"},
            {"name": "plays", "alias": "b", "offset_window": "1 day"},
        ),
    ),
    ("filter_unknown_field", "/filters/1/field", filtered("hunter2", "eq", 1)),
    ("filter_value_type", "/filters/1/value", filtered("watch_time", "eq", SECRET)),
    ("filter_value_type", "/filters/1/value", filtered("watch_time", "gt", 10**40)),
    ("filter_value_type", "/filters/1/value", filtered("watch_time", "contains", SECRET)),
    ("filter_value_type", "/filters/1/value", filtered("is_rewatch", "gt", True)),
    ("filter_value_type", "/filters/1/value", filtered("received_at", "gt", SECRET)),
    ("filter_value_type", "/filters/1/value", filtered("received_at", "gt", "2026-01-01T00:00:00")),
    ("expr_type_mismatch", "/expr", simple(agg="sum", expr="country")),
    ("expr_type_mismatch", "/expr", simple(agg="sum_boolean", expr="watch_time")),
    ("expr_type_mismatch", "/filter", simple(filter=f"coalesce(country, '{SECRET}')")),
    ("expr_parse_error", "/filter", simple(filter=f"country = '{SECRET}' and")),
    ("expr_aggregate_not_allowed", "/expr", simple(agg="sum", expr="sum(watch_time)")),
    ("expr_type_mismatch", "/numerator/filter", ratio({"name": "plays", "filter": f"country = '{SECRET}' or 'x'"})),
    ("expr_unknown_column", "/denominator/filter", ratio(below={"name": "orders", "filter": "is_bot"})),
    ("expr_unknown_column", "/input_metrics/1/filter", derived("plays", {"name": "orders", "filter": "country = 'x'"})),
    ("expr_type_mismatch", "/expr", derived("plays", expr=f"case when plays > 1 then '{SECRET}' else 'x' end")),
    ("expr_unknown_column", "/expr", derived("plays", expr="orders")),
]


def faults_of(document: Document) -> tuple[Fault, ...]:
    with pytest.raises(DefinitionError) as caught:
        checker().check(version_of(INPUTS | {"checked": document}, "checked"))
    return caught.value.faults


@pytest.mark.parametrize(
    ("code", "pointer", "document"), CASES, ids=[f"{n}-{code}" for n, (code, _, _) in enumerate(CASES)]
)
def test_a_fault_has_its_code_and_place(code: str, pointer: str, document: Document) -> None:
    faults = faults_of(document)
    assert (pointer, code) in {(fault.pointer, fault.code) for fault in faults}
    assert not any(SECRET in fault.detail for fault in faults)
    assert _found(document, pointer), "the pointer leads somewhere"


def _found(document: Any, pointer: str) -> bool:
    *way, last = pointer.split("/")[1:]
    for part in way:
        document = document[int(part)] if isinstance(document, list) else document[part]
    # what can be left out is pointed at all the same
    return isinstance(document, dict) or int(last) < len(document)


def test_all_faults_are_told_at_once() -> None:
    document = simple(agg="sum", expr="nothing", filter="1 +", dimensions=["no"], timezone="Asia/Kolkata")
    assert {fault.pointer for fault in faults_of(document)} == {"/expr", "/filter", "/dimensions/0"}


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "Europe/Berlim", "../../etc/passwd"])
def test_zones_that_the_engine_does_not_know_are_refused(zone: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(simple(timezone=zone))
    assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [("/timezone", "timezone_unknown")]


def test_grains_that_can_be_asked() -> None:
    def grains(document: Document) -> list[str]:
        version = version_of(INPUTS | {"checked": document}, "checked")
        checker().check(version)
        return list(checker().grains(version))

    every = ["day", "week", "month", "quarter", "year"]
    assert grains(simple()) == every
    assert grains(simple(time_grains=["month", "day"])) == ["day", "month"]
    assert grains(simple("weekly_metrics", agg="sum", expr="views")) == every[1:]
    assert grains(simple("monthly_metrics", agg="sum", expr="views")) == every[2:]
    assert grains(derived({"name": "plays", "offset_window": "364 days"})) == ["day", "week"]
    assert grains(derived({"name": "plays", "offset_window": "5 days"})) == ["day"]
    assert grains(derived({"name": "plays", "offset_window": "1 quarter"})) == ["month", "quarter"]
    assert grains(derived({"name": "plays", "offset_to_grain": "month"})) == ["day", "month"]
    assert grains(derived({"name": "plays", "offset_to_grain": "week"})) == ["day", "week"]
