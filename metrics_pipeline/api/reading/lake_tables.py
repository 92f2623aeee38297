"""The versions of lake tables that this process answers from, and how they move."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from metrics_pipeline.api.problems import LakeUnavailable
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.predicates import Partitions

# Digests of file lists that are kept: each is a question about one table at one version, of some hundred bytes.
_REMEMBERED = 4096
_NO_TABLE = "none"
_NO_FILES = hashlib.sha256(b"").hexdigest()
# What most reads need.
PROBED = "daily_metrics"


@dataclass(frozen=True)
class Move:
    """A table that was found to have moved on; `before` is None where it was seen for the first time."""

    table: str
    before: DeltaTable | None
    after: DeltaTable


class LakeTables:
    """Handles on the newest versions, looked for again at most every `refresh_seconds`. Safe from several threads.

    A handle that was given out stays as it is: who reads with it sees one version, whatever is committed meanwhile.
    """

    def __init__(
        self, lake: Lake, refresh_seconds: float = 1.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.lake = lake
        self._refresh_seconds = refresh_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._handles: dict[str, tuple[float, DeltaTable | None]] = {}
        self._digests: dict[tuple[str, int, str], str] = {}

    def table(self, name: str) -> DeltaTable | None:
        """The newest version of a table that is known; None while the pipeline has not made it."""
        looked_at, handle = self._handles.get(name, (float("-inf"), None))
        if self._monotonic() - looked_at < self._refresh_seconds:
            return handle
        with self._lock:
            looked_at, handle = self._handles.get(name, (float("-inf"), None))
            if self._monotonic() - looked_at >= self._refresh_seconds:
                handle = self._newest(name, handle)
                self._handles[name] = (self._monotonic(), handle)
            return handle

    def tables(self, *names: str) -> dict[str, DeltaTable]:
        """The newest known versions of those tables that exist."""
        found = {name: self.table(name) for name in names}
        return {name: handle for name, handle in found.items() if handle is not None}

    def has_rows(self, name: str) -> bool:
        """Whether a table has a file at all."""
        return self._digest(name, None) not in (_NO_TABLE, _NO_FILES)

    def probe(self) -> None:
        """Open a table anew, so that whatever keeps from reading shows; one that was never made is no error.

        Raises:
            OSError, DeltaError: the lake cannot be read.
        """
        if self.lake.is_local:
            location = Path(self.lake.location)
            was_there = any(handle is not None for _, handle in list(self._handles.values()))
            if was_there or location.exists():
                next(location.iterdir(), None)
        if self.lake.exists(PROBED):
            self.lake.table(PROBED)

    def move(self, name: str) -> Move | None:
        """Look at a table now: what it moved from and to since it was last looked at, None where it did not."""
        with self._lock:
            _, before = self._handles.get(name, (0.0, None))
            after = self._newest(name, before)
            self._handles[name] = (self._monotonic(), after)
        return None if after is None or after is before else Move(name, before, after)

    def generation(self, wanted: Mapping[str, Partitions | None]) -> str:
        """A digest of the files that hold these partitions (None: the whole table), by table name.

        Files never change once they are written, so what is read from them cannot change while the digest stays; and
        it stays when other partitions are written. No file is opened for it.
        """
        parts = [f"{name}={self._digest(name, partitions)}" for name, partitions in sorted(wanted.items())]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def _digest(self, name: str, partitions: Partitions | None) -> str:
        handle = self.table(name)
        if handle is None:
            return _NO_TABLE
        predicate = None if partitions is None else partitions.predicate(self.lake.tables[name])
        key = (name, handle.version(), predicate or "")
        if key not in self._digests:
            files = sorted(handle.file_uris(file_pruning_predicate=predicate))
            with self._lock:
                if len(self._digests) >= _REMEMBERED:
                    self._digests.clear()
                self._digests[key] = hashlib.sha256("\n".join(files).encode()).hexdigest()
        return self._digests[key]

    def _newest(self, name: str, handle: DeltaTable | None) -> DeltaTable | None:
        """The same handle where nothing was committed since. Raises LakeUnavailable where nobody can tell."""
        try:
            return self._found(name, handle)
        except (DeltaError, OSError) as error:
            raise LakeUnavailable(type(error).__name__) from error

    def _found(self, name: str, handle: DeltaTable | None) -> DeltaTable | None:
        if handle is None:
            return self.lake.table(name) if self.lake.exists(name) else None
        if self.lake.is_local:
            # versions have no gaps: while the next one is not there, nothing is. Asking costs microseconds
            following = Path(self.lake.uri(name)) / "_delta_log" / f"{handle.version() + 1:020d}.json"
            return self.lake.table(name) if following.exists() else handle
        newest = self.lake.table(name)
        return handle if newest.version() == handle.version() else newest
