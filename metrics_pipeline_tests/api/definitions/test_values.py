"""Values over HTTP: the stored ones to the bit, kept while nothing changes, computed once, refused with a reason."""

from __future__ import annotations

import asyncio
import io
import json
import random
from datetime import date, timedelta
from typing import Any

import httpx
import pyarrow.csv
import pytest
from pyarrow import parquet

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.custom_metrics.flow import CustomMetricFlow
from metrics_pipeline.custom_metrics.registry.actors import pipeline_actor
from metrics_pipeline.custom_metrics.registry.periods import DayRange
from metrics_pipeline.custom_metrics.registry.registry import Registry
from metrics_pipeline.custom_metrics.spans import Grain
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.api.conftest import code_of
from metrics_pipeline_tests.api.definitions.conftest import (
    DAYS,
    FIRST,
    NOW,
    PATH,
    Call,
    add_events,
    define,
    simple,
)
from metrics_pipeline_tests.proofs.sizes import FULL

GRAINS: tuple[Grain, ...] = ("day", "week", "month")
METRICS: list[dict[str, Any]] = [
    simple("views", filter="event_type = 'view_start'", dimensions=["country"], fill_nulls_with=0),
    simple("watch", "sum", "watch_time / 3", dimensions=["country"]),
    simple("watch_median", "median", "watch_time"),
    simple("people", "count_distinct", "viewer", timezone="Europe/Berlin"),
    {"name": "per_view", "type": "ratio", "numerator": "watch", "denominator": "views", "dimensions": ["country"]},
    {"name": "watch_30", "type": "cumulative", "input_metric": "watch", "window": "30 days"},
    {"name": "growth", "type": "derived", "expr": "(now - before) / before", "input_metrics": [
        {"name": "watch", "alias": "now"}, {"name": "watch", "alias": "before", "offset_window": "1 week"}],
     "time_grains": ["day", "week"]},
    {"name": "renewed", "type": "simple", "dataset": "licences", "agg": "sum_boolean", "expr": "renewed",
     "dimensions": ["industry"]},
]  # fmt: skip
Cell = tuple[str, str, str, Any, str, Any, Any, bool, int]


def stored_cells(flow: CustomMetricFlow, grain: str, name: str) -> dict[tuple[str, str], Cell]:
    rows = flow.pipeline.lake.table("custom_metric_values").to_pyarrow_table().to_pylist()
    return {
        (row["period_start"].isoformat(), row["dimensions"]): (
            row["period_start"].isoformat(), row["period_end"].isoformat(), row["dimensions"], row["value"],
            row["state"], row["numerator"], row["denominator"], row["is_complete"], row["version"],
        )
        for row in rows
        if (row["grain"], row["definition_name"], row["workspace_id"]) == (grain, name, "acme") and row["is_current"]
    }  # fmt: skip


def cell(value: dict[str, Any]) -> Cell:
    dimensions = json.dumps(value["dimensions"], separators=(",", ":"))
    return (
        str(value["start"]), str(value["end"]), dimensions, value["value"], value["state"], value["numerator"],
        value["denominator"], value["is_complete"], value["version"],
    )  # fmt: skip


