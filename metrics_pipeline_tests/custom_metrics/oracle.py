"""What a metric is worth, in plain Python over rows: shares no line with the compiler and reads no formula.

Periods come from pandas, days from zoneinfo, meanings of formulas from `expressions`.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from metrics_pipeline_tests.custom_metrics.expressions import COMPUTED, NUMBERS, THINGS, TRUTHS, Meaning

Row = dict[str, Any]
Document = Mapping[str, Any]
Part = tuple[object, ...]
Days = tuple[date, date]
"""first <= day < end"""
Point = tuple[float | None, bool | None, int | None]
"""Value, whether the rows are final (None where there are none to choose from), people."""
ONE = timedelta(days=1)

TABLES = {
    "orders": "app_orders",
    "campaigns": "app_campaigns",
    "licences": "app_licences",
    "assets": "app_assets",
}
FIRST_TIME = {
    "events": "event_ts",
    "orders": "created_at",
    "campaigns": "started_at",
    "licences": "expires_at",
    "assets": "date",
    "daily_metrics": "date",
}
FREQUENCIES = {"month": "M", "quarter": "Q", "year": "Y"}
MEASURED = {"views", "likes", "followers", "reach"}


@dataclass(frozen=True)
class Ask:
    """A question, in the oracle's own words. weekday: of the first day of a week, 0 is Monday."""

    grain: str
    periods: tuple[Days, ...]
    today: date
    known_from: date = date(2000, 1, 1)
    zone: str = "UTC"
    dimensions: tuple[str, ...] = ()
    weekday: int = 0
    workspace: str = "acme"
    reads_unowned: bool = False


@dataclass(frozen=True)
class Cell:
    """One value of an answer."""

    value: float | None
    state: str
    is_complete: bool
    people: int | None = None
    numerator: float | None = None
    denominator: float | None = None


@dataclass
class Leaf:
    """A simple metric as it is used somewhere."""

    document: Document
    conditions: list[str]
    offsets: list[Document]
    window: Document | None


@dataclass
class Found:
    """What one leaf says of one period: by part value, whether rows are final, and people."""

    parts: dict[Part, tuple[float | None, bool, int | None]] = field(default_factory=dict)
    is_over: bool = False
    is_begun: bool = False
    is_filled: bool = False

    def value(self, part: Part) -> float | None:
        value = self.parts.get(part, (None, True, None))[0]
        return 0.0 if value is None and self.is_filled and self.is_begun else value

    def is_complete(self, part: Part) -> bool:
        return self.is_over and self.parts.get(part, (None, True, None))[1]


def period_of(grain: str, day: date, weekday: int = 0) -> Days:
    """The period of a calendar grain that a day lies in."""
    stamp = pd.Timestamp(day)
    if grain == "day":
        return day, day + ONE
    if grain == "week":
        first = (stamp - pd.Timedelta(days=(stamp.weekday() + 7 - weekday) % 7)).date()
        return first, first + timedelta(days=7)
    found = stamp.to_period(FREQUENCIES[grain])
    return found.start_time.date(), (found + 1).start_time.date()


def periods_of(grain: str, first: date, count: int, weekday: int = 0) -> tuple[Days, ...]:
    """So many periods, the first of them around a day."""
    found = [period_of(grain, first, weekday)]
    while len(found) < count:
        found.append(period_of(grain, found[-1][1], weekday))
    return tuple(found)


def earlier(day: date, span: str) -> date:
    """The day so much earlier, as pandas has it."""
    count, unit = span.split()
    unit = unit.rstrip("s")
    months = {"month": 1, "quarter": 3, "year": 12}.get(unit)
    if months is None:
        return day - timedelta(days=int(count) * (7 if unit == "week" else 1))
    moved: date = (pd.Timestamp(day) - pd.DateOffset(months=int(count) * months)).date()
    return moved


