"""An inbox of either kind, a lake, and the service on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from metrics_pipeline.events.inbox import Inbox, open_inbox
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of both kinds of inbox, one after the other."""
    if request.param == "sqlite":
        return Settings(data_dir=tmp_path)
    fresh: Callable[[], str] = request.getfixturevalue("postgres_url")
    return Settings(data_dir=tmp_path, database_url=SecretStr(fresh()))


@pytest.fixture
def inbox(either: Settings) -> Iterator[Inbox]:
    opened = open_inbox(either)
    yield opened
    opened.close()


@pytest.fixture
def ingestion(either: Settings) -> Iterator[Ingestion]:
    with Ingestion.open(either) as opened:
        yield opened


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    opened = Lake(str(tmp_path / "lake"))
    opened.initialise()
    return opened