def test_they_are_the_stored_ones_to_the_bit(call: Call, settings: Settings) -> None:
    ada = call("ada")
    define(ada, *METRICS)
    body = {"filter": "event_type <> 'share'"}
    changed = ada.patch(f"{PATH}/views", json=body, headers={"If-Match": "*"}, params={"effective_from": "2026-03-01"})
    assert changed.status_code == 200
    flow = CustomMetricFlow(Pipeline(settings))
    window = Window.of_days(FIRST, FIRST + timedelta(days=DAYS + 1))
    for grain in GRAINS:
        assert flow.build(grain, window).failed == []
    draw, compared = random.Random(18), 0
    for document in METRICS:
        name = document["name"]
        for grain in document.get("time_grains", GRAINS):
            stored = stored_cells(flow, grain, name)
            assert stored
            for by in ((), *((field,) for field in document.get("dimensions", ()))) * (3 if FULL else 1):
                start = FIRST + timedelta(days=draw.randrange(DAYS - 1))
                end = start + timedelta(days=draw.randrange(1, DAYS))
                query = {"start": str(start), "end": str(min(end, NOW.date() + timedelta(days=1)))}
                path = f"{PATH}/{name}/values"
                asked = {**query, "granularity": grain, **({"dimension": by[0]} if by else {})}
                answer = ada.get(path, params=asked)
                values = [cell(value) for value in answer.json()["data"]["values"]]
                assert values == [stored[value[0], value[2]] for value in values], (name, asked)
                wanted = {key for key in stored if (key[1] != "{}") == bool(by)}
                meta = answer.json()["meta"]
                wanted = {key for key in wanted if meta["start"] <= key[0] < meta["end"]}
                assert {(value[0], value[2]) for value in values} == wanted, (name, asked)
                compared += len(values)
                if FULL or (grain == "week" and not by):
                    wish = {**query, "granularity": grain, "dimensions": list(by)}
                    computed = ada.post(f"{PATH}/{name}:calculate", json=wish)
                    assert computed.json()["data"] == answer.json()["data"]
                    check_rows(ada, path, asked, [value[3] for value in values])
    assert compared > 200
    versions = {
        v["version"] for v in ada.get(f"{PATH}/views/values", params={"range": "last_30d"}).json()["data"]["values"]
    }
    assert versions == {1, 2}
    old = ada.get(f"{PATH}/views/values", params={"range": "last_30d", "version": "1"}).json()["data"]["values"]
    assert {value["version"] for value in old} == {1}


def check_rows(client: httpx.Client, path: str, asked: dict[str, str], expected: list[float | None]) -> None:
    """The same values as CSV and as Parquet."""
    rows = client.get(path, params=asked, headers={"Accept": "text/csv"}).content
    assert pyarrow.csv.read_csv(io.BytesIO(rows))["value"].to_pylist() == expected
    rows = client.get(path, params=asked, headers={"Accept": "application/vnd.apache.parquet"}).content
    assert parquet.read_table(io.BytesIO(rows))["value"].to_pylist() == expected


def calculations(flow: CustomMetricFlow, name: str) -> tuple[int, int]:
    [used] = flow.registry.usage(pipeline_actor("acme"), name, date(2026, 3, 1))
    return used.calculations, used.reads


def test_of_many_who_ask_at_once_one_computes(call: Call, settings: Settings, server: ApiServer) -> None:
    ada = call("ada")
    define(ada, *METRICS[:2])
    path = f"{PATH}/watch/values"

    async def ask_all() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=server.url, headers=ada.headers, timeout=30) as client:
            return list(await asyncio.gather(*(client.get(path, params={"days": "9"}) for _ in range(50))))

    answers = asyncio.run(ask_all())
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    flow = CustomMetricFlow(Pipeline(settings))
    assert calculations(flow, "watch") == (1, 50)
    tag = answers[0].headers["ETag"]
    assert ada.get(path, params={"days": "9"}, headers={"If-None-Match": tag}).status_code == 304
    assert calculations(flow, "watch") == (1, 51)


def test_what_changes_them_is_seen_at_once(call: Call, lake: Lake) -> None:
    ada = call("ada")
    define(ada, *METRICS[:2])
    path, query = f"{PATH}/views/values", {"days": "20"}

    def total(**headers: str) -> tuple[float, str, str]:
        answer = ada.get(path, params=query, headers=headers)
        values = answer.json()["data"]["values"]
        status = answer.headers["Cache-Status"]
        return sum(value["value"] for value in values), answer.headers["ETag"], "hit" if "; hit" in status else "miss"

    first, tag, _ = total()
    assert total() == (first, tag, "hit")
    add_events(lake, "beta", 3)  # in the same files' days: the same numbers, and the same tag
    assert total() == (first, tag, "miss")
    add_events(lake, "acme", 4)
    second, other, status = total()
    assert (second > first, other == tag, status) == (True, False, "miss")
    ada.patch(f"{PATH}/views", json={"filter": None}, headers={"If-Match": "*"})
    third, _, status = total()
    assert (third > second, status) == (True, "miss")
    ada.patch(f"{PATH}/views", json={"label": "Everything"}, headers={"If-Match": "*"})
    assert ada.get(path, params=query).json()["data"]["metric"]["label"] == "Everything"
    definition_id = ada.get(f"{PATH}/views").json()["data"]["definition_id"]
    cleared = call("boss").post("/v1/cache:invalidate", json={"tags": [f"definition:{definition_id}"]})
    assert cleared.json()["data"]["cleared"] > 0


