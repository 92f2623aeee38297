"""`GET /v1/live` and WebSocket `/v1/live/ws`: what changed, told within a second or two of the commit."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, WebSocket
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from metrics_pipeline.api.answers import errors_of
from metrics_pipeline.api.callers import Reader
from metrics_pipeline.api.live.live import MOST_CHANNELS, Live, Resumed, channel_or_404
from metrics_pipeline.api.live.messages import Channel, Message
from metrics_pipeline.api.live.socket import LiveSocket
from metrics_pipeline.api.live.subscription import Subscription
from metrics_pipeline.api.problems import Problem
from metrics_pipeline.api.services import Parts, Services

router = APIRouter(prefix="/v1", tags=["live"])

ERRORS = errors_of(
    {
        401: "missing_key or invalid_key.",
        403: "insufficient_scope, or workspace_required: an operator's key names its channel.",
        404: "not_found: there is no such channel, or not for this key.",
        422: "one_workspace: the channels of a stream belong to one workspace; or invalid_request.",
        429: "too_many_connections: of the workspace; wait for Retry-After.",
        503: "live_full, stopping or unavailable: try again after Retry-After.",
    }
)
_OWN = "[A-Za-z0-9._-]{1,64}"
_ChannelName = Annotated[
    str, WithJsonSchema({"type": "string", "pattern": f"^(workspace:{_OWN}|account:{_OWN}/{_OWN})$"})
]


@dataclass(frozen=True)
class Stream:
    """A connection that was let in."""

    live: Live
    subscription: Subscription
    key: str
    resumed: Resumed
    days: dict[str, str | None]
    is_again: bool


async def _stream(
    request: Request,
    caller: Reader,
    parts: Parts,
    channel: Annotated[
        list[_ChannelName] | SkipJsonSchema[None],
        Query(
            max_length=MOST_CHANNELS,
            description="`workspace:<id>` or `account:<workspace>/<id>`, repeated for several of one workspace; "
            "by default the key's workspace.",
        ),
    ] = None,
    last_event_id: Annotated[
        str | SkipJsonSchema[None],
        Header(description="The last id that was received: what was missed since is sent first."),
    ] = None,
) -> AsyncIterator[Stream]:
    live = parts.live
    names = list(dict.fromkeys(channel or [Channel(caller.own_workspace()).name]))
    channels = channel_or_404(await live.find(caller, names))
    if len({each.workspace_id for each in channels}) > 1:
        raise Problem(422, "one_workspace", "The channels of a stream belong to one workspace; open one for each.")
    subscription = live.open("sse", caller)
    try:
        await live.enter({channels[0].workspace_id})
        resumed = live.resume(subscription, channels, last_event_id or None)
        days = await live.newest_days(channels)
        key = request.headers["authorization"].partition(" ")[2].strip()
        yield Stream(live, subscription, key, resumed, days, bool(last_event_id))
    finally:
        live.drop(subscription)


@router.get("/live", response_class=EventSourceResponse, responses=ERRORS, name="live")
async def live(stream: Annotated[Stream, Depends(_stream)]) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: which numbers changed, so that they can be asked for again.

    The first event is `snapshot`: where things stand. Then `metrics.updated`, `post_metrics.updated` and
    `aggregates.updated`, each with channel, table, days or periods, metrics and entities that changed, and the new
    values where they are few; and `realtime`, the figures of the last minute that events feed, at most once a second.
    `reset` says that something may have been missed: ask for everything again. `bye` comes
    before the server ends the stream. Who comes back with `Last-Event-ID`, as browsers do by themselves, gets what was
    missed, or `reset` where that is not known any more.
    """
    resumed = stream.resumed
    channels = [{"channel": name, "newest_day": day} for name, day in sorted(stream.days.items())]
    is_known = resumed.missed is not None
    snapshot = {"channels": channels, "generation": resumed.position, "resumed": stream.is_again and is_known}
    yield _event("snapshot", {"type": "snapshot", "data": snapshot}, resumed.position, retry=random.randint(1000, 3000))  # noqa: S311
    if not is_known:
        reset = {"type": "reset", "reason": "unknown_id", "channels": sorted(stream.days), "id": resumed.position}
        yield _event("reset", reset, resumed.position)
    for message in resumed.missed or []:
        yield ServerSentEvent(raw_data=message.text, event=message.draft.type, id=message.id)
    async for item in stream.live.items(stream.subscription, stream.key):
        if item is None:
            yield ServerSentEvent(comment="heartbeat")
        elif isinstance(item, Message):
            yield ServerSentEvent(raw_data=item.text, event=item.draft.type, id=item.id)
        else:
            yield ServerSentEvent(raw_data=item.text, event=item.type, id=item.id)


def _event(name: str, data: dict[str, Any], id_: str, retry: int | None = None) -> ServerSentEvent:
    return ServerSentEvent(data=data, event=name, id=id_ or None, retry=retry)


@router.websocket("/live/ws")
async def live_socket(socket: WebSocket) -> None:
    """The same over a WebSocket, whose channels can be changed while it is open."""
    services = socket.app.state.services
    assert isinstance(services, Services)  # noqa: S101 - for the type checker: the application sets it
    await LiveSocket(socket, services.live, services.guard).run()
