"""How the Graph API reads `since` and `until`, and which windows it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.graph_errors import invalid
from metrics_pipeline.sandbox.zones import DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Span:
    """The window asked for, Unix seconds, start included and end not."""

    since: float
    until: float


def parse_instant(call: Call, name: str, default: float) -> float | None:
    """A Unix time or ISO date from a parameter; None where it is not given. `default` stands for `now`."""
    text = call.params.get(name)
    if text is None or text == "":
        return None
    if text == "now":
        return default
    if text.isdigit():
        return float(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"param {name} must be a valid time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def insight_span(call: Call, max_days: int | None, default_days: int = 1) -> Span:
    """The window of an insights request; the last `default_days` days where none is given.

    Raises:
        RefusedError: it is empty or reversed, or longer than `max_days`.
    """
    until = parse_instant(call, "until", call.at)
    since = parse_instant(call, "since", call.at)
    end = call.at if until is None else until
    start = end - default_days * DAY_SECONDS if since is None else since
    if start >= end:
        raise invalid("param since must be before param until")
    if max_days is not None and end - start > max_days * DAY_SECONDS:
        seconds = max_days * DAY_SECONDS
        raise invalid(f"There cannot be more than {max_days} days ({seconds} s) between since and until")
    return Span(start, end)
