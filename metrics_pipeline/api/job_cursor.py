"""Where a page of the jobs log ended, as a text that a client hands back."""

from __future__ import annotations

from datetime import UTC, datetime

from metrics_pipeline.api.paging import packed, unpacked
from metrics_pipeline.api.problems import Problem
from metrics_pipeline.control.job_pages import Place

_LONGEST = 500


def write_cursor(place: Place) -> str:
    """A place as text. It says which rows follow, not whose: rows are narrowed to the key's at every page."""
    return packed([place.requested_at.isoformat(), place.run_id])


def read_cursor(text: str) -> Place:
    """The place of a text.

    Raises:
        Problem: 400 for what is no cursor of ours.
    """
    try:
        instant, run_id = unpacked(text, _LONGEST)
        written = datetime.fromisoformat(instant)
        if written.tzinfo is None or not isinstance(run_id, str) or "\0" in run_id:
            raise ValueError("not a place")
        requested_at = written.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Problem(400, "invalid_cursor", "Take the cursor from meta.next_cursor of the page before.") from None
    return Place(requested_at, run_id)
