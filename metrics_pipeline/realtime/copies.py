"""Buckets as bytes, for a copy that outlives the process or the Redis that counts."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from metrics_pipeline.realtime.backend import StoredBucket
from metrics_pipeline.realtime.distinct import REGISTERS, Distinct
from metrics_pipeline.realtime.gauges import Gauge
from metrics_pipeline.realtime.kinds import Bucket, Kind
from metrics_pipeline.realtime.series import Labels, Series, labels_of, labels_text
from metrics_pipeline.realtime.widths import BY_SECONDS, instant_of

HASH_BYTES = 8
# Gauges have no buckets; their newest observations are kept under this width, as bucket 0.
GAUGES = 0


def packed(contents: Iterable[tuple[Labels, Bucket | Gauge]]) -> bytes:
    """What the series of a metric hold in one bucket."""
    return zlib.compress(json.dumps({labels_text(labels): _plain(held) for labels, held in contents}).encode(), 1)


def unpacked(body: bytes) -> dict[Labels, Bucket | Gauge]:
    """What `packed` put together."""
    return {labels_of(text): _held(plain) for text, plain in json.loads(zlib.decompress(body)).items()}


def buckets_of(
    workspace_id: str, metric: str, kind: Kind, width_seconds: int, number: int, body: bytes
) -> list[StoredBucket]:
    """The buckets of one row of a copy."""
    return [
        StoredBucket(Series(workspace_id, metric, labels), kind, width_seconds, number, held)
        for labels, held in unpacked(body).items()
        if not isinstance(held, Gauge)
    ]


def kept_until(width_seconds: int, number: int) -> datetime:
    """Until when a copy of a bucket is of use: as long as the bucket itself would be kept."""
    width = BY_SECONDS[width_seconds]
    return instant_of(((number + 1) * width_seconds + width.kept_seconds) * 1_000_000)


def _plain(held: Bucket | Gauge) -> dict[str, Any]:
    if isinstance(held, Gauge):
        return {"gauge": list(held)}
    if not isinstance(held, Distinct):
        return {"fields": held}
    if held.registers is not None:
        return {"registers": bytes(held.registers).hex()}
    return {"hashes": b"".join(sorted(held.hashes)).hex()}


def _held(plain: dict[str, Any]) -> Bucket | Gauge:
    if "gauge" in plain:
        observed_at, writer, value = plain["gauge"]
        return Gauge(observed_at, writer, value)
    if "fields" in plain:
        return {str(name): int(amount) for name, amount in plain["fields"].items()}
    if "registers" in plain:
        registers = bytearray.fromhex(plain["registers"])
        return Distinct(set(), registers if len(registers) == REGISTERS else None)
    together = bytes.fromhex(plain["hashes"])
    return Distinct({together[at : at + HASH_BYTES] for at in range(0, len(together), HASH_BYTES)})
