"""The settings of the API's cache: how long answers are kept, and how much of them."""

from __future__ import annotations

from pydantic import Field

from metrics_pipeline.settings.stores import StoreSettings


class CacheSettings(StoreSettings):
    """Settings of the cache of the read API. Answers of older data are never given as new, whatever stands here."""

    cache_live_seconds: int = Field(30, ge=1, description="Seconds the API keeps an answer about live figures.")
    cache_dashboard_seconds: int = Field(
        300, ge=1, description="Seconds the API keeps dashboards and answers about periods that are not over."
    )
    cache_aggregate_seconds: int = Field(3600, ge=1, description="Seconds the API keeps aggregates and snapshots.")
    cache_closed_seconds: int = Field(86_400, ge=1, description="Seconds the API keeps answers about closed periods.")
    cache_stale_seconds: int = Field(
        86_400, ge=0, description="Seconds a last answer may stand in while the lake cannot be read; 0 for never."
    )
    cache_memory_mb: int = Field(
        128, ge=1, description="Memory one API process spends on kept answers while they are not in Redis."
    )
    cache_warm_queries: int = Field(
        50, ge=0, description="Most asked queries that are computed anew when their tables change; 0 for none."
    )
