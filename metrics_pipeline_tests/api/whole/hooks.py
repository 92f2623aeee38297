"""What schemathesis is told beside schemathesis.toml: real dates, and which refusals a schema cannot foresee.

In place of its check `positive_data_acceptance`, which knows statuses only, stands one that knows codes: what fits
the description is accepted, or refused with a code that is listed here with the reason why no schema can say it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import schemathesis
from hypothesis import strategies as st

SPAN = {
    "conflicting_times": "start and end, range, and days exclude each other: a rule about several parameters",
    "end_before_start": "the order of two parameters",
    "invalid_start": "end needs a start",
    "span_too_long": "the distance of two parameters",
}
NAMES = {
    "unknown_metric": "the catalogue grows without the interface changing",
    "unknown_platform": "as unknown_metric",
}
SERIES = {
    **SPAN,
    **NAMES,
    "not_by_the_hour": "which granularity, zone, comparison and level of entity go together",
    "too_many_points": "depends on the data",
    "invalid_as_of": "depends on the present and on the pipeline's first day",
    "unknown_timezone": "the zones are those of the operating system",
}
PAGES = {
    "invalid_cursor": "only a page before can tell a cursor",
    "cursor_mismatch": "a cursor belongs to the other parameters",
}
WINDOW = {
    "invalid_window": "start and end come together, in this order",
    "window_in_future": "depends on the present",
    "window_too_long": "the distance of two values",
    "before_pipeline_start": "depends on the installation",
    "beyond_retention": "depends on the present",
    "nothing_to_run": "depends on the present",
}
COLLECTION = {
    **WINDOW,
    "unknown_platform": "the catalogue grows without the interface changing",
    "no_account": "depends on the accounts",
    "no_series": "depends on the platform",
    "nothing_to_collect": "depends on the accounts",
    "posts_not_read": "depends on the platform",
    "account_disabled": "depends on the account",
    "account_required": "depends on the posts that are known",
    "idempotency_key_reused": "depends on earlier requests",
    "workspace_required": "depends on the key",
}
ASKED = {
    "grain_not_allowed": "depends on the metric",
    "dimension_not_allowed": "depends on the metric",
    "cost_too_high": "depends on the data",
    "over_limits": "depends on the data",
    "too_many_points": "depends on granularity and span together",
    "calendar_needed": "granularity custom and calendar go together",
    "calendar_not_used": "granularity custom and calendar go together",
    "calendar_unknown": "depends on the workspace",
}
DEFINED = {
    "invalid_definition": "which fields, filters, inputs and grains fit depends on data sets and other metrics",
    "invalid_note": "which characters are printable cannot be said",
}
EXCUSED: dict[str, dict[str, str]] = {
    "get_workspace_metrics": SERIES,
    "get_account_metrics": SERIES,
    "get_post_metrics": SERIES,
    "get_content_metrics": SERIES,
    "get_creator_metrics": SERIES,
    "get_dashboard": {**SPAN, **NAMES},
    "get_creator_analytics": SPAN,
    "list_snapshots": {**SPAN, **PAGES},
    "list_top_performing": {**SPAN, **PAGES},
    "list_creator_content": {**PAGES, "conflicting_times": "days and timeRange are one parameter with two names"},
    "list_watch_history": {**PAGES, "conflicting_times": "days and timeRange are one parameter with two names"},
    "list_trending": PAGES,
    "list_jobs": {"invalid_cursor": PAGES["invalid_cursor"]},
    "get_coverage": WINDOW,
    "live": {"one_workspace": "a rule about several items of a list"},
    "track_event": {"too_old": "depends on the present", "erased_person": "depends on earlier requests"},
    "post_realtime": {
        "counter_negative": "which values a type takes",
        "value_type": "as counter_negative",
        "in_the_future": "depends on the present",
        "metric_limit": "depends on earlier requests",
    },
    "get_realtime": {"label_twice": "a rule about several items of a list"},
    "put_content": {"too_deep": "how deep an object is cannot be said"},
    "list_definitions": PAGES,
    "list_definition_audit": PAGES,
    "define_metrics": DEFINED,
    "validate_definitions": DEFINED | {"over_limits": ASKED["over_limits"]},
    "change_definition": {
        **DEFINED,
        "precondition_required": "a header that is needed, and has a status of its own where it is not there",
        "version_conflict": "depends on earlier requests",
    },
    "activate_definition": {**DEFINED, "version_conflict": "depends on earlier requests"},
    "archive_definition": DEFINED,
    "restore_definition": DEFINED,
    "calculate_definition": {**SPAN, **ASKED, "invalid_range": "as of GET, where a pattern says it"},
    "get_definition_values": {**SPAN, **ASKED, "too_many_dimensions": "how many commas a list of texts has"},
    "run_collections": COLLECTION,
    "collect_workspace": COLLECTION,
    "collect_account": COLLECTION,
    "collect_post": COLLECTION,
    "run_aggregations": WINDOW,
    "erase_user": {"workspace_required": "depends on the key"},
}
# What a service may answer whatever it is asked: who asks, what there is, and how much was asked before.
ALWAYS = (401, 403, 404, 409, 429)

_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# Years that the patterns beside these formats allow. Half of them are days that the lake has something of.
_DATES = st.dates(date(2026, 2, 20), date(2026, 3, 20)) | st.dates(date(1971, 1, 2), date(2199, 12, 30))
_TIMES = st.times().filter(lambda time: time.fold == 0)


def _instant(day: object, time: object, offset: timezone) -> str:
    return f"{day}T{time}{datetime(2000, 1, 1, tzinfo=offset).isoformat()[19:]}"


schemathesis.openapi.format("date", _DATES.map(str))
schemathesis.openapi.format("date-time", st.builds(_instant, _DATES, _TIMES, _OFFSETS))


@schemathesis.hook
def filter_query(_context: schemathesis.HookContext, query: dict[str, object] | None) -> bool:
    """Lines of more than 64 KB never come to the application: the parser before it ends them in plain text."""
    return len(quote(str(query))) < 40_000


@schemathesis.check
def accepted_or_told_why(
    _context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """What fits the description is refused for a listed reason only."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    status = response.status_code
    if status < 400 or status >= 500 or status in ALWAYS:
        return
    excused = EXCUSED.get(case.operation.definition.raw["operationId"], {})
    code = response.json().get("code")
    assert code in excused, f"{status} {code}: it fits the description, {response.text}"
