"""What a collection run is asked for, and at which instants it looks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from metrics_pipeline.errors import UserError
from metrics_pipeline.windows import HOUR, Window

CollectionKind = Literal["counters", "insights"]

# A counter's hour can still be read shortly after its end: a run may wait in the queue for some minutes.
GRACE = timedelta(minutes=15)
# The minute at which a past hour is observed where that is possible: the schedule's own.
OBSERVED_MINUTE = timedelta(minutes=50)


class PastHourError(UserError):
    """Counters of an hour that is over were asked for, and the platform only knows the present."""


@dataclass(frozen=True)
class CollectionRequest:
    """What to collect. Empty `workspaces` and `accounts` mean all of them.

    posts: read nothing but these posts' counters; everything: read every post, also those not due yet.
    """

    collection: CollectionKind
    window: Window
    run_id: str
    workspaces: Collection[str] = ()
    accounts: Collection[str] = ()
    posts: Collection[str] = ()
    everything: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            UserError: posts were named without their one account, or for series.
        """
        if self.posts and (len(self.accounts) != 1 or self.collection != "counters"):
            raise UserError("Single posts are read by the counters collector, for one account: name that account too.")

    def slots(self, now: datetime, *, can_observe_past: bool, platform: str) -> list[tuple[Window, datetime]]:
        """(window, instant) pairs to ask for: every hour on its own for counters, the whole window for series.

        Raises:
            PastHourError: counters of an hour that cannot be observed were asked for.
        """
        if self.collection == "insights":
            return [(self.window, now)]
        # of a range that reaches into the future, the hours that have not begun are left out
        is_one_hour = self.window.end - self.window.start == HOUR
        hours = [hour for hour in self.window.hours() if is_one_hour or hour.start <= now]
        return [
            (hour, observation_instant(hour, now, can_observe_past=can_observe_past, platform=platform))
            for hour in hours
        ]


def observation_instant(window: Window, now: datetime, *, can_observe_past: bool, platform: str) -> datetime:
    """The instant at which an hour's counters are read.

    Raises:
        PastHourError: the hour is over, or has not begun, and cannot be observed.
    """
    if window.start <= now < window.end + GRACE:
        return now
    if can_observe_past and window.end <= now:
        return window.start + OBSERVED_MINUTE
    which = "has not begun" if now < window.start else "is over"
    raise PastHourError(
        f"The counters of {platform} for {window.start:%Y-%m-%d %H:%M} UTC cannot be read: the hour {which}, and "
        "the platform only tells its counters of this moment. Collect the running hour; a missed hour stays missing."
    )
