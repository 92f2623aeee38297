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
    """`ask(platform, path, at=..., token=..., **parameters)`; a dot in a parameter's name is written as `__`."""
    with httpx.Client() as client:

        def get(
            platform: str, path: str, at: datetime | str = NOW, token: str | None = "token", **params: object
        ) -> httpx.Response:
            instant = at if isinstance(at, str) else at.isoformat().replace("+00:00", "Z")
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            named = {name.replace("__", "."): str(value) for name, value in params.items()}
            return client.get(server.base_url(platform).format(at=instant) + path, params=named, headers=headers)

        yield get
