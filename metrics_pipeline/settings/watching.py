"""Settings of those who watch the pipeline: alerts, the jobs log, missing partitions, anomalies."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator, model_validator

from metrics_pipeline.mail_server import MailServer
from metrics_pipeline.settings.application import ApplicationSettings


class WatchSettings(ApplicationSettings):
    """Where alerts go and what they are about."""

    alert_webhook_url: SecretStr | None = Field(
        None, description="Alerts are posted here as JSON {text}, as Slack and Mattermost take it."
    )
    alert_smtp_url: SecretStr | None = Field(
        None,
        description="Mail server of alerts: smtp://user:password@host:587 (STARTTLS; ?starttls=off without) "
        "or smtps://user:password@host:465.",
    )
    alert_email_to: str = Field("", description="Who gets alerts by e-mail; several with commas between.")
    alert_email_from: str = Field("metrics-pipeline@localhost", description="Sender of alerts by e-mail.")
    alert_after_failures: int = Field(
        1, ge=1, description="Failures in a row of the same job, asked for by the same, before somebody is told."
    )
    alert_repeat_hours: float = Field(24.0, gt=0, description="Hours after which an alert that lasts is told again.")
    jobs_log_interval_seconds: int = Field(
        30, ge=5, description="How often the jobs log looks at runs, and alerts that wait are sent."
    )
    job_runs_days: int = Field(180, ge=1, description="Days the jobs log keeps a run, and alerts their messages.")
    partition_grace_hours: float = Field(
        6.0, ge=0, description="Hours after the end of a period before its partition is missing."
    )
    watch_cron: str = Field("40 * * * *", description="Looks for partitions that are missing.")
    anomaly_cron: str = Field("30 3 * * *", description="Looks for anomalies, after the daily close.")
    reconciliation_cron: str = Field(
        "40 5 * * *", description="Compares two ways to the same number, after the closes."
    )
    drift_tolerance: float = Field(
        0.01, ge=0, description="Relative drift between two sources up to which nobody is told, 0.01 = 1 %."
    )
    anomaly_metrics: str = Field(
        "", description="Metrics looked at for anomalies beside those of the catalogue; several with commas between."
    )
    anomaly_z: float = Field(4.0, gt=0, description="Spreads a value must lie from its weekday's median.")
    anomaly_minimum: float = Field(
        20.0, ge=0, description="Smallest distance from the median of a count, a duration or an amount."
    )

    @field_validator("alert_smtp_url")
    @classmethod
    def _is_a_mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            MailServer.parse(value.get_secret_value())
        return value

    @field_validator("alert_email_to", "alert_email_from")
    @classmethod
    def _fits_a_header(cls, value: str) -> str:
        if any(not a.isascii() or "@" not in a or set(a) & set("\r\n<>") for a in listed(value)):
            raise ValueError("an address is written name@host")
        return value

    @model_validator(mode="after")
    def _mail_has_a_reader(self) -> WatchSettings:
        if self.alert_smtp_url is not None and not listed(self.alert_email_to):
            raise ValueError("METRICS_ALERT_SMTP_URL needs METRICS_ALERT_EMAIL_TO: nobody would get the mail")
        return self


def listed(text: str) -> list[str]:
    """The parts of a text between commas, without spaces around them and without empty ones."""
    return [part.strip() for part in text.split(",") if part.strip()]
