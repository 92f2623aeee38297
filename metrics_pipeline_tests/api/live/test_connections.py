"""Who may listen to what, how many, how long, and how a connection ends."""

from __future__ import annotations

import base64
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import Engine
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.control.api_key_text import parse_key_text
from metrics_pipeline.control.api_keys import revoke_key
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import Client, code_of
from metrics_pipeline_tests.api.live.conftest import Socket, Tables, events, websocket

Server = Callable[..., ApiServer]


@pytest.fixture
def serve(tables: Tables, settings: Settings) -> Iterator[Server]:
    """Starts a server with some settings."""
    running: list[ApiServer] = []

    def start(**changed: object) -> ApiServer:
        running.append(ApiServer(settings.model_copy(update=changed)).__enter__())
        return running[-1]

    yield start
    for one in running:
        one.__exit__(None, None, None)


def end_of(socket: Socket) -> tuple[str, int]:
    """The reason of the bye, and the code of the close."""
    while (told := socket.hear())["type"] != "bye":
        pass
    with pytest.raises(ConnectionClosed) as closed:
        socket.hear()
    assert closed.value.rcvd is not None
    return told["reason"], closed.value.rcvd.code


def test_unknown_and_foreign_channels_are_refused_alike(
    server: ApiServer, acme_key: str, client: Client, key: Callable[..., str]
) -> None:
    names = ["workspace:beta", "workspace:nobody", "account:beta/a1", "account:acme/a2", "acme", "workspace:", ""]
    with websocket(server, acme_key) as acme:
        told = acme.subscribe("workspace:acme", *names, "account:acme/a1")
        assert told["channels"] == ["workspace:acme", "account:acme/a1"]
        assert told["refused"] == [{"channel": name, "code": "not_found"} for name in names]
        assert (told["type"], told["id"]) == ("subscribed", 1)
        acme.say(type="unsubscribe", id="u", channels=["workspace:acme", "workspace:beta"])
        assert acme.hear() == {"type": "unsubscribed", "channels": ["workspace:acme"], "id": "u"}
    for name in names:
        assert code_of(client(acme_key).get("/v1/live", params={"channel": name})) == "not_found"
    operator = key(None, "read")
    assert code_of(client(operator).get("/v1/live")) == "workspace_required"
    both = {"channel": ["workspace:acme", "workspace:beta"]}
    assert code_of(client(operator).get("/v1/live", params=both)) == "one_workspace"
    with websocket(server, operator, *both["channel"]) as everywhere:
        assert everywhere.subscribe("workspace:nobody")["refused"] != []


def test_a_key_is_needed_and_may_come_in_the_first_message(
    server: ApiServer, acme_key: str, key: Callable[..., str], client: Client
) -> None:
    url = server.url.replace("http", "ws") + "/v1/live/ws"
    for text, status, code in (("mk_x", 401, "invalid_key"), (key("acme", "ingest"), 403, "insufficient_scope")):
        with (
            pytest.raises(InvalidStatus) as refused,
            connect(url, additional_headers={"Authorization": f"Bearer {text}"}),
        ):
            pass
        assert refused.value.response.status_code == status
        assert json.loads(refused.value.response.body or b"")["code"] == code
        with connect(url) as connection:
            told = Socket(connection)
            told.say(type="auth", key=text)
            assert told.hear()["code"] == code
            with pytest.raises(ConnectionClosed) as closed:
                told.hear()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4000 + status
        assert code_of(client(text).get("/v1/live")) == code
    with connect(url) as connection:
        told = Socket(connection)
        told.say(type="auth", key=acme_key)
        assert told.hear()["type"] == "ready"
        assert told.subscribe("workspace:acme")["refused"] == []
    with connect(f"{url}?key={acme_key}") as connection:
        told = Socket(connection)
        told.say(type="subscribe", channels=["workspace:acme"])
        assert told.hear()["code"] == "missing_key"


