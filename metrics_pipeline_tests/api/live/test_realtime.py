"""Real-time figures are told as they change, to those who listen to their workspace, at most once a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx
from pydantic import SecretStr

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import TRACK, event
from metrics_pipeline_tests.api.live.conftest import events, websocket
from metrics_pipeline_tests.conftest import RedisServer

Key = Callable[..., str]


def view(server: ApiServer, key: str, person: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    sent = httpx.post(server.url + TRACK, json=event(userId=person), headers=headers)
    assert sent.status_code == 202, sent.text


def test_changed_figures_are_told(server: ApiServer, acme_key: str, key: Key) -> None:
    sender = key("acme", "ingest")
    with (
        events(server, acme_key, "workspace:acme") as stream,
        websocket(server, acme_key, "workspace:acme") as acme,
        websocket(server, key("beta", "read"), "workspace:beta") as beta,
    ):
        assert stream.next()[0] == "snapshot"
        view(server, sender, "u1")
        name, told = stream.next()
        assert name == "realtime"
        figures = told["data"]["figures"]
        assert (figures["views"], figures["events"], figures["unique_viewers"], figures["likes"]) == (1, 1, 1, 0)
        assert figures["watch_time"] == {"count": 0, "mean": None, "p95": None}
        assert acme.hear() == told
        first_at = time.monotonic()
        for number in range(20):
            view(server, sender, f"u{number}")
            time.sleep(0.02)
        while figures["views"] < 21:
            figures = acme.hear()["data"]["figures"]
        assert time.monotonic() - first_at > 0.5
        assert figures["unique_viewers"] == 20
        assert acme.hears_nothing(1.2), "nothing changed"
        assert beta.hears_nothing()


def test_by_way_of_redis(settings: Settings, tmp_path: Path, acme_key: str, key: Key) -> None:
    redis = RedisServer(tmp_path)
    redis.start()
    shared = settings.model_copy(update={"redis_url": SecretStr(redis.url)})
    try:
        with ApiServer(shared) as one, ApiServer(shared) as other, websocket(one, acme_key, "workspace:acme") as acme:
            view(other, key("acme", "ingest"), "u1")
            told = acme.hear()
            assert (told["type"], told["data"]["figures"]["views"]) == ("realtime", 1)
            headers = {"Authorization": f"Bearer {acme_key}"}
            answer = httpx.get(one.url + "/v1/realtime/views", headers=headers).json()
            assert (answer["data"]["value"], answer["meta"]["scope"]) == (1, "shared")
    finally:
        redis.stop()
