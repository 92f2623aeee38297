"""`analytics` and `pricing_analytics`: fields with arguments, counted by the day of the account's own zone.

Only what lies between `start` and `end` counts, also in the first and the last day. Days without traffic have no
point. The points of `analytics` come newest first, those of pricing in no useful order.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.graph_errors import invalid
from metrics_pipeline.sandbox.whatsapp_numbers import (
    PLATFORM,
    PRICE,
    SERVICE_COUNTERS,
    TEMPLATE_COUNTERS,
    counts,
    zone_of,
)
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import DAY_SECONDS, day_edges, day_of

KEPT_DAYS = 366  # a year, and the day that is running
_COMMA = re.compile(r",(?![^(]*\))")
_ARGUMENT = re.compile(r"\.(\w+)\(([^)]*)\)")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Asked:
    """One requested field and what was asked of it; lists as their members."""

    name: str
    arguments: Mapping[str, list[str]]

    def one(self, name: str) -> str:
        return next(iter(self.arguments.get(name, [])), "")


@dataclass(frozen=True, slots=True)
class _Day:
    """One day of the account: messages by kind of message and step. start and end are those of the whole day."""

    start: int
    end: int
    templates: Mapping[str, int]
    service: Mapping[str, int]


def asked_fields(text: str) -> list[Asked]:
    """The fields of a request, commas inside brackets left alone."""
    return [
        Asked(part.split(".")[0].strip(), {name: _WORD.findall(value) for name, value in _ARGUMENT.findall(part)})
        for part in _COMMA.split(text)
        if part.strip()
    ]


def _days(call: Call, account: AccountWorld, asked: Asked, granularity: str) -> list[_Day]:
    """The days with traffic in the window that a field is asked for."""
    if asked.one("granularity") != granularity:
        raise invalid(f"granularity must be one of the following values: {granularity}")
    if not (asked.one("start").isdigit() and asked.one("end").isdigit()):
        raise invalid("The parameters start and end are required")
    start, end = int(asked.one("start")), int(asked.one("end"))
    if start >= end or start < call.at - KEPT_DAYS * DAY_SECONDS:
        raise invalid("start must be before end and within the last year")
    zone = zone_of(account)
    whole = day_edges(day_of(start, zone), day_of(end - 1, zone), zone)
    edges = [float(min(max(edge, start), end)) for edge in whole]

    def day_at(instant: float) -> date:
        return day_of(instant, zone)

    posts = account.active_posts(edges[0], edges[-1])
    found = [
        {name: [sum(column) for column in zip(*rows, strict=True)] for name, rows in table.items()}
        for table in (
            counts(call, account, posts, counters, edges, day_at)
            for counters in ({k: TEMPLATE_COUNTERS[k] for k in ("sent", "delivered")}, SERVICE_COUNTERS)
        )
    ]
    if not posts:
        return []
    days = [
        _Day(first, last, *({name: column[n] for name, column in table.items()} for table in found))
        for n, (first, last) in enumerate(itertools.pairwise(whole))
    ]
    return [day for day in days if day.templates["sent"] + day.service["sent"]]


def analytics(call: Call, account: AccountWorld, asked: Asked) -> dict[str, object] | None:
    """Messages sent and delivered. None where there was no traffic at all."""
    kinds = asked.arguments.get("product_types") or ["0", "2"]
    points = []
    for day in reversed(_days(call, account, asked, "DAY")):
        parts = [part for kind, part in (("0", day.templates), ("2", day.service)) if kind in kinds]
        sums = {name: sum(part[name] for part in parts) for name in ("sent", "delivered")}
        points.append({"start": day.start, "end": day.end, **sums})
    return {"phone_numbers": ["15550100001"], "granularity": "DAY", "data_points": points} if points else None


def pricing_analytics(call: Call, account: AccountWorld, asked: Asked) -> dict[str, object] | None:
    """Delivered messages by pricing category and type, and what they cost unless a partner pays."""
    wanted = asked.arguments.get("metric_types") or ["COST", "VOLUME"]
    refused = call.faults.names(PLATFORM, account.external_id)
    points: list[dict[str, object]] = []
    for day in _days(call, account, asked, "DAILY"):
        for kind, price, messages in (
            (("SERVICE", "FREE_CUSTOMER_SERVICE"), 0.0, day.service),
            (("MARKETING", "REGULAR"), PRICE, day.templates),
        ):
            volume = messages["delivered"]
            if not volume:
                continue
            point: dict[str, object] = {"start": day.start, "end": day.end}
            point |= {"pricing_category": kind[0], "pricing_type": kind[1]}
            if "VOLUME" in wanted:
                point["volume"] = volume
            if "COST" in wanted and "COST" not in refused:
                point["cost"] = volume * price
            points.append(point)
    points.sort(key=lambda point: str(point["start"])[::-1])  # an order that means nothing
    return {"data": [{"data_points": points}]} if points else None


ANALYTICS: Mapping[str, Callable[[Call, AccountWorld, Asked], dict[str, object] | None]] = {
    "analytics": analytics,
    "pricing_analytics": pricing_analytics,
}
