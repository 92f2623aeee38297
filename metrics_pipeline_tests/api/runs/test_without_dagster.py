"""Who may ask for what, and what is said while Dagster is away: nothing here needs it."""

from __future__ import annotations

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from metrics_pipeline.control.alerts import Telling
from metrics_pipeline.control.job_pages import WORKSPACE_TAG
from metrics_pipeline.control.job_runs import FailureAlerts, JobRunRecord, record_run
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.api.conftest import code_of
from metrics_pipeline_tests.api.runs.conftest import NOW, Site, installed, running

TRIGGERS: dict[str, dict[str, object]] = {
    "/v1/collections:run": {},
    "/v1/workspaces/acme:collect": {},
    "/v1/accounts/x-acme-1:collect": {"start": "2026-03-01", "end": "2026-03-03"},
    "/v1/posts/p1:collect": {"account_id": "x-acme-1"},
}
FOR_ALL: dict[str, dict[str, object]] = {
    "/v1/aggregations:run": {"levels": ["daily"], "start": "2026-03-01", "end": "2026-03-03"},
    "/v1/events:process": {},
}


def answer(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, code_of(response)


def test_a_workspace_starts_what_is_its_own_and_an_operator_everything(alone: Site) -> None:
    acme, beta, operator = (alone.client(name) for name in ("acme", "beta", None))
    reader = alone.client("acme", "read", "ingest", "define")
    reached = (503, "dagster_unavailable")  # all was well, only that nobody is there
    for path, body in TRIGGERS.items():
        assert answer(acme.post(path, json=body)) == reached, path
        query = {"workspace_id": "acme"} if "/accounts/" in path or "/posts/" in path else {}
        assert answer(operator.post(path, json=body, params=query)) == reached, path
        assert answer(reader.post(path, json=body)) == (403, "insufficient_scope")
        if path != "/v1/collections:run":
            assert answer(beta.post(path, json=body)) == (404, "not_found"), path
            assert answer(beta.post(path, json=body, params={"workspace_id": "acme"})) == (404, "not_found")
    for path, body in FOR_ALL.items():
        assert answer(acme.post(path, json=body)) == (403, "operator_required")
        assert answer(operator.post(path, json=body)) == reached
    for path in ("/v1/workspaces/nobody:collect", "/v1/workspaces/%01:collect"):
        assert answer(operator.post(path)) == (404, "not_found")
    assert answer(operator.post("/v1/accounts/x-acme-1:collect")) == (422, "workspace_required")
    assert answer(acme.post("/v1/accounts/nothing:collect")) == (404, "not_found")
    assert answer(acme.post("/v1/accounts/x-off:collect")) == (422, "account_disabled")
    assert answer(acme.post("/v1/posts/%20:collect", json={})) == (422, "invalid_post")
    for path in ("/v1/admin/jobs", "/v1/admin/stats", "/v1/admin/coverage", "/v1/admin/scheduler", "/v1/admin/runs/x"):
        assert answer(reader.get(path)) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/v1/collections:run", {"start": 20260301, "end": "2026-03-02"}, "/start"),
        ("/v1/collections:run", {"platforms": []}, "/platforms"),
        ("/v1/accounts/x-acme-1:collect", {"platforms": ["x"]}, ""),
        ("/v1/collections:run", {"canary-5a": "canary-5a"}, ""),
        ("/v1/aggregations:run", {"levels": ["yearly"], "start": "2026-03-01", "end": "2026-03-02"}, "/levels/0"),
        ("/v1/aggregations:run", {}, "/levels"),
    ],
)
def test_a_body_that_is_not_understood_is_refused_without_repeating_it(
    alone: Site, path: str, body: dict[str, object], pointer: str
) -> None:
    client = alone.client("acme" if "accounts" in path else None)
    refused = client.post(path, json=body)
    assert answer(refused) == (422, "invalid_request")
    assert pointer in [error["pointer"] for error in refused.json()["errors"]]
    assert "canary" not in refused.text
    assert answer(client.post(path, content=b"{", headers={"Content-Type": "application/json"})) == (
        400,
        "invalid_json",
    )


