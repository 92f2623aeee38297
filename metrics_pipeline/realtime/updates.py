"""One number that came in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from metrics_pipeline.realtime.fixed_point import LARGEST
from metrics_pipeline.realtime.gauges import Gauge
from metrics_pipeline.realtime.kinds import Kind
from metrics_pipeline.realtime.refusals import RealtimeError
from metrics_pipeline.realtime.series import LONGEST_VALUE, Series
from metrics_pipeline.realtime.widths import micros

NEVER_NEGATIVE = {Kind.COUNTER, Kind.RATE}


@dataclass(frozen=True, slots=True)
class Update:
    """A value of a series; make it with `update`, which checks it."""

    series: Series
    kind: Kind
    value: float | str
    # microseconds of Unix time by the server's clock: decides the bucket
    received_at: int
    gauge: Gauge | None = None
    unit: str = ""


def update(
    series: Series,
    kind: Kind,
    value: float | str,
    received_at: datetime,
    *,
    observed_at: datetime | None = None,
    writer: str = "",
    unit: str = "",
) -> Update:
    """An update that every back end takes.

    value: text for distinct, a number for all others. observed_at (default received_at), writer: for gauges.
    Raises RealtimeError: counter_negative, value_type, value_not_finite, value_range, writer, unit.
    """
    if len(unit) > LONGEST_VALUE:
        raise RealtimeError("unit", f"A unit has at most {LONGEST_VALUE} characters.")
    at = micros(received_at)
    if kind is Kind.DISTINCT:
        if not isinstance(value, str):
            raise RealtimeError("value_type", "What is counted distinctly is text.")
        # hashed as UTF-8; half a surrogate pair has none
        return Update(series, kind, value.encode("utf-8", "replace").decode(), at, unit=unit)
    if isinstance(value, str | bool):
        raise RealtimeError("value_type", f"The value of a {kind} is a number.")
    if isinstance(value, float) and not math.isfinite(value):
        raise RealtimeError("value_not_finite", "A value is neither infinite nor NaN.")
    if abs(value) > LARGEST:
        raise RealtimeError("value_range", f"A value is at most {LARGEST:.0e} away from zero.")
    if value < 0 and kind in NEVER_NEGATIVE:
        raise RealtimeError("counter_negative", f"A {kind} only grows; an up_down counter takes negative numbers too.")
    if kind is not Kind.GAUGE:
        return Update(series, kind, value, at, unit=unit)
    if len(writer) > LONGEST_VALUE:
        raise RealtimeError("writer", f"A writer's name has at most {LONGEST_VALUE} characters.")
    observed = at if observed_at is None else micros(observed_at)
    return Update(series, kind, value, at, Gauge.of(observed, writer, float(value)), unit)


def make_update(
    workspace_id: str,
    metric: str,
    kind: Kind | str,
    value: float | str,
    received_at: datetime,
    labels: Mapping[str, str] | None = None,
    *,
    observed_at: datetime | None = None,
    writer: str = "",
    unit: str = "",
) -> Update:
    """As `update`, with a series to be made. Raises RealtimeError as Series.of and update do, and kind."""
    try:
        known = Kind(kind)
    except ValueError:
        raise RealtimeError("kind", f"A metric's type is one of {', '.join(Kind)}.") from None
    series = Series.of(workspace_id, metric, labels)
    return update(series, known, value, received_at, observed_at=observed_at, writer=writer, unit=unit)
