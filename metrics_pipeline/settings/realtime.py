"""Settings of real-time metrics."""

from __future__ import annotations

from pydantic import Field, SecretStr

from metrics_pipeline.settings.stores import StoreSettings


class RealtimeSettings(StoreSettings):
    """How much real-time metrics may hold, and how long a gauge is believed."""

    realtime_redis_url: SecretStr | None = Field(
        None,
        description="Redis of real-time metrics alone, one that never evicts keys; default METRICS_REDIS_URL.",
    )
    realtime_series: int = Field(
        2000,
        ge=1,
        le=100_000,
        description="Series of one real-time metric in a workspace; what is beyond is put together.",
    )
    realtime_metrics: int = Field(
        500, ge=1, description="Real-time metrics of one workspace; updates of another one are refused."
    )
    realtime_gauge_seconds: float = Field(
        300.0, gt=0, description="Age after which the last value of a gauge is told to be stale."
    )
    realtime_spill_updates: int = Field(
        100_000, ge=0, description="Real-time updates that wait in each process while Redis is away; more are dropped."
    )
    realtime_reconciliation_cron: str = Field(
        "25 * * * *", description="Compares real-time metrics with stored events, and mends them."
    )
