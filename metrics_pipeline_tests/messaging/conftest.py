"""An engine in memory that, like the real one, hands out no row of a day that a build does not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pytest

from metrics_pipeline.aggregation.build import Builder
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.lake.connect import read_statement
from metrics_pipeline.lake.engine import Piece
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Days, Parameter, Relations
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.aggregation.memory_engine import MemoryEngine

# Short ones, so that a month has room for messages outside of them.
REPLY_DAYS, SCORE_DAYS = 3, 9


@dataclass
class _Session:
    engine: DayEngine
    days: Mapping[str, Days]

    def run_file(self, file: str, parameters: Mapping[str, Parameter]) -> pa.RecordBatchReader:
        return self.engine.select(read_statement(file), parameters, self.engine.within(self.days))


class DayEngine(MemoryEngine):
    """A MemoryEngine that keeps to the days a build names."""

    def within(self, days: Mapping[str, Days] | None) -> dict[str, pa.Table]:
        return {
            name: self.select(f"select * from {name} where date >= '{first}' and date < '{end}'").read_all()
            for name, (first, end) in (days or {}).items()
            if "date" in self.tables[name].schema.names
        }

    def build_in_pieces(
        self,
        table: str,
        file: str,
        partitions: Partitions,
        pieces: Sequence[Piece],
        notes: Mapping[str, str] | None = None,
    ) -> int:
        kept = [replace(piece, relations={**piece.relations, **self.within(piece.days)}) for piece in pieces]
        return super().build_in_pieces(table, file, partitions, kept, notes)

    def session(
        self, relations: Relations | None = None, days: Mapping[str, Days] | None = None, memory: str | None = None
    ) -> Any:
        return nullcontext(_Session(self, days or {}))


@pytest.fixture(scope="session")
def memory() -> DayEngine:
    """One connection for all examples; a test clears the tables before each."""
    return DayEngine()


@pytest.fixture
def builder(memory: DayEngine) -> Builder:
    memory.clear()
    return Builder(memory, catalog(), Settings(reply_window_days=REPLY_DAYS, contact_score_days=SCORE_DAYS))
