"""What platforms tell about single messages by themselves, through webhooks."""

from __future__ import annotations

from metrics_pipeline.lake.table_spec import TENANT, TableSpec, columns_of

MESSAGE_STATUSES = TableSpec(
    "message_statuses",
    "One outbound message as a platform's webhook told of it: the time of each status, whatever order they came in. "
    "What its day is, and with it the message's row, moves when an earlier status is told of later.",
    columns_of(
        TENANT,
        (
            ("date", "date", "UTC day of the first instant known of it: its cohort day, unless sent_at is earlier."),
            ("account_id", "string", "The account it went through."),
            (
                "message_id",
                "string",
                "SHA-256 of its id at the platform, which would spell out the recipient's number: "
                "message_key(app_messages.id) where the application keeps it.",
            ),
            (
                "recipient_hash",
                "string",
                "Keyed digest of the recipient, or of the group; taken out when raw events expire.",
            ),
            (
                "status",
                "string",
                "Highest rank told of: sent, delivered, read; failed where it never was delivered.",
            ),
            ("sent_at", "timestamp", "When it was sent, as the platform tells it; the earliest, as of the others."),
            (
                "delivered_at",
                "timestamp",
                "When it reached the recipient's device; null also where only its reading was told of.",
            ),
            ("read_at", "timestamp", "When the recipient read it."),
            ("failed_at", "timestamp", "When it failed."),
            ("error_code", "string", "The platform's code of the earliest failure."),
            (
                "pricing_category",
                "string",
                "Priced as marketing, utility, authentication or service.",
            ),
            (
                "received_at",
                "timestamp",
                "When the status that last changed anything here was received; a repeated one changes nothing.",
            ),
        ),
    ),
    partition_by=("date",),
    keys=("workspace_id", "platform", "account_id", "message_id"),
    sort_by=("workspace_id", "account_id", "message_id"),
    day_column="date",
    log_statistics=("workspace_id", "account_id", "received_at"),
)
