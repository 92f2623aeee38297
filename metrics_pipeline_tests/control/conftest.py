"""Each test that takes `settings` or `engine` runs on SQLite and on Postgres."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from metrics_pipeline.control.database import control_engine, open_control
from metrics_pipeline.control.key_ring import KeyRing, parse_key_ring
from metrics_pipeline.control.models import Base
from metrics_pipeline.settings import Settings, load_settings
from metrics_pipeline_tests.conftest import PostgresUrls

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema in it: tests of other things copy it instead of migrating (60 ms) each."""
    directory = tmp_path_factory.mktemp("migrated")
    open_control(load_settings(data_dir=directory)).dispose()
    return directory / "control.db"


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: PostgresUrls, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same on Postgres: one database, emptied for each test."""
    url = postgres_url()
    open_control(load_settings(data_dir=tmp_path_factory.mktemp("unused"), database_url=url)).dispose()
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def new_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a database that is not there yet."""
    if request.param == "sqlite":
        return load_settings(data_dir=tmp_path / "data")
    urls: PostgresUrls = request.getfixturevalue("postgres_url")
    return load_settings(data_dir=tmp_path / "data", database_url=urls())


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of an empty database that has the schema."""
    if request.param == "sqlite":
        (tmp_path / "data").mkdir()
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "data" / "control.db")
        return load_settings(data_dir=tmp_path / "data")
    settings = load_settings(data_dir=tmp_path / "data", database_url=request.getfixturevalue("migrated_postgres"))
    with control_engine(settings).begin() as connection:
        connection.execute(text(f"truncate {', '.join(Base.metadata.tables)}"))
    return settings


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
