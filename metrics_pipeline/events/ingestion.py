"""Taking events in: validated, queued, committed in groups, answered after the commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from metrics_pipeline.events.results import EventResult
from metrics_pipeline.settings import Settings


class Ingestion:
    """The one way in. `open` starts its committer thread; `close` takes no more, commits what waits, and ends it."""

    @classmethod
    def open(cls, settings: Settings) -> Ingestion:
        """The configured inbox with a running committer."""
        raise NotImplementedError

    async def submit(
        self,
        workspace_id: str,
        events: Sequence[Mapping[str, object]],
        *,
        sent_at: datetime | None,
        received_at: datetime,
        user_agent: str | None,
    ) -> list[EventResult]:
        """One result per event, in order, once those that are accepted are durable."""
        raise NotImplementedError

    def close(self) -> None:
        """Take no more events, commit those that wait, end the committer."""
        raise NotImplementedError
