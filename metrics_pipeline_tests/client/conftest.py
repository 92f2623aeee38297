"""A real server on loopback, as for the tests of the interface itself, and clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.client import MetricsClient
from metrics_pipeline_tests.api.conftest import control, key, migrated_directory, server, settings

__all__ = ["control", "key", "migrated_directory", "server", "settings"]

Connect = Callable[..., MetricsClient]


@pytest.fixture
def ingester(server: ApiServer, key: Callable[..., str]) -> Iterator[MetricsClient]:
    """A client that sends events of workspace acme."""
    with MetricsClient(server.url, key("acme", "ingest")) as client:
        yield client
