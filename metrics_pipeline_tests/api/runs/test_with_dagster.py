"""Runs that are really started: by GraphQL, in a Dagster web server with the pipeline's definitions."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import datetime
from typing import Any

import dagster as dg
import httpx
import pytest

from metrics_pipeline.api.problems import Problem
from metrics_pipeline.api.runs.dagster_client import DagsterClient
from metrics_pipeline.automation.job_log import JobLog
from metrics_pipeline.client import NotFound
from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline_tests.api.conftest import code_of
from metrics_pipeline_tests.api.runs.conftest import Site

HOUR = {"first": "2026-03-18-10:00", "last": "2026-03-18-10:00"}


def instant_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def runs_of(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 202, response.text
    runs: list[dict[str, Any]] = response.json()["data"]["runs"]
    return runs


@pytest.fixture(scope="session")
def finished(site: Site) -> dict[str, Any]:
    """A run that was asked for over HTTP, at its end, with its row in the jobs log."""
    client = site.client("live")
    (run,) = runs_of(client.post("/v1/workspaces/live:collect", json={"platforms": ["x"]}))
    deadline = time.monotonic() + 90
    state: dict[str, Any] = run
    while state["status"] not in ("SUCCESS", "FAILURE") and time.monotonic() < deadline:
        time.sleep(0.3)
        state = client.get(f"/v1/admin/runs/{run['run_id']}").json()["data"]
    with dg.DagsterInstance.from_config(str(site.settings.dagster_home)) as instance:
        JobLog(Pipeline(site.settings), instance).catch_up(None)  # as the sensor does every half minute
    ended: dict[str, Any] = client.get(f"/v1/admin/runs/{run['run_id']}").json()["data"]
    return ended


def test_a_run_that_was_asked_for_reads_this_workspace_and_no_other(site: Site, finished: dict[str, Any]) -> None:
    assert (finished["status"], finished["job"], finished["partitions"]) == ("SUCCESS", "collect_x_counters", HOUR)
    assert finished["workspace_id"] == "live"
    assert finished["requested_by"].startswith("API key ")
    log = finished["log"]
    assert (log["state"], log["accounts_ok"], log["accounts_failed"], log["error"]) == ("COMPLETED", 1, 0, None)
    assert log["rows"] > 0
    counters = Pipeline(site.settings).lake.table("counter_readings").to_pyarrow_table(columns=["workspace_id"])
    assert set(counters["workspace_id"].to_pylist()) == {"live"}


def test_what_became_of_it_is_told_to_whom_it_concerns(site: Site, finished: dict[str, Any]) -> None:
    live, acme, operator = (site.client(name) for name in ("live", "acme", None))
    path = f"/v1/admin/runs/{finished['run_id']}"
    assert operator.get(path).json()["data"] == finished
    unknown = acme.get("/v1/admin/runs/8e6d3a54-6a1f-4f10-9a4a-5bb7f7a1ce5b")
    others = acme.get(path)
    assert (others.status_code, others.content) == (unknown.status_code, unknown.content) == (404, others.content)
    assert finished["run_id"] in [row["run_id"] for row in live.get("/v1/admin/jobs").json()["data"]]
    assert finished["run_id"] not in [row["run_id"] for row in acme.get("/v1/admin/jobs").json()["data"]]
    (row,) = live.get("/v1/admin/coverage").json()["data"]
    assert (row["platform"], row["accounts_asked"], row["accounts_with_value"]) == ("x", 1, 1)
    assert acme.get("/v1/admin/coverage").json()["data"] == []
    assert operator.get("/v1/admin/coverage", params={"workspace_id": "live"}).json()["data"] == [row]
    assert code_of(acme.get("/v1/admin/coverage", params={"workspace_id": "live"})) == "not_found"
    stats = live.get("/v1/admin/stats").json()["data"]
    assert (stats["inbox"], stats["tables"], stats["live"]) == (None, None, None)
    assert stats["cache_hit_rate"] is None, "no read was asked for"
    assert [(a["platform"], a["accounts"]) for a in stats["accounts"]] == [("instagram", 1), ("whatsapp", 1), ("x", 1)]
    assert [f["platform"] for f in stats["freshness"]] == ["x"]
    everything = operator.get("/v1/admin/stats").json()["data"]
    assert everything["inbox"]["waiting"] == 0
    assert {"table": "counter_readings", "version": 1} in [
        {"table": t["table"], "version": t["version"]} for t in everything["tables"]
    ]


def test_the_same_idempotency_key_starts_nothing_twice(site: Site) -> None:
    client, path = site.client("acme"), "/v1/accounts/x-acme-1:collect"
    again = {"Idempotency-Key": "after publishing 1"}
    (first,) = runs_of(client.post(path, headers=again))
    second = client.post(path, headers=again)
    assert runs_of(second) == [first]
    assert second.json()["meta"]["replayed"] is True
    other = client.post(path, headers=again, json={"start": "2026-03-01", "end": "2026-03-03"})
    assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")
    (other_key,) = runs_of(site.client("acme").post(path, headers=again))  # another API key's own
    (none,) = runs_of(client.post(path))
    assert len({first["run_id"], other_key["run_id"], none["run_id"]}) == 3


def test_of_requests_at_the_same_moment_one_starts_runs(site: Site) -> None:
    client, answers = site.client("acme"), []

    def ask() -> None:
        answers.append(client.post("/v1/workspaces/acme:collect", headers={"Idempotency-Key": "at once"}))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    started = {run["run_id"] for answer in answers if answer.status_code == 202 for run in runs_of(answer)}
    assert len(started) == 3  # one for each platform
    assert {code_of(answer) for answer in answers if answer.status_code != 202} <= {"request_in_progress"}


def test_a_request_that_broke_off_is_completed_by_the_next_one(site: Site) -> None:
    client, again = site.client(None), {"Idempotency-Key": "broken"}
    body = {"levels": ["daily", "weekly", "daily_snapshots"], "start": "2026-03-02", "end": "2026-03-10"}
    whole = runs_of(client.post("/v1/aggregations:run", json=body, headers=again))
    assert [(run["job"], run["partitions"]) for run in whole] == [
        ("daily_close", {"first": "2026-03-02", "last": "2026-03-09"}),
        ("weekly_close", {"first": "2026-03-02", "last": "2026-03-09"}),
        ("daily_snapshots", {"first": "2026-03-02", "last": "2026-03-09"}),
    ]
    with dg.DagsterInstance.from_config(str(site.settings.dagster_home)) as instance:
        instance.delete_run(whole[1]["run_id"])  # as if it had never come to it
    mended = runs_of(client.post("/v1/aggregations:run", json=body, headers=again))
    assert [run["job"] for run in mended] == [run["job"] for run in whole]
    assert [a["run_id"] == b["run_id"] for a, b in zip(whole, mended, strict=True)] == [True, False, True]


def test_the_inbox_and_single_posts(site: Site, finished: dict[str, Any]) -> None:
    (run,) = runs_of(site.client(None).post("/v1/events:process"))
    assert (run["job"], run["partitions"], run["status"]) == ("process_events", None, "QUEUED")
    acme = site.client("acme")
    (run,) = runs_of(acme.post("/v1/posts/just-published:collect", json={"account_id": "x-acme-1"}))
    assert (run["job"], run["partitions"]) == ("collect_x_counters", HOUR)
    with dg.DagsterInstance.from_config(str(site.settings.dagster_home)) as instance:
        started = instance.get_run_by_id(run["run_id"])
    assert started is not None
    assert started.run_config["ops"] == {"platforms__x__counters": {"config": {
        "workspaces": ["acme"], "accounts": ["x-acme-1"], "posts": ["just-published"],
    }}}  # fmt: skip
    posts = Pipeline(site.settings).lake.table("posts").to_pyarrow_table(columns=["workspace_id", "post_id"])
    known = posts["post_id"].to_pylist()[0]
    assert set(posts["workspace_id"].to_pylist()) == {"live"}
    assert code_of(acme.post(f"/v1/posts/{known}:collect")) == "not_found"
    assert code_of(site.client("live").post("/v1/posts/nowhere:collect")) == "not_found"
    assert finished["status"] == "SUCCESS"


def test_what_runs_next_is_told(site: Site) -> None:
    answer = site.client("acme").get("/v1/admin/scheduler")
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    definitions = build_definitions(Pipeline(site.settings))
    assert {s["name"] for s in data["schedules"]} == {s.name for s in definitions.schedules or ()}
    assert {s["name"] for s in data["sensors"]} == {s.name for s in definitions.sensors or ()}
    (hourly,) = (s for s in data["schedules"] if s["name"] == "x_counters_hourly")
    assert (hourly["state"], hourly["job"], hourly["cron"]) == ("RUNNING", "collect_x_counters", "50 * * * *")
    assert [instant[14:19] for instant in hourly["next_runs"]] == ["50:00"] * 3
    assert data["healthy"] is False  # no daemon runs here
    assert {"SCHEDULER", "SENSOR"} <= {d["name"] for d in data["daemons"] if d["required"] and not d["healthy"]}


def test_refusals_of_dagster_are_told_without_its_words(site: Site) -> None:
    async def refused(job: str, config: dict[str, object]) -> Problem:
        client = DagsterClient(site.settings)
        try:
            with pytest.raises(Problem) as raised:
                await client.launch(job, config, {})
        finally:
            await client.close()
        return raised.value

    unknown = asyncio.run(refused("no_such_job", {}))
    assert (unknown.status, unknown.code) == (502, "job_not_found")
    config: dict[str, object] = {"ops": {"platforms__x__counters": {"config": {"canary": 1}}}}
    wrong = asyncio.run(refused("collect_x_counters", config))
    assert (wrong.status, wrong.code) == (502, "run_config_refused")
    assert wrong.extensions["errors"][0]["reason"] == "FIELD_NOT_DEFINED"  # type: ignore[index]
    assert b"canary" not in bytes(wrong.response().body)


def test_the_client_starts_runs_once_and_waits_for_their_end(site: Site, finished: dict[str, Any]) -> None:
    with site.typed_client("live") as client:
        ended = client.wait(finished["run_id"], timeout=1)
        assert (ended.status, ended.requested_at) == ("SUCCESS", instant_of(finished["requested_at"]))
        assert next(client.iter_jobs(limit=1)).run_id == finished["run_id"]
        with pytest.raises(NotFound):
            client.run("nothing")
    with site.typed_client("acme") as client:
        first = client.collect_workspace("acme", platforms=["x"], idempotency_key="from the client")
        again = client.collect_workspace("acme", platforms=["x"], idempotency_key="from the client")
        assert ([run.run_id for run in first.data.runs], first.meta.replayed) != ([], True)
        assert ([run.run_id for run in again.data.runs], again.meta.replayed) == (
            [run.run_id for run in first.data.runs],
            True,
        )
        with pytest.raises(TimeoutError):
            client.wait(first.data.runs[0].run_id, timeout=0)
        assert client.scheduler().data.schedules
        assert client.stats().data.accounts
        assert client.coverage().meta.workspace_id == "acme"
