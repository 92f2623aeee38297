"""One version of a metric with the versions of what it is made of: what is compiled, and never changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from metrics_pipeline.custom_metrics.model import Definition

DEEPEST = 4
"""Metrics above each other, the topmost and the simple ones included."""


@dataclass(frozen=True, slots=True)
class MetricVersion:
    """A definition as it stood, its inputs by name as they stood.

    effective_from: the first day whose periods it makes; None for all before the next one. content_hash: over the
    definition and the hashes of its inputs, so that it changes whenever a number may.
    """

    metric_id: str
    workspace_id: str
    version: int
    definition: Definition
    content_hash: str
    effective_from: date | None = None
    inputs: Mapping[str, MetricVersion] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def depth(self) -> int:
        """1 for a simple metric."""
        return 1 + max((entry.depth for entry in self.inputs.values()), default=0)

    def walk(self) -> Iterator[MetricVersion]:
        """It and everything below it, inputs first; what is used twice comes twice."""
        for entry in self.inputs.values():
            yield from entry.walk()
        yield self
