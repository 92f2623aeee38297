"""One sandbox for the tests of a module, without faults and with an empty log for each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from metrics_pipeline.sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def _running() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def sandbox(_running: SandboxServer) -> SandboxServer:
    _running.faults.clear()
    _running.requests.clear()
    return _running
