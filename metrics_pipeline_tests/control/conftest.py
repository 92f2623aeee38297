"""Each test that takes `settings` or `engine` runs on SQLite and on Postgres."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import KeyRing, parse_key_ring
from metrics_pipeline.settings import Settings, load_settings
from metrics_pipeline_tests.conftest import PostgresUrls

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return load_settings(data_dir=tmp_path / "data")
    urls: PostgresUrls = request.getfixturevalue("postgres_url")
    return load_settings(data_dir=tmp_path / "data", database_url=urls())


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = open_control(settings)
    yield engine
    engine.dispose()


def ring_of(*key_ids: str) -> KeyRing:
    """A ring whose keys follow from their ids, newest first."""
    entries = [f"{key_id}:{base64.b64encode(key_id.encode().ljust(32, b'.')).decode()}" for key_id in key_ids]
    return parse_key_ring(",".join(entries), "test ring")


@pytest.fixture
def ring() -> KeyRing:
    return ring_of("first")
