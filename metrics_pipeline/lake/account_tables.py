"""What the lake keeps of accounts themselves, beside their numbers."""

from __future__ import annotations

from metrics_pipeline.lake.table_spec import TENANT, TableSpec, columns_of

ACCOUNT_HISTORY = TableSpec(
    "account_history",
    "One version of an account: from valid_from on it had this name, type and status. A version is added when one of "
    "them changes; the view accounts has the current ones.",
    columns_of(
        TENANT,
        (
            ("account_id", "string", "Account within the workspace."),
            ("external_id", "string", "The account as the platform knows it."),
            ("name", "string", "Its name on the platform; null where no answer has told it."),
            ("account_type", "string", "The platform's own kind of account; null where it has none or tells none."),
            ("status", "string", "connected, needs_reauth, disabled or removed; null before it was added here."),
            ("reason", "string", "Why it has this status, in words."),
            ("valid_from", "timestamp", "First instant of the version."),
            ("valid_to", "timestamp", "First instant of the next version; null for the current one."),
            ("is_current", "boolean", "Whether this is the latest version, also of an account that was removed."),
            (
                "changed",
                "string",
                "What differs from the version before: name, account_type, status, reason; null for the first.",
            ),
            ("profile_read_at", "timestamp", "First time the platform gave this name and type."),
            ("profile_confirmed_at", "timestamp", "Last time in a row it gave the same."),
            ("status_at", "timestamp", "When the account got this status."),
            ("status_number", "bigint", "Place of that change among all changes of status."),
        ),
    ),
    partition_by=("platform",),
    keys=("workspace_id", "platform", "account_id", "valid_from"),
    sort_by=("workspace_id", "account_id", "valid_from"),
)
