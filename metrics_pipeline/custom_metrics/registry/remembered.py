"""The registry of a process that answers many questions: what values are made with is not read anew for each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

from sqlalchemy import Engine

from metrics_pipeline.clock import Clock
from metrics_pipeline.custom_metrics.registry.actors import Actor
from metrics_pipeline.custom_metrics.registry.change import Change, Check
from metrics_pipeline.custom_metrics.registry.registry import Registry, accept_all
from metrics_pipeline.custom_metrics.versions import MetricVersion

# How long what another process changed may go unseen: the same as for keys.
REMEMBER_SECONDS = 5.0
_MOST = 4096

Result = TypeVar("Result")


class Remembered:
    """Results of a few seconds ago, forgotten at once when they are said to be old. Safe from several threads."""

    def __init__(self, seconds: float = REMEMBER_SECONDS, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._epoch = 0
        self._kept: dict[Hashable, tuple[float, object]] = {}

    def get(self, key: Hashable, load: Callable[[], Result]) -> Result:
        """What is remembered under a key, else loaded; what `load` raises is not remembered."""
        read_at, found = self._kept.get(key, (float("-inf"), None))
        if self._monotonic() - read_at <= self._seconds:
            return cast(Result, found)
        epoch, began = self._epoch, self._monotonic()
        loaded = load()
        with self._lock:
            if epoch == self._epoch:  # else it may be from before a change
                if len(self._kept) >= _MOST:
                    self._kept.clear()
                self._kept[key] = (began, loaded)
        return loaded

    def forget(self) -> None:
        """Everything is asked anew, also what is being loaded at this moment."""
        with self._lock:
            self._epoch += 1
            self._kept.clear()


class RememberingRegistry(Registry):
    """A registry that remembers for `REMEMBER_SECONDS` what values are made with, per who asks.

    A change through it is seen at once; one of another process, and a right that somebody lost, a few seconds later.
    Refusals are never remembered: each is looked up and written down.
    """

    def __init__(
        self, control: Engine, clock: Clock, *, check: Check = accept_all, compiler_version: str | None = None
    ) -> None:
        super().__init__(control, clock, check=check, compiler_version=compiler_version)
        self.remembered = Remembered()

    def readable(self, actor: Actor, reference: str, version: int | None = None) -> MetricVersion:
        """As Reader's."""
        load = super().readable
        return self.remembered.get(("readable", actor, reference, version), lambda: load(actor, reference, version))

    def in_force(self, workspace_id: str, reference: str) -> Sequence[MetricVersion]:
        """As Reader's."""
        load = super().in_force
        return self.remembered.get(("in_force", workspace_id, reference), lambda: load(workspace_id, reference))

    @contextmanager
    def _change(self, actor: Actor, action: str, note: str | None = None) -> Iterator[Change]:
        try:
            with super()._change(actor, action, note) as change:
                yield change
        finally:
            self.remembered.forget()  # after the commit