def test_what_cannot_be_read_is_answered_and_what_is_too_large_ends_it(server: ApiServer, acme_key: str) -> None:
    many = [f"account:acme/{n}" for n in range(101)]
    with websocket(server, acme_key) as told:
        for said, code in (
            ("nonsense", "invalid_message"),
            ("[]", "invalid_message"),
            (b"\x00", "invalid_message"),
            ('{"type": "publish"}', "unknown_type"),
            ('{"type": "subscribe"}', "invalid_message"),
            ('{"type": "subscribe", "channels": ["workspace:acme"], "id": {}}', "invalid_message"),
            (
                json.dumps({"type": "subscribe", "channels": many}),
                "too_many_channels",
            ),
            (" " * 40_000, "invalid_message"),
        ):
            told.connection.send(said)
            answer = told.hear()
            assert (answer["type"], answer["code"]) == ("error", code), said[:80]
        told.say(type="ping", id=5)
        assert told.hear() == {"type": "pong", "id": 5}
        told.connection.send(" " * 100_000)
        with pytest.raises(ConnectionClosed) as closed:
            told.hear()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


def test_a_revoked_key_ends_its_connections(
    serve: Server, acme_key: str, control: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metrics_pipeline.api.auth.REMEMBER_SECONDS", 0.1)
    server = serve(live_key_check_seconds=0.2)
    with websocket(server, acme_key, "workspace:acme") as told, events(server, acme_key) as stream:
        stream.next()
        time.sleep(0.5)
        parsed = parse_key_text(acme_key)
        assert parsed is not None
        revoke_key(control, parsed.key_id, now=datetime.now(UTC))
        assert end_of(told) == ("key_invalid", 4401)
        assert stream.next() == ("bye", {"type": "bye", "reason": "key_invalid"})
        with pytest.raises(EOFError):
            stream.next()


def test_a_connection_has_an_end_and_a_heartbeat(serve: Server, acme_key: str) -> None:
    server = serve(live_longest_seconds=1.0, live_heartbeat_seconds=0.2)
    with websocket(server, acme_key) as told, events(server, acme_key) as stream:
        pings = 0
        while (said := json.loads(told.connection.recv(timeout=5)))["type"] == "ping":
            pings += 1
        assert said == {"type": "bye", "reason": "expired"}
        stream.next()
        assert stream.next()[1]["reason"] == "expired"
        assert pings >= 3
        assert stream.comments >= 3


def test_a_peer_that_does_not_answer_is_dropped(serve: Server, acme_key: str) -> None:
    server = serve(live_heartbeat_seconds=0.3)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as dead:
        headers = {
            "Host": "x",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Authorization": f"Bearer {acme_key}",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        }
        lines = ["GET /v1/live/ws HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        request = "\r\n".join(lines)
        dead.sendall(request.encode())
        started = time.monotonic()
        while dead.recv(4096):
            pass
        assert time.monotonic() - started < 6, "a connection that is waited for takes ten seconds or more"


def test_there_are_only_so_many(serve: Server, acme_key: str, key: Callable[..., str]) -> None:
    server = serve(live_connections_per_workspace=2, live_connections=3)
    with websocket(server, acme_key), events(server, acme_key):
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {acme_key}"}) as client:
            refused = client.get("/v1/live")
            assert (refused.status_code, code_of(refused)) == (429, "too_many_connections")
            assert refused.headers["retry-after"] == "30"
        beta = key("beta", "read")
        with websocket(server, beta), httpx.Client(base_url=server.url) as client:
            assert code_of(client.get("/v1/live", headers={"Authorization": f"Bearer {beta}"})) == "live_full"
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:  # places are free again as soon as the server hears that they are gone
        try:
            with websocket(server, acme_key), events(server, acme_key):
                return
        except (InvalidStatus, AssertionError):
            time.sleep(0.05)
    raise AssertionError("places were not given back")


def test_the_server_says_goodbye_and_does_not_hang(serve: Server, acme_key: str) -> None:
    server = serve()
    with websocket(server, acme_key, "workspace:acme") as told, events(server, acme_key) as stream:
        stream.next()
        started = time.monotonic()
        server.__exit__(None, None, None)
        assert time.monotonic() - started < 6, "a connection that is waited for takes ten seconds or more"
        assert end_of(told) == ("shutdown", 1001)
        assert stream.next() == ("bye", {"type": "bye", "reason": "shutdown"})
