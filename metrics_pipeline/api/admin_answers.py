"""How the requests about the pipeline itself are answered: their errors, and the jobs log as it is told."""

from __future__ import annotations

from metrics_pipeline.api.answers import errors_of
from metrics_pipeline.control.job_runs import JobRunRecord
from metrics_pipeline.shapes.admin import JobRow

ADMIN_ERRORS = errors_of(
    {
        400: "invalid_cursor.",
        401: "missing_key or invalid_key.",
        403: "insufficient_scope.",
        404: "not_found: nothing is there, or not for this key.",
        422: "invalid_request, or what a parameter asks for cannot be told; `code` says why.",
        502: "Dagster refuses: dagster_error.",
        503: "dagster_unavailable, lake_unavailable or unavailable: ask again after Retry-After.",
    }
)


def job_row(run: JobRunRecord) -> JobRow:
    """A row of the jobs log as it is told."""
    keys = run.first_partition, run.last_partition
    return JobRow.model_validate(
        {
            **{name: getattr(run, name) for name in JobRow.model_fields if name != "partitions"},
            "assets": list(run.assets),
            "partitions": {"first": keys[0], "last": keys[1]} if keys[0] and keys[1] else None,
        }
    )
