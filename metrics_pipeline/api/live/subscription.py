"""What waits for one connection: in order, bounded, and never lost without saying so."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field

from metrics_pipeline.api.live.messages import Data, Message

# Answers that wait while a client goes on asking: then it is not listened to until it has read some.
MOST_ANSWERS = 64


@dataclass
class LiveStats:
    """Counts since the process started, and what is open now."""

    connections: dict[str, int] = field(default_factory=lambda: {"sse": 0, "websocket": 0})
    channels: int = 0
    workspaces: int = 0
    sent: int = 0
    conflated: int = 0
    resumed: int = 0
    resets: int = 0
    refused: int = 0
    shared: bool = False
    """Whether messages come by way of Redis."""


@dataclass(frozen=True)
class Control:
    """What is said about the connection itself: an acknowledgement, reset, bye, an error."""

    type: str
    fields: Data
    id: str | None = None

    @property
    def text(self) -> str:
        told = {"type": self.type, **self.fields} | ({} if self.id is None else {"id": self.id})
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


Item = Message | Control


class Subscription:
    """One connection's channels and queue. Used on the event loop only.

    Messages leave in the order they came. Where more than `bound` wait, those of the same channel, type and table are
    put together into the newest: the queue stays in order of ids, and who resumes after any of them has missed nothing.
    """

    def __init__(self, kind: str, bound: int, stats: LiveStats) -> None:
        self.kind = kind
        self.channels: dict[str, str] = {}
        """Workspace by channel."""
        self.ended: str | None = None
        self.close_code = 1000
        self._bound = bound
        self._stats = stats
        self._items: deque[Item] = deque()
        self._messages = 0
        self._wake = asyncio.Event()

    def offer(self, message: Message) -> None:
        """Queue a message."""
        self._items.append(message)
        self._messages += 1
        if self._messages > self._bound:
            self._conflate()
        self._wake.set()

    def tell(self, control: Control) -> None:
        """Queue what is never dropped."""
        self._items.append(control)
        self._wake.set()

    def reset(self, reason: str, position: str | None) -> None:
        """Drop the messages that wait and tell the client to ask for everything anew."""
        self._items = deque(item for item in self._items if isinstance(item, Control))
        self._messages = 0
        self._stats.resets += 1
        self.tell(Control("reset", {"reason": reason, "channels": sorted(self.channels)}, position))

    def finish(self, reason: str, code: int = 1000) -> None:
        """Say goodbye after what waits; nothing follows."""
        if self.ended is None:
            self.ended, self.close_code = reason, code
            self.tell(Control("bye", {"reason": reason}))

    @property
    def has_many_answers(self) -> bool:
        return len(self._items) - self._messages > MOST_ANSWERS

    async def next(self, seconds: float) -> Item | None:
        """What is next to be sent; None where nothing came in that time."""
        deadline = time.monotonic() + seconds
        while not self._items:
            self._wake.clear()
            try:
                async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                    await self._wake.wait()
            except TimeoutError:
                return None
        item = self._items.popleft()
        if isinstance(item, Message):
            self._messages -= 1
            self._stats.sent += 1
        return item

    def _conflate(self) -> None:
        newest: dict[tuple[str, str, object], Message] = {}
        for item in self._items:
            if isinstance(item, Message):
                earlier = newest.get(item.key)
                newest[item.key] = item if earlier is None else item.after(earlier)
        self._stats.conflated += self._messages - len(newest)
        if len(newest) > self._bound:  # more different things than may wait: none of them is told by itself
            last = next(item for item in reversed(self._items) if isinstance(item, Message))
            self.reset("too_slow", last.id)
            return
        left = {message.id: message for message in newest.values()}
        kept = (item if isinstance(item, Control) else left.get(item.id) for item in self._items)
        self._items = deque(item for item in kept if item is not None)
        self._messages = len(newest)
