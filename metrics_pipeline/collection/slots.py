"""What is asked of each account in a run: its slots, each with what is due at that instant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.collection.account_run import Slot
from metrics_pipeline.collection.request import CollectionRequest
from metrics_pipeline.collection.scope import TurnScope
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import HOUR, Window

AccountKey = tuple[str, str]  # workspace, account
# An account that was not read whole for so long is read whole: every interval has had a slot since.
MEMORY_DAYS = 8


class SlotPlanner:
    """Lays the platform's cadence over the hours of a run."""

    def __init__(self, spec: PlatformSpec, settings: Settings, last_whole_reads: Mapping[AccountKey, datetime]) -> None:
        self._cadence = spec.cadence_under(settings.cadence)
        self._first_weekday = settings.week_start_index
        self._last = last_whole_reads

    def slots(
        self,
        request: CollectionRequest,
        windows: list[tuple[Window, datetime]],
        now: datetime,
        key: AccountKey,
    ) -> list[Slot]:
        """The slots at which something of the account is due, in order."""
        slots = []
        for window, instant in windows:
            # Missed slots are made up for in the running hour only: what a past hour holds must not depend on the
            # order in which the past is collected.
            since = self._last.get(key) if instant == now else window.start - HOUR
            scope = self._scope(request, since, instant)
            if scope is not None:
                oldest = (window.start if request.collection == "insights" else instant) - scope.age
                slots.append(Slot(window, instant, scope, oldest))
        return slots

    def _scope(self, request: CollectionRequest, since: datetime | None, instant: datetime) -> TurnScope | None:
        if request.posts:
            return TurnScope(0, tuple(request.posts))
        if request.everything or request.collection == "insights":
            return TurnScope.whole(self._cadence)
        return TurnScope.due(self._cadence, since, instant, self._first_weekday)
