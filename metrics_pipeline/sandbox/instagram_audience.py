"""Who follows and who engages: the lifetime metrics of an Instagram account, as parts that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import pi, sin

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.graph_errors import invalid
from metrics_pipeline.sandbox.instagram_numbers import window_total
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import DAY_SECONDS, PACIFIC, day_of, day_start, iso

LIFETIME_METRICS = ("online_followers", "follower_demographics", "engaged_audience_demographics")
_TIMEFRAMES: Mapping[str, int] = {"this_week": 7, "this_month": 30}
_FOLLOWERS_NEEDED = 100
_SHARES: Mapping[str, tuple[tuple[str, float], ...]] = {
    "country": (("US", 0.34), ("BR", 0.18), ("DE", 0.14), ("IN", 0.12), ("GB", 0.1)),
    "city": (("New York, New York", 0.09), ("Berlin, Berlin", 0.06), ("São Paulo, São Paulo (state)", 0.05)),
    "age": (("13-17", 0.05), ("18-24", 0.3), ("25-34", 0.35), ("35-44", 0.18), ("45-54", 0.08)),
    "gender": (("F", 0.5), ("M", 0.42), ("U", 0.08)),
}


def audience_insights(call: Call, account: AccountWorld, names: Sequence[str]) -> dict[str, object]:
    """The lifetime metrics; empty below 100 followers.

    Raises:
        RefusedError: mixed with other metrics, or without the period, type, breakdown or timeframe they need.
    """
    if any(name not in LIFETIME_METRICS for name in names) or call.params.get("period") != "lifetime":
        raise invalid(
            f"The following metrics periods ({call.params.get('period')}) are incompatible with the metrics: "
            f"{','.join(names)}"
        )
    if account.followers(call.at) < _FOLLOWERS_NEEDED:
        return {"data": []}
    return {"data": [_entry(call, account, name) for name in names]}


def _entry(call: Call, account: AccountWorld, name: str) -> dict[str, object]:
    head: dict[str, object] = {
        "name": name,
        "period": "lifetime",
        "title": name.replace("_", " ").capitalize(),
        "description": f"{name.replace('_', ' ').capitalize()} of this account.",
        "id": f"{account.external_id}/insights/{name}/lifetime",
    }
    if name == "online_followers":
        end = day_start(day_of(call.at, PACIFIC), PACIFIC)
        return head | {"values": [{"value": _by_hour(account.followers(end)), "end_time": iso(end, "+0000")}]}
    if call.params.get("metric_type") != "total_value":
        raise invalid(f"The following metrics ({name}) should be specified with parameter metric_type=total_value")
    breakdown = call.params.get("breakdown", "")
    if breakdown not in _SHARES:
        raise invalid(f"Incompatible breakdowns ({breakdown}) for the metrics requested")
    crowd = account.followers(call.at)
    if name == "engaged_audience_demographics":
        days = _TIMEFRAMES.get(call.params.get("timeframe", ""))
        if days is None:
            raise invalid("timeframe must be one of the following values: this_week, this_month")
        crowd = window_total(call, account, "accounts_engaged", call.at - days * DAY_SECONDS, call.at)
    results = [{"dimension_values": [part], "value": int(crowd * share)} for part, share in _SHARES[breakdown]]
    return head | {"total_value": {"breakdowns": [{"dimension_keys": [breakdown], "results": results}]}}


def _by_hour(followers: int) -> dict[str, int]:
    return {str(hour): int(followers * (0.3 + 0.2 * sin(pi * (hour - 6) / 12))) for hour in range(24)}
