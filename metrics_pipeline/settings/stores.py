"""The settings of stores and time: where everything lives, and from when on."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from metrics_pipeline.clock import Clock, FixedClock, SystemClock
from metrics_pipeline.settings.platforms import PlatformSettings

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class StoreSettings(PlatformSettings):
    """The first settings of `.env.example`; `Settings` has them all."""

    model_config = SettingsConfigDict(env_prefix="METRICS_", env_ignore_empty=True, extra="ignore")

    data_dir: Path = Field(
        Path("data"), description="Where the embedded stores live: lake, control database, Dagster home."
    )
    lake_url: str | None = Field(
        None, description="Delta tables elsewhere, such as s3://bucket/lake; default <data dir>/lake."
    )
    database_url: SecretStr | None = Field(
        None, description="Control database (SQLAlchemy URL); default SQLite in the data directory."
    )
    redis_url: SecretStr | None = Field(
        None,
        description="Redis in which API processes count quotas, keep answers, pass on live updates and count real-time "
        "metrics together, redis://host:6379/0; default: each alone.",
    )
    secret_keys: SecretStr | None = Field(
        None,
        description="Key ring `id:base64key,...` for stored credentials, newest first; default a 0600 key file.",
    )
    pipeline_start: date | None = Field(
        None,
        description="First day of the daily, weekly, monthly partitions; default fixed at first use in pipeline.toml.",
    )
    collection_start: date | None = Field(
        None, description="First day of the hourly partitions; default fixed at first use."
    )
    week_start: Weekday = Field("monday", description="First day of a week.")
    now: AwareDatetime | None = Field(
        None, description="Freeze the clock at this instant (simulations and tests only)."
    )

    @field_validator("week_start", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("pipeline_start", "collection_start")
    @classmethod
    def _not_in_the_future(cls, value: date | None) -> date | None:
        if value is not None and value > datetime.now(UTC).date():
            raise ValueError("lies in the future")
        return value

    @property
    def week_start_index(self) -> int:
        """0 for Monday to 6 for Sunday, as `date.weekday` counts."""
        return WEEKDAYS.index(self.week_start)

    @property
    def clock(self) -> Clock:
        return FixedClock(self.now) if self.now else SystemClock()

    @property
    def lake_location(self) -> str:
        return self.lake_url or str(self.data_dir.absolute() / "lake")

    @property
    def dagster_home(self) -> Path:
        return self.data_dir.absolute() / "dagster"