class Oracle:
    """Answers over rows of all workspaces."""

    def __init__(self, rows: Mapping[str, Sequence[Row]], documents: Mapping[str, Document]) -> None:
        self._rows = rows
        self._documents = documents

    def answer(self, name: str, ask: Ask) -> dict[tuple[int, str], Cell]:
        """Every cell by the number of its period and the JSON of its part."""
        cells = {}
        for number, period in enumerate(ask.periods):
            found: dict[int, Found] = {}
            leaves = list(self._leaves(name, [], [], None))
            for at, leaf in enumerate(leaves):
                found[at] = self._found(leaf, period, ask)
            parts = {part for leaf_found in found.values() for part in leaf_found.parts} if ask.dimensions else {()}
            for part in parts:
                order = iter(range(len(leaves)))
                value, above, below = self._value(name, part, found, order)
                cells[number, _json(ask.dimensions, part)] = _cell(
                    self._documents[name], part, found, value, above, below
                )
        return cells

    def _leaves(
        self, name: str, conditions: list[str], offsets: list[Document], window: Document | None
    ) -> Iterator[Leaf]:
        """In the order in which `_value` takes them."""
        document = self._documents[name]
        if document["type"] == "simple":
            yield Leaf(document, conditions, offsets, window)
            return
        for entry in _inputs(document):
            inner = [*conditions, entry["filter"]] if entry.get("filter") else conditions
            moved = [*offsets, entry] if entry.get("offset_window") or entry.get("offset_to_grain") else offsets
            yield from self._leaves(
                entry["name"], inner, moved, document if document["type"] == "cumulative" else window
            )

    def _value(
        self, name: str, part: Part, found: Mapping[int, Found], order: Iterator[int]
    ) -> tuple[float | None, float | None, float | None]:
        document = self._documents[name]
        if document["type"] == "simple":
            return found[next(order)].value(part), None, None
        entries = _inputs(document)
        values = [self._value(entry["name"], part, found, order)[0] for entry in entries]
        if document["type"] == "cumulative":
            return values[0], None, None
        if document["type"] == "ratio":
            above, below = values
            return (None if above is None or not below else above / below), above, below
        named = {entry.get("alias", entry["name"]): value for entry, value in zip(entries, values, strict=True)}
        return COMPUTED[document["expr"]](named), None, None

    def _found(self, leaf: Leaf, period: Days, ask: Ask) -> Found:
        for entry in leaf.offsets:
            if entry.get("offset_window"):
                period = earlier(period[0], entry["offset_window"]), earlier(period[1], entry["offset_window"])
            else:
                start = period_of(entry["offset_to_grain"], period[0], ask.weekday)[0]
                period = period_of(ask.grain, start, ask.weekday)
        windows = list(_windows(leaf.window, period, ask))
        rows = list(self._counted(leaf, ask))
        found = Found(is_filled=leaf.document.get("fill_nulls_with") is not None)
        days = {first + timedelta(days=n) for first, end in windows for n in range((end - first).days)}
        found.is_over = bool(days) and all(self._is_over(leaf, day, ask) for day in days)
        found.is_begun = any(self._is_begun(leaf, day, ask) for day in days)
        per_point: list[dict[Part, Point]] = []
        for first, end in windows:
            inside: dict[Part, list[Row]] = {}
            for row in rows:
                if first <= row["_day"] < end:
                    inside.setdefault(tuple(row[name] for name in ask.dimensions), []).append(row)
            per_point.append({part: _of_point(leaf, mine, ask) for part, mine in inside.items()})
        is_mean = leaf.window is not None and leaf.window.get("period_agg") == "average"
        for part in {part for point in per_point for part in point}:
            mine = [point[part] for point in per_point if part in point]
            values = [value for value, _, _ in mine if value is not None]
            value = None if not values else math.fsum(values) / len(values) if is_mean else values[0]
            if value is not None and is_mean and found.is_filled:
                begun = {w for w in windows if any(self._is_begun(leaf, day, ask) for day in _days(w))}
                told = {
                    w for w, point in zip(windows, per_point, strict=True) if point.get(part, (None,))[0] is not None
                }
                value = math.fsum(values) / len(begun | told)
            people = [count for _, _, count in mine if count is not None]
            finals = [final for _, final, _ in mine if final is not None]
            if finals:
                found.parts[part] = value, all(finals), min(people, default=None)
        return found

    def _counted(self, leaf: Leaf, ask: Ask) -> Iterator[Row]:
        """The rows that count, each with its day in the zone."""
        document = leaf.document
        name = document["dataset"]
        tests = [TRUTHS[name][text] for text in (*leaf.conditions, document.get("filter")) if text]
        meaning = _meaning(document)
        spoken = set().union(*(test.fields for test in tests), meaning.fields if meaning else ())
        spoken |= {entry["field"] for entry in document.get("filters", ())}
        spoken |= set((document.get("non_additive_dimension") or {}).get("window_groupings", ()))
        at = document.get("agg_time_dimension", FIRST_TIME[name])
        for row in self._mine(name, ask, spoken | set(ask.dimensions)):
            if name == "events" and not spoken & {"is_bot", "bot_reason"} and row["is_bot"]:
                continue
            if name == "daily_metrics" and "entity_type" not in spoken and row["entity_type"] != "account":
                continue
            if name == "daily_metrics" and "platform" not in spoken and row["platform"] == "all":
                continue
            if row[at] is None or not all(test.of(row) is True for test in tests):
                continue
            if not all(_holds(entry, row) for entry in document.get("filters", ())):
                continue
            instant = row[at]
            day = instant.astimezone(ZoneInfo(ask.zone)).date() if isinstance(instant, datetime) else instant
            yield row | {"_day": day, "_at": instant, "_value": 1 if meaning is None else meaning.of(row)}

    def _mine(self, name: str, ask: Ask, spoken: set[str]) -> Iterator[Row]:
        is_application = name in TABLES
        rows = self._rows[TABLES.get(name, name)]
        owners = {ask.workspace, None} if ask.reads_unowned and is_application else {ask.workspace}
        mine = (row for row in rows if row["workspace_id"] in owners)
        if name != "daily_metrics":
            yield from (row | {"_final": True, "_person": row.get("viewer_hash")} for row in mine)
            return
        wide: dict[tuple[object, ...], Row] = {}
        keys = ("date", "platform", "entity_type", "entity_id", "account_id")
        for row in mine:
            if spoken & MEASURED and row["metric"] not in spoken:
                continue
            blank: Row = dict.fromkeys(MEASURED) | {key: row[key] for key in keys} | {"_final": True}
            entity = wide.setdefault(tuple(row[key] for key in keys), blank)
            entity[row["metric"]] = row["value"]
            entity["_final"] = entity["_final"] and row["is_complete"]
        yield from wide.values()

    def _is_over(self, leaf: Leaf, day: date, ask: Ask) -> bool:
        name = leaf.document["dataset"]
        if name in ("orders", "campaigns", "assets"):
            begins, ends = (_midnight(d, ask.zone) for d in (day, day + ONE))
            for utc_day in _utc_days(begins, ends):
                read = self._read(name, utc_day)
                if read is None or read < min(ends, _midnight(utc_day + ONE, "UTC")):
                    return False
            return True
        known = name not in ("events",) or day >= ask.known_from
        return day < ask.today and known

    def _is_begun(self, leaf: Leaf, day: date, ask: Ask) -> bool:
        name = leaf.document["dataset"]
        if name in ("orders", "campaigns", "assets"):
            begins, ends = (_midnight(d, ask.zone) for d in (day, day + ONE))
            return any(self._read(name, utc_day) is not None for utc_day in _utc_days(begins, ends))
        return day <= ask.today and (name != "events" or day >= ask.known_from)

    def _read(self, name: str, day: date) -> datetime | None:
        rows = (row for row in self._rows["application_reads"] if row["table_name"] == name and row["date"] == day)
        return next((row["last_read_at"] for row in rows), None)


