"""Pins of an account with their totals so far: the list, and single pins the list does not show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from metrics_pipeline.platforms.contract import AccountResult, Post
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience

PAGE_SIZE = 250
TOTALS = ("impression", "pin_click", "clickthrough", "save", "reaction", "comment")
_NOT_NEEDED = (
    "description", "link", "media", "board_id", "board_section_id", "board_owner", "is_owner", "is_standard",
    "has_been_promoted", "dominant_color", "alt_text", "parent_pin_id", "product_tags", "note", "is_removable",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pin:
    """A pin and its totals so far; None where the platform has none for this pin."""

    post: Post
    totals: dict[str, float] | None


async def list_pins(session: Session, oldest: datetime, *, newest_first: bool, result: AccountResult) -> list[Pin]:
    """The account's own pins created since `oldest`; saved pins of others are left out.

    The order of the list is not documented: without `newest_first` every page is read.
    """
    found: dict[str, Pin] = {}  # a pin created between two pages may shift the next one: ids may repeat
    bookmark: str | None = None
    while True:
        params = {"page_size": str(PAGE_SIZE), "pin_metrics": "true", "pin_filter": "exclude_repins"}
        answer = await session.get("/v5/pins", params | ({"bookmark": bookmark} if bookmark else {}))
        last: datetime | None = None
        with Fields(answer.body, "pins", result.unknown_fields) as body:
            if "items" not in body.names():
                raise PlatformError(Act.CONFIG, "the list of pins came without items")
            for entry in body.children("items"):
                pin = pin_in(entry)
                if pin is None:
                    continue
                last = pin.post.published_at
                if last is None or last >= oldest:
                    found[pin.post.post_id] = pin
            following = body.text("bookmark")
        # A page may be short or empty and still have a successor: only a missing or repeated bookmark ends the list.
        if not following or following == bookmark or (newest_first and last is not None and last < oldest):
            return list(found.values())
        bookmark = following


async def look_up(
    session: Session, ids: Sequence[str], patience: Patience, result: AccountResult
) -> tuple[list[Pin], list[Post]]:
    """The known pins a list did not show: (still there, gone)."""
    there: list[Pin] = []
    gone: list[Post] = []
    for pin_id in ids:
        try:
            answer = await session.get(f"/v5/pins/{pin_id}", {"pin_metrics": "true"})
        except PlatformError as error:
            if error.act is Act.SKIP_OBJECT:
                gone.append(Post(pin_id, deleted=True))
            else:
                patience.weigh(error)
            continue
        patience.succeeded()
        pin = pin_in(Fields(answer.body, "pin", result.unknown_fields))
        if pin is not None:
            there.append(pin)
    return there, gone


def pin_in(entry: Fields) -> Pin | None:
    """One pin; None, and a report, where it has no id."""
    with entry:
        entry.ignore(*_NOT_NEEDED)
        pin_id, created, title = entry.identifier("id"), entry.instant("created_at"), entry.text("title")
        kind, totals = (entry.text("creative_type") or "REGULAR").lower(), _totals(entry.child("pin_metrics"))
        if pin_id is None:
            entry.report("a pin without an id")
            return None
        post_type = "pin" if kind == "regular" else kind
        return Pin(Post(pin_id, post_type, created, title, f"https://www.pinterest.com/pin/{pin_id}/"), totals)


def _totals(metrics: Fields | None) -> dict[str, float] | None:
    """The lifetime figures. Those of 90 days are a window that moves with the day of asking, so they are left."""
    if metrics is None:
        return None
    with metrics:
        metrics.ignore("90d")
        lifetime = metrics.child("lifetime_metrics")
        if lifetime is None:
            return None
        with lifetime:
            return {name: value for name in TOTALS if (value := lifetime.number(name)) is not None}