def test_periods_of_a_calendar(call: Call, settings: Settings) -> None:
    ada = call("ada")
    define(ada, *METRICS[:2])
    pipeline = Pipeline(settings)
    ranges = [
        DayRange("early", date(2026, 2, 20), date(2026, 3, 1)),
        DayRange("late", date(2026, 3, 4), date(2026, 3, 9)),
    ]
    actor = CustomMetricFlow(pipeline).registry
    add_calendar(actor, ranges)
    query = {"granularity": "custom", "calendar": "campaigns"}
    found = ada.get(f"{PATH}/watch/values", params=query).json()
    assert [(v["label"], v["start"], v["end"]) for v in found["data"]["values"]] == [
        ("early", "2026-02-20", "2026-03-01"),
        ("late", "2026-03-04", "2026-03-09"),
    ]
    days = ada.get(f"{PATH}/watch/values", params={"start": "2026-03-04", "end": "2026-03-09"}).json()["data"]["values"]
    assert found["data"]["values"][1]["value"] == pytest.approx(sum(v["value"] for v in days))
    narrowed = ada.post(f"{PATH}/watch:calculate", json={**query, "start": "2026-03-08", "end": "2026-03-20"}).json()
    assert [v["label"] for v in narrowed["data"]["values"]] == ["late"]
    for refused, code in (
        ({"granularity": "custom"}, "calendar_needed"),
        ({**query, "calendar": "none"}, "calendar_unknown"),
        ({"calendar": "campaigns"}, "calendar_not_used"),
    ):
        assert code_of(ada.get(f"{PATH}/watch/values", params=refused)) == code


def add_calendar(registry: Registry, ranges: list[DayRange]) -> None:
    from metrics_pipeline.custom_metrics.registry.actors import cli_actor

    registry.add_calendar(cli_actor("acme"), "campaigns", ranges)


def test_questions_that_cannot_be_asked(call: Call) -> None:
    ada = call("ada")
    define(ada, *METRICS)
    for path, query, status, code in (
        ("growth/values", {"granularity": "month"}, 422, "grain_not_allowed"),
        ("watch/values", {"dimension": "session_id"}, 422, "dimension_not_allowed"),
        ("watch/values", {"start": "2026-03-02", "end": "2026-03-01"}, 422, "end_before_start"),
        ("watch/values", {"version": "9"}, 404, "not_found"),
        ("watch/values", {"granularity": "hour"}, 422, "invalid_request"),
    ):
        answer = ada.get(f"{PATH}/{path}", params=query)
        assert (answer.status_code, code_of(answer)) == (status, code), query
    assert code_of(ada.get(f"{PATH}/watch/values", headers={"Accept": "text/html"})) == "not_acceptable"
    assert code_of(ada.post(f"{PATH}/watch:calculate", json={"days": 3})) == "invalid_request"


class TestDear:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"custom_metric_cost_medium": 10, "custom_metric_cost_high": 50})

    def test_what_costs_too_much_is_for_admins(self, call: Call) -> None:
        define(call("ada"), *METRICS[:2])
        dear = {"range": "last_30d"}
        for answer in (
            call("ada").get(f"{PATH}/views/values", params=dear),
            call("ada").post(f"{PATH}/views:calculate", json=dear),
        ):
            assert (answer.status_code, code_of(answer)) == (422, "cost_too_high")
        assert call("boss").get(f"{PATH}/views/values", params=dear).status_code == 200
        assert code_of(call("ada").get(f"{PATH}/views/values", params=dear)) == "cost_too_high"
        assert call("ada").get(f"{PATH}/views/values", params={"range": "today"}).status_code == 200


class TestSlow:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"custom_metric_seconds": 0.002})

    def test_what_takes_too_long_is_told(self, call: Call) -> None:
        define(call("ada"), *METRICS)
        answer = call("ada").get(f"{PATH}/per_view/values", params={"range": "last_30d", "dimension": "country"})
        assert (answer.status_code, code_of(answer)) == (422, "over_limits")
