"""Engines over an empty lake: in memory for laws that need many examples, on disk for the whole path."""

from __future__ import annotations

from pathlib import Path

import pytest

from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine


@pytest.fixture(scope="session")
def memory() -> MemoryEngine:
    """One connection for all examples; a test clears the tables before each."""
    return MemoryEngine()


@pytest.fixture
def memory_builder(memory: MemoryEngine) -> Builder:
    memory.clear()
    return Builder(memory, catalog(), Settings())


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    lake = Lake(str(tmp_path / "lake"))
    lake.initialise()
    return Engine(lake)


@pytest.fixture
def builder(engine: Engine) -> Builder:
    return Builder(engine, catalog(), Settings())
