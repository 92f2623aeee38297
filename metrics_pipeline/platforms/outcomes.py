"""Bookkeeping of one account's turn: exactly one Outcome per thing that was asked about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from types import TracebackType

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.platforms.contract import AccountResult, Kind, Level, Outcome, State
from metrics_pipeline.platforms.errors import Act, PlatformError

COUNTERS: tuple[Kind, ...] = ("counter", "unique_counter", "gauge")
SERIES: tuple[Kind, ...] = ("series",)

Key = tuple[Level, str, date, str]

# When nothing came back at all, the reason a person can act on wins.
_GRAVITY = (
    State.FAILED,
    State.NOT_PERMITTED,
    State.UNKNOWN,
    State.INSUFFICIENT_DATA,
    State.NOT_SUPPORTED,
)


def expected_outcomes(
    spec: PlatformSpec, kinds: Iterable[Kind], dates: Iterable[date]
) -> list[tuple[Level, str, date]]:
    """Every (level, metric, measured date) that a turn over `dates` should account for, each once, in order."""
    wanted = set(kinds)
    pairs = dict.fromkeys((s.level, s.metric) for s in spec.sources if s.kind in wanted)
    return [(level, metric, day) for day in dates for level, metric in pairs]


def state_of(error: PlatformError) -> State:
    """What a failed call says about the metrics it was meant to read."""
    if error.act in (Act.PERMISSION, Act.REAUTH):
        return State.NOT_PERMITTED
    if error.act in (Act.SKIP_METRIC, Act.SKIP_OBJECT):
        return State.NOT_SUPPORTED
    return State.FAILED


@dataclass(slots=True)
class _Count:
    objects: int = 0
    good: int = 0
    nonzero: int = 0
    missed: list[tuple[State, str, str | None]] = field(default_factory=list)


class Tally:
    """Collects what became of each metric and writes one Outcome each when it is left.

    Left by an exception, it writes only what had been reached, so the caller can mark the rest as failed.
    """

    def __init__(self, result: AccountResult) -> None:
        self._result = result
        self._counts: dict[Key, _Count] = {}

    def plan(self, level: Level, metric: str, day: date, objects: int = 1, window: str = "P1D") -> None:
        """Announce that a metric is asked of so many objects."""
        count = self._counts.setdefault((level, metric, day, window), _Count())
        count.objects = max(count.objects, objects)

    def hit(self, level: Level, metric: str, day: date, value: float, window: str = "P1D") -> None:
        count = self._counts.setdefault((level, metric, day, window), _Count())
        count.good += 1
        count.nonzero += value != 0

    def miss(
        self,
        level: Level,
        metric: str,
        day: date,
        state: State,
        reason: str,
        error_class: str | None = None,
        window: str = "P1D",
    ) -> None:
        self._counts.setdefault((level, metric, day, window), _Count()).missed.append((state, reason, error_class))

    def refuse(self, level: Level, metric: str, day: date, error: PlatformError, window: str = "P1D") -> None:
        """A miss because of a failed call."""
        self.miss(level, metric, day, state_of(error), str(error), error.act.value, window)

    def __enter__(self) -> Tally:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Wider windows first: whoever keeps one row per day ends with the day's own.
        for key, count in sorted(self._counts.items(), key=lambda item: (item[0][2], item[0][3] == "P1D")):
            untouched = not count.good and not count.missed
            if not (untouched and kind is not None):
                self._result.outcomes.append(_outcome(key, count))


def _outcome(key: Key, count: _Count) -> Outcome:
    level, metric, day, window = key
    objects = max(count.objects, count.good + len(count.missed))
    silent = objects - count.good - len(count.missed)
    reason: str | None = None
    error_class: str | None = None
    if count.good:
        state = State.VALUE if count.nonzero else State.ZERO
        if count.missed:
            reason = f"{len(count.missed)} of {objects} without: {_worst(count)[1]}"
        elif silent:
            reason = f"{silent} of {objects} without a value"
    elif count.missed:
        state, reason, error_class = _worst(count)
    elif not objects:
        state, reason = State.UNKNOWN, "no posts to read"
    else:
        state, reason = State.UNKNOWN, "the platform gave no value"
    return Outcome(level, metric, day, state, reason, error_class, objects, min(count.good, objects), window)


def _worst(count: _Count) -> tuple[State, str, str | None]:
    return min(count.missed, key=lambda miss: _GRAVITY.index(miss[0]))
