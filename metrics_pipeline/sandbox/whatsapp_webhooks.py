"""What happens to simulated messages, as WhatsApp's webhook tells it: signed, out of order, some of it twice.

The messages are those of the sample application database: a message has the same id in both.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime

import httpx

from metrics_pipeline.errors import RunFailedError
from metrics_pipeline.sandbox.messaging import WORKSPACES, Message, Messaging

BUNDLE = 200
UNDELIVERABLE = 131026
_REPEATED = 0.1
_TIMEOUT_SECONDS = 30.0

Told = dict[str, object]


def notifications(messaging: Messaging, days: Iterable[date], until: datetime) -> Iterator[bytes]:
    """The bodies of the notifications about messages that came into being on these days, up to an instant.

    A business account's statuses are bundled; what customers wrote comes through the same webhook.
    """
    told: defaultdict[str, list[tuple[str, Told]]] = defaultdict(list)
    for day in days:
        for conversation in messaging.conversations(day):
            for message in conversation.messages:
                told[message.account_id.removeprefix("whatsapp-")] += _told_of(messaging, message, until)
    chance = random.Random(f"{messaging.seed}/{messaging.workspace_id}")  # noqa: S311 - nothing secret
    for account, items in told.items():
        items += [item for item in items if chance.random() < _REPEATED]
        chance.shuffle(items)
        for start in range(0, len(items), BUNDLE):
            yield json.dumps(_notification(account, items[start : start + BUNDLE])).encode()


def phone_number(contact_id: str) -> str:
    """The number of a simulated contact."""
    workspace_id, _, n = contact_id.rpartition("-c")
    return f"1555{WORKSPACES.index(workspace_id)}{int(n):06d}"


def signature(body: bytes, secret: str) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def send(url: str, secret: str, bodies: Iterable[bytes]) -> int:
    """Post signed notifications, one after the other; returns how many.

    Raises:
        RunFailedError: one was not answered with 200; what came before it is taken.
    """
    sent = 0
    with httpx.Client(timeout=_TIMEOUT_SECONDS) as client:
        for body in bodies:
            headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature(body, secret)}
            try:
                answer = client.post(url, content=body, headers=headers)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise RunFailedError(f"{url} cannot be reached: {error}.") from None
            if answer.status_code != httpx.codes.OK:
                raise RunFailedError(f"{url} answered {answer.status_code} after {sent} notifications: {answer.text}")
            sent += 1
    return sent


def _told_of(messaging: Messaging, message: Message, until: datetime) -> Iterator[tuple[str, Told]]:
    """(`statuses` or `messages`, item) of all that has happened to a message."""
    number = phone_number(message.contact_id)
    if message.is_inbound:
        if message.tried_at <= until:
            text = {"body": f"Hello from {number}"}
            yield "messages", {**_at(message, message.tried_at), "from": number, "type": "text", "text": text}
        return
    category = "marketing" if message.campaign_id else "utility" if message.is_template else "service"
    pricing = {"billable": message.is_template, "pricing_model": "PMP", "category": category, "type": "regular"}
    steps: dict[str, tuple[datetime | None, Told]] = {
        "sent": (message.sent_at, {"pricing": pricing}),
        "delivered": (message.delivered_at, {"pricing": pricing}),
        "read": (message.read_at, {}),
        "failed": (message.failed_at, {"errors": [{"code": UNDELIVERABLE, "title": f"{number} cannot be reached"}]}),
    }
    for status, (at, more) in steps.items():
        if at is not None and at <= until:
            yield "statuses", {**_at(message, at), "status": status, "recipient_id": number, **more}


def _at(message: Message, at: datetime) -> Told:
    return {"id": message.id, "timestamp": str(int(at.timestamp()))}


def _notification(account: str, items: Iterable[tuple[str, Told]]) -> Told:
    value: dict[str, object] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": f"1{account[-10:]}", "phone_number_id": f"9{account}"},
    }
    by_kind: defaultdict[str, list[Told]] = defaultdict(list)
    for kind, item in items:
        by_kind[kind].append(item)
    change = {"field": "messages", "value": value | by_kind}
    return {"object": "whatsapp_business_account", "entry": [{"id": account, "changes": [change]}]}
