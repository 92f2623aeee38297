"""Where a page of the jobs log ended, as a text that a client hands back."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime

from metrics_pipeline.api.problems import Problem
from metrics_pipeline.control.job_pages import Place

_LONGEST = 500


def write_cursor(place: Place) -> str:
    """A place as text. It says which rows follow, not whose: rows are narrowed to the key's at every page."""
    text = json.dumps([place.requested_at.isoformat(), place.run_id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Place:
    """The place of a text.

    Raises:
        Problem: 400 for what is no cursor of ours.
    """
    try:
        if len(text) > _LONGEST:
            raise ValueError("too long")
        decoded = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        instant, run_id = decoded
        written = datetime.fromisoformat(instant)
        if written.tzinfo is None or not isinstance(run_id, str) or "\0" in run_id:
            raise ValueError("not a place")
        requested_at = written.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise Problem(400, "invalid_cursor", "Take the cursor from meta.next_cursor of the page before.") from None
    return Place(requested_at, run_id)
