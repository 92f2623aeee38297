"""What happens on a simulated WhatsApp account: messages by template and outside of them, between two instants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.ids import PostRef, numeric_id
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.series import META_SETTLING, increments
from metrics_pipeline.sandbox.world import AccountWorld

PLATFORM = "whatsapp"
CURRENCY = "USD"
# Zones of the simulated accounts by the id that stands for them.
ZONES: Mapping[str, ZoneInfo] = {
    "1": ZoneInfo("America/Los_Angeles"),
    "25": ZoneInfo("America/Sao_Paulo"),
    "58": ZoneInfo("Europe/London"),
    "71": ZoneInfo("Asia/Kolkata"),
}
PRICE = 0.0625  # of one delivered marketing message; messages inside a conversation are free

# Template messages and messages inside a conversation, each as counters of the world.
TEMPLATE_COUNTERS = {"sent": "views", "delivered": "delivered", "read": "reads", "url": "clicks", "reply": "shares"}
SERVICE_COUNTERS = {"sent": "profile_visits", "delivered": "service_delivered"}


def template_id(account: AccountWorld, index: int) -> str:
    return numeric_id(PLATFORM, PostRef(account.external_id, index))


def timezone_id(account: AccountWorld) -> str:
    return list(ZONES)[int(account.luck("zone") * len(ZONES))]


def zone_of(account: AccountWorld) -> ZoneInfo:
    return ZONES[timezone_id(account)]


def category(index: int) -> str:
    """Every other template is marketing and has buttons."""
    return "UTILITY" if index % 2 else "MARKETING"


def counts(
    call: Call,
    account: AccountWorld,
    posts: Sequence[Post],
    counters: Mapping[str, str],
    edges: Sequence[float],
    day_at: Callable[[float], date],
) -> dict[str, list[list[int]]]:
    """Per name what each post brought between consecutive edges, restated days as the faults say."""
    grown = increments(account, posts, list(counters.values()), edges, call.at, META_SETTLING)
    factors = call.faults.restated(PLATFORM, account.external_id, call.at)
    weights = [factors.get(day_at(edge), 1.0) for edge in edges[:-1]]
    return {
        name: [[int(int(count) * weight) for count, weight in zip(row, weights, strict=True)] for row in grown[counter]]
        for name, counter in counters.items()
    }
