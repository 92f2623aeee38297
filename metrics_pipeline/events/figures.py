"""Counts of what was handed in, for metrics and dashboards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from metrics_pipeline.events.results import EventResult


@dataclass(frozen=True, slots=True)
class IngestionFigures:
    """Events by what became of them, and fields that were left out of accepted ones."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    retry: int = 0
    ignored_fields: int = 0

    def with_results(self, results: Iterable[EventResult], ignored_fields: int) -> IngestionFigures:
        counts = Counter(result.status for result in results)
        return IngestionFigures(
            self.accepted + counts["accepted"],
            self.duplicate + counts["duplicate"],
            self.rejected + counts["rejected"],
            self.retry + counts["retry"],
            self.ignored_fields + ignored_fields,
        )
