"""Message templates of a WhatsApp Business account: the list of them, and each one's daily series."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from metrics_pipeline.catalog.models import PlatformSpec, SourceMetric
from metrics_pipeline.platforms.contract import AccountResult, CollectionContext, Post, State
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.graph_posts import Listed, next_cursor
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.platforms.whatsapp_errors import weigh
from metrics_pipeline.platforms.whatsapp_points import PointDay, data_points, day_of, oldest_day, slices
from metrics_pipeline.windows import DAY, midnight

POST_TYPE = "template"
TEMPLATE_FIELDS = "id,name,status,category,language"
METRIC_TYPES = ["SENT", "DELIVERED", "READ", "CLICKED", "COST"]
BATCH = 10  # template ids that one request may name

# Kinds of clicks whose counts may be added, and the one that counts people; each button has an entry of its own.
CLICKS = {"quick_reply_button", "url_button"}
UNIQUE_CLICKS = "unique_url_button"
SPENT, RATES = "amount_spent", {"cost_per_delivered", "cost_per_url_button_click"}

NOT_KEPT = "older than the platform keeps"
NOT_OVER = "WhatsApp gives a template's day once it has ended in UTC"
NO_TRAFFIC = "WhatsApp reports nothing for this day: no traffic, or templates it no longer counts"
EXPIRED = "WhatsApp keeps reads and clicks for 7 days after sending; what it says later is no count"
NO_COST = "WhatsApp gives no cost of templates: a partner's credit line pays for this account"

Number = tuple[float, Mapping[str, float]]  # a number and what it is made of


def template(entry: Fields) -> Listed | None:
    """One template as a post without a date of publication, which the platform does not tell."""
    template_id, name = entry.identifier("id"), entry.text("name")
    about = {key: entry.text(key) for key in ("status", "category", "language")}
    entry.ignore("components", "quality_score", "rejected_reason", "previous_category", "parameter_format")
    if template_id is None:
        entry.report("a template without an id")
        return None
    return Listed(Post(template_id, POST_TYPE, title=name, metadata=about))


@dataclass(frozen=True, slots=True)
class TemplateDay:
    """What one point says of a template: its numbers by the name of their source, and why one is missing."""

    template_id: str
    covers: PointDay
    numbers: Mapping[str, Number]
    missing: Mapping[str, tuple[State, str]] = field(default_factory=dict)


def template_day(point: Fields) -> TemplateDay | None:
    """One point of template_analytics; None, and a report, where it names no template or no day."""
    template_id, covers = point.identifier("template_id"), day_of(point)
    numbers: dict[str, Number] = {}
    missing: dict[str, tuple[State, str]] = {}
    for name in ("sent", "delivered", "read"):
        raw = point.number(name)
        if raw is not None:
            numbers[name] = raw, {}
    _take_clicks(point, numbers, missing)
    _take_cost(point, numbers, missing)
    if template_id is None:
        point.report("a point without a template")
    return TemplateDay(template_id, covers, numbers, missing) if template_id and covers else None


def _take_clicks(point: Fields, numbers: dict[str, Number], missing: dict[str, tuple[State, str]]) -> None:
    """Clicks by button. An absent or empty list is a template without buttons, or one nobody counts: no zero."""
    clicks: dict[str, float] = {}
    people: dict[str, float] = {}
    for entry in point.children("clicked"):
        with entry:
            kind, button, count = entry.text("type"), entry.text("button_content"), entry.number("count")
            if count is None or (kind not in CLICKS and kind != UNIQUE_CLICKS):
                entry.report(f"clicks of the kind {kind}")
                continue
            into = people if kind == UNIQUE_CLICKS else clicks
            label = f"{kind}: {button}"
            into[label] = into.get(label, 0.0) + count
    if clicks:
        numbers["clicked"] = sum(clicks.values()), clicks
    if len(people) == 1:
        numbers["clicked.unique"] = sum(people.values()), people
    elif people:
        reason = "the people behind several buttons cannot be added"
        missing["clicked.unique"] = State.NOT_SUPPORTED, reason


def _take_cost(point: Fields, numbers: dict[str, Number], missing: dict[str, tuple[State, str]]) -> None:
    """What was spent; the rates beside it follow from it and are kept with it."""
    spent: float | None = None
    rates: dict[str, float] = {}
    for entry in point.children("cost"):
        with entry:
            kind, value = entry.text("type"), entry.number("value")
            if kind == SPENT:
                spent = value
            elif kind in RATES and value is not None:
                rates[str(kind)] = value
            elif kind not in RATES:
                entry.report(f"a cost of the kind {kind}")
    if spent is not None:
        numbers["cost.amount_spent"] = spent, rates
    else:
        missing["cost.amount_spent"] = State.NOT_SUPPORTED, NO_COST


class TemplateSeries:
    """Reads the series of one account's templates over UTC days."""

    def __init__(
        self,
        session: Session,
        path: str,
        currency: str | None,
        spec: PlatformSpec,
        context: CollectionContext,
        patience: Patience,
        result: AccountResult,
    ) -> None:
        self._session = session
        self._path = f"{path}/template_analytics"
        self._currency = currency
        self._sources = spec.select("post", "series", "template_analytics")
        self._most_days = spec.max_window_days or 90
        self._now = context.now
        self._patience = patience
        self._result = result
        self._told: set[tuple[str, date]] = set()
        self._refused: PlatformError | None = None

    def refuse(self, days: Sequence[date], error: PlatformError, objects: int, tally: Tally) -> None:
        """No series at all, for one reason."""
        for day in days:
            for source in self._sources:
                tally.plan("post", source.metric, day, objects)
                tally.refuse("post", source.metric, day, error)

    async def read(self, templates: Sequence[Post], days: Sequence[date], tally: Tally) -> None:
        for day in days:
            for source in self._sources:
                tally.plan("post", source.metric, day, len(templates))
        oldest = oldest_day(self._now, max(s.retention_days or 90 for s in self._sources))
        over = [day for day in days if day >= oldest and midnight(day + DAY) <= self._now]
        for part in slices(over, self._most_days):
            for first in range(0, len(templates), BATCH):
                await self._batch(templates[first : first + BATCH], part, tally)
        for day in days if templates else []:
            reason = NOT_KEPT if day < oldest else NO_TRAFFIC if day in over else NOT_OVER
            for source in self._sources:
                if (source.metric, day) not in self._told:
                    tally.miss("post", source.metric, day, State.UNKNOWN, reason)

    async def _batch(self, templates: Sequence[Post], days: Sequence[date], tally: Tally) -> None:
        try:
            if self._refused is not None:
                raise self._refused
            points = await self._points([one.post_id for one in templates], days)
        except PlatformError as failure:
            is_gone = failure.act is Act.SKIP_OBJECT
            if is_gone and len(templates) > 1:
                # one template that has gone since it was listed fails the request for all
                for one in templates:
                    await self._batch([one], days, tally)
                return
            error = failure if is_gone else weigh(failure, self._patience)
            if error.act in (Act.SKIP_METRIC, Act.PERMISSION):
                self._refused = error  # said of the account, so of every batch
            for source in self._sources:
                for day in days:
                    self._told.add((source.metric, day))
                    for _ in templates:
                        tally.refuse("post", source.metric, day, error)
            return
        self._patience.succeeded()
        by_id = {one.post_id: one for one in templates}
        for point in points:
            if point.covers.day in days and point.template_id in by_id:
                for source in self._sources:
                    self._keep(source, by_id[point.template_id], point, tally)

    async def _points(self, ids: Sequence[str], days: Sequence[date]) -> list[TemplateDay]:
        """Every point of a batch, page after page: the platform hands out a few at a time."""
        params = {
            "start": str(int(midnight(days[0]).timestamp())),
            "end": str(int(midnight(days[-1] + DAY).timestamp())),
            "granularity": "DAILY",
            "metric_types": json.dumps(METRIC_TYPES, separators=(",", ":")),
            "template_ids": json.dumps(list(ids), separators=(",", ":")),
        }
        points: dict[tuple[str, datetime], TemplateDay] = {}
        after: str | None = None
        while True:
            answer = await self._session.get(self._path, params | ({"after": after} if after else {}))
            with Fields(answer.body, "template_analytics", self._result.unknown_fields) as body:
                for entry in data_points(body):
                    with entry:
                        point = template_day(entry)
                        if point is not None:
                            points[point.template_id, point.covers.start] = point
                following = next_cursor(body)
            if following in (None, after):
                return list(points.values())
            after = following

    def _keep(self, source: SourceMetric, post: Post, point: TemplateDay, tally: Tally) -> None:
        day = point.covers.day
        self._told.add((source.metric, day))
        number = point.numbers.get(source.source)
        if number is None:
            state, reason = point.missing.get(source.source, (State.UNKNOWN, "the platform gave no value"))
            tally.miss("post", source.metric, day, state, reason)
            return
        raw, parts = number
        if self._has_expired(source, point.covers, raw):
            tally.miss("post", source.metric, day, State.UNKNOWN, EXPIRED)
            return
        metadata: dict[str, object] = {**parts}
        if source.metric == "message_cost":
            metadata["currency"] = self._currency
        made = reading(source, day, raw, post=post, metadata=metadata, day_timezone=point.covers.zone)
        self._result.readings.append(made)
        tally.hit("post", source.metric, day, made.value)

    def _has_expired(self, source: SourceMetric, covers: PointDay, raw: float) -> bool:
        """Whether a number may be what is left after the platform let it go.

        The messages of a day expire one by one from 7 days after its start to 7 days after its end. In between a
        number may be too low, which the larger one read before mends, but a zero says nothing.
        """
        if source.rule != "maximum" or source.retention_days is None:
            return False
        kept = timedelta(days=source.retention_days)
        return self._now >= covers.end + kept or (raw == 0 and self._now >= covers.start + kept)
