"""Pinterest's daily series of an account: UTC days with a status each, summed over the pins of the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from metrics_pipeline.sandbox.calls import Body, Call
from metrics_pipeline.sandbox.pinterest_errors import bad_request
from metrics_pipeline.sandbox.series import PINTEREST_SETTLING, increments
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import UTC_ZONE, day_edges, day_of, day_start

PLATFORM = "pinterest"
_COUNTS: Mapping[str, str] = {
    "IMPRESSION": "views",
    "PIN_CLICK": "profile_visits",
    "OUTBOUND_CLICK": "clicks",
    "SAVE": "saves",
}
_ENGAGEMENT = ("PIN_CLICK", "OUTBOUND_CLICK", "SAVE")
_RATES: Mapping[str, str] = {
    "ENGAGEMENT_RATE": "ENGAGEMENT",
    "PIN_CLICK_RATE": "PIN_CLICK",
    "OUTBOUND_CLICK_RATE": "OUTBOUND_CLICK",
    "SAVE_RATE": "SAVE",
}
_METRICS = (*_COUNTS, "ENGAGEMENT", *_RATES)
_LAST_DAYS = 90


def account_analytics(call: Call, account: AccountWorld) -> Body:
    """Answer `user_account/analytics`.

    Raises:
        RefusedError: a day or a metric cannot be used, or the span reaches back too far.
    """
    first, last = _day(call, "start_date"), _day(call, "end_date")
    wanted = _wanted(call, account)
    if call.params.get("split_field", "NO_SPLIT") != "NO_SPLIT":
        raise bad_request("Invalid split_field")
    if last < first:
        raise bad_request("end_date must not be before start_date")
    if first <= day_of(call.at, UTC_ZONE) - timedelta(days=_LAST_DAYS):
        raise bad_request("You can only get data from the last 90 days.")
    if (last - first).days > _LAST_DAYS:
        raise bad_request("The date range must not be longer than 90 days.")
    table = _table(call, account, first, last)
    rows: list[Body] = []
    sums = dict.fromkeys(_COUNTS, 0)
    for place in range((last - first).days + 1):
        day = first + timedelta(days=place)
        status = _status(call, account, day)
        counts = {name: table[name][place] for name in _COUNTS}
        has_numbers = status in ("READY", "ESTIMATE")
        if has_numbers:
            sums = {name: sums[name] + counts[name] for name in sums}
        metrics = _shown(counts, wanted) if has_numbers else {}
        rows.append({"date": day.isoformat(), "data_status": status, "metrics": metrics})
    return {"all": {"daily_metrics": rows, "summary_metrics": _shown(sums, wanted)}}


def _wanted(call: Call, account: AccountWorld) -> list[str]:
    wanted = call.listed("metric_types") or list(_METRICS)
    refused = call.faults.names(PLATFORM, account.external_id)
    offered = [name for name in _METRICS if name not in refused]
    for name in wanted:
        if name not in offered:
            raise bad_request(f"Invalid metric_types: '{name}' is not one of {offered}")
    return wanted


def _table(call: Call, account: AccountWorld, first: date, last: date) -> dict[str, list[int]]:
    edges = day_edges(first, last, UTC_ZONE)
    posts = account.active_posts(edges[0], min(edges[-1], call.at))
    table = increments(account, posts, list(_COUNTS.values()), edges, call.at, PINTEREST_SETTLING)
    factors = call.faults.restated(PLATFORM, account.external_id, call.at)
    by_place = [factors.get(day_of(edge, UTC_ZONE), 1.0) for edge in edges[:-1]]
    return {
        name: [round(int(value) * factor) for value, factor in zip(table[counter].sum(axis=0), by_place, strict=True)]
        for name, counter in _COUNTS.items()
    }


def _status(call: Call, account: AccountWorld, day: date) -> str:
    """The running day is in work, the two before are estimates, days before the account began say so."""
    if day >= day_of(call.at, UTC_ZONE):
        return "PROCESSING"
    end = day_start(day + timedelta(days=1), UTC_ZONE)
    if end <= account.created:
        return "BEFORE_BUSINESS_CREATED"
    return "READY" if call.at >= end + PINTEREST_SETTLING.seconds else "ESTIMATE"


def _shown(counts: Mapping[str, int], wanted: Sequence[str]) -> Body:
    numbers: dict[str, float] = {**counts, "ENGAGEMENT": sum(counts[name] for name in _ENGAGEMENT)}
    impressions = counts["IMPRESSION"]
    rates = {rate: numbers[part] / impressions if impressions else None for rate, part in _RATES.items()}
    shown: Mapping[str, float | None] = {**numbers, **rates}
    return {name: shown[name] for name in wanted}


def _day(call: Call, name: str) -> date:
    try:
        return date.fromisoformat(call.params.get(name, ""))
    except ValueError:
        raise bad_request(f"Invalid {name}") from None
