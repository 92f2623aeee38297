"""Settings of what the HTTP interface may start: where Dagster answers, and how much of it one request may ask for."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, field_validator

from metrics_pipeline.settings.stores import StoreSettings


class TriggerSettings(StoreSettings):
    """Where runs are started, and the bounds of one request."""

    dagster_url: str = Field(
        "http://127.0.0.1:3000",
        description="Dagster's web server, with its path prefix if it has one: the API starts runs there.",
    )
    dagster_timeout_seconds: float = Field(
        10.0, gt=0, le=120, description="How long the API waits for one answer of Dagster."
    )
    api_triggers_per_minute: int = Field(30, ge=1, description="Requests a minute and key that may start runs.")
    api_collection_days: int = Field(31, ge=1, le=366, description="Most days of series one request may collect anew.")
    api_aggregation_days: int = Field(400, ge=1, description="Most days one request may have rebuilt.")

    @field_validator("dagster_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:  # a port that is no number
            is_usable = False
        if not is_usable or parts.username is not None or parts.query or parts.fragment:
            raise ValueError(
                "write an address such as http://127.0.0.1:3000 or https://host/prefix, without a password"
            )
        return value.rstrip("/")