def _inputs(document: Document) -> list[dict[str, Any]]:
    match document["type"]:
        case "ratio":
            entries = [document["numerator"], document["denominator"]]
        case "cumulative":
            entries = [document["input_metric"]]
        case _:
            entries = document["input_metrics"]
    return [{"name": entry} if isinstance(entry, str) else entry for entry in entries]


def _meaning(document: Document) -> Meaning | None:
    text = document.get("expr")
    if text is None:
        return None
    name = document["dataset"]
    return next(found[name][text] for found in (NUMBERS, TRUTHS, THINGS) if text in found[name])


def _windows(window: Document | None, period: Days, ask: Ask) -> Iterator[Days]:
    if window is None:
        yield period
        return
    last = min(period[1] - ONE, ask.today)
    which = window.get("period_agg", "last")
    days = {"first": [period[0]], "last": [last], "average": list(_days((period[0], last + ONE)))}[which]
    for day in days:
        if window.get("window"):
            yield earlier(day + ONE, window["window"]), day + ONE
        else:
            yield period_of(window["grain_to_date"], day, ask.weekday)[0], day + ONE


def _days(days: Days) -> Iterator[date]:
    return (days[0] + timedelta(days=n) for n in range((days[1] - days[0]).days))


def _of_point(leaf: Leaf, rows: list[Row], ask: Ask) -> Point:
    people = None
    if ask.dimensions and leaf.document["dataset"] == "events":
        people = len({row["_person"] for row in rows} - {None}) or None
    final = all(row["_final"] for row in rows)
    balance = leaf.document.get("non_additive_dimension")
    if balance:
        groups: dict[Part, list[Row]] = {}
        for row in rows:
            groups.setdefault(tuple(row[name] for name in balance.get("window_groupings", ())), []).append(row)
        picked: list[Row] = []
        beside: list[Row] = []
        choose: Callable[[Iterator[Any]], Any] = max if balance.get("window_choice", "max") == "max" else min
        for mine in groups.values():
            told = [row["_at"] for row in mine if row["_value"] is not None]
            if told:
                at = choose(iter(told))
                picked += [row for row in mine if row["_at"] == at]
                # a later row without a value: whether it is final decides
                beside += [row for row in mine if choose(iter((row["_at"], at))) == row["_at"]]
        if not picked:
            return None, None, people  # nothing to choose from, but whoever is behind the rows
        rows, final = picked, all(row["_final"] for row in beside)
    return _aggregate(leaf.document, [row["_value"] for row in rows]), final, people


