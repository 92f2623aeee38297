"""What messages say, by plain loops over all of them: the definitions of docs/messaging.md written down once more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.events.recipients import message_key
from metrics_pipeline.windows import DAY, midnight
from metrics_pipeline_tests.messaging.worlds import INSTANTS, NOW, Row, World

MATCH_DAYS = 7
CANCELLED = ("cancelled", "canceled")


@dataclass
class Fact:
    """A message, its instants and what became of it."""

    id: str
    workspace: str
    inbound: bool
    day: date
    at: datetime | None
    account: str | None = None
    conversation: str | None = None
    contact: str | None = None
    campaign: str | None = None
    template: bool = False
    flags: set[str] = field(default_factory=set)
    seconds: float | None = None


def facts(world: World, reply: timedelta) -> list[Fact]:
    """Every message with what became of it."""
    told: dict[tuple[object, object], Row] = {
        (r["workspace_id"], r["message_id"]): r for r in world.of("message_statuses")
    }
    pairs: list[tuple[Row | None, Row | None]] = []
    for kept in world.of("app_messages"):
        key = (kept["workspace_id"], message_key(str(kept["id"])))
        near = key in told and abs(_day(told[key]) - _day(kept)) <= MATCH_DAYS * DAY
        pairs.append((kept, told.pop(key) if near else None))
    pairs += [(None, status) for status in told.values()]
    found = [fact for kept, status in pairs if (fact := _fact(kept, status)) is not None]
    for fact in found:
        _follow(fact, found, reply)
    return found


def _day(row: Row) -> date:
    assert isinstance(row["date"], date)
    return row["date"]


def _fact(kept: Row | None, status: Row | None) -> Fact | None:
    both = [row for row in (kept, status) if row is not None]
    direction = str(kept["direction"]).lower() if kept and kept["direction"] else "outbound" if status else None
    if direction is None or both[0]["workspace_id"] is None:
        return None
    at = {name: min((t for r in both if isinstance(t := r[name], datetime)), default=None) for name in INSTANTS}
    words = {str(r["status"]).lower() for r in both}
    arrived = [t for t in (at["delivered_at"], at["read_at"]) if t]
    moment = at["sent_at"] or min(arrived, default=None) or at["failed_at"]
    flags = set()
    if at["read_at"] or "read" in words:
        flags |= {"read"}
    if arrived or words & {"read", "delivered"}:
        flags |= {"delivered"}
    if at["sent_at"] or "sent" in words or "delivered" in flags:
        flags |= {"sent"}
    if (at["failed_at"] or "failed" in words) and "delivered" not in flags:
        flags |= {"failed"}
    if kept and kept["converted_at"]:
        flags |= {"converted"}
    app = kept or {}
    fact = Fact(
        str(both[0].get("id") or both[0].get("message_id")),
        str(both[0]["workspace_id"]),
        direction == "inbound",
        _day(both[0]),
        None,
    )
    if isinstance(moment, datetime):
        fact.at, fact.day = moment, moment.date()
    fact.account = next((str(r["account_id"]) for r in both if r["account_id"]), None)
    fact.conversation, fact.contact, fact.campaign = (
        str(app[name]) if app.get(name) else None for name in ("conversation_id", "contact_id", "campaign_id")
    )
    fact.template, fact.flags = bool(app.get("is_template")), flags
    return fact


def _follow(fact: Fact, others: list[Fact], reply: timedelta) -> None:
    """Whether it was replied to, and how long a burst that it begins waited for an answer."""
    if fact.conversation is None or fact.at is None:
        fact.flags -= {"converted"} if "delivered" not in fact.flags else set()
        return
    same = [o for o in others if o.at and (o.workspace, o.conversation) == (fact.workspace, fact.conversation)]
    order = {o.id: (o.at, not o.inbound, o.id) for o in same}
    if not fact.inbound:
        is_followed = any(o.inbound and o.at and fact.at < o.at <= fact.at + reply for o in same)
        if is_followed and "sent" in fact.flags and "failed" not in fact.flags:
            fact.flags |= {"replied", "read", "delivered"}
        if "delivered" not in fact.flags:
            fact.flags -= {"converted"}
        return
    before = [o for o in same if order[o.id] < order[fact.id] and (o.inbound or not o.template)]
    last = max(before, key=lambda o: order[o.id], default=None)
    if last is None or not last.inbound or (last.at and fact.at > last.at + reply):
        answers = [o.at for o in same if not o.inbound and not o.template and order[o.id] > order[fact.id] and o.at]
        fact.flags |= {"burst"}
        if answers and min(answers) <= fact.at + reply:
            fact.seconds = (min(answers) - fact.at).total_seconds()


def sums(chosen: Iterable[Fact]) -> dict[str, float]:
    """Counts of messages, by metric."""
    chosen = list(chosen)
    out = [f for f in chosen if not f.inbound]
    waited = [f.seconds for f in chosen if f.seconds is not None]
    counted: dict[str, float] = {
        f"messages_{flag}": sum(flag in f.flags for f in out)
        for flag in ("sent", "delivered", "read", "failed", "replied", "converted")
    }
    return counted | {
        "messages_attempted": len(out),
        "messages_outbound": len(out),
        "messages_inbound": len(chosen) - len(out),
        "messages_answered": len(waited),
        "messages_unanswered": sum("burst" in f.flags and f.seconds is None for f in chosen),
        "response_time_seconds": sum(waited),
        "contacts_active": len({f.contact for f in chosen if f.inbound and f.contact}),
        "campaign_messages_sent": sum("sent" in f.flags and f.campaign is not None for f in out),
    }


def campaign_score(rates: tuple[float | None, ...], tracked: bool) -> float | None:
    delivery, read, reply, conversion = rates
    if delivery is None or read is None or reply is None or conversion is None:
        return None
    parts = [(0.25, delivery), (0.30, read), (0.30, min(1, reply / 0.2))]
    parts += [(0.15, min(1, conversion / 0.1))] if tracked else []
    return round(100 * sum(w * x for w, x in parts) / sum(w for w, _ in parts), 6)


def contact_score(history: list[Fact], day: date, score_days: int) -> float | None:
    """Of one contact's messages; None without a delivered one in the days up to `day`."""
    recent = [f for f in history if day - score_days * DAY < f.day <= day]
    out = [f for f in recent if not f.inbound]
    delivered = sum("delivered" in f.flags for f in out)
    if not delivered:
        return None
    rates = [sum(flag in f.flags for f in out) / delivered for flag in ("read", "replied")]
    wrote = [f.day for f in recent if f.inbound]
    recency = 0.5 ** ((day - max(wrote)).days / 14) if wrote else 0
    return round(100 * (0.35 * rates[0] + 0.40 * rates[1] + 0.25 * recency), 6)


