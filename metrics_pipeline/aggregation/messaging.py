"""Messages, campaigns and contacts: which of their days a build reads, and the tables of their present state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pyarrow as pa
from deltalake import DeltaTable

from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Days, Parameter, conform
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, Window

# What the application and a webhook say of one message lies this close together: Meta repeats a webhook for 7 days.
MATCH_DAYS = 7
# Campaigns, contacts and conversations are read from the first on, whatever the window: levels count all of them.
EVER = date(1970, 1, 1)
MESSAGES = ("app_messages", "message_statuses")
ENTITIES = ("app_campaigns", "app_contacts", "app_conversations")


@dataclass(frozen=True)
class MessagingDays:
    """What the SQL of one entity type's days needs of messages: parameters, relations, and the days it may read."""

    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    relations: Mapping[str, pa.Table] = field(default_factory=dict)
    days: dict[str, Days] = field(default_factory=dict)

    @classmethod
    def of(cls, engine: Engine, settings: Settings, entity_type: str, window: Window) -> MessagingDays:
        """For a window of days of an entity type; empty for those that have no messages.

        A build reads the reply window on both sides, workspaces the days behind the scores of contacts as well, and
        campaigns everything since the first of them began.
        """
        if entity_type not in ("account", "workspace", "campaign"):
            return cls()
        first, reply = window.first_day, timedelta(days=settings.reply_window_days)
        counted_from, relations = first, {}
        if entity_type == "campaign":
            counted_from = _first_day_of_campaigns(engine, window) or first
            relations["converting"] = converting_workspaces(engine)
        elif entity_type == "workspace":
            first -= timedelta(days=settings.contact_score_days)
        read = message_days(min(first, counted_from) - reply, window.end_day + reply)
        parameters: dict[str, Parameter] = {
            "counted_from": counted_from,
            "match_days": MATCH_DAYS,
            "reply_days": settings.reply_window_days,
            "score_days": settings.contact_score_days,
        }
        return cls(parameters, relations, read | dict.fromkeys(ENTITIES, (EVER, window.end_day + MATCH_DAYS * DAY)))


def message_days(first: date, end: date) -> dict[str, Days]:
    """The days of both tables that have everything about messages of [first, end)."""
    return dict.fromkeys(MESSAGES, (first - MATCH_DAYS * DAY, end + MATCH_DAYS * DAY))


def converting_workspaces(engine: Engine) -> pa.Table:
    """The workspaces that track conversions, over everything that was ever read."""
    return engine.query("messaging/converting_workspaces.sql")


def _first_day_of_campaigns(engine: Engine, window: Window) -> date | None:
    """The first day of the campaigns that sent anything in the window; None without any."""
    days = message_days(window.first_day, window.end_day)
    parameters = dict(zip(("first", "end"), days["app_messages"], strict=True))
    with engine.session(days=days) as session:
        (found,) = session.run_file("messaging/campaigns_begin.sql", parameters).read_all()["first_day"].to_pylist()
    return min(found, window.first_day) if isinstance(found, date) else None


@dataclass(frozen=True)
class MessagingStateBuilder:
    """Builds campaign_metrics and contact_metrics."""

    engine: Engine
    settings: Settings

    def campaigns(self, now: datetime) -> int:
        """Replace campaign_metrics by what the days of every campaign give; returns the campaigns."""
        spec = self.engine.lake.tables["campaign_metrics"]
        relations = {"converting": converting_workspaces(self.engine)}
        metadata: dict[str, str] = {}
        rows = 0

        def produce(_: DeltaTable) -> pa.Table:
            nonlocal rows
            with self.engine.session(relations) as session:
                only = Partitions(equals={"entity_type": "campaign"})
                session.pin(self.engine.lake.table("daily_metrics"), "daily_metrics", only)
                result = conform(session.run_file("messaging/campaign_metrics.sql", {"now": now}), spec)
                metadata.update({f"source.{name}": str(version) for name, version in session.versions.items()})
                rows = result.num_rows
                return result

        self.engine.lake.replace(spec.name, Partitions(), produce, metadata)
        return rows

    def contacts(self, now: datetime) -> int:
        """Replace contact_metrics by the messages of the last days, the running one included; returns the contacts."""
        today, reply = now.date(), timedelta(days=self.settings.reply_window_days)
        first = today - timedelta(days=self.settings.contact_score_days)
        parameters: dict[str, Parameter] = {
            "now": now,
            "today": today,
            "match_days": MATCH_DAYS,
            "reply_days": self.settings.reply_window_days,
            "score_days": self.settings.contact_score_days,
        }
        days = message_days(first - reply, today + DAY + reply)
        file = "messaging/contact_metrics.sql"
        return self.engine.build("contact_metrics", file, Partitions(), parameters, days=days)
