"""`template_analytics`: at most ten templates and 90 days, UTC days, a page of points at a time.

Reads and clicks of a message are forgotten a week after it was sent: a day's numbers first shrink, then are zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.graph_errors import graph_error, invalid, no_such_object
from metrics_pipeline.sandbox.ids import parse_numeric_id
from metrics_pipeline.sandbox.whatsapp_numbers import (
    PLATFORM,
    PRICE,
    TEMPLATE_COUNTERS,
    category,
    counts,
    template_id,
)
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import DAY_SECONDS, UTC_ZONE, day_of

MOST_TEMPLATES = 10
KEPT_DAYS = 90
PAGE = 30
_TYPES = ("SENT", "DELIVERED", "READ", "CLICKED", "COST")
_FORGOTTEN = 7 * DAY_SECONDS


def template_analytics(call: Call, account: AccountWorld, is_there: Callable[[int], bool]) -> dict[str, object]:
    """One page of points, newest first; `paging.next` is there exactly while more follows.

    Raises:
        RefusedError: insights were never confirmed, or the request asks for what cannot be had.
    """
    refused = call.faults.names(PLATFORM, account.external_id)
    if "template_analytics" in refused:
        raise graph_error(200007, "Template insights are not confirmed for this WhatsApp Business account.")
    indices = _indices(call, account, is_there)
    edges = _edges(call)
    types = {name for name in _list(call, "metric_types") or _TYPES if name not in refused}
    points = _points(call, account, indices, edges, types)
    after = call.params.get("after", "0")
    if not after.isdigit():
        raise invalid("Invalid cursor")
    first, following = int(after), int(after) + PAGE
    body: dict[str, object] = {
        "data": [
            {"granularity": "DAILY", "product_type": "cloud_api", "data_points": points[first:following]},
        ]
    }
    paging: dict[str, object] = {"cursors": {"before": str(first), "after": str(following)}}
    if following < len(points):
        paging["next"] = f"{call.base_url}{call.path}?after={following}&access_token=SANDBOX-TOKEN-IN-CLEAR"
    return body | {"paging": paging}


def _list(call: Call, name: str) -> list[str]:
    """A JSON list, or words between commas."""
    text = call.params.get(name, "")
    return [word.strip(" \"'") for word in text.strip("[]").split(",") if word.strip(" \"'")]


def _indices(call: Call, account: AccountWorld, is_there: Callable[[int], bool]) -> list[int]:
    ids = _list(call, "template_ids")
    if not 1 <= len(ids) <= MOST_TEMPLATES:
        raise invalid(f"template_ids must have 1 to {MOST_TEMPLATES} elements")
    indices = []
    for one in ids:
        ref = parse_numeric_id(PLATFORM, one)
        if ref is None or ref.external_id != account.external_id or not is_there(ref.index):
            raise no_such_object(one)
        indices.append(ref.index)
    return indices


def _edges(call: Call) -> list[int]:
    """The UTC days of the window, rounded outwards."""
    if call.params.get("granularity", "").upper() != "DAILY":
        raise invalid("granularity must be one of the following values: DAILY")
    start, end = call.params.get("start", ""), call.params.get("end", "")
    if not (start.isdigit() and end.isdigit()) or int(start) >= int(end):
        raise invalid("The parameters start and end are required, start before end")
    first, last = int(start) // DAY_SECONDS, -(-int(end) // DAY_SECONDS)
    if last - first > KEPT_DAYS or first * DAY_SECONDS < call.at - (KEPT_DAYS + 1) * DAY_SECONDS:
        raise invalid(f"Template analytics are kept for {KEPT_DAYS} days")
    return [day * DAY_SECONDS for day in range(first, last + 1)]


def _points(
    call: Call, account: AccountWorld, indices: list[int], edges: list[int], types: set[str]
) -> list[dict[str, object]]:
    posts = [account.post(index) for index in indices]

    def day_at(instant: float) -> date:
        return day_of(instant, UTC_ZONE)

    found = counts(call, account, posts, TEMPLATE_COUNTERS, [float(edge) for edge in edges], day_at)
    points = []
    for day in range(len(edges) - 2, -1, -1):
        for place, post in enumerate(posts):
            numbers = {name: rows[place][day] for name, rows in found.items()}
            if numbers["sent"]:
                span = {"template_id": template_id(account, post.index), "start": edges[day], "end": edges[day + 1]}
                points.append({**span, **_numbers(call.at, edges[day], post.index, numbers, types)})
    return points


def _numbers(at: float, start: int, index: int, numbers: Mapping[str, int], types: set[str]) -> dict[str, object]:
    def remembered(count: int) -> int:
        left = (start + DAY_SECONDS + _FORGOTTEN - at) / DAY_SECONDS
        return int(count * min(max(left, 0.0), 1.0))

    point: dict[str, object] = {}
    if "SENT" in types:
        point["sent"] = numbers["sent"]
    if "DELIVERED" in types:
        point["delivered"] = numbers["delivered"]
    if "READ" in types:
        point["read"] = remembered(numbers["read"])
    if "CLICKED" in types and category(index) == "MARKETING":
        url, reply = remembered(numbers["url"]), remembered(numbers["reply"])
        point["clicked"] = [
            {"type": "quick_reply_button", "button_content": "Tell me more", "count": reply},
            {"type": "url_button", "button_content": "Shop", "count": url},
            {"type": "unique_url_button", "button_content": "Shop", "count": int(url * 0.8)},
        ]
    if "COST" in types:
        spent = numbers["delivered"] * PRICE
        point["cost"] = [{"type": "amount_spent", "value": spent}]
        if numbers["delivered"]:
            point["cost"] = [{"type": "amount_spent", "value": spent}, {"type": "cost_per_delivered", "value": PRICE}]
    return point