class Oracle:
    """Expected rows of daily_metrics, platform 'app'."""

    def __init__(self, world: World, reply_days: int, score_days: int) -> None:
        self.world, self.reply_days, self.score_days = world, reply_days, score_days
        self.facts = facts(world, timedelta(days=reply_days))
        self.reads = {(r["table_name"], r["date"]): r["last_read_at"] for r in world.of("application_reads")}
        self.tables_read = {table for table, _ in self.reads}
        self.tracked = {r["workspace_id"] for r in world.of("app_messages") if r["converted_at"]}
        self.changes = list(self._changes())

    def _changes(self) -> Iterator[tuple[str, str, str | None, str, date, int]]:
        """(topic, workspace, account, metric, day, amount)"""

        def on(value: object, default: date) -> date:
            return max(value.date(), default) if isinstance(value, datetime) else default

        for r in self.world.of("app_contacts"):
            key, start = ("contacts", str(r["workspace_id"]), None), _day(r)
            yield from ((*key, metric, start, 1) for metric in ("contacts_total", "contacts_new"))
            if r["blocked_at"]:
                yield (*key, "contacts_blocked", on(r["blocked_at"], start), 1)
        for r in self.world.of("app_conversations"):
            account = str(r["account_id"]) if r["account_id"] else None
            talk, start = ("conversations", str(r["workspace_id"]), account), _day(r)
            yield from ((*talk, metric, start, 1) for metric in ("conversations_total", "conversations_open"))
            if r["closed_at"]:
                yield (*talk, "conversations_open", on(r["closed_at"], start), -1)
                yield (*talk, "conversations_closed", on(r["closed_at"], start), 1)
        for r in self.world.of("app_campaigns"):
            key, start, word = ("campaigns", str(r["workspace_id"]), None), _day(r), r["status"]
            yield (*key, "campaigns_total", start, 1)
            if isinstance(r["recipients"], int):
                yield (*key, "campaign_recipients", start, r["recipients"])
            if r["completed_at"] or word not in ("completed", "failed", *CANCELLED):
                yield (*key, "campaigns_active", start, 1)
            if r["completed_at"]:
                end = on(r["completed_at"], start)
                yield (*key, "campaigns_active", end, -1)
                name = {"failed": "campaigns_failed", "cancelled": ""}.get(str(word), "campaigns_completed")
                yield (*key, name or "campaigns_cancelled", end, 1)

    def rows(self, kind: str, days: Iterable[date]) -> list[Row]:
        """Every row of an entity type on these days."""
        of: Callable[[date], Iterator[Row]] = {"campaign": self._campaigns}.get(
            kind, lambda day: self._entities(kind, day)
        )
        return [row for day in days if day <= NOW.date() for row in of(day)]

    def _row(self, day: date, workspace: str, kind: str, entity: str, metric: str, topic: str, **v: object) -> Row:
        read = self.reads.get((topic, day))
        free = topic not in self.tables_read
        closed = isinstance(read, datetime) and read >= midnight(day + DAY)
        value, bottom = v.get("value"), v.get("denominator")
        state = "value" if value else "zero" if value is not None else "no_components"
        if value is None and bottom == 0:
            state = "insufficient_data"
        if v.pop("idle", False) and not free and not (isinstance(read, datetime) and read >= midnight(day)):
            state, v = "unknown", v | {"value": None}
        blank = dict.fromkeys(("value", "numerator", "denominator", "lifetime_value"))
        key = {"date": day, "workspace_id": workspace, "platform": "app", "entity_type": kind, "entity_id": entity}
        return blank | key | v | {
            "account_id": entity if kind == "account" else None,
            "metric": metric,
            "state": state,
            "is_complete": day < NOW.date() and (free or closed),
            "is_provisional": topic == "messages" and day + self.reply_days * DAY >= NOW.date(),
        }  # fmt: skip

    def _with_ratios(
        self, row: Callable[..., Row], kind: str, counts: dict[str, float | None], **v: object
    ) -> Iterator[Row]:
        for metric in catalog().metrics.values():
            if kind not in metric.levels:
                continue
            if metric.name in counts:
                yield row(metric=metric.name, value=counts[metric.name], **v)
            elif metric.derived and metric.numerator in counts and metric.denominator in counts:
                top, bottom = counts[metric.numerator], counts[metric.denominator]
                value = top / bottom if top is not None and bottom else None
                yield row(metric=metric.name, value=value, numerator=top, denominator=bottom, **v)

    def _entities(self, kind: str, day: date) -> Iterator[Row]:
        by: dict[tuple[str, str], list[Fact]] = defaultdict(list)
        for f in self.facts:
            entity = f.workspace if kind == "workspace" else f.account
            if entity is not None:
                by[(f.workspace, entity)].append(f)
        changed: dict[tuple[str, str], list[tuple[str, str, date, int]]] = defaultdict(list)
        for topic, workspace, account, metric, when, amount in self.changes:
            entity = workspace if kind == "workspace" else account if topic == "conversations" else None
            if entity is not None:
                changed[(workspace, entity)].append((topic, metric, when, amount))
        recent = {k for k, fs in by.items() if any(day - self.reply_days * DAY <= f.day <= day for f in fs)}
        known = recent | {k for k, cs in changed.items() if any(c[2] <= day for c in cs)}
        for workspace, entity in sorted(known):

            def row(topic: str, _w: str = workspace, _e: str = entity, **v: object) -> Row:
                return self._row(day, _w, kind, _e, topic=topic, **v)  # type: ignore[arg-type]

            today = [f for f in by[(workspace, entity)] if f.day == day]
            counts: dict[str, float | None] = dict(sums(today))
            if not today:
                if self._row(day, "", kind, "", "", "messages", idle=True)["state"] == "unknown":
                    yield from self._with_ratios(row, kind, dict.fromkeys(counts), topic="messages", idle=True)
            else:
                yield from self._with_ratios(row, kind, counts, topic="messages")
            yield from self._standing(kind, day, changed[(workspace, entity)], row)
            if kind == "workspace":
                yield from self._workspace(day, today, by[(workspace, entity)], row)

    def _standing(
        self, kind: str, day: date, mine: list[tuple[str, str, date, int]], row: Callable[..., Row]
    ) -> Iterator[Row]:
        for metric in catalog().metrics.values():
            topics = [t for t, name in TOPICS if metric.name == name and kind in metric.levels]
            if not topics or not self._in_use(topics[0], day):
                continue
            is_level = metric.additivity == "last_value"
            amounts = [
                a for _, name, when, a in mine if name == metric.name and (when <= day if is_level else when == day)
            ]
            total = sum(amounts)
            yield row(topic=topics[0], metric=metric.name, value=float(total), idle=not is_level and total == 0)

    def _in_use(self, topic: str, day: date) -> bool:
        return any(c[0] == topic and c[4] <= day for c in self.changes)

    def _workspace(self, day: date, today: list[Fact], all_of_it: list[Fact], row: Callable[..., Row]) -> Iterator[Row]:
        campaigns = {f.campaign for f in today if f.campaign and not f.inbound}
        if campaigns:
            each = [sums(f for f in today if f.campaign == c and not f.inbound) for c in sorted(campaigns)]
            delivery = [c["messages_delivered"] / c["messages_sent"] for c in each if c["messages_sent"]]
            read = [c["messages_read"] / c["messages_delivered"] for c in each if c["messages_delivered"]]
            counts: dict[str, float | None] = {
                "campaign_delivery_rates": sum(delivery), "campaigns_with_delivery_rate": len(delivery),
                "campaign_read_rates": sum(read), "campaigns_with_read_rate": len(read),
            }  # fmt: skip
            yield from self._with_ratios(row, "workspace", counts, topic="messages")
        contacts: dict[str, list[Fact]] = defaultdict(list)
        for f in all_of_it:
            if f.contact:
                contacts[f.contact].append(f)
        scores = [s for fs in contacts.values() if (s := contact_score(fs, day, self.score_days)) is not None]
        mean = sum(scores) / len(scores) if scores else None
        top = sum(scores) if scores else None
        yield row(
            topic="messages",
            metric="contact_engagement_score",
            value=mean,
            numerator=top,
            denominator=float(len(scores)),
        )

    def _campaigns(self, day: date) -> Iterator[Row]:
        by: dict[tuple[str, str], list[Fact]] = defaultdict(list)
        for f in self.facts:
            if f.campaign and not f.inbound:
                by[(f.workspace, f.campaign)].append(f)
        begins = {(str(r["workspace_id"]), str(r["id"])): r for r in self.world.of("app_campaigns")}
        for (workspace, entity), sent in sorted(by.items()):

            def row(_w: str = workspace, _e: str = entity, **v: object) -> Row:
                return self._row(day, _w, "campaign", _e, topic="messages", **v)  # type: ignore[arg-type]

            counts = sums(f for f in sent if f.day == day)
            begun = begins.get((workspace, entity))
            has_life = begun is not None and _day(begun) <= day
            life = sums(f for f in sent if begun is not None and _day(begun) <= f.day <= day)
            lived = {r["metric"]: r["value"] for r in self._with_ratios(row, "campaign", dict(life))}
            if counts["messages_attempted"]:
                for found in self._with_ratios(row, "campaign", dict(counts)):
                    yield found | {"lifetime_value": lived[found["metric"]] if has_life else None}
                score = campaign_score(
                    tuple(lived[m] if isinstance(lived[m], float) else None for m in RATES), workspace in self.tracked  # type: ignore[misc]
                )  # fmt: skip
                bottom = 0.0 if has_life and not life["messages_delivered"] else None
                if not has_life:
                    score = None
                yield row(metric="campaign_score", value=score, denominator=bottom) | {"lifetime_value": score}
        for (workspace, entity), begun in begins.items():
            if _day(begun) == day and isinstance(begun["recipients"], int):
                value = float(begun["recipients"])
                made = self._row(day, workspace, "campaign", entity, "campaign_recipients", "campaigns", value=value)
                yield made | {"lifetime_value": value}


RATES = ("delivery_rate", "read_rate", "reply_rate", "conversion_rate")
TOPICS = (
    *(("contacts", f"contacts_{name}") for name in ("total", "new", "blocked")),
    *(("conversations", f"conversations_{name}") for name in ("total", "open", "closed")),
    *(("campaigns", f"campaigns_{name}") for name in ("total", "active", "completed", "failed")),
    ("campaigns", "campaign_recipients"),
)
