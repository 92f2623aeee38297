"""Several processes with one Redis: each move told once, in one order everywhere; and what happens without it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pydantic import SecretStr

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.live.conftest import Events, Socket, Tables, events, websocket
from metrics_pipeline_tests.conftest import RedisServer


@pytest.fixture
def settings(settings: Settings, redis_server: RedisServer) -> Settings:
    return settings.model_copy(update={"redis_url": SecretStr(redis_server.url)})


@pytest.fixture
def servers(tables: Tables, settings: Settings) -> Iterator[tuple[ApiServer, ApiServer]]:
    with ApiServer(settings) as one, ApiServer(settings) as two:
        yield one, two


def until(socket: Socket, value: float) -> list[str]:
    """Ids up to the message with this value."""
    ids = []
    while True:
        told = socket.hear(10)
        assert told["type"] == "metrics.updated", told
        ids.append(told["id"])
        if told["data"]["values"][0]["value"] == value:
            return ids


def reset_of(stream: Events | Socket) -> str:
    told = stream.hear(10) if isinstance(stream, Socket) else stream.next()[1]
    assert told["type"] == "reset", told
    return str(told["reason"])


def test_every_process_tells_the_same_once_and_goes_on_where_another_stopped(
    servers: tuple[ApiServer, ApiServer], tables: Tables, acme_key: str, settings: Settings
) -> None:
    with ExitStack() as stack:
        one, two = (stack.enter_context(websocket(server, acme_key, "account:acme/a1")) for server in servers)
        for value in range(10, 25):
            tables.put(float(value))
        ids = until(one, 24.0)
        assert until(two, 24.0) == ids
        assert len(ids) == len(set(ids))
        assert one.hears_nothing(0.2)
        assert two.hears_nothing(0.2)
        with ApiServer(settings) as third, events(third, acme_key, "account:acme/a1", after=ids[0]) as stream:
            assert stream.next()[1]["data"]["resumed"] is True
            assert [stream.next()[1]["id"] for _ in ids[1:]] == ids[1:], "a process that was not there has them too"
            servers[0].__exit__(None, None, None)  # it may have been the one that looks
            tables.put(25.0)
            last = until(two, 25.0)
            assert [stream.next()[1]["id"]] == last
            assert int(last[0].rpartition("-")[2]) == int(ids[-1].rpartition("-")[2]) + 2


def test_without_redis_each_feeds_itself_and_everybody_is_told(
    servers: tuple[ApiServer, ApiServer],
    tables: Tables,
    acme_key: str,
    redis_server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("metrics_pipeline.api.live.shared.ASK_AGAIN_SECONDS", 0.2)
    with ExitStack() as stack:
        one, two = (stack.enter_context(websocket(server, acme_key, "account:acme/a1")) for server in servers)
        stream = stack.enter_context(events(servers[1], acme_key, "account:acme/a1"))
        stream.next()
        tables.put(30.0)
        assert until(one, 30.0) == until(two, 30.0) == [stream.next()[1]["id"]]
        for number in (1, 2):
            redis_server.stop()
            assert [reset_of(each) for each in (one, two, stream)] == ["feed_changed"] * 3
            before = stream.last_id
            tables.put(30.0 + number)
            own = [until(each, 30.0 + number) for each in (one, two)]
            assert len(own[0]) == len(own[1]) == 1
            assert stream.next()[1]["id"] == own[1][0] != before
            redis_server.start()
            assert [reset_of(each) for each in (one, two, stream)] == ["feed_changed"] * 3
            time.sleep(0.1)
            tables.put(40.0 + number)
            again = [until(each, 40.0 + number) for each in (one, two)]
            assert again[0] == again[1] == [stream.next()[1]["id"]]
