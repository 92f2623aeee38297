"""The types of metrics, and what one value does to a bucket. Every back end stores just that.

Fields of a bucket, absent where zero: counter and rate `n` (whole units) and `nf` (millionths); up_down `p`, `pf` for
what was added and `m`, `mf` for what was taken away; histogram as in log_buckets. A distinct bucket is no fields but a
Distinct, and a gauge has no buckets. The SQL macros whole_units, millionths and histogram_field have the same rules.
"""

from __future__ import annotations

from enum import StrEnum

from metrics_pipeline.realtime import log_buckets
from metrics_pipeline.realtime.distinct import Distinct, hash_of
from metrics_pipeline.realtime.fixed_point import parts

Fields = dict[str, int]
# What a bucket holds: sums by field, or different values.
Bucket = Fields | Distinct


class Kind(StrEnum):
    """What the numbers of a metric mean; a metric has one kind."""

    COUNTER = "counter"
    UP_DOWN = "up_down"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    RATE = "rate"
    DISTINCT = "distinct"


# Their buckets are small, and several lie together in Redis; those of the others may be thousands of entries.
PAGED = {Kind.COUNTER, Kind.UP_DOWN, Kind.RATE}


def amounts(kind: Kind, value: float) -> Fields:
    """What a value adds to which fields: the whole algorithm of all kinds that add up."""
    if kind is Kind.HISTOGRAM:
        return log_buckets.amounts(value)
    if kind is Kind.UP_DOWN:
        return parts("p", value) if value >= 0 else parts("m", -value)
    return parts("n", value)


def empty(kind: Kind) -> Bucket:
    """A bucket before its first value."""
    return Distinct() if kind is Kind.DISTINCT else {}


def take(kind: Kind, bucket: Bucket, workspace_id: str, value: float | str) -> None:
    """Count one value in a bucket."""
    if isinstance(bucket, Distinct):
        bucket.add([hash_of(workspace_id, str(value))])
    elif not isinstance(value, str):
        add_fields(kind, bucket, amounts(kind, value))


def add_fields(kind: Kind, bucket: Fields, added: Fields) -> None:
    """Add amounts to a bucket of sums, within the bound of its size."""
    for name, amount in added.items():
        bucket[name] = bucket.get(name, 0) + amount
    if kind is Kind.HISTOGRAM and len(bucket) > log_buckets.MOST_FIELDS:
        log_buckets.collapse(bucket)


def merge(bucket: Bucket, other: Bucket) -> None:
    """Put another bucket of the same kind into this one, for an answer."""
    if isinstance(bucket, Distinct):
        if isinstance(other, Distinct):
            bucket.merge(other)
    elif not isinstance(other, Distinct):
        for name, amount in other.items():
            bucket[name] = bucket.get(name, 0) + amount


def is_same(one: Bucket, other: Bucket) -> bool:
    """Whether two buckets hold the same; a field that is not there is zero."""
    if isinstance(one, Distinct) or isinstance(other, Distinct):
        return one == other
    return {name: amount for name, amount in one.items() if amount} == {
        name: amount for name, amount in other.items() if amount
    }
