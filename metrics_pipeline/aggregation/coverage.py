"""How complete the rows of a table are: every aggregate reports its own input coverage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.windows import Window


@dataclass(frozen=True)
class PartitionCoverage:
    """rows: all rows; valued: rows with a value; complete: rows whose value rests on everything it needs."""

    rows: int
    valued: int
    complete: int

    @property
    def ratio(self) -> float:
        return self.valued / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Coverage:
    """Coverage of a window, in total and per partition key."""

    per_partition: Mapping[str, PartitionCoverage] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(p.rows for p in self.per_partition.values())

    @property
    def complete(self) -> int:
        return sum(p.complete for p in self.per_partition.values())

    @property
    def ratio(self) -> float:
        """Share of rows that have a value; 0 without rows."""
        valued = sum(p.valued for p in self.per_partition.values())
        return valued / self.rows if self.rows else 0.0

    def line(self) -> str:
        return f"{self.rows} rows, {self.ratio:.0%} with a value, {self.complete} complete"


def coverage(engine: Engine, table: str, entity_type: str, window: Window) -> Coverage:
    """Coverage of the partitions of `table` that lie in the window."""
    rows = engine.query(
        f"checks/coverage_{table}.sql",
        {"entity_type": entity_type, "start": window.first_day, "end": window.end_day},
    ).to_pylist()
    return Coverage(
        {str(row["partition_key"]): PartitionCoverage(row["rows"], row["valued"], row["complete"]) for row in rows}
    )
