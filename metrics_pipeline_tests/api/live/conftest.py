"""A lake with two tenants' rows in common files, and clients of both kinds of live connections."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pyarrow as pa
import pytest
from websockets.sync.client import ClientConnection, connect

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.settings import Settings

DAY = date(2026, 11, 20)
Told = dict[str, Any]


class Tables:
    """Commits to the lake as a build makes them: a partition is written again whole, with everybody's rows."""

    def __init__(self, settings: Settings) -> None:
        self.lake = Lake.open(settings)
        self._rows: dict[tuple[date, str], dict[tuple[str, str, str], float]] = {}

    def put(
        self,
        value: float,
        workspace: str = "acme",
        account: str | None = "a1",
        metric: str = "views",
        day: date = DAY,
        entity_type: str | None = None,
    ) -> None:
        """Write a day of daily_metrics with one value set; with a post, of that account's first post."""
        kind = entity_type or ("workspace" if account is None else "account")
        self._rows.setdefault((day, kind), {})[workspace, account or workspace, metric] = value
        self.write(day, kind)

    def write(self, day: date = DAY, kind: str = "account") -> None:
        """Write a partition as it is; `last_read_at` is new, the numbers are not."""
        spec = self.lake.tables["daily_metrics"]
        rows = [
            {
                "date": day,
                "workspace_id": workspace,
                "platform": "x",
                "entity_type": kind,
                "entity_id": f"{entity}-p1" if kind == "post" else entity,
                "account_id": None if kind == "workspace" else entity,
                "metric": metric,
                "value": value,
                "state": "value",
                "last_read_at": datetime.now(UTC),
            }
            for (workspace, entity, metric), value in self._rows[day, kind].items()
        ]
        table = pa.Table.from_pylist(rows, spec.schema)
        only = Partitions(equals={"date": day.isoformat(), "entity_type": kind})
        self.lake.replace("daily_metrics", only, lambda _: table)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"live_poll_seconds": 0.05, "api_refresh_seconds": 0.0})


@pytest.fixture
def tables(settings: Settings) -> Tables:
    made = Tables(settings)
    for workspace in ("acme", "beta"):
        made.put(1.0, workspace)
        made.put(2.0, workspace, None)
    return made


@pytest.fixture
def server(tables: Tables, settings: Settings) -> Iterator[ApiServer]:
    """The tables are there before it: nothing is new."""
    with ApiServer(settings) as running:
        yield running


class Socket:
    """A WebSocket client that speaks JSON."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **fields: object) -> None:
        self.connection.send(json.dumps(fields))

    def hear(self, seconds: float = 5.0) -> Told:
        """The next message that is no ping."""
        while True:
            told: Told = json.loads(self.connection.recv(timeout=seconds))
            if told["type"] != "ping":
                return told

    def hears_nothing(self, seconds: float = 0.4) -> bool:
        try:
            told = self.hear(seconds)
        except TimeoutError:
            return True
        raise AssertionError(told)

    def subscribe(self, *channels: str) -> Told:
        self.say(type="subscribe", id=1, channels=list(channels))
        return self.hear()


@contextmanager
def websocket(server: ApiServer, key: str, *channels: str, **options: Any) -> Iterator[Socket]:
    """A connection that is let in and listens to these channels."""
    url = server.url.replace("http", "ws") + "/v1/live/ws"
    with connect(url, additional_headers={"Authorization": f"Bearer {key}"}, **options) as connection:
        socket = Socket(connection)
        assert socket.hear()["type"] == "ready"
        if channels:
            assert socket.subscribe(*channels)["refused"] == []
        yield socket


class Events:
    """A stream of server-sent events."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()
        self.last_id = ""
        self.comments = 0

    def next(self) -> tuple[str, Told]:
        name, data = "message", ""
        for line in self._lines:
            field, _, value = line.partition(": ")
            if line.startswith(":"):
                self.comments += 1
            elif field == "event":
                name = value
            elif field == "data":
                data += value
            elif field == "id":
                self.last_id = value
            elif not line and data:
                return name, json.loads(data)
        raise EOFError


@contextmanager
def events(server: ApiServer, key: str, *channels: str, after: str | None = None) -> Iterator[Events]:
    """An open stream; the snapshot is the first thing in it."""
    headers = {"Authorization": f"Bearer {key}"} | ({} if after is None else {"Last-Event-ID": after})
    with (
        httpx.Client(base_url=server.url, headers=headers, timeout=5) as client,
        client.stream("GET", "/v1/live", params={"channel": list(channels)}) as response,
    ):
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Events(response)


@pytest.fixture
def acme_key(key: Callable[..., str]) -> str:
    return key("acme", "read")
