"""The real-time metrics that accepted events feed: declared once, for counting them and for counting them again.

The same lines are what events are counted by as they come in, and, as the relation `fed`, what the statements of
sql/reconciliation/ count stored events by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from metrics_pipeline.realtime.kinds import Kind

# one: each event counts one. viewer: viewer_hash. watched: seconds watched so far, else since the last event.
Measure = Literal["one", "viewer", "watched"]
EVENT_TYPE = "event_type"


@dataclass(frozen=True, slots=True)
class Fed:
    """One metric. Events flagged as bots count only where it says so, as in the tables of content."""

    name: str
    kind: Kind
    description: str
    # event types that add, and that take away; None: every type adds
    adds: frozenset[str] | None
    takes: frozenset[str] = frozenset()
    measure: Measure = "one"
    unit: str = "count"
    by_type: bool = False
    with_bots: bool = False

    def field_of(self, event_type: str) -> str | None:
        """The field of a bucket that an event of this type counts in; None: it does not count."""
        if event_type in self.takes:
            return "m"
        if self.adds is not None and event_type not in self.adds:
            return None
        return "p" if self.kind is Kind.UP_DOWN else "n"

    def value(self, columns: Mapping[str, object]) -> float | str | None:
        """What an event with these columns of `events` counts; None: nothing."""
        if self.measure == "one":
            return 1
        if self.measure == "viewer":
            return str(columns["viewer_hash"])
        watched = columns.get("total_watch_time")
        watched = columns.get("watch_time") if watched is None else watched
        return watched if isinstance(watched, int | float) else None


def _of(*types: str) -> frozenset[str]:
    return frozenset(types)


FED: tuple[Fed, ...] = (
    Fed("events", Kind.COUNTER, "Accepted events of every type, bots too.", None, by_type=True, with_bots=True),
    Fed("impressions", Kind.COUNTER, "Content shown.", _of("impression")),
    Fed("views", Kind.COUNTER, "Views begun.", _of("view_start")),
    Fed("unique_viewers", Kind.DISTINCT, "Distinct people, or sessions, who began a view.", _of("view_start"),
        measure="viewer"),
    Fed("watch_time", Kind.HISTOGRAM, "Seconds watched, as the events that end a view tell them.",
        _of("view_complete", "swipe_away"), measure="watched", unit="seconds"),
    Fed("likes", Kind.UP_DOWN, "Likes less unlikes.", _of("like"), _of("unlike")),
    Fed("comments", Kind.COUNTER, "Comments.", _of("comment")),
    Fed("shares", Kind.COUNTER, "Shares.", _of("share")),
    Fed("saves", Kind.UP_DOWN, "Saves less unsaves.", _of("save"), _of("unsave")),
    Fed("follows", Kind.UP_DOWN, "Follows less unfollows.", _of("follow"), _of("unfollow")),
)  # fmt: skip
FED_BY_NAME: Mapping[str, Fed] = {fed.name: fed for fed in FED}


def relation(event_types: Iterable[str]) -> list[dict[str, object]]:
    """The declaration as rows: one per metric and event type, of all that there are."""
    every = sorted(event_types)
    return [
        {
            "metric": fed.name,
            "kind": str(fed.kind),
            "measure": fed.measure,
            "by_type": fed.by_type,
            "with_bots": fed.with_bots,
            "event_type": event_type,
            "field": field,
        }
        for fed in FED
        for event_type in every
        if (field := fed.field_of(event_type)) is not None
    ]
