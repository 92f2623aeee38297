"""The values of metrics that users define."""

from __future__ import annotations

from metrics_pipeline.lake.table_spec import TableSpec, columns_of

CUSTOM_METRIC_VALUES = TableSpec(
    "custom_metric_values",
    "One value of a metric that a user defined, for one period, as one version of its definition makes it. Values of "
    "earlier versions stay.",
    columns_of(
        (
            ("grain", "string", "day, week or month."),
            ("period_start", "date", "First day of the period."),
            ("period_end", "date", "The day after its last."),
            ("workspace_id", "string", "The tenant the row belongs to."),
            ("definition_id", "string", "The definition, whatever its name."),
            ("definition_name", "string", "Its name when the value was computed."),
            ("version", "int", "The version of the definition that made it."),
            ("content_hash", "string", "Digest of that version and of the versions of its inputs."),
            ("is_current", "boolean", "The version was in force for the period when it was computed last."),
            ("dimensions", "string", "JSON of the breakdown's fields and values; {} is the total."),
            ("value", "double", "The value; null unless state is value or zero."),
            ("state", "string", "value, zero, no_data, zero_denominator or undefined."),
            ("numerator", "double", "Of a ratio: what is divided."),
            ("denominator", "double", "Of a ratio: what it is divided by."),
            ("is_complete", "boolean", "The period is over, and every row behind it is final."),
            ("people", "bigint", "Distinct people behind a part of a breakdown; null where rows name nobody."),
            ("approximate", "boolean", "The value is an estimate."),
            ("generation", "string", "Of the data: changes when a file does that the value rests on."),
            ("computed_at", "timestamp", "When it was computed."),
            ("run_id", "string", "The run that did."),
        ),
    ),
    partition_by=("grain", "period_start"),
    keys=("grain", "period_start", "workspace_id", "definition_id", "version", "dimensions"),
    # the last two are the partition: they only make the order of several of them certain
    sort_by=("workspace_id", "definition_name", "version", "dimensions", "grain", "period_start"),
    day_column="period_start",
    stamps=("computed_at", "run_id"),
)
