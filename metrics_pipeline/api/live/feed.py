"""Looks at the tables and says what has to be told; the same whoever tells it then."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from metrics_pipeline.api.live.changes import Changes
from metrics_pipeline.api.live.messages import Draft
from metrics_pipeline.api.live.watched_tables import WATCHED
from metrics_pipeline.api.problems import LakeUnavailable
from metrics_pipeline.api.reading.connection import ReadConnection
from metrics_pipeline.api.reading.lake_tables import LakeTables, Move
from metrics_pipeline.clock import Clock

NAMES = tuple(watched.name for watched in WATCHED)
NO_TABLE = -1
# While nobody listens: on an object store every look is paid for.
UNHEARD_SECONDS = 60.0
_UNREADABLE = (LakeUnavailable, DeltaError, OSError)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """What is to be told of one move; without a move it was told before, and these workspaces came since."""

    drafts: list[Draft]
    move: Move | None = None

    @property
    def versions(self) -> tuple[int, int]:
        """The table's versions before and after."""
        assert self.move is not None  # noqa: S101 - for the type checker
        return version_of(self.move.before), self.move.after.version()


def version_of(handle: DeltaTable | None) -> int:
    return NO_TABLE if handle is None else handle.version()


class Feed:
    """One at a time, in a thread. What was told is remembered apart from what was seen: nothing is lost between.

    The tables that requests are answered from are other handles, brought up to date before anything is told: who asks
    again at once must not be answered from the version before.
    """

    def __init__(self, reads: ReadConnection, clock: Clock, overlap_seconds: float) -> None:
        """overlap_seconds: so much younger moves are told to a workspace that nobody listened to when they came."""
        self._answered_from = reads.tables
        self._seen = LakeTables(reads.tables.lake, math.inf)
        self._changes = Changes(reads)
        self._clock = clock
        self._overlap_seconds = overlap_seconds
        self._told: dict[str, DeltaTable | None] = {}
        self._known: frozenset[str] = frozenset()
        self._recent: deque[tuple[float, Move]] = deque()
        self._looked_at = 0.0

    def begin(self) -> dict[str, int]:
        """Take the tables as they are now for told; their versions. From here on nothing is missed."""
        self._recent.clear()
        self._known = frozenset()
        self._told.clear()
        for name in NAMES:
            if self._see(name):
                self._told[name] = self._seen.table(name)
        self.refresh(NAMES)
        return {name: version_of(handle) for name, handle in self._told.items()}

    def begin_at(self, versions: Mapping[str, int]) -> None:
        """Take tables for told up to these versions; raises LakeUnavailable where one cannot be opened any more."""
        self.begin()
        lake = self._seen.lake
        for name, version in versions.items():
            if name in self._told and version != version_of(self._told[name]):
                try:
                    self._told[name] = None if version == NO_TABLE else DeltaTable(lake.uri(name), version=version)
                except DeltaError as error:
                    raise LakeUnavailable(type(error).__name__) from error

    def look(self, listening: frozenset[str]) -> list[Step]:
        """What moved and has not been told, for the workspaces that are listened to.

        A table that cannot be read now is looked at again the next time.
        """
        now = time.monotonic()
        if not listening and now - self._looked_at < UNHEARD_SECONDS:
            return []
        self._looked_at = now
        while self._recent and now - self._recent[0][0] > self._overlap_seconds:
            self._recent.popleft()
        steps: list[Step] = []
        if arrived := listening - self._known:
            steps += [Step(drafts) for _, move in self._recent if (drafts := self._drafts(move, arrived))]
        for name in NAMES:
            if not self._see(name):
                continue
            newest = self._seen.table(name)
            told = self._told.setdefault(name, newest)
            if newest is None or version_of(newest) == version_of(told):
                continue
            move = Move(name, told, newest)
            drafts = self._drafts(move, listening)
            if drafts is not None:
                self._recent.append((now, move))
                steps.append(Step(drafts, move))
        self._known = listening
        return steps

    def accept(self, step: Step) -> None:
        """Remember that a step was told."""
        if step.move is not None:
            self._told[step.move.table] = step.move.after

    def refresh(self, names: Iterable[str]) -> None:
        """Answer requests from the newest versions of these tables from now on."""
        for name in names:
            if name in NAMES:
                with suppress(*_UNREADABLE):
                    self._answered_from.move(name)

    def _see(self, name: str) -> bool:
        """Look at a table; False where it cannot be looked at now."""
        try:
            self._seen.move(name)
        except _UNREADABLE as error:
            log.warning("%s cannot be looked at: %s", name, type(error).__name__)
            return False
        return True

    def _drafts(self, move: Move, workspaces: Collection[str]) -> list[Draft] | None:
        """None where the files cannot be read now."""
        try:
            return self._changes.drafts(move, workspaces, self._clock.now())
        except LakeUnavailable as error:
            log.warning("changes of %s cannot be read: %s", move.table, error)
            return None
