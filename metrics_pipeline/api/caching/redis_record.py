"""How a kept answer is written in Redis: one line of JSON about it, then its bytes. Nothing of it is ever executed."""

from __future__ import annotations

import json
from datetime import datetime

from metrics_pipeline.api.caching.entries import Entry, Record


def encode(record: Record) -> bytes:
    """The value of a record."""
    entry = record.entry
    header = {
        "generation": record.generation,
        "media_type": entry.media_type,
        "etag": entry.etag,
        "made_at": entry.made_at.isoformat(),
        "fresh_seconds": record.fresh_seconds,
        "kept_seconds": record.kept_seconds,
        "tags": sorted(entry.tags),
    }
    return json.dumps(header).encode() + b"\n" + entry.body


def decode(value: bytes | None) -> Record | None:
    """The record of a value; None for what is none: it is as if nothing were kept."""
    header, line_end, body = (value or b"").partition(b"\n")
    if not line_end:
        return None
    try:
        told = json.loads(header)
        entry = Entry(
            body=body,
            media_type=str(told["media_type"]),
            etag=str(told["etag"]),
            made_at=datetime.fromisoformat(told["made_at"]),
            tags=frozenset(str(tag) for tag in told["tags"]),
        )
        return Record(entry, str(told["generation"]), float(told["fresh_seconds"]), float(told["kept_seconds"]))
    except (ValueError, TypeError, LookupError):
        return None