def test_while_dagster_is_away_everything_says_so_and_when_to_come_back(alone: Site, tmp_path: Path) -> None:
    client = alone.client(None)
    for method, path in (
        ("POST", "/v1/collections:run"), ("POST", "/v1/events:process"), ("GET", "/v1/admin/scheduler"),
        ("GET", "/v1/admin/runs/8e6d3a54-6a1f-4f10-9a4a-5bb7f7a1ce5b"),
    ):  # fmt: skip
        refused = client.request(method, path)
        assert answer(refused) == (503, "dagster_unavailable")
        assert int(refused.headers["retry-after"]) > 0
    assert client.get("/v1/admin/jobs").status_code == 200
    assert client.get("/v1/admin/stats").json()["data"]["events_today"]["accepted"] == 0
    assert answer(client.post("/v1/collections:run", headers={"Idempotency-Key": "k" * 201})) == (
        422,
        "invalid_idempotency_key",
    )
    with something_else() as url, running(installed(tmp_path / "data", dagster_url=url)) as site:
        assert answer(site.client(None).get("/v1/admin/scheduler")) == (503, "dagster_unavailable")


def test_triggers_are_limited_by_key(tmp_path: Path) -> None:
    settings = installed(tmp_path / "data", dagster_url="http://127.0.0.1:9")
    with running(settings.model_copy(update={"api_triggers_per_minute": 2})) as site:
        client = site.client("acme")
        codes = [client.post("/v1/workspaces/acme:collect") for _ in range(3)]
        assert [code_of(each) for each in codes] == ["dagster_unavailable"] * 2 + ["quota_exceeded"]
        assert codes[0].headers["ratelimit-policy"] == '"triggers";q=2;w=60'
        assert code_of(site.client("acme").post("/v1/workspaces/acme:collect")) == "dagster_unavailable"


def test_pages_of_the_jobs_log_follow_each_other_while_runs_are_added(alone: Site) -> None:
    def add(number: int, at: int, workspace: str | None = "acme", state: str = "COMPLETED") -> str:
        tags = {} if workspace is None else {WORKSPACE_TAG: workspace}
        requested = NOW + timedelta(seconds=at)
        run = JobRunRecord(
            f"run-{number:02}", "collect_x_counters" if number % 2 else "daily_close", "s", state,  # type: ignore[arg-type]
            "API key k", requested, ended_at=requested, tags=tags, error="canary" if workspace == "beta" else None,
        )  # fmt: skip
        record_run(alone.control, run, FailureAlerts(Telling((), timedelta(days=1)), 1), now=NOW)
        return run.run_id

    own = [add(n, at=n // 4) for n in range(12)]  # four share each instant
    for number, workspace in ((30, "beta"), (31, None)):
        add(number, at=2, workspace=workspace)
    acme, operator = alone.client("acme"), alone.client(None)

    def pages(client: httpx.Client, **query: str) -> list[str]:
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            found = client.get("/v1/admin/jobs", params={"limit": "5", **query, **cursor})
            assert "canary" not in found.text or client is operator
            seen += [row["run_id"] for row in found.json()["data"]]
            add(40 + len(seen), at=100 + len(seen))  # newer ones do not move the pages behind
            if not found.json()["meta"]["has_more"]:
                return seen
            cursor = {"cursor": found.json()["meta"]["next_cursor"]}

    assert sorted(pages(acme)) == own
    everything = pages(operator, name="daily_close", since=NOW.isoformat())
    assert len(everything) == len(set(everything))
    assert {"run-30", "run-02"} <= set(everything)
    assert "run-03" not in everything
    assert answer(acme.get("/v1/admin/jobs", params={"cursor": "bm9uZQ"})) == (400, "invalid_cursor")
    for since in ("0001-01-01T00:00:00+05:00", "2026-03-18T10:00:00"):
        assert answer(acme.get("/v1/admin/jobs", params={"since": since})) == (422, "invalid_request")
    assert answer(acme.get("/v1/admin/jobs", params={"state": "DONE"})) == (422, "invalid_request")
    last = {row["job"]: row["run_id"] for row in acme.get("/v1/admin/stats").json()["data"]["last_runs"]}
    assert set(last) == {"collect_x_counters", "daily_close"}
    assert not {"run-30", "run-31"} & set(last.values())


@pytest.mark.parametrize("url", ["ftp://host", "http://", "http://u:p@host", "http://host:99999", "host:3000"])
def test_the_address_of_dagster_is_checked(url: str) -> None:
    with pytest.raises(UserError, match="METRICS_DAGSTER_URL"):
        load_settings(dagster_url=url)


class something_else:  # noqa: N801 - read as a context
    """A server on Dagster's port that is another program."""

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>welcome</html>")

        def log_message(self, *_: object) -> None:
            pass

    def __enter__(self) -> str:
        self.server = HTTPServer(("127.0.0.1", 0), self.Page)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
