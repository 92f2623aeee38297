"""The application's tables that metrics are computed from: they exist, with these columns, also while none is read.

Further tables, and further columns of these, come from the declaration: `application/lake_tables.py`.
"""

from __future__ import annotations

from metrics_pipeline.lake.table_spec import ColumnType, TableSpec, columns_of

Described = tuple[tuple[str, ColumnType, str], ...]

_ID: Described = (("id", "string", "The row's id in the application."),)


def application_table(
    name: str, description: str, columns: Described, keys: tuple[str, ...] = ("id",), *, has_days: bool = True
) -> TableSpec:
    """The lake's table of one of the application's; `columns` without date, workspace_id and extracted_at."""
    day: Described = (("date", "date", "UTC day the row belongs to."),)
    return TableSpec(
        name,
        description,
        columns_of(
            day if has_days else (),
            (("workspace_id", "string", "The tenant the row belongs to; null where the application has none for it."),),
            columns,
            (("extracted_at", "timestamp", "When the row was first read as it stands."),),
        ),
        partition_by=("date",) if has_days else (),
        keys=keys,
        sort_by=("workspace_id", *keys),
        day_column="date" if has_days else None,
    )


MESSAGES = application_table(
    "app_messages",
    "One message of the application, in or out, under the day it was sent, or failed if it never was sent.",
    (
        *_ID,
        ("account_id", "string", "The account it went through."),
        ("conversation_id", "string", "The conversation it belongs to."),
        ("contact_id", "string", "Who received or wrote it."),
        ("campaign_id", "string", "The campaign that sent it; null for others."),
        ("direction", "string", "inbound or outbound."),
        ("is_template", "boolean", "Whether a template was sent."),
        ("status", "string", "The application's own last word on it."),
        ("sent_at", "timestamp", "When it was sent; of an inbound one, when it arrived."),
        ("delivered_at", "timestamp", "When it reached the contact's device."),
        ("read_at", "timestamp", "When the contact read it."),
        ("failed_at", "timestamp", "When it failed."),
        ("converted_at", "timestamp", "When it led to what it was sent for."),
    ),
)
CAMPAIGNS = application_table(
    "app_campaigns",
    "One campaign under the day it started; one that has not started is not here yet.",
    (
        *_ID,
        ("status", "string", "The application's own state of it."),
        ("recipients", "bigint", "Contacts it addresses."),
        ("cost_cents", "bigint", "What it cost, in cents."),
        ("started_at", "timestamp", "When it started."),
        ("completed_at", "timestamp", "When it ended."),
    ),
)
CONTACTS = application_table(
    "app_contacts",
    "One contact under the day it was created.",
    (
        *_ID,
        ("created_at", "timestamp", "When it was created."),
        ("blocked_at", "timestamp", "When it blocked the account, or was blocked."),
    ),
)
CONVERSATIONS = application_table(
    "app_conversations",
    "One conversation under the day it was opened.",
    (
        *_ID,
        ("account_id", "string", "The account it is held through."),
        ("opened_at", "timestamp", "When it began."),
        ("closed_at", "timestamp", "When it was closed; null while it is open."),
    ),
)
ORDERS = application_table(
    "app_orders",
    "One order under the day it was made.",
    (
        *_ID,
        ("customer_id", "string", "Whose it is."),
        ("amount_cents", "bigint", "Its amount, in cents."),
        ("created_at", "timestamp", "When it was made."),
    ),
)
LICENCES = application_table(
    "app_licences",
    "One licence as it stands: no column tells when it changed, so the table is read whole and has no days.",
    (
        *_ID,
        ("industry", "string", "The customer's industry."),
        ("expires_at", "timestamp", "When it ends."),
        ("renewed", "boolean", "Whether it was renewed."),
    ),
    has_days=False,
)
ASSETS = application_table(
    "app_assets",
    "The use of one asset on one day.",
    (
        *_ID,
        ("category", "string", "Its category."),
        ("hours_used", "double", "Hours it was in use."),
        ("hours_available", "double", "Hours it could have been."),
    ),
    keys=("id", "date"),
)

APPLICATION_TABLES = (MESSAGES, CAMPAIGNS, CONTACTS, CONVERSATIONS, ORDERS, LICENCES, ASSETS)

APPLICATION_READS = TableSpec(
    "application_reads",
    "Up to when a day of one of the application's tables is known: a day without rows was empty, or never read.",
    columns_of(
        (
            ("table_name", "string", "Table of the application, as it is declared."),
            ("date", "date", "UTC day that was read."),
            ("last_read_at", "timestamp", "When it was read last."),
        ),
    ),
    partition_by=(),
    keys=("table_name", "date"),
    sort_by=("table_name", "date"),
)
