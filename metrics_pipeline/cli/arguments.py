"""Values that several commands read from the command line."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from metrics_pipeline.errors import UserError
from metrics_pipeline.windows import Window


def parse_day(text: str, option: str) -> date:
    """A calendar day in ISO form.

    Raises:
        UserError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{option} {text!r} is no date: write YYYY-MM-DD, such as 2026-11-02.") from None


def parse_instant(text: str, option: str) -> datetime:
    """An instant in ISO form, in UTC where it says no offset.

    Raises:
        UserError: it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"{option} {text!r} is no instant: write 2026-11-02T18:00:00Z.") from None
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def parse_window(first: str, end: str | None) -> Window:
    """Whole days from --from up to, not including, --to; without --to that one day.

    Raises:
        UserError: a date is malformed, or the window is empty.
    """
    start = parse_day(first, "--from")
    stop = parse_day(end, "--to") if end is not None else start + timedelta(days=1)
    if stop <= start:
        raise UserError(f"--to {stop} must lie after --from {start}: the end is not included.")
    return Window.of_days(start, stop)
