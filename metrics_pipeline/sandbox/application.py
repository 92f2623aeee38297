"""The sample application database: a SQLite file with all seven tables, which grows with time and never contradicts
itself: written up to Monday and then up to Friday it holds what it would hold written up to Friday at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

from metrics_pipeline.errors import UserError
from metrics_pipeline.sandbox.business import Business
from metrics_pipeline.sandbox.messaging import WORKSPACES, Conversation, Message, Messaging
from metrics_pipeline.windows import DAY

Row = tuple[object, ...]

SCHEMA = """
create table if not exists sandbox_world (seed integer not null, first_day date not null, until timestamp not null);
create table if not exists messages (
  id text primary key, workspace_id text not null, account_id text not null, conversation_id text not null,
  contact_id text not null, campaign_id text, direction text not null, is_template boolean not null,
  status text not null, sent_at timestamp, delivered_at timestamp, read_at timestamp, failed_at timestamp,
  converted_at timestamp);
create table if not exists campaigns (
  id text primary key, workspace_id text not null, status text not null, recipients integer not null,
  cost_cents integer not null, started_at timestamp, completed_at timestamp);
create table if not exists contacts (
  id text primary key, workspace_id text not null, created_at timestamp not null, blocked_at timestamp);
create table if not exists conversations (
  id text primary key, workspace_id text not null, account_id text not null, opened_at timestamp not null,
  closed_at timestamp);
create table if not exists orders (
  id text primary key, customer_id text not null, amount_cents integer not null, created_at timestamp not null);
create table if not exists licences (
  id text primary key, industry text not null, expires_at timestamp not null, renewed boolean not null);
create table if not exists assets (
  id text not null, category text not null, hours_used real not null, hours_available real not null,
  date date not null, primary key (id, date));
"""
TABLES = ("messages", "campaigns", "contacts", "conversations", "orders", "licences", "assets")
_INDEXED = {
    "messages": ("sent_at", "delivered_at", "read_at", "failed_at", "converted_at"),
    "conversations": ("opened_at", "closed_at"),
    "orders": ("created_at",),
}
# What a campaign costs: its making, and what sending it takes.
CENTS_A_CAMPAIGN = 30_000
CENTS_A_RECIPIENT = 7


def grow(file: Path, until: datetime, *, days: int, seed: int) -> dict[str, int]:
    """Write the sample database up to an instant, or extend it up to there; returns rows by table.

    `days`: how much history a new file gets, the day of `until` included; one that is there keeps its first day.

    Raises:
        UserError: the file is another seed's, lies ahead of `until`, or cannot be written.
    """
    try:
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.executescript(SCHEMA)
            for table, columns in _INDEXED.items():
                for column in columns:
                    connection.execute(f"create index if not exists {table}_{column} on {table} ({column})")
            first_day = _first_day(connection, file, until, days, seed)
            for table, rows in _rows(seed, first_day, until):
                marks = ", ".join("?" * _width(connection, table))
                connection.executemany(f"insert or replace into {table} values ({marks})", map(_stored, rows))  # noqa: S608
            connection.execute("delete from sandbox_world")
            connection.execute("insert into sandbox_world values (?, ?, ?)", _stored((seed, first_day, until)))
            return {t: int(connection.execute(f"select count(*) from {t}").fetchone()[0]) for t in TABLES}  # noqa: S608
    except sqlite3.Error as error:
        raise UserError(f"{file} cannot be written as a SQLite file: {error}.") from None


def _first_day(connection: sqlite3.Connection, file: Path, until: datetime, days: int, seed: int) -> date:
    world = connection.execute("select seed, first_day, until from sandbox_world").fetchone()
    if world is None:
        return until.date() - DAY * (days - 1)
    if world[0] != seed:
        raise UserError(f"{file} was made with seed {world[0]}: give --seed {world[0]}, or another file.")
    if world[2] > _text(until):
        raise UserError(f"{file} has rows up to {world[2]} already: time only goes on there.")
    return date.fromisoformat(world[1])


def _rows(seed: int, first_day: date, until: datetime) -> Iterator[tuple[str, Iterable[Row]]]:
    """Every row there is at an instant, by table."""
    days = [first_day + DAY * n for n in range((until.date() - first_day).days + 1)]
    for workspace_id in WORKSPACES:
        messaging = Messaging(seed, workspace_id, first_day)
        conversations = [c for day in days for c in messaging.conversations(day) if c.opened_at <= until]
        messages = (m for c in conversations for m in c.messages if m.tried_at <= until)
        yield "conversations", (_conversation(workspace_id, c, until) for c in conversations)
        yield "messages", (_message(workspace_id, m, until) for m in messages)
        yield (
            "contacts",
            (
                (c.id, workspace_id, c.created_at, _known(c.blocked_at, until))
                for c in messaging.contacts(until.date() + DAY)
                if c.created_at <= until
            ),
        )
        yield "campaigns", _campaigns(messaging, [*days, days[-1] + DAY], until)
    business = Business(seed, first_day, until)
    yield "orders", (row for day in days for row in business.orders(day))
    yield "licences", business.licences()
    yield "assets", (row for day in days for row in business.assets(day))


def _conversation(workspace_id: str, conversation: Conversation, until: datetime) -> Row:
    closed = _known(conversation.closed_at, until)
    return conversation.id, workspace_id, conversation.account_id, conversation.opened_at, closed


def _message(workspace_id: str, m: Message, until: datetime) -> Row:
    sent, delivered, read, failed, converted = (
        _known(at, until) for at in (m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.converted_at)
    )
    reached = (("read", read), ("delivered", delivered), ("failed", failed), ("sent", sent))
    status = next((name for name, at in reached if at is not None), "queued")
    return (
        m.id,
        workspace_id,
        m.account_id,
        m.conversation_id,
        m.contact_id,
        m.campaign_id,
        "inbound" if m.is_inbound else "outbound",
        m.is_template,
        "received" if m.is_inbound else status,
        sent,
        delivered,
        read,
        failed,
        converted,
    )


def _campaigns(messaging: Messaging, days: Iterable[date], until: datetime) -> Iterator[Row]:
    for campaign in filter(None, map(messaging.campaign, days)):
        if campaign.planned_at > until:
            continue
        started, completed = _known(campaign.started_at, until), _known(campaign.completed_at, until)
        ended = "failed" if campaign.is_failed else "completed"
        status = ended if completed is not None else "active" if started is not None else "draft"
        cost = CENTS_A_CAMPAIGN + campaign.recipients * CENTS_A_RECIPIENT if started is not None else 0
        yield campaign.id, messaging.workspace_id, status, campaign.recipients, cost, started, completed


def _known(at: datetime | None, until: datetime) -> datetime | None:
    return at if at is not None and at <= until else None


def _width(connection: sqlite3.Connection, table: str) -> int:
    return len(connection.execute(f"select * from {table} limit 0").description)  # noqa: S608 - a name of ours


def _stored(row: Row) -> Row:
    """Times as most applications keep them in SQLite: text in UTC, without a zone."""
    return tuple(_text(value) if isinstance(value, datetime | date) else value for value in row)


def _text(value: datetime | date) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value.isoformat()


def whole_second(at: datetime) -> datetime:
    """An instant as the file keeps it."""
    return at - timedelta(microseconds=at.microsecond)
