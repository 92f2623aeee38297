"""One lake for all examples; a test empties it before each."""

from __future__ import annotations

import pytest

from metrics_pipeline.aggregation.content import ContentBuilder
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.content.events import empty


@pytest.fixture(scope="package")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(str(tmp_path_factory.mktemp("content") / "lake"))
    lake.initialise()
    return lake


@pytest.fixture
def content(lake: Lake) -> ContentBuilder:
    empty(lake)
    return ContentBuilder(Engine(lake), catalog(), Settings())
