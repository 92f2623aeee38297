"""Messages as webhooks tell of them, and the present state of campaigns and contacts."""

from __future__ import annotations

from metrics_pipeline.lake.table_spec import TENANT, ColumnType, TableSpec, columns_of

_WORKSPACE: tuple[tuple[str, ColumnType, str], ...] = (("workspace_id", "string", "The tenant the row belongs to."),)
_OUTBOUND: tuple[tuple[str, ColumnType, str], ...] = (
    ("messages_attempted", "bigint", "Outbound messages."),
    ("messages_sent", "bigint", "Of these, sent, also if they failed later."),
    ("messages_delivered", "bigint", "Delivered, those that were read included."),
    ("messages_read", "bigint", "Read, those that were replied to included."),
    ("messages_replied", "bigint", "Followed by an inbound message of their conversation within the reply window."),
    ("messages_converted", "bigint", "Delivered ones that led to what they were sent for."),
)
_SCORED: tuple[tuple[str, ColumnType, str], ...] = (
    ("score_version", "int", "Version of the score's formula."),
    ("computed_at", "timestamp", "When the row was computed."),
)

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

CAMPAIGN_METRICS = TableSpec(
    "campaign_metrics",
    "One campaign with everything it sent so far, its rates, and its score with all parts: see docs/messaging.md.",
    columns_of(
        _WORKSPACE,
        (
            ("campaign_id", "string", "The campaign's id in the application."),
            ("status", "string", "The application's own state of it; null where it has no such campaign."),
            ("recipients", "bigint", "Contacts it addresses."),
            ("cost_cents", "bigint", "What it cost, in cents."),
            ("started_at", "timestamp", "When it started."),
            ("completed_at", "timestamp", "When it ended."),
            ("first_date", "date", "First day with a message of it."),
            ("last_date", "date", "Last day with one."),
        ),
        _OUTBOUND,
        (
            ("messages_failed", "bigint", "Failed and never delivered."),
            ("delivery_rate", "double", "Delivered / sent."),
            ("read_rate", "double", "Read / delivered."),
            ("reply_rate", "double", "Replied / delivered."),
            ("failure_rate", "double", "Failed / attempted."),
            ("conversion_rate", "double", "Converted / delivered."),
            ("conversions_tracked", "boolean", "Whether any message of the workspace ever converted."),
            ("campaign_score", "double", "0 to 100; null where nothing was delivered."),
            ("delivery_points", "double", "Of the score, what the delivery rate gives."),
            ("read_points", "double", "What the read rate gives."),
            ("reply_points", "double", "What the reply rate gives."),
            ("conversion_points", "double", "What the conversion rate gives; 0 where conversions are not tracked."),
            ("delivery_weight", "double", "Weight of the delivery rate; the four add up to 1."),
            ("read_weight", "double", "Weight of the read rate."),
            ("reply_weight", "double", "Weight of the reply rate."),
            ("conversion_weight", "double", "Weight of the conversion rate; 0 where conversions are not tracked."),
            ("is_complete", "boolean", "Every day of it is over and was read."),
            ("is_provisional", "boolean", "A reply may still come within the reply window."),
            ("last_read_at", "timestamp", "When the newest of its days was read."),
        ),
        _SCORED,
    ),
    partition_by=(),
    keys=("workspace_id", "campaign_id"),
    sort_by=("workspace_id", "campaign_id"),
)
CONTACT_METRICS = TableSpec(
    "contact_metrics",
    "One contact with the messages of the last METRICS_CONTACT_SCORE_DAYS days, and its score with all parts.",
    columns_of(
        _WORKSPACE,
        (
            ("contact_id", "string", "The contact's id in the application."),
            ("created_at", "timestamp", "When it was created; null where the application has no such contact."),
            ("blocked_at", "timestamp", "When it blocked the account, or was blocked."),
            ("is_blocked", "boolean", "Whether it is blocked."),
            ("first_date", "date", "First day that is counted."),
            ("last_date", "date", "Last day that is counted: the running one."),
        ),
        _OUTBOUND,
        (
            ("messages_inbound", "bigint", "Messages it wrote."),
            ("last_inbound_at", "timestamp", "When it wrote last within these days."),
            ("days_since_inbound", "bigint", "Days since then; null where it wrote none."),
            ("read_rate", "double", "Read / delivered."),
            ("reply_rate", "double", "Replied / delivered."),
            ("engagement_score", "double", "0 to 100; null where nothing was delivered."),
            ("read_points", "double", "Of the score, what the read rate gives."),
            ("reply_points", "double", "What the reply rate gives."),
            ("recency_points", "double", "What the days since it wrote give."),
        ),
        _SCORED,
    ),
    partition_by=(),
    keys=("workspace_id", "contact_id"),
    sort_by=("workspace_id", "contact_id"),
)

MESSAGING_TABLES = (MESSAGE_STATUSES, CAMPAIGN_METRICS, CONTACT_METRICS)
