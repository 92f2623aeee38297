"""A process that feeds itself: it looks at the tables and tells its own connections."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from metrics_pipeline.api.live.feed import Feed
from metrics_pipeline.api.live.hub import Hub, new_epoch
from metrics_pipeline.api.live.messages import Draft

# What is told beside changes of tables, to those who listen to these workspaces.
Besides = Callable[[frozenset[str]], Awaitable[Sequence[Draft]]]


class AloneSource:
    """Messages of this process's own looks. Sequences are its own: an id of another process is unknown here."""

    def __init__(self, feed: Feed, hub: Hub, poll_seconds: float, besides: Besides) -> None:
        self._feed = feed
        self._besides = besides
        self._hub = hub
        self._poll_seconds = poll_seconds

    async def start(self) -> None:
        """What is committed from here on is told."""
        await asyncio.to_thread(self._feed.begin)

    async def close(self) -> None:
        """Nothing is held."""

    async def enter(self, workspace_id: str) -> None:
        """Have the workspace's room open, with all that may be resumed."""
        self._hub.open_room(workspace_id, new_epoch())

    async def run(self) -> None:
        """Look and tell until cancelled."""
        while True:
            await self.round()
            await asyncio.sleep(self._poll_seconds)

    async def round(self) -> None:
        """Look once."""
        for step in await asyncio.to_thread(self._feed.look, self._hub.watched()):
            if step.move is not None:
                await asyncio.to_thread(self._feed.refresh, [step.move.table])
            for draft in step.drafts:
                self._hub.add(draft)
            self._feed.accept(step)
        for draft in await self._besides(self._hub.watched()):
            self._hub.add(draft)
