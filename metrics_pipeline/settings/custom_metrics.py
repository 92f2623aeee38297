"""Settings of metrics that users define."""

from __future__ import annotations

from pydantic import Field

from metrics_pipeline.settings.stores import StoreSettings


class CustomMetricSettings(StoreSettings):
    """What one calculation may use, and whose rows the application's tables hold."""

    custom_metric_seconds: float = Field(
        20.0, gt=0, le=3600, description="Longest time that one statement of a custom metric may run."
    )
    custom_metric_memory: str = Field(
        "1GB", pattern=r"^\d+(MB|GB)$", description="Memory that the statements of custom metrics may hold."
    )
    custom_metric_groups: int = Field(
        10_000, ge=1, description="Most parts that one breakdown of a custom metric may have over all periods asked."
    )
    custom_metric_cost_medium: int = Field(
        5_000_000, ge=1, description="From so many weighted rows on a calculation's cost is medium."
    )
    custom_metric_cost_high: int = Field(
        50_000_000, ge=1, description="From so many on it is high: metrics:admin only."
    )
    custom_metrics_interval_seconds: int = Field(
        300, ge=10, description="How often is looked for definitions that changed, and for rows behind them."
    )
    application_workspace: str | None = Field(
        None,
        description="Workspace that custom metrics take rows of the application's tables for that name none; default: "
        "the only workspace there is, else nobody's.",
    )
    metric_audit_days: int = Field(
        730, ge=1, description="Days the audit of custom metrics is kept; definitions and versions stay for ever."
    )
