"""One loopback server for all platform tests, emptied before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from metrics_pipeline_tests.platforms.loopback import Loopback
from metrics_pipeline_tests.platforms.tiktok_server import TikTokServer


@pytest.fixture(scope="session")
def _server() -> Iterator[Loopback]:
    server = Loopback()
    yield server
    server.stop()


@pytest.fixture
def loopback(_server: Loopback) -> Loopback:
    _server.reset()
    return _server


@pytest.fixture
def tiktok(loopback: Loopback) -> TikTokServer:
    """The loopback server answering as TikTok."""
    made = TikTokServer()
    loopback.answer = made.answer
    return made
