"""Hands messages to the connections of this process, and keeps the newest for those who come back."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from metrics_pipeline.api.live.messages import Draft, Message, message_id, parse_id
from metrics_pipeline.api.live.subscription import LiveStats, Subscription

KEPT_PER_WORKSPACE = 1000
# Of all workspaces together: a message takes up to 10 KB.
KEPT = 10_000
# A workspace is listened to so long after its last connection: who comes back within it has missed nothing.
LINGER_SECONDS = 600.0


def new_epoch() -> str:
    """A name for one unbroken sequence of a workspace's messages."""
    return secrets.token_hex(6)


@dataclass
class Room:
    """One workspace's sequence, as far as this process knows it."""

    epoch: str
    last: int = 0
    kept: deque[Message] = field(default_factory=lambda: deque(maxlen=KEPT_PER_WORKSPACE))
    left_at: float = 0.0

    @property
    def position(self) -> str:
        return message_id(self.epoch, self.last)

    def after(self, text: str) -> list[Message] | None:
        """The messages after an id; None where it is unknown or too old."""
        found = parse_id(text)
        if found is None or found[0] != self.epoch or found[1] > self.last:
            return None
        missed = [message for message in self.kept if message.sequence > found[1]]
        return missed if len(missed) == self.last - found[1] else None


class Hub:
    """Used on the event loop only, without waiting in between: that is why nothing is lost or told twice."""

    def __init__(self, stats: LiveStats, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.rooms: dict[str, Room] = {}
        self._stats = stats
        self._monotonic = monotonic
        self._listeners: dict[str, dict[str, set[Subscription]]] = {}
        self._order: deque[tuple[str, Message]] = deque()

    def open_room(self, workspace_id: str, epoch: str, last: int = 0, kept: Iterable[Message] = ()) -> Room:
        """Begin or go on with a workspace's sequence; one that is open stays as it is."""
        if workspace_id not in self.rooms:
            self.rooms[workspace_id] = room = Room(epoch, last)
            for message in kept:
                self._keep(workspace_id, room, message)
        room = self.rooms[workspace_id]
        room.left_at = self._monotonic()
        return room

    def join(self, subscription: Subscription, channel: str, workspace_id: str) -> None:
        """Let a connection have what is told to a channel from now on; its workspace's room is open."""
        subscription.channels[channel] = workspace_id
        self._listeners.setdefault(workspace_id, {}).setdefault(channel, set()).add(subscription)
        self._count()

    def leave(self, subscription: Subscription, channel: str) -> None:
        """Take a channel from a connection; nothing where it did not have it."""
        workspace_id = subscription.channels.pop(channel, None)
        if workspace_id is None:
            return
        channels = self._listeners[workspace_id]
        channels[channel].discard(subscription)
        if not channels[channel]:
            del channels[channel]
        if not channels:
            del self._listeners[workspace_id]
            if workspace_id in self.rooms:
                self.rooms[workspace_id].left_at = self._monotonic()
        self._count()

    def add(self, draft: Draft) -> None:
        """Give a draft the next place of its workspace and deliver it; nothing where nobody listens."""
        if room := self.rooms.get(draft.workspace_id):
            self.deliver(Message(draft, room.epoch, room.last + 1))

    def deliver(self, message: Message) -> None:
        """Hand on a message; one that was delivered before, or belongs to another sequence, is left."""
        draft = message.draft
        room = self.rooms.get(draft.workspace_id)
        if room is None or room.epoch != message.epoch or message.sequence <= room.last:
            return
        room.last = message.sequence
        self._keep(draft.workspace_id, room, message)
        for subscription in self._listeners.get(draft.workspace_id, {}).get(draft.channel, ()):
            subscription.offer(message)

    def listened(self) -> frozenset[str]:
        """Workspaces with a connection."""
        return frozenset(self._listeners)

    def watched(self) -> frozenset[str]:
        """Workspaces with a connection, or with one until lately; the others are forgotten."""
        now = self._monotonic()
        for workspace_id, room in list(self.rooms.items()):
            if workspace_id not in self._listeners and now - room.left_at > LINGER_SECONDS:
                del self.rooms[workspace_id]
        self._count()
        return frozenset(self.rooms)

    def reset(self, workspace_id: str, reason: str) -> None:
        """Tell everybody who listens to a workspace to ask for everything anew; its room is a new one."""
        room = self.rooms.get(workspace_id)
        subscriptions = {one for each in self._listeners.get(workspace_id, {}).values() for one in each}
        for subscription in subscriptions:
            subscription.reset(reason, None if room is None else room.position)

    def forget_rooms(self) -> None:
        """End every sequence: what comes next belongs to others."""
        self.rooms.clear()
        self._order.clear()

    def _keep(self, workspace_id: str, room: Room, message: Message) -> None:
        room.kept.append(message)
        self._order.append((workspace_id, message))
        while len(self._order) > KEPT:
            oldest, dropped = self._order.popleft()
            held = self.rooms.get(oldest)
            if held is not None and held.kept and held.kept[0] is dropped:
                held.kept.popleft()

    def _count(self) -> None:
        self._stats.workspaces = len(self.rooms)
        self._stats.channels = sum(len(channels) for channels in self._listeners.values())
