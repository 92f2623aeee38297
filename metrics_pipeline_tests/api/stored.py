"""What an inbox holds, read while the server runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from metrics_pipeline.events.inbox import open_inbox
from metrics_pipeline.settings import Settings


@dataclass(frozen=True)
class Stored:
    kind: str
    columns: dict[str, Any]


def stored(settings: Settings) -> list[Stored]:
    """Every event that waits for the lake, in order."""
    inbox = open_inbox(settings)
    try:
        return [Stored(row.kind, json.loads(row.payload)) for row in inbox.peek(10_000)]
    finally:
        inbox.close()


def accepted(settings: Settings) -> list[dict[str, Any]]:
    return [row.columns for row in stored(settings) if row.kind == "accepted"]