def _aggregate(document: Document, every: list[Any]) -> float | None:
    values = [value for value in every if value is not None]
    match document["agg"]:
        case "count":
            return float(len(values))
        case "sum_boolean":
            return float(sum(1 for value in values if value))
        case "count_distinct":
            return float(len(set(values))) if values else None
    if not values:
        return None
    total = sum(map(Fraction, values), Fraction(0))
    match document["agg"]:
        case "sum":
            return float(total)
        case "average":
            return float(total / len(values))
        case "min":
            return float(min(values))
        case "max":
            return float(max(values))
        case "median":
            return float(statistics.median(values))
        case "percentile" if document.get("percentile_type", "continuous") == "continuous":
            return float(np.quantile(np.array(values, dtype=float), document["percentile"]))
        case "percentile":
            return float(np.quantile(np.array(values, dtype=float), document["percentile"], method="inverted_cdf"))
    raise AssertionError(document["agg"])


def _holds(entry: Mapping[str, Any], row: Row) -> bool:
    value: Any = row["user_id" if entry["field"] == "actor_id" else entry["field"]]
    wanted: Any = entry.get("value")
    if entry["op"] in ("is_null", "not_null"):
        return bool((value is None) == (entry["op"] == "is_null"))
    if value is None:
        return False
    if isinstance(value, datetime):
        wanted = datetime.fromisoformat(str(wanted))
    elif isinstance(value, date):
        wanted = date.fromisoformat(str(wanted))
    match entry["op"]:
        case "eq":
            return bool(value == wanted)
        case "neq":
            return bool(value != wanted)
        case "gt":
            return bool(value > wanted)
        case "gte":
            return bool(value >= wanted)
        case "lt":
            return bool(value < wanted)
        case "lte":
            return bool(value <= wanted)
        case "in":
            return value in wanted
        case "not_in":
            return value not in wanted
        case "contains":
            return str(wanted) in str(value)
        case "starts_with":
            return str(value).startswith(str(wanted))
    raise AssertionError(entry["op"])


def _cell(
    document: Document,
    part: Part,
    found: Mapping[int, Found],
    value: float | None,
    above: float | None,
    below: float | None,
) -> Cell:
    if value is not None:
        state = "zero" if value == 0 else "value"
    elif document["type"] == "ratio" and below == 0:
        state = "zero_denominator"
    else:
        state = "no_data" if any(leaf.value(part) is None for leaf in found.values()) else "undefined"
    people = [leaf.parts[part][2] for leaf in found.values() if part in leaf.parts]
    return Cell(
        value,
        state,
        all(leaf.is_complete(part) for leaf in found.values()),
        min((count for count in people if count is not None), default=None),
        above,
        below,
    )


def _json(names: Sequence[str], part: Part) -> str:
    texts = (value.isoformat() if isinstance(value, date) else value for value in part)
    return json.dumps(dict(zip(names, texts, strict=True)), separators=(",", ":"), ensure_ascii=False)


def _midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _utc_days(begins: datetime, ends: datetime) -> Iterator[date]:
    return _days((begins.date(), (ends - timedelta(microseconds=1)).date() + ONE))
