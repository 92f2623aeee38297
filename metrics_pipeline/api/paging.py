"""Pages of a list in a total order: a cursor says where the last one ended, and belongs to one question."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

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
    text = json.dumps([place.value, place.id, _digest(question)], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def place_of(question: Mapping[str, object], cursor: str | None) -> Place | None:
    """Where a cursor points to; None without one.

    Raises:
        Problem: 400, it is no cursor, or of another question.
    """
    if cursor is None:
        return None
    try:
        if len(cursor) > _LONGEST:
            raise ValueError
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        value, identifier, digest = json.loads(text)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(identifier, str):
            raise ValueError
        if not math.isfinite(value):
            raise ValueError
    except (ValueError, TypeError, binascii.Error, RecursionError, OverflowError):
        raise Problem(400, "invalid_cursor", "The cursor is none; begin without one.") from None
    if digest != _digest(question):
        raise Problem(400, "cursor_mismatch", "The cursor is of another question; keep the parameters or begin anew.")
    return Place(float(value), identifier)


def _digest(question: Mapping[str, object]) -> str:
    return hashlib.sha256(canonical_query(question).encode("utf-8", "surrogatepass")).hexdigest()[:16]
