"""Lines of requests: what they say, and what they never say; ids of requests."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator

import httpx
import pytest

from metrics_pipeline.api.operations import request_log
from metrics_pipeline.api.operations.request_record import trace_id_of
from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.settings import Settings

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(autouse=True)
def _loggers() -> Iterator[None]:
    """They are put back as they were."""
    loggers = [logging.getLogger(name) for name in (request_log.LOGGER, *request_log._OWN)]
    before = [(each, each.handlers, each.propagate, each.level) for each in loggers]
    yield
    for each, handlers, propagate, level in before:
        each.handlers, each.propagate = handlers, propagate
        each.setLevel(level)


def test_a_line_for_each_request(
    settings: Settings, key: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings.model_copy(update={"api_log": "json"})
    request_log.set_up_logs(settings)
    text = key("acme", "read")
    with ApiServer(settings) as server, httpx.Client(base_url=server.url) as client:
        headers = {"Authorization": f"Bearer {text}", "traceparent": PARENT}
        answer = client.get("/v1/content/canary-path?workspace_id=canary-query", headers=headers)
        client.get("/canary/none")
    logging.getLogger("metrics_pipeline.sample").warning("a warning with %d", 7)
    printed = capsys.readouterr().err
    first, second, third = (json.loads(line) for line in printed.splitlines())
    assert answer.headers["x-request-id"] == PARENT[3:35]
    assert {
        name: first[name] for name in ("level", "message", "method", "route", "status", "trace_id", "workspace")
    } == {
        "level": "info",
        "message": "request",
        "method": "GET",
        "route": "/v1/content/{content_id}",
        "status": 404,
        "trace_id": PARENT[3:35],
        "workspace": "acme",
    }
    assert first["caller"] == f"key {text[3:13]}"
    assert 0 < first["milliseconds"] < 10_000
    assert first["time"].endswith("Z")
    assert (second["route"], second["status"], second["caller"], second["workspace"]) == ("none", 404, None, None)
    assert (third["level"], third["message"]) == ("warning", "a warning with 7")
    assert "canary" not in printed
    assert text[14:] not in printed


def test_as_text(settings: Settings, key: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings.model_copy(update={"api_log": "text"})
    request_log.set_up_logs(settings)
    with ApiServer(settings) as server:
        httpx.get(f"{server.url}/healthz", headers={"traceparent": PARENT})
    [line] = capsys.readouterr().err.splitlines()
    assert line.split()[1:4] == ["GET", "/healthz", "200"]
    assert line.endswith(f" ms - - {PARENT[3:35]}")


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "canary",
        PARENT[3:],
        PARENT.upper(),
        PARENT + "\n",
        "ff" + PARENT[2:],
        "00-" + "0" * 32 + PARENT[35:],
        PARENT[:36] + "0" * 16 + "-01",
        PARENT + "-" + "x" * 200,
    ],
)
def test_a_trace_that_is_none_is_not_followed(given: str | None) -> None:
    made = trace_id_of(given)
    assert made != PARENT[3:35]
    assert len(made) == 32
    assert made != trace_id_of(given)
