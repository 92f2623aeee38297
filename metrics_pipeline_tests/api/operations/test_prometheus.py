"""/metrics: who may read it, and that its numbers are those of what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import httpx
import pyarrow as pa
import pytest
from prometheus_client.parser import text_string_to_metric_families

from metrics_pipeline.api.operations import store_gauges
from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import TRACK, Client, code_of, event

ID = "content-4711"


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(store_gauges, "EVERY_SECONDS", 0.0)
    return settings.model_copy(update={"api_server_key_reads_per_minute": 5})


def samples(server: ApiServer) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every value by name and labels; the text has to be what Prometheus reads."""
    answer = httpx.get(f"{server.url}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert ID not in answer.text
    return {
        (sample.name.removeprefix("metrics_pipeline_"), tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def key_of(name: str, **labels: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return name, tuple(sorted(labels.items()))


def test_what_happened_is_counted(server: ApiServer, client: Client, key: Callable[..., str]) -> None:
    all_scopes = client(key("acme", "read", "ingest"))
    for _ in range(2):
        assert all_scopes.get("/v1/workspaces/acme/snapshots").status_code == 200
    for _ in range(4):
        all_scopes.get(f"/v1/content/{ID}")
    all_scopes.post(TRACK, json=event())
    all_scopes.get("/nothing/here")
    all_scopes.request("PROPFIND", TRACK)
    found = samples(server)
    snapshots, content = "/v1/workspaces/{workspace_id}/snapshots", "/v1/content/{content_id}"
    assert found[key_of("http_requests_total", method="GET", route=snapshots, status="2xx")] == 2
    assert found[key_of("http_requests_total", method="GET", route=content, status="4xx")] == 4
    assert found[key_of("http_requests_total", method="POST", route=TRACK, status="2xx")] == 1
    assert found[key_of("http_requests_total", method="GET", route="none", status="4xx")] == 1
    assert found[key_of("http_requests_total", method="other", route=TRACK, status="4xx")] == 1
    assert found[key_of("http_request_seconds_count", method="GET", route=content)] == 4
    assert found[key_of("cache_requests_total", kind="snapshots", outcome="miss")] == 1
    assert found[key_of("cache_requests_total", kind="snapshots", outcome="hit")] == 1
    assert found[key_of("quota_refusals_total", policy="reads")] == 1, "five reads of six"
    assert found[key_of("inbox_rows")] == 1
    assert 0 <= found[key_of("inbox_oldest_seconds")] < 60
    assert found[key_of("live_connections", kind="sse")] == 0
    assert len([name for name, _ in found if name == "build_info"]) == 1


def test_the_state_of_the_stores(server: ApiServer, settings: Settings) -> None:
    now = datetime.now(UTC)
    lake = Lake.open(settings)
    rows = [
        _status("x", "counters", now - timedelta(hours=2)),
        _status("x", "counters", now - timedelta(hours=3)),
        _status("youtube", "insights", now - timedelta(days=1)),
    ]
    lake.append("collection_status", pa.Table.from_pylist(rows, lake.tables["collection_status"].schema))
    drifts = [
        _drift(now.date() - timedelta(days=2), "days_and_period", 0.5),
        _drift(now.date() - timedelta(days=1), "days_and_period", 0.01),
        _drift(now.date() - timedelta(days=1), "days_and_period", 0.02, entity_id="b"),
        _drift(now.date() - timedelta(days=1), "days_and_period", 0.9, entity_id="c", is_judged=False),
        _drift(now.date() - timedelta(days=1), "posts_and_account", None, entity_id="d"),
    ]
    lake.append("reconciliations", pa.Table.from_pylist(drifts, lake.tables["reconciliations"].schema))
    found = samples(server)
    of_x = found[key_of("platform_read_age_seconds", platform="x", collection="counters")]
    assert of_x == pytest.approx(7200, abs=60), "the newest"
    assert found[key_of("platform_read_age_seconds", platform="youtube", collection="insights")] > 80_000
    assert found[key_of("drift_ratio", comparison="days_and_period")] == 0.02
    assert found[key_of("drift_ratio", comparison="posts_and_account")] == 1
    assert 0 <= found[key_of("table_age_seconds", table="daily_metrics")] < 60
    assert {labels: value for (name, labels), value in found.items() if name == "store_readable"} == {
        (("figures", figures),): 1 for figures in ("inbox", "tables", "collection", "reconciliation")
    }
    (settings.data_dir / "lake" / "reconciliations" / "_delta_log" / f"{2:020d}.json").write_text("{")
    (settings.data_dir / "lake" / "collection_status" / "_delta_log" / f"{2:020d}.json").write_text("{")
    broken = samples(server)
    assert broken[key_of("store_readable", figures="inbox")] == 1


@pytest.fixture
def of_this_machine(server: ApiServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as client:
        yield client


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_a_proxy_on_this_machine_does_not_open_it(of_this_machine: httpx.Client, header: str) -> None:
    answer = of_this_machine.get("/metrics", headers={header: "127.0.0.1"})
    assert (answer.status_code, code_of(answer)) == (404, "not_found")


def test_off_is_nowhere(settings: Settings) -> None:
    with ApiServer(settings.model_copy(update={"api_metrics": "off"})) as server:
        assert httpx.get(f"{server.url}/metrics").status_code == 404
    with ApiServer(settings.model_copy(update={"api_metrics": "open"})) as server:
        assert httpx.get(f"{server.url}/metrics", headers={"Via": "proxy"}).status_code == 200


def _status(platform: str, collection: str, read_at: datetime) -> dict[str, object]:
    return {
        "date": read_at.date(),
        "workspace_id": "acme",
        "platform": platform,
        "account_id": f"{platform}-1",
        "collection": collection,
        "metric": "followers",
        "state": "value",
        "last_read_at": read_at,
    }


def _drift(day: date, comparison: str, ratio: float | None, entity_id: str = "a", **more: object) -> dict[str, object]:
    return {
        "date": day,
        "workspace_id": "acme",
        "platform": "x",
        "comparison": comparison,
        "grain": "day",
        "entity_type": "account",
        "entity_id": entity_id,
        "metric": "views",
        "compared": 1,
        "differing": 1,
        "absolute_drift": 3.0,
        "relative_drift": ratio,
        "is_judged": True,
        "is_complete": True,
        **more,
    }
