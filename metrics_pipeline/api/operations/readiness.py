"""Whether the stores behind the API can be used, asked side by side and within a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from deltalake.exceptions import DeltaError
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from metrics_pipeline.api.services import Services
from metrics_pipeline.control.models import Workspace
from metrics_pipeline.events.inbox import InboxUnavailableError

# Who asks usually waits a few seconds; a store that needs this long is of no use to requests either.
LONGEST_SECONDS = 2.0

Status = Literal["ok", "degraded", "failed"]


@dataclass(frozen=True)
class Check:
    """What came of asking one store. reason: a sentence, where it is not ok."""

    name: str
    status: Status
    reason: str | None = None


class Readiness:
    """Asks the stores. Who asks while an answer is awaited waits for the same one: a store that hangs is asked once."""

    def __init__(self, parts: Services) -> None:
        self._parts = parts
        self._asked: dict[str, asyncio.Task[Check]] = {}

    async def checks(self) -> list[Check]:
        """One check of each store, in this order."""
        questions: dict[str, Callable[[], Awaitable[Check]]] = {
            "control_database": self._control_database,
            "inbox": self._inbox,
            "lake": self._lake,
            "cache": self._cache,
            "quotas": self._quotas,
        }
        return list(await asyncio.gather(*(self._ask(name, question) for name, question in questions.items())))

    async def _ask(self, name: str, question: Callable[[], Awaitable[Check]]) -> Check:
        task = self._asked.get(name)
        if task is None or task.done():
            task = self._asked[name] = asyncio.ensure_future(question())
        done, _ = await asyncio.wait([task], timeout=LONGEST_SECONDS)
        if not done:
            return Check(name, "failed", f"No answer within {LONGEST_SECONDS:g} seconds.")
        return task.result()

    async def _control_database(self) -> Check:
        """Without it no key can be checked."""
        try:
            await asyncio.to_thread(_read_one, self._parts.control)
        except (SQLAlchemyError, OSError):
            return Check("control_database", "failed", "The control database does not answer.")
        return Check("control_database", "ok")

    async def _inbox(self) -> Check:
        """Without it no event can be taken."""
        try:
            await asyncio.to_thread(self._parts.ingestion.check)
        except InboxUnavailableError as error:
            return Check("inbox", "failed", f"Events cannot be taken at present: {error.reason}.")
        return Check("inbox", "ok")

    async def _lake(self) -> Check:
        """Without it only answers that were kept can be read."""
        try:
            await asyncio.to_thread(self._parts.tables.probe)
        except (OSError, DeltaError):
            return Check("lake", "failed", "The tables cannot be read at present.")
        return Check("lake", "ok")

    async def _cache(self) -> Check:
        if await self._parts.cache.is_shared():
            return Check("cache", "ok")
        return Check("cache", "degraded", "Redis does not answer: answers are kept in each process.")

    async def _quotas(self) -> Check:
        if await self._parts.limits.is_shared():
            return Check("quotas", "ok")
        return Check("quotas", "degraded", "Redis does not answer: quotas are counted in each process.")


def _read_one(control: Engine) -> None:
    with control.connect() as connection:
        connection.execute(select(Workspace.id).limit(1)).first()
