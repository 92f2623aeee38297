"""Days that lie far from what their weekday lets expect."""

from __future__ import annotations

from metrics_pipeline.lake.table_spec import TENANT, TableSpec, columns_of

ANOMALIES = TableSpec(
    "anomalies",
    "One complete day of one metric of an account, workspace or creator that lies far from the same weekdays of the "
    "eight weeks before. Only metrics that are watched, see docs/metrics.md.",
    columns_of(
        (("date", "date", "The day that stands out."),),
        TENANT,
        (
            ("entity_type", "string", "account, workspace or creator."),
            ("entity_id", "string", "Its id."),
            ("account_id", "string", "The account of an account row; else null."),
            ("metric", "string", "Canonical metric."),
            ("value", "double", "The day's value."),
            ("expected", "double", "Median of the same weekdays before."),
            ("lowest", "double", "The smallest of them."),
            ("highest", "double", "The largest of them."),
            ("spread", "double", "1.4826 x MAD of them, or the floor that chance sets."),
            ("z", "double", "(value - expected) / spread."),
            ("days_used", "bigint", "How many of the eight weekdays before were complete, 4 to 8."),
            ("direction", "string", "up or down."),
            ("is_provisional", "boolean", "The platform may still restate the day."),
            ("definition_version", "int", "The definition of all days compared."),
            ("last_read_at", "timestamp", "Newest reading behind the value."),
            ("explanation", "string", "The row as a sentence."),
        ),
    ),
    partition_by=("date",),
    keys=("date", "workspace_id", "platform", "entity_type", "entity_id", "metric"),
    sort_by=("workspace_id", "platform", "entity_type", "entity_id", "metric"),
    day_column="date",
)
