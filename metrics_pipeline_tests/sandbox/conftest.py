"""One running sandbox for all tests of this folder; each test begins without faults and with an empty log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest

from metrics_pipeline.clock import FixedClock
from metrics_pipeline.sandbox.server import SandboxServer

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def _server() -> Iterator[SandboxServer]:
    with SandboxServer(seed=7, clock=FixedClock(NOW)) as server:
        yield server


@pytest.fixture
def server(_server: SandboxServer) -> SandboxServer:
    _server.faults.clear()
    _server.requests.clear()
    return _server


@pytest.fixture
def ask(server: SandboxServer) -> Iterator[Ask]:
    """`ask(platform, path, at=..., token=..., **parameters)`; a dot in a parameter's name is written as `__`.

    With a body it is a POST; headers stand in place of the one that carries the token.
    """
    with httpx.Client() as client:

        def get(
            platform: str,
            path: str,
            at: datetime | str = NOW,
            token: str | None = "token",
            body: object = None,
            headers: dict[str, str] | None = None,
            **params: object,
        ) -> httpx.Response:
            instant = at if isinstance(at, str) else at.isoformat().replace("+00:00", "Z")
            if headers is None:
                headers = {"Authorization": f"Bearer {token}"} if token else {}
            named = {name.replace("__", "."): str(value) for name, value in params.items()}
            url = server.base_url(platform).format(at=instant) + path
            method = "GET" if body is None else "POST"
            return client.request(method, url, params=named, headers=headers, json=body)

        yield get
