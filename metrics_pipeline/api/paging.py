"""Pages of a list in a total order: a cursor says where the last one ended, and belongs to one question."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metrics_pipeline.api.caching.keys import canonical_query
from metrics_pipeline.api.problems import Problem

_LONGEST = 2000


@dataclass(frozen=True)
class Place:
    """The last row of a page: by what it was sorted, and its id, which breaks ties."""

    value: float
    id: str


def cursor_after(question: Mapping[str, object], place: Place) -> str:
    """An opaque text for what follows a place in the answer to a question."""
    return packed([place.value, place.id, _digest(question)])


def place_of(question: Mapping[str, object], cursor: str | None) -> Place | None:
    """Where a cursor points to; None without one.

    Raises:
        Problem: 400, it is no cursor, or of another question.
    """
    if cursor is None:
        return None
    try:
        value, identifier, digest = unpacked(cursor, _LONGEST)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(identifier, str):
            raise ValueError
        if not math.isfinite(value):
            raise ValueError
    except (ValueError, TypeError, RecursionError, OverflowError):
        raise Problem(400, "invalid_cursor", "The cursor is none; begin without one.") from None
    if digest != _digest(question):
        raise Problem(400, "cursor_mismatch", "The cursor is of another question; keep the parameters or begin anew.")
    return Place(float(value), identifier)


def packed(values: Sequence[str | float]) -> str:
    """The values of a cursor as a text that stands in an address as it is."""
    text = json.dumps(values, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def unpacked(cursor: str, longest: int) -> Any:
    """What a cursor holds, unchecked. Raises ValueError, RecursionError for what is none."""
    if len(cursor) > longest:
        raise ValueError("too long")
    return json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))


def _digest(question: Mapping[str, object]) -> str:
    return hashlib.sha256(canonical_query(question).encode("utf-8", "surrogatepass")).hexdigest()[:16]
