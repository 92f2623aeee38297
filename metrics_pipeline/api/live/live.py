"""Live updates of one process: who is connected, to which channels, and how long."""

from __future__ import annotations

import asyncio
import logging
import random
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from metrics_pipeline.api.auth import Caller, Guard
from metrics_pipeline.api.live.alone import AloneSource, Besides
from metrics_pipeline.api.live.feed import Feed
from metrics_pipeline.api.live.hub import Hub
from metrics_pipeline.api.live.messages import Channel, Message
from metrics_pipeline.api.live.shared import SharedSource
from metrics_pipeline.api.live.shared_store import SharedStore
from metrics_pipeline.api.live.standing import Standing
from metrics_pipeline.api.live.subscription import Control, Item, LiveStats, Subscription
from metrics_pipeline.api.problems import Problem, not_found, unavailable
from metrics_pipeline.api.reading.connection import ReadConnection
from metrics_pipeline.control.accounts import list_accounts
from metrics_pipeline.control.api_keys import READ
from metrics_pipeline.control.workspaces import list_workspaces
from metrics_pipeline.settings import Settings

MOST_CHANNELS = 100
# Connections that are told goodbye have this long to take it; the server waits longer for requests under way.
GOODBYE_SECONDS = 2.0
_AGAIN_SECONDS = 5.0
KEY_INVALID, GOING_AWAY, TRY_LATER = 4401, 1001, 1013

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Resumed:
    """From which id on a connection hears everything, and what it missed since; None: not known, all may be new."""

    position: str
    missed: list[Message] | None


