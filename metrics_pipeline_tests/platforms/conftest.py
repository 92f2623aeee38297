"""One loopback server for all platform tests, emptied before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from metrics_pipeline_tests.platforms.loopback import Loopback


@pytest.fixture(scope="session")
def _server() -> Iterator[Loopback]:
    server = Loopback()
    yield server
    server.stop()


@pytest.fixture
def loopback(_server: Loopback) -> Loopback:
    _server.reset()
    return _server
