"""What the application has for those who run it."""

from __future__ import annotations

from dataclasses import dataclass

from metrics_pipeline.api.operations.readiness import Readiness
from metrics_pipeline.api.operations.store_gauges import StoreGauges
from metrics_pipeline.api.services import Services


@dataclass(frozen=True)
class Operations:
    """Belongs to one application."""

    readiness: Readiness
    gauges: StoreGauges

    @classmethod
    def of(cls, parts: Services) -> Operations:
        return cls(Readiness(parts), StoreGauges(parts))