class Live:
    """Started and closed by the application; everything else on the event loop."""

    def __init__(
        self, settings: Settings, control: Engine, guard: Guard, reads: ReadConnection, besides: Besides
    ) -> None:
        """Raises UserError where METRICS_REDIS_URL is no Redis URL."""
        self.heartbeat_seconds = settings.live_heartbeat_seconds
        self._settings = settings
        self._control = control
        self._guard = guard
        self._standing = Standing(reads)
        self._stats = LiveStats()
        self.hub = Hub(self._stats)
        self._open: dict[Subscription, str | None] = {}
        self._is_closing = False
        poll = settings.live_poll_seconds
        feed = Feed(reads, settings.clock, settings.api_refresh_seconds + 2 * poll + 1)
        self._source: AloneSource | SharedSource = AloneSource(feed, self.hub, poll, besides)
        if settings.redis_url is not None:
            store = SharedStore(settings.redis_url.get_secret_value())
            self._source = SharedSource(store, feed, self.hub, poll, self._stats, besides)
        self._task: asyncio.Task[None] | None = None

    @property
    def stats(self) -> LiveStats:
        """A copy of the counts."""
        return replace(self._stats, connections=dict(self._stats.connections))

    async def start(self) -> None:
        """Look at the tables from here on."""
        await self._source.start()
        self._task = asyncio.create_task(self._run())

    async def say_goodbye(self) -> None:
        """Tell every connection that the server stops, and wait until most have heard it."""
        self._is_closing = True
        for subscription in list(self._open):
            subscription.finish("shutdown", GOING_AWAY)
        deadline = time.monotonic() + GOODBYE_SECONDS
        while self._open and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Stop looking."""
        self._is_closing = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._source.close()

    def open(self, kind: str, caller: Caller) -> Subscription:
        """Take up a connection; `drop` it in the end.

        Raises:
            Problem: 429 where its workspace, 503 where the process has as many as it may have, or stops.
        """
        if self._is_closing:
            raise unavailable("The server stops.", "stopping")
        of_workspace = Counter(self._open.values())[caller.workspace_id]
        if of_workspace >= self._settings.live_connections_per_workspace:
            self._stats.refused += 1
            headers = {"Retry-After": "30"}
            raise Problem(429, "too_many_connections", "The workspace has too many live connections.", headers=headers)
        if len(self._open) >= self._settings.live_connections:
            self._stats.refused += 1
            raise unavailable("There are too many live connections.", "live_full")
        subscription = Subscription(kind, self._settings.live_queue, self._stats)
        self._open[subscription] = caller.workspace_id
        self._stats.connections[kind] += 1
        return subscription

    def drop(self, subscription: Subscription) -> None:
        """The connection is gone."""
        for channel in list(subscription.channels):
            self.hub.leave(subscription, channel)
        if self._open.pop(subscription, self) is not self:
            self._stats.connections[subscription.kind] -= 1

    async def find(self, caller: Caller, names: Sequence[str]) -> list[Channel | None]:
        """The channels of these names; None for what is unknown, or not for this caller."""
        channels = [Channel.parse(name) for name in names]
        mine = {c for c in channels if c is not None and caller.workspace_id in (None, c.workspace_id)}
        known = await asyncio.to_thread(self._known, caller, mine)
        return [channel if channel in known else None for channel in channels]

    async def enter(self, workspaces: Collection[str]) -> None:
        """Have what is told to these workspaces come here from now on. Raises Problem 503."""
        for workspace_id in sorted(workspaces):
            await self._source.enter(workspace_id)

    def resume(self, subscription: Subscription, channels: Sequence[Channel], last_id: str | None) -> Resumed:
        """Join channels of one workspace that was entered; what was missed since an id comes with it."""
        for channel in channels:
            self.hub.join(subscription, channel.name, channel.workspace_id)
        room = self.hub.rooms.get(channels[0].workspace_id)
        if room is None:  # the feed changed in between: it tells a reset
            return Resumed(last_id or "", None if last_id else [])
        missed = [] if last_id is None else room.after(last_id)
        if missed is not None and last_id is not None:
            self._stats.resumed += 1
        if missed is None:
            self._stats.resets += 1
            return Resumed(room.position, None)
        mine = [message for message in missed if message.draft.channel in subscription.channels]
        return Resumed(last_id or room.position, mine)

    async def newest_days(self, channels: Sequence[Channel]) -> dict[str, str | None]:
        """The newest day with numbers, by channel."""
        days = await asyncio.to_thread(lambda: [self._standing.newest_day(channel) for channel in channels])
        return {c.name: None if day is None else day.isoformat() for c, day in zip(channels, days, strict=True)}

    async def items(self, subscription: Subscription, key: str) -> AsyncIterator[Item | None]:
        """What to send, None for a heartbeat; ends after bye: the key ended, the time is over, or the server stops."""
        settings = self._settings
        started = time.monotonic()
        # not all who came together have to come again together
        ends_at = started + settings.live_longest_seconds * random.uniform(0.9, 1.0)  # noqa: S311
        beat_at, check_at = started + self.heartbeat_seconds, started + settings.live_key_check_seconds
        while True:
            item = await subscription.next(min(beat_at, check_at, ends_at) - time.monotonic())
            if item is not None:
                yield item
                if isinstance(item, Control) and item.type == "bye":
                    return
            now = time.monotonic()
            if now >= beat_at:
                beat_at = now + self.heartbeat_seconds
                yield None
            if now >= check_at:
                check_at = now + settings.live_key_check_seconds
                if not await self._is_valid(key):
                    subscription.finish("key_invalid", KEY_INVALID)
            if now >= ends_at:
                ends_at = float("inf")
                subscription.finish("expired", GOING_AWAY)

    async def _is_valid(self, key: str) -> bool:
        try:
            (await self._guard.caller(key)).require_scope(READ)
        except Problem:
            return False
        except DBAPIError as error:  # asked again the next time
            log.warning("the key of a live connection could not be checked: %s", type(error).__name__)
        return True

    def _known(self, caller: Caller, channels: set[Channel]) -> set[Channel]:
        workspaces = {channel.workspace_id for channel in channels}
        if caller.workspace_id is None:
            workspaces &= {record.workspace_id for record in list_workspaces(self._control)}
        known: set[Channel] = set()
        for workspace_id in workspaces:
            records = list_accounts(self._control, workspace_id=workspace_id, include_removed=True)
            accounts = {record.account_id for record in records}
            # accounts of imported files need not be connected
            known |= {
                c
                for c in channels
                if c.workspace_id == workspace_id
                and (c.account_id is None or c.account_id in accounts or self._standing.newest_day(c) is not None)
            }
        return known

    async def _run(self) -> None:
        while True:
            try:
                await self._source.run()
            except Exception as error:  # noqa: BLE001 - the boundary of a task nobody waits for: it goes on
                lines = "".join(traceback.format_tb(error.__traceback__))
                log.error("live updates failed with %s\n%s", type(error).__qualname__, lines)
                await asyncio.sleep(_AGAIN_SECONDS)


def channel_or_404(channels: Sequence[Channel | None]) -> list[Channel]:
    """All of them. Raises Problem 404 where one is None."""
    found = [channel for channel in channels if channel is not None]
    if len(found) < len(channels):
        raise not_found()
    return found
