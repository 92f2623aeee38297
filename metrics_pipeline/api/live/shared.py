"""Several processes: one looks at the tables, all tell their connections; without Redis each feeds itself."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress

from redis.exceptions import RedisError

from metrics_pipeline.api.live.alone import AloneSource, Besides
from metrics_pipeline.api.live.feed import Feed, Step
from metrics_pipeline.api.live.hub import Hub, new_epoch
from metrics_pipeline.api.live.shared_store import LONGEST_SECONDS, SharedStore
from metrics_pipeline.api.live.subscription import LiveStats
from metrics_pipeline.api.problems import LakeUnavailable, unavailable

ASK_AGAIN_SECONDS = 2.0
# How often a process says that it still listens; a workspace is forgotten ten minutes after the last word.
STAY_SECONDS = 10.0
_AWAY = (RedisError, OSError, TimeoutError)

log = logging.getLogger(__name__)


class SharedSource:
    """Messages by way of Redis while it answers. Where the feed changes, everybody is told to ask anew (reset)."""

    def __init__(
        self, store: SharedStore, feed: Feed, hub: Hub, poll_seconds: float, stats: LiveStats, besides: Besides
    ) -> None:
        self._store = store
        self._feed = feed
        self._hub = hub
        self._poll_seconds = poll_seconds
        self._stats = stats
        self._besides = besides
        self._alone = AloneSource(feed, hub, poll_seconds, besides)
        self._turn = 0
        """Counts changes of the feed; even: none is at work."""
        self._was_told = False

    async def start(self) -> None:
        """Nothing to do before `run`; who enters waits for it."""

    async def enter(self, workspace_id: str) -> None:
        """Have the workspace's room open. Raises Problem 503 where no feed comes up in time."""
        deadline = time.monotonic() + 3 * LONGEST_SECONDS
        while time.monotonic() < deadline:
            turn = self._turn
            if turn % 2 == 0:
                await asyncio.sleep(0.02)
            elif not self._stats.shared:
                return await self._alone.enter(workspace_id)
            elif workspace_id in self._hub.rooms:
                return None
            else:
                try:
                    if await self._open(workspace_id, turn):
                        return None
                except _AWAY:  # whoever reads the stream notices as well, and changes the feed
                    await asyncio.sleep(0.1)
        raise unavailable("Live updates are not to be had at present.")

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            try:
                await self._share()
            except* _AWAY as group:
                if not self._was_told:
                    kind = type(group.exceptions[0]).__name__
                    log.warning("Redis does not answer (%s): live updates are fed by each process", kind)
                self._was_told = True
            self._stop_feed()
            await self._feed_alone()

    async def close(self) -> None:
        """Hand over to another process."""
        with suppress(*_AWAY):
            await self._store.release()
            await self._store.close()

    async def _open(self, workspace_id: str, turn: int) -> bool:
        position = await self._store.enter(workspace_id)
        if turn != self._turn:
            return False
        self._hub.open_room(workspace_id, position.epoch, position.last, position.kept)
        return True

    async def _share(self) -> None:
        """Read and, while this process holds the lease, look; ends with an error of Redis."""
        # First what is told from here on, then from where it is read, then the positions: no move falls in between.
        await self._store.versions(await asyncio.to_thread(self._feed.begin))
        after = await self._store.newest()
        self._hub.forget_rooms()
        while waiting := self._hub.listened() - self._hub.rooms.keys():
            for workspace_id in sorted(waiting):
                await self._open(workspace_id, self._turn)
        self._turn += 1
        self._stats.shared = True
        for workspace_id in self._hub.listened():
            self._hub.reset(workspace_id, "feed_changed")
        if self._was_told:
            log.warning("Redis answers again: live updates are shared")
            self._was_told = False
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read(after))
            group.create_task(self._look())
            group.create_task(self._stay())

    def _stop_feed(self) -> None:
        """No feed is at work; what comes next is another one's."""
        self._turn += self._turn % 2
        self._stats.shared = False

    async def _feed_alone(self) -> None:
        with suppress(*_AWAY):
            await self._store.disconnect()
        await asyncio.to_thread(self._feed.begin)
        self._hub.forget_rooms()
        for workspace_id in self._hub.listened():
            self._hub.open_room(workspace_id, new_epoch())
            self._hub.reset(workspace_id, "feed_changed")
        self._turn += 1
        asked_at = time.monotonic()
        while True:
            await self._alone.round()
            await asyncio.sleep(self._poll_seconds)
            if time.monotonic() - asked_at > ASK_AGAIN_SECONDS:
                asked_at = time.monotonic()
                with suppress(*_AWAY):
                    await self._store.ping()
                    break
        self._stop_feed()

    async def _read(self, after: str) -> None:
        while True:
            after, messages = await self._store.read(after)
            if messages:
                tables = {str(message.draft.data.get("table")) for message in messages}
                await asyncio.to_thread(self._feed.refresh, tables)
            for message in messages:
                self._hub.deliver(message)

    async def _look(self) -> None:
        begun = False
        while True:
            held = await self._store.lease()
            if held and (held > 1 or not begun):
                await self._begin()
                begun = True
            if held and not await self._look_once():
                begun = False  # another process told it: go on from there
            await asyncio.sleep(self._poll_seconds)

    async def _begin(self) -> None:
        try:
            known = await self._store.versions(await asyncio.to_thread(self._feed.begin))
            await asyncio.to_thread(self._feed.begin_at, known)
        except LakeUnavailable as error:
            log.warning("what was told last is not to be had any more (%s): live updates begin anew", error)
            await self._store.begin_at(await asyncio.to_thread(self._feed.begin))

    async def _look_once(self) -> bool:
        listening = await self._store.listening()
        for step in await asyncio.to_thread(self._feed.look, listening):
            if not await self._store.tell(step):
                return False
            self._feed.accept(step)
        if drafts := list(await self._besides(listening)):
            await self._store.tell(Step(drafts))
        return True

    async def _stay(self) -> None:
        while True:
            await asyncio.sleep(STAY_SECONDS)
            watched = sorted(self._hub.watched())
            for workspace_id, epoch in (await self._store.stay(watched)).items():
                room = self._hub.rooms.get(workspace_id)
                if room is not None and room.epoch != epoch:  # somebody emptied Redis
                    del self._hub.rooms[workspace_id]
                    await self._open(workspace_id, self._turn)
                    self._hub.reset(workspace_id, "feed_changed")
