"""Notifications of WhatsApp's webhook: what is kept of the statuses of sent messages, and what is only counted.

Nothing of the rest is kept: no text, no name, no number. Of a recipient there is a digest, of a message's id as well.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from metrics_pipeline.events.inbox import InboxRow
from metrics_pipeline.events.recipients import Recipients, message_key

PLATFORM = "whatsapp"
STATUSES = frozenset({"sent", "delivered", "read", "failed"})
LONGEST_ID = 255
# The first business API is younger; a number of other units than seconds lies outside of these two.
_EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
_CLOCK_ERROR = timedelta(days=1)
_SECONDS = re.compile(r"[0-9]{9,11}")
_CATEGORY = re.compile(r"[a-z][a-z_]{0,39}")
_HIGHEST_CODE = 9_999_999  # more digits might be a number to call

Object = Mapping[str, object]


@dataclass
class Notified:
    """What a notification brought: rows for the inbox, and how many things of it were left out, by why."""

    rows: list[InboxRow] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    """inbound_messages; other_fields: changes that are not about messages; other_statuses: played, deleted and
    whatever comes to be; malformed: statuses without an id, an instant or an account."""


def read_notification(payload: object, received_at: datetime, recipients: Recipients) -> Notified:
    """The statuses in a notification. Never fails: what was signed and cannot be used now cannot be used later."""
    found = Notified()
    for entry in _objects(_object(payload).get("entry")):
        for change in _objects(entry.get("changes")):
            if change.get("field") != "messages":
                found.ignored["other_fields"] += 1
                continue
            value = _object(change.get("value"))
            found.ignored["inbound_messages"] += len(_objects(value.get("messages")))
            number_id = _id(_object(value.get("metadata")).get("phone_number_id"))
            for status in _objects(value.get("statuses")):
                _read(status, _id(entry.get("id")), number_id, received_at, recipients, found)
    found.ignored = +found.ignored
    return found


def _read(
    status: Object,
    external_id: str | None,
    number_id: str | None,
    received_at: datetime,
    recipients: Recipients,
    found: Notified,
) -> None:
    name = status.get("status")
    if not isinstance(name, str) or name not in STATUSES:
        found.ignored["other_statuses" if isinstance(name, str) and name else "malformed"] += 1
        return
    message_id, at = _id(status.get("id")), _instant(status.get("timestamp"), received_at)
    if message_id is None or at is None or external_id is None:
        found.ignored["malformed"] += 1
        return
    kept = {
        "platform": PLATFORM,
        "external_id": external_id,
        "phone_number_id": number_id,
        "message_id": message_key(message_id),
        "recipient": _recipient(status, recipients),
        "status": name,
        "at": at.isoformat(),
        "error_code": _error_code(status) if name == "failed" else None,
        "pricing_category": _category(status),
        "received_at": received_at.isoformat(),
    }
    found.rows.append(InboxRow("", None, received_at, "status", json.dumps(kept)))


def _recipient(status: Object, recipients: Recipients) -> str | None:
    """Who it was for: a number or a group; where people go by a user name, their id with this business."""
    if number := _id(status.get("recipient_id")):
        return recipients.digest("number", number)
    if user := _id(status.get("recipient_user_id")):
        return recipients.digest("user", user)
    return None


def _error_code(status: Object) -> str | None:
    codes = [error.get("code") for error in _objects(status.get("errors"))]
    return next((str(c) for c in codes if type(c) is int and 0 <= c <= _HIGHEST_CODE), None)


def _category(status: Object) -> str | None:
    """What it is priced as; versions before prices per message said it of the conversation."""
    pricing, conversation = _object(status.get("pricing")), _object(status.get("conversation"))
    for told in (pricing.get("category"), _object(conversation.get("origin")).get("type")):
        if isinstance(told, str) and _CATEGORY.fullmatch(told.lower()):
            return told.lower()
    return None


def _instant(told: object, received_at: datetime) -> datetime | None:
    """Seconds since 1970, as text or as a number; None where that is no instant a message can have."""
    if isinstance(told, bool) or not _SECONDS.fullmatch(text := str(told) if isinstance(told, int | str) else ""):
        return None
    at = datetime.fromtimestamp(int(text), UTC)
    return at if _EARLIEST <= at <= received_at + _CLOCK_ERROR else None


def _id(told: object) -> str | None:
    return told if isinstance(told, str) and 0 < len(told) <= LONGEST_ID else None


def _object(value: object) -> Object:
    return value if isinstance(value, Mapping) else {}


def _objects(value: object) -> Sequence[Object]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
