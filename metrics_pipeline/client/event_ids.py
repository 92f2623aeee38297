"""Ids of events: UUIDs of version 7 (RFC 9562), which sort by when they were made."""

from __future__ import annotations

import secrets
import time
import uuid


def new_event_id() -> str:
    """A new id: 48 bits of milliseconds since 1970, then 74 bits by chance."""
    milliseconds = time.time_ns() // 1_000_000
    chance = secrets.randbits(74)
    number = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (chance >> 62) << 64 | 0b10 << 62
    return str(uuid.UUID(int=number | chance & (1 << 62) - 1))
