"""Real-time metrics against stored events: compared bucket by bucket, and mended.

With Redis the buckets there are compared and overwritten. Without, the API process that counts cannot be asked: its
copy in the control database is compared, and corrected there; the process takes corrections up within a minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import pyarrow as pa

from metrics_pipeline.aggregation.realtime_recount import Key, recount
from metrics_pipeline.control import realtime_rows as rows
from metrics_pipeline.control.erasures import list_erasures
from metrics_pipeline.errors import RunFailedError
from metrics_pipeline.events.inbox import open_inbox
from metrics_pipeline.lake.reconciliation_tables import REALTIME_RECONCILIATIONS
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.realtime import kinds, log_buckets
from metrics_pipeline.realtime.backend import StoredBucket
from metrics_pipeline.realtime.distinct import Distinct
from metrics_pipeline.realtime.fixed_point import number, total_millionths
from metrics_pipeline.realtime.kinds import Bucket, Kind
from metrics_pipeline.realtime.series import Labels, labels_text
from metrics_pipeline.realtime.widths import BY_SECONDS, SECOND, SERIES_KEPT_SECONDS, instant_of, micros
from metrics_pipeline.realtime_stores import CopyStore, RedisStore, Store

# So old a bucket is closed for sure: what was received in it is committed, counted and, without Redis, copied.
CLOSED = timedelta(minutes=2)
# Updates that waited for Redis come within seconds of its return; what lacks longer does not come by itself.
SPILL_HORIZON = timedelta(minutes=15)
# Minutes answer windows of up to six hours, hours those of up to two days; narrower buckets are gone by then.
COMPARED_WIDTHS = (60, 3600)

# Of a person whose erasure was asked for so lately, counts may still stand that no stored event explains.
ERASED_LATELY = timedelta(days=3)

Action = Literal["repaired", "filled", "erased", "refused"]


@dataclass(frozen=True)
class Drift:
    """A bucket that did not hold what the stored events say."""

    bucket: StoredBucket
    held: Bucket
    action: Action

    @property
    def begins(self) -> datetime:
        return instant_of(self.bucket.begins)

    @property
    def ends(self) -> datetime:
        return self.begins + timedelta(seconds=self.bucket.width_seconds)

    @property
    def before(self) -> float:
        """What it held, as one number."""
        return figure_of(self.bucket.kind, self.held)

    @property
    def right(self) -> float:
        """What it should have held."""
        return figure_of(self.bucket.kind, self.bucket.content)

    @property
    def size(self) -> float:
        return self.before - self.right

    def line(self) -> str:
        """In words."""
        series = self.bucket.series
        labels = "".join(f", {name} {value}" for name, value in series.labels)
        length = "minute" if self.bucket.width_seconds == COMPARED_WIDTHS[0] else "hour"
        return (
            f"{length} {self.begins:%Y-%m-%d %H:%M}: {series.metric} of {series.workspace_id}{labels} was "
            f"{self.before:g} against {self.right:g} ({self.action})"
        )


@dataclass(frozen=True)
class Reconciled:
    """What one comparison found."""

    compared: int
    drifts: Sequence[Drift]
    compared_at: datetime
    # buckets that end later are left for the next time; events of them may still wait
    until: datetime

    @property
    def found(self) -> list[Drift]:
        """Differences without a reason: not from before counting began, and not of people who were erased."""
        return [drift for drift in self.drifts if drift.action in ("repaired", "refused")]

    @property
    def lasting(self) -> list[Drift]:
        """Those that no update on its way can explain."""
        return [drift for drift in self.found if drift.ends < self.compared_at - SPILL_HORIZON]


@dataclass(frozen=True)
class RealtimeFlow:
    """What runs every hour, and once a day."""

    pipeline: Pipeline

    def reconcile(self, run_id: str) -> Reconciled:
        """Compare all closed buckets with stored events, mend those that differ, and write down what differed.

        Raises:
            RunFailedError: Redis or the inbox does not answer.
        """
        return asyncio.run(self._reconcile(run_id))

    def tidy(self) -> int:
        """Forget copies that are of no use any more, and declared metrics that nobody sends; how many buckets."""
        now = self.pipeline.settings.clock.now()
        return rows.forget_expired(self.pipeline.control, now, now - timedelta(seconds=SERIES_KEPT_SECONDS))

    async def _reconcile(self, run_id: str) -> Reconciled:
        from metrics_pipeline.redis_link import RedisAway  # it loads Redis

        settings, control = self.pipeline.settings, self.pipeline.control
        now = settings.clock.now()
        # Asked before the lake is: what leaves the inbox meanwhile is found there.
        until = min(now - CLOSED, self._first_waiting() or now)
        began = rows.marked(control, rows.BEGAN)
        if settings.realtime_redis_url is None and settings.redis_url is None:
            compared, drifts = await self._compare(CopyStore(self.pipeline, now), now, until, began)
        else:
            from metrics_pipeline.realtime.realtime import Realtime

            realtime = Realtime.open(settings)
            try:
                compared, drifts = await self._compare(RedisStore(self.pipeline, realtime, now), now, until, began)
            except RedisAway:
                raise RunFailedError("Redis does not answer: real-time metrics could not be compared.") from None
            finally:
                await realtime.close()
        done = Reconciled(compared, drifts, now, until)
        if drifts:
            self.pipeline.lake.append(REALTIME_RECONCILIATIONS.name, _table(done, run_id))
        rows.mark(control, rows.RECONCILED, until)
        return done

    async def _compare(
        self, store: Store, now: datetime, until: datetime, began: datetime | None
    ) -> tuple[int, list[Drift]]:
        compared, drifts = 0, list[Drift]()
        for seconds in COMPARED_WIDTHS:
            width = BY_SECONDS[seconds]
            first, end = width.number(micros(now) - width.reach * SECOND), width.number(micros(until))
            if end <= first:
                continue
            right = recount(self.pipeline.engine, self.pipeline.settings, seconds, first, end)
            held = await store.held(seconds, first, end)
            wrong: list[StoredBucket] = []
            for key in sorted(right.keys() | held.keys(), key=_place):
                compared += 1
                wanted = right.get(key) or replace(held[key], content=kinds.empty(held[key].kind))
                if key not in held or not kinds.is_same(wanted.content, held[key].content):
                    wrong.append(wanted)
            refused = await store.repair(wrong, held)
            erasing = self._erasing(now) if wrong else set()
            for wanted in wrong:
                key = (wanted.series, wanted.number)
                before = held[key].content if key in held else kinds.empty(wanted.kind)
                action: Action = "repaired"
                if key in refused:
                    action = "refused"
                elif began is None or instant_of(wanted.begins) < began:
                    action = "filled"
                elif wanted.series.workspace_id in erasing and _is_part(wanted.content, before):
                    action = "erased"
                drifts.append(Drift(wanted, before, action))
        return compared, drifts

    def _erasing(self, now: datetime) -> set[str]:
        since = now - ERASED_LATELY
        return {each.workspace_id for each in list_erasures(self.pipeline.control) if each.requested_at > since}

    def _first_waiting(self) -> datetime | None:
        inbox = open_inbox(self.pipeline.settings)
        try:
            return inbox.first_received()
        finally:
            inbox.close()


def _place(key: Key) -> tuple[str, str, Labels, int]:
    series, number = key
    return series.workspace_id, series.metric, series.labels, number


def figure_of(kind: Kind, content: Bucket) -> float:
    """What a bucket holds, as one number."""
    if isinstance(content, Distinct):
        return content.count()
    if kind is Kind.HISTOGRAM:
        return log_buckets.count(content)
    if kind is Kind.UP_DOWN:
        return number(total_millionths(content, "p") - total_millionths(content, "m"))
    return number(total_millionths(content, "n"))


def _is_part(one: Bucket, whole: Bucket) -> bool:
    """Whether a bucket may come of another one by taking events out of it."""
    if isinstance(one, Distinct) or isinstance(whole, Distinct):
        return isinstance(one, Distinct) and isinstance(whole, Distinct) and one.count() <= whole.count()
    return all(amount <= whole.get(name, 0) for name, amount in one.items())


def _differing(one: Bucket, other: Bucket) -> int:
    if isinstance(one, Distinct) or isinstance(other, Distinct):
        exact = isinstance(one, Distinct) and isinstance(other, Distinct) and not (one.registers or other.registers)
        return len(one.hashes ^ other.hashes) if exact else 1  # type: ignore[union-attr]
    return sum(one.get(name, 0) != other.get(name, 0) for name in one.keys() | other.keys())


def _table(done: Reconciled, run_id: str) -> pa.Table:
    return pa.Table.from_pylist(list(_rows(done, run_id)), schema=REALTIME_RECONCILIATIONS.schema)


def _rows(done: Reconciled, run_id: str) -> Iterable[dict[str, object]]:
    for drift in done.drifts:
        series = drift.bucket.series
        yield {
            "date": drift.begins.date(),
            "workspace_id": series.workspace_id,
            "metric": series.metric,
            "labels": labels_text(series.labels),
            "width_seconds": drift.bucket.width_seconds,
            "bucket": drift.begins,
            "realtime_value": float(drift.before),
            "source_value": float(drift.right),
            "drift": float(drift.size),
            "fields_differing": _differing(drift.held, drift.bucket.content),
            "action": drift.action,
            "compared_at": done.compared_at,
            "run_id": run_id,
        }
