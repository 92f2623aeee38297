"""What happens in a simulated messaging application: conversations in bursts, campaigns, contacts, with every instant.

Everything follows from a seed and the day something began, so a later look at the same day finds the same rows, with
more of their instants in the past.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from metrics_pipeline.sandbox.draws import draws
from metrics_pipeline.windows import DAY, midnight

WORKSPACES = ("acme", "bistro", "cinema")
CONTACTS_AT_FIRST = 500
CONTACTS_A_DAY = 15
# Together with a campaign on every third day about 400 messages a workspace and day.
CHATS_A_DAY = 46
NOTICES_A_DAY = 40
CAMPAIGN_CHANCE = 0.35
# The hour in which a chat begins, by equal chances: few at night, most in the afternoon.
_HOURS = (
    0,
    6,
    7,
    8,
    8,
    9,
    9,
    10,
    10,
    11,
    11,
    12,
    12,
    13,
    13,
    14,
    14,
    15,
    15,
    16,
    16,
    17,
    17,
    18,
    18,
    19,
    19,
    20,
    21,
    23,
)


@dataclass(frozen=True)
class Message:
    """One message with all that will ever happen to it; `tried_at` is when it came into being."""

    id: str
    conversation_id: str
    contact_id: str
    account_id: str
    campaign_id: str | None
    is_inbound: bool
    is_template: bool
    tried_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    failed_at: datetime | None = None
    converted_at: datetime | None = None


@dataclass(frozen=True)
class Conversation:
    id: str
    account_id: str
    opened_at: datetime
    closed_at: datetime
    messages: tuple[Message, ...]


@dataclass(frozen=True)
class Campaign:
    """One campaign. It is planned a day ahead; one that fails stops after a fifth of its recipients."""

    id: str
    recipients: int
    planned_at: datetime
    started_at: datetime
    completed_at: datetime
    is_failed: bool


@dataclass(frozen=True)
class Contact:
    id: str
    created_at: datetime
    blocked_at: datetime | None


@dataclass(frozen=True)
class Messaging:
    """The messaging of one workspace since its first day."""

    seed: int
    workspace_id: str
    first_day: date

    @property
    def accounts(self) -> tuple[str, str]:
        """Its two WhatsApp accounts."""
        n = WORKSPACES.index(self.workspace_id) + 1
        return f"whatsapp-1065400000000{n}1", f"whatsapp-1065400000000{n}2"

    def contacts(self, end: date) -> Iterator[Contact]:
        """Everybody who came before `end`, some of them before the first day."""
        for n in range(CONTACTS_AT_FIRST + CONTACTS_A_DAY * max(0, (end - self.first_day).days)):
            d = draws(self.seed, self.workspace_id, "contact", n)
            came = (n - CONTACTS_AT_FIRST) // CONTACTS_A_DAY if n >= CONTACTS_AT_FIRST else -1 - int(d[0] * 200)
            created = midnight(self.first_day) + timedelta(days=came, seconds=int(d[1] * 86_400))
            blocked = created + timedelta(days=3 + 80 * d[3]) if d[2] < 0.05 else None
            yield Contact(self._contact_id(n), created, _whole(blocked))

    def campaign(self, day: date) -> Campaign | None:
        """The campaign that starts on a day, if one does."""
        d = draws(self.seed, self.workspace_id, "campaign", day)
        if d[0] >= CAMPAIGN_CHANCE or day < self.first_day:
            return None
        started = midnight(day) + timedelta(hours=8 + int(4 * d[1]))
        is_failed = d[2] < 0.08
        length = timedelta(minutes=12) if is_failed else timedelta(minutes=90 + int(150 * d[3]))
        recipients = 120 + int(240 * d[4])
        planned = started - timedelta(hours=20)
        return Campaign(
            f"{self.workspace_id}-k-{day:%Y%m%d}", recipients, planned, started, started + length, is_failed
        )

    def conversations(self, day: date) -> Iterator[Conversation]:
        """The conversations that begin on a day: of customers, of notices, of a campaign's recipients."""
        for n in range(self._busy(day, CHATS_A_DAY)):
            yield self._chat(day, n)
        for n in range(self._busy(day, NOTICES_A_DAY)):
            d = draws(self.seed, self.workspace_id, "notice", day, n)
            yield self._outreach(f"n-{day:%Y%m%d}-{n}", self._contact(day, d[0]), self._moment(day, d), None)
        campaign = self.campaign(day)
        if campaign is not None:
            reached = campaign.recipients // 5 if campaign.is_failed else campaign.recipients
            step = (campaign.completed_at - campaign.started_at) / reached
            # consecutive numbers: nobody gets the same campaign twice
            first = int(draws(self.seed, self.workspace_id, "recipients", day)[0] * CONTACTS_AT_FIRST)
            for n in range(reached):
                contact = self._contact_id((first + n) % CONTACTS_AT_FIRST)
                at = _whole(campaign.started_at + step * n) or campaign.started_at
                yield self._outreach(f"k-{day:%Y%m%d}-{n}", contact, at, campaign.id)

    def _chat(self, day: date, n: int) -> Conversation:
        """A customer writes, in one or more rounds; sometimes the last one is never answered."""
        key = (self.seed, self.workspace_id, "chat", day, n)
        d = draws(*key)
        name, contact = f"{self.workspace_id}-v-c-{day:%Y%m%d}-{n}", self._contact(day, d[0])
        account, opened = self.accounts[int(d[1] * 2)], self._moment(day, d)
        messages: list[Message] = []
        at, rounds, is_answered = opened, 1 + int(d[4] * d[4] * 4), True
        for number in range(rounds):
            e = draws(*key, number)
            for _ in range(1 + int(e[0] * 2.6)):
                messages.append(_inbound(f"{name}-{len(messages)}", name, contact, account, at))
                at += timedelta(seconds=15 + int(70 * e[1]))
            is_answered = number < rounds - 1 or e[2] > 0.14
            if is_answered:
                at += timedelta(seconds=40 + int(12_000 * e[3] ** 4))
                for _ in range(1 + int(e[4] * 1.6)):
                    messages.append(self._outbound(f"{name}-{len(messages)}", name, contact, account, at))
                    at += timedelta(seconds=30 + int(60 * e[5]))
            at += timedelta(seconds=300 + int(7_000 * e[6] ** 2))
        closed = at + timedelta(hours=24 if is_answered else 120)
        return Conversation(name, account, opened, closed, tuple(messages))

    def _outreach(self, number: str, contact: str, at: datetime, campaign: str | None) -> Conversation:
        """A template that nobody asked for; some reply, most of those are answered."""
        name = f"{self.workspace_id}-v-{number}"
        d = draws(self.seed, self.workspace_id, "outreach", number)
        account = self.accounts[int(d[0] * 2)]
        sent = self._outbound(f"{name}-0", name, contact, account, at, is_template=True, campaign_id=campaign)
        messages = [sent]
        if sent.read_at is not None and d[1] < 0.16:
            replied = sent.read_at + timedelta(seconds=20 + int(20_000 * d[2] ** 3))
            messages.append(_inbound(f"{name}-1", name, contact, account, replied))
            if d[3] < 0.75:
                answered = replied + timedelta(seconds=60 + int(9_000 * d[4] ** 3))
                messages.append(self._outbound(f"{name}-2", name, contact, account, answered))
        return Conversation(name, account, at, messages[-1].tried_at + timedelta(hours=24), tuple(messages))

    def _outbound(
        self,
        name: str,
        conversation: str,
        contact: str,
        account: str,
        at: datetime,
        *,
        is_template: bool = False,
        campaign_id: str | None = None,
    ) -> Message:
        """A message of the application's: 2 % are refused, 2 % fail later, 3 % never arrive, two thirds are read."""
        d = draws(self.seed, name)
        made = Message(name, conversation, contact, account, campaign_id, False, is_template, at, at)
        if d[0] < 0.02:
            return _with(made, sent_at=None, failed_at=at + timedelta(seconds=1))
        if d[0] < 0.04:
            return _with(made, failed_at=at + timedelta(seconds=5 + int(3_000 * d[1])))
        if d[0] < 0.07:
            return made
        delivered = at + timedelta(seconds=2 + int(160_000 * d[2] ** 12))
        if d[3] > 0.68:
            return _with(made, delivered_at=delivered)
        read = delivered + timedelta(seconds=5 + int(170_000 * d[4] ** 6))
        converted = read + timedelta(seconds=90 + int(250_000 * d[6] ** 2))
        is_converted = campaign_id is not None and d[5] < 0.07
        return _with(made, delivered_at=delivered, read_at=read, converted_at=converted if is_converted else None)

    def _busy(self, day: date, average: int) -> int:
        weekend = 0.7 if day.weekday() >= 5 else 1.1
        return round(average * weekend * (0.8 + 0.4 * draws(self.seed, self.workspace_id, "busy", day, average)[0]))

    def _moment(self, day: date, d: tuple[float, ...]) -> datetime:
        return midnight(day) + timedelta(hours=_HOURS[int(d[2] * len(_HOURS))], seconds=int(d[3] * 3_600))

    def _contact(self, day: date, draw: float) -> str:
        """Somebody who is there already; the first ones write most."""
        known = CONTACTS_AT_FIRST + CONTACTS_A_DAY * (day - self.first_day) // DAY
        return self._contact_id(int(draw**1.5 * known))

    def _contact_id(self, n: int) -> str:
        return f"{self.workspace_id}-c{n}"


def _inbound(name: str, conversation: str, contact: str, account: str, at: datetime) -> Message:
    return Message(name, conversation, contact, account, None, True, False, at, at)


def _with(message: Message, **instants: datetime | None) -> Message:
    return replace(message, **instants)  # type: ignore[arg-type]


def _whole(at: datetime | None) -> datetime | None:
    return at.replace(microsecond=0) if at is not None else None
