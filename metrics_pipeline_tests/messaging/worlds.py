"""Random applications: messages that come in bursts over midnights, webhooks' own word on them, gaps in the reading."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from metrics_pipeline.events.recipients import message_key
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.windows import DAY

Row = dict[str, object]

FIRST = date(2026, 3, 1)
DAYS = 30
NOW = datetime(2026, 3, 27, 6, tzinfo=UTC)
INSTANTS = ("sent_at", "delivered_at", "read_at", "failed_at")


@dataclass
class World:
    """Rows by table, as an extraction and a webhook would have left them."""

    rows: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, table: str, **values: object) -> Row:
        row: Row = dict.fromkeys(TABLES[table].schema.names) | values
        self.rows.setdefault(table, []).append(row)
        return row

    def message(self, name: str, sent: datetime | None, **values: object) -> Row:
        """A message of acme under the day that an extraction would give it."""
        failed = values.get("failed_at")
        placed = sent or (failed if isinstance(failed, datetime) else None)
        stored = {"date": placed.date()} if placed else {}
        known = {"id": name, "workspace_id": "acme", "direction": "outbound", "sent_at": sent, "account_id": "a1"}
        return self.add("app_messages", **(known | stored | values))

    def status(self, name: str, **values: object) -> Row:
        """What a webhook told of a message."""
        instants = [v for k, v in values.items() if k in INSTANTS and isinstance(v, datetime)]
        known = {"workspace_id": "acme", "platform": "whatsapp", "account_id": "a1", "message_id": message_key(name)}
        return self.add("message_statuses", **(known | {"date": min(instants).date()} | values))

    def tables(self) -> Mapping[str, pa.Table]:
        return {name: pa.Table.from_pylist(rows, schema=TABLES[name].schema) for name, rows in self.rows.items()}

    def of(self, table: str) -> Sequence[Row]:
        return self.rows.get(table, [])


def _moment(rng: random.Random) -> datetime:
    """Mostly around few midnights, so that what belongs together often lies on two days."""
    if rng.random() < 0.6:
        midnight = datetime.combine(FIRST + DAY * rng.choice((5, 12, 12, 13, 20)), datetime.min.time(), UTC)
        return midnight + timedelta(minutes=rng.randrange(-40, 40))
    return datetime.combine(FIRST, datetime.min.time(), UTC) + timedelta(minutes=rng.randrange(0, DAYS * 24 * 60, 97))


def _later(rng: random.Random, at: datetime) -> datetime | None:
    hours = rng.choice((None, None, 0, 0.1, 1, 30, 71.99, 72, 72.01, 110))
    return None if hours is None else at + timedelta(hours=hours)


def random_world(seed: int, messages: int) -> World:
    """Few accounts, conversations, contacts and campaigns that get into each other's way."""
    rng = random.Random(seed)
    world = World()
    for n in range(messages):
        at, inbound = _moment(rng), rng.random() < 0.4
        shared = {"workspace_id": rng.choice(("acme", "acme", "acme", "other", None))}
        outcome = {k: _later(rng, at) for k in INSTANTS[1:]} if not inbound else {}
        if rng.random() < 0.85:
            sent = at if inbound or rng.random() < 0.9 else None
            placed = sent or outcome.get("failed_at")
            world.message(
                f"m{n}",
                sent,
                **outcome | shared,
                direction="Inbound" if inbound else rng.choice(("outbound", "outbound", "outbound", None)),
                date=placed.date() if placed else at.date(),
                account_id=rng.choice(("a1", "a1", "a2", None)),
                conversation_id=rng.choice(("v1", "v1", "v2", "v3", None)),
                contact_id=rng.choice(("c1", "c2", "c3", None)),
                campaign_id=None if inbound else rng.choice(("k1", "k2", "k3", None, None)),
                is_template=rng.choice((None, False, False, True)),
                status=rng.choice((None, None, None, "sent", "Delivered", "read", "failed", "queued")),
                converted_at=_later(rng, at) if rng.random() < 0.2 else None,
            )
        if not inbound and rng.random() < 0.5 and shared["workspace_id"] is not None:
            moved = at + timedelta(minutes=rng.choice((-50, 0, 0, 0, 1, 50, 3 * 24 * 60, 6 * 24 * 60, 9 * 24 * 60)))
            told = {"sent_at": moved, **{k: _later(rng, moved) for k in INSTANTS[1:]}}
            told = {k: v for k, v in told.items() if rng.random() < 0.7} or {"sent_at": moved}
            if any(told.values()):
                world.status(f"m{n}", **told | shared, status=rng.choice((None, "sent", "delivered", "read", "failed")))
    _entities(world, rng)
    for table in ("messages", "contacts", "conversations", "campaigns"):
        if rng.random() < 0.8:
            for day in (FIRST + DAY * n for n in range(DAYS)):
                hours = rng.choice((None, 12, 30, 30, 30, 30))
                if hours is not None:
                    read = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=hours)
                    world.add("application_reads", table_name=table, date=day, last_read_at=read)
    return world


def _entities(world: World, rng: random.Random) -> None:
    def some(most: int) -> range:
        return range(rng.randrange(most + 1))

    for n in some(4):
        at = _moment(rng)
        world.add(
            "app_contacts", id=f"c{n}", date=at.date(), created_at=at, workspace_id="acme", blocked_at=_later(rng, at)
        )
    for n in some(6):
        at, workspace = _moment(rng), rng.choice(("acme", "other"))
        account = rng.choice(("a1", "a2", None))
        closed = _later(rng, at)
        world.add(
            "app_conversations",
            id=f"v{n}",
            date=at.date(),
            opened_at=at,
            workspace_id=workspace,
            account_id=account,
            closed_at=closed,
        )
    for n in some(3):
        at = _moment(rng)
        world.add(
            "app_campaigns",
            id=f"k{n + 1}",
            date=at.date(),
            started_at=at,
            workspace_id="acme",
            recipients=rng.choice((None, 0, 30)),
            completed_at=_later(rng, at),
            status=rng.choice((None, "active", "completed", "failed", "cancelled")),
        )
