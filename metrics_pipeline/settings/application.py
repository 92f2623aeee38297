"""The settings of the application database: what is read from it, and when."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from metrics_pipeline.settings.stores import StoreSettings


class ApplicationSettings(StoreSettings):
    """Settings of the application database."""

    application_database_url: SecretStr | None = Field(
        None,
        description="The application's own database (SQLAlchemy URL: sqlite, postgresql or mysql); "
        "without it none is read.",
    )
    application_tables: Path | None = Field(
        None, description="YAML that says which of its tables are read; default the seven known ones."
    )
    application_batch_rows: int = Field(
        10_000, ge=1, le=1_000_000, description="Rows read from it at a time: what bounds the memory of a run."
    )
    application_trailing_days: int = Field(
        2, ge=0, description="Days before yesterday that every daily extraction reads again."
    )
    reply_window_days: int = Field(
        7, ge=1, le=90, description="Days in which an inbound message counts as the reply to a message, or its answer."
    )
    contact_score_days: int = Field(
        90, ge=1, le=730, description="Days of messages behind the engagement score of a contact."
    )
    application_cron: str = Field("40 2 * * *", description="Daily extraction from it, before the daily close.")
