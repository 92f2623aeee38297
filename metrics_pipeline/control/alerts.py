"""Alerts that fire, and their messages on the way out: decided once, whichever process notices first.

Whether something is told is decided in the transaction that notes it, and each message is a row that one process at a
time may send. So a message goes out once, a failing channel loses none, and only a process that dies between the
channel's answer and its own note of it sends one twice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Engine, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from metrics_pipeline.control.database import reading, writing
from metrics_pipeline.control.watch_models import KEY_LENGTH, Alert, AlertMessage

Severity = Literal["warning", "error"]
FIRING, RESOLVED = "firing", "resolved"
TEXT_LENGTH = 2000
# Longer than a channel may take to answer; a process that died meanwhile holds a message up for so long.
CLAIM = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Telling:
    """Who is told, and when again: `channels` names them, repeat_after is how long an alert may last untold."""

    channels: Collection[str]
    repeat_after: timedelta


@dataclass(frozen=True, slots=True)
class Message:
    """A message that this process has claimed."""

    number: int
    key: str
    channel: str
    severity: str
    text: str
    created_at: datetime


def fire(
    engine: Engine, telling: Telling, key: str, text: str, severity: Severity, *, now: datetime, once: bool = False
) -> bool:
    """Note that something is so; True if messages were written: it is new, or has lasted `repeat_after` since the last.

    With `once` it is told a single time, however long it lasts.
    """
    try:
        with writing(engine) as session:
            return note_firing(session, telling, key, text, severity, now=now, once=once)
    except IntegrityError:  # another process noted it first, at the same moment
        with writing(engine) as session:
            return note_firing(session, telling, key, text, severity, now=now, once=once)


def resolve(engine: Engine, telling: Telling, key: str, text: str | None, *, now: datetime) -> bool:
    """Note that it is over, and tell `text`; False if it was not firing."""
    with writing(engine) as session:
        return note_resolved(session, telling, key, text, now=now)


def note_firing(
    session: Session,
    telling: Telling,
    key: str,
    text: str,
    severity: Severity,
    *,
    now: datetime,
    once: bool = False,
) -> bool:
    """`fire` inside a transaction of the caller's."""
    key, text = key[:KEY_LENGTH], text[:TEXT_LENGTH]
    row = session.get(Alert, key, with_for_update=True)
    if row is None:
        row = Alert(key=key, state=FIRING, severity=severity, text=text, first_at=now, last_at=now, sent_at=now)
        session.add(row)
        session.flush()
    elif row.state == FIRING:
        row.severity, row.text, row.last_at = severity, text, now
        if once or now - row.sent_at < telling.repeat_after:
            return False
        row.sent_at = now
        text = f"{text} (since {row.first_at:%Y-%m-%d %H:%M} UTC)"
    else:
        row.state, row.severity, row.text = FIRING, severity, text
        row.first_at = row.last_at = row.sent_at = now
    _write_messages(session, telling, key, text, severity, now)
    return True


def note_resolved(session: Session, telling: Telling, key: str, text: str | None, *, now: datetime) -> bool:
    """`resolve` inside a transaction of the caller's."""
    row = session.get(Alert, key[:KEY_LENGTH], with_for_update=True)
    if row is None or row.state != FIRING:
        return False
    row.state, row.last_at = RESOLVED, now
    if text is not None:
        _write_messages(session, telling, row.key, text[:TEXT_LENGTH], "recovered", now)
    return True


def _write_messages(session: Session, telling: Telling, key: str, text: str, severity: str, now: datetime) -> None:
    for channel in sorted(telling.channels):
        session.add(AlertMessage(key=key, channel=channel, severity=severity, text=text, created_at=now, attempts=0))


def firing_keys(engine: Engine, prefix: str) -> set[str]:
    """The keys of alerts that last, of those that begin so."""
    with reading(engine) as session:
        query = select(Alert.key).where(Alert.state == FIRING, Alert.key.startswith(prefix, autoescape=True))
        return set(session.scalars(query))


def claim_message(engine: Engine, channels: Collection[str], *, now: datetime, not_before: datetime) -> Message | None:
    """The oldest message that waits for one of the channels, reserved for this process; None if there is none.

    Messages older than `not_before` are not sent any more: what still lasts has been told again since.
    """
    free = or_(AlertMessage.claimed_until.is_(None), AlertMessage.claimed_until < now)
    waiting = (AlertMessage.sent_at.is_(None), free)
    query = (
        select(AlertMessage)
        .where(*waiting, AlertMessage.channel.in_(channels), AlertMessage.created_at >= not_before)
        .order_by(AlertMessage.attempts, AlertMessage.number)
        .limit(1)
    )
    with writing(engine) as session:
        row = session.scalars(query.with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        row.claimed_until, row.attempts = now + CLAIM, row.attempts + 1
        return Message(row.number, row.key, row.channel, row.severity, row.text, row.created_at)


def note_sent(engine: Engine, number: int, *, now: datetime) -> None:
    """The channel took the message."""
    with writing(engine) as session:
        session.execute(update(AlertMessage).where(AlertMessage.number == number).values(sent_at=now))


def release_message(engine: Engine, number: int) -> None:
    """The channel did not take it: whoever looks next may try."""
    with writing(engine) as session:
        session.execute(update(AlertMessage).where(AlertMessage.number == number).values(claimed_until=None))


def forget_alerts(engine: Engine, before: datetime) -> int:
    """Delete messages from before an instant, and alerts not seen since; returns how many messages."""
    with writing(engine) as session:
        messages = session.execute(delete(AlertMessage).where(AlertMessage.created_at < before))
        told = select(AlertMessage.key)
        session.execute(delete(Alert).where(Alert.last_at < before, Alert.key.not_in(told)))
        return int(messages.rowcount)  # type: ignore[attr-defined]
