"""Formulas beside what they mean in Python: the oracle reads none of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Row = Mapping[str, object]


@dataclass(frozen=True)
class Meaning:
    """A formula's meaning, and the fields it speaks of."""

    of: Callable[[Row], object]
    fields: frozenset[str]


def _number(row: Row, name: str) -> float | None:
    value = row[name]
    return None if value is None else value  # type: ignore[return-value]


def _times(row: Row) -> float | None:
    watched, loops = _number(row, "watch_time"), _number(row, "loop_count")
    return None if watched is None or loops is None else watched * 2 - loops


def _share(row: Row) -> float | None:
    watched, progress = _number(row, "watch_time"), _number(row, "progress")
    return None if watched is None or not progress else watched / progress


def _either(one: bool | None, other: bool | None) -> bool | None:
    return True if one or other else None if one is None or other is None else False


def _both(one: bool | None, other: bool | None) -> bool | None:
    return False if one is False or other is False else None if one is None or other is None else True


def _at_least(value: object, least: float) -> bool | None:
    return None if value is None else value >= least  # type: ignore[operator]


def _turned(value: object) -> bool | None:
    return None if value is None else not value


def _m(of: Callable[[Row], object], *fields: str) -> Meaning:
    return Meaning(of, frozenset(fields))


def _field(name: str) -> Meaning:
    return _m(lambda row: row[name], name)


def _floor(row: Row) -> int | None:
    value = _number(row, "hours_used")
    return None if value is None else math.floor(value)


NUMBERS: Mapping[str, Mapping[str, Meaning]] = {
    "events": {
        "watch_time": _field("watch_time"),
        "loop_count": _field("loop_count"),
        "watch_time * 2 - loop_count": _m(_times, "watch_time", "loop_count"),
        "watch_time / progress": _m(_share, "watch_time", "progress"),
        "case when event_type = 'like' then 1 when event_type = 'unlike' then -1 else 0 end": _m(
            lambda row: {"like": 1, "unlike": -1}.get(str(row["event_type"]), 0), "event_type"
        ),
    },
    "orders": {
        "amount_cents": _field("amount_cents"),
        "amount_cents / 100.0": _m(
            lambda row: None if row["amount_cents"] is None else row["amount_cents"] / 100,  # type: ignore[operator]
            "amount_cents",
        ),
    },
    "campaigns": {
        "coalesce(recipients, 0) * cost_cents": _m(
            lambda row: (row["recipients"] or 0) * row["cost_cents"],  # type: ignore[operator]
            "recipients",
            "cost_cents",
        )
    },
    "licences": {
        "if(renewed, 1, 0)": _m(lambda row: 1 if row["renewed"] else 0, "renewed"),
    },
    "assets": {"hours_used": _field("hours_used"), "floor(hours_used)": _m(_floor, "hours_used")},
    "daily_metrics": {
        "views": _field("views"),
        "likes + views": _m(
            lambda row: None if row["likes"] is None or row["views"] is None else row["likes"] + row["views"],  # type: ignore[operator]
            "likes",
            "views",
        ),
    },
}


TRUTHS: Mapping[str, Mapping[str, Meaning]] = {
    "events": {
        "is_rewatch": _field("is_rewatch"),
        "watch_time >= 10": _m(lambda row: _at_least(row["watch_time"], 10), "watch_time"),
        "country = 'DE' or is_rewatch": _m(
            lambda row: _either(None if row["country"] is None else row["country"] == "DE", row["is_rewatch"]),  # type: ignore[arg-type]
            "country",
            "is_rewatch",
        ),
        "not is_rewatch and watch_time >= 3": _m(
            lambda row: _both(_turned(row["is_rewatch"]), _at_least(row["watch_time"], 3)), "is_rewatch", "watch_time"
        ),
        "coalesce(is_bot, true)": _m(lambda row: row["is_bot"] is None or row["is_bot"], "is_bot"),
        "user_id is not null": _m(lambda row: row["user_id"] is not None, "user_id"),
    },
    "orders": {
        "amount_cents >= 1000": _m(lambda row: _at_least(row["amount_cents"], 1000), "amount_cents"),
        "customer_id in ('c1', 'c2', 'c3')": _m(
            lambda row: None if row["customer_id"] is None else row["customer_id"] in ("c1", "c2", "c3"), "customer_id"
        ),
    },
    "campaigns": {"status = 'completed'": _m(lambda row: row["status"] == "completed", "status")},
    "licences": {"renewed": _field("renewed"), "industry is null": _m(lambda r: r["industry"] is None, "industry")},
    "assets": {"category = 'van'": _m(lambda row: row["category"] == "van", "category")},
    "daily_metrics": {
        "views >= 5": _m(lambda row: _at_least(row["views"], 5), "views"),
        "entity_type = 'post'": _m(lambda row: row["entity_type"] == "post", "entity_type"),
        "platform <> 'youtube'": _m(lambda row: row["platform"] != "youtube", "platform"),
    },
}

# What can be told apart: counted, or counted once each.
THINGS: Mapping[str, Mapping[str, Meaning]] = {
    "events": {
        "user_id": _field("user_id"),
        "actor_id": _m(lambda row: row["user_id"], "actor_id"),
        "upper(country)": _m(lambda row: None if row["country"] is None else str(row["country"]).upper(), "country"),
        "event_ts": _field("event_ts"),
        "progress": _field("progress"),
    },
    "orders": {"customer_id": _field("customer_id")},
    "campaigns": {"recipients": _field("recipients")},
    "licences": {"industry": _field("industry")},
    "assets": {"id": _field("id")},
    "daily_metrics": {"account_id": _field("account_id"), "views": _field("views")},
}

DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "events": ("country", "device_type", "is_rewatch", "loop_count", "is_bot"),
    "orders": ("customer_id",),
    "campaigns": ("status", "recipients"),
    "licences": ("industry", "renewed"),
    "assets": ("category", "date"),
    "daily_metrics": ("platform", "account_id", "entity_type"),
}

Inputs = Mapping[str, float | None]


def _fraction(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


COMPUTED: Mapping[str, Callable[[Inputs], float | None]] = {
    "a - b": lambda v: _minus(v["a"], v["b"]),
    "(a - b) / b": lambda v: _fraction(_minus(v["a"], v["b"]), v["b"]),
    "coalesce(a, 0) + coalesce(b, 0)": lambda v: (v["a"] or 0) + (v["b"] or 0),
    "case when b > 2 then a else null end": lambda v: v["a"] if v["b"] is not None and v["b"] > 2 else None,
}
