"""`POST /v1/events/track` and `/v1/events/track-batch`: 202 means that it is on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from metrics_pipeline.api.answers import ERRORS, instant_text
from metrics_pipeline.api.auth import Caller
from metrics_pipeline.api.bodies import read_json
from metrics_pipeline.api.callers import Ingester
from metrics_pipeline.api.event_schema import BATCH_BODY, TRACK_BODY
from metrics_pipeline.api.problems import RETRY_SECONDS, Problem, unavailable
from metrics_pipeline.api.services import Parts, Services
from metrics_pipeline.events.fields import Invalid, instant
from metrics_pipeline.events.geoip import Place
from metrics_pipeline.events.model import Handover
from metrics_pipeline.events.results import EventResult
from metrics_pipeline.shapes.events import BatchAnswer, TrackAnswer

MOST_EVENTS = 100
EVENT_BYTES = 32_768
BATCH_BYTES = 1_048_576

router = APIRouter(prefix="/v1/events", tags=["events"])


@router.post(
    "/track",
    status_code=202,
    response_model=TrackAnswer,
    responses=ERRORS,
    openapi_extra=TRACK_BODY,
    name="track_event",
)
async def track(request: Request, caller: Ingester, parts: Parts) -> JSONResponse:
    """Take one event.

    Answered once the event is durable; `status` is `accepted`, or `duplicate` where its id is stored already. An
    event that can never be taken is a 422 whose `code` and `pointer` say why.
    """
    workspace_id = caller.own_workspace()
    event = await read_json(request, EVENT_BYTES)
    headers = await parts.limits.spend_single(caller, _end_user(event))
    received_at = parts.clock.now()
    handover = Handover(workspace_id, received_at, None, *_of_viewer(request, caller, parts))
    [result] = await parts.ingestion.hand_in(handover, [event])
    if result.status == "retry":
        raise unavailable("The event could not be stored; nothing of it was.", result.code or "unavailable")
    if result.status == "rejected":
        detail = f"The event cannot be taken: {result.detail}."
        pointer = {"pointer": result.pointer or ""}
        raise Problem(422, result.code or "invalid_event", detail, headers=headers, extensions=pointer)
    data = {"event_id": result.event_id, "received_at": instant_text(received_at), "status": result.status}
    return JSONResponse({"data": data, "meta": {}}, 202, headers=headers)


@router.post(
    "/track-batch",
    status_code=202,
    response_model=BatchAnswer,
    responses=ERRORS,
    openapi_extra=BATCH_BODY,
    name="track_batch",
)
async def track_batch(request: Request, caller: Ingester, parts: Parts) -> JSONResponse:
    """Take up to 100 events, as after time offline.

    One result per event, in the order sent; a bad event never fails the others. Only events with status `retry` are
    to be sent again. `sent_at` is the client's clock at this very try: set it anew at each.
    """
    workspace_id = caller.own_workspace()
    batch, sent_at = _envelope(await read_json(request, BATCH_BYTES))
    users = {_end_user(event) for event in batch} if caller.is_browser else set()
    headers = await parts.limits.spend_batch(caller, users, len(batch))
    received_at = parts.clock.now()
    handover = Handover(workspace_id, received_at, sent_at, *_of_viewer(request, caller, parts))
    results = await parts.ingestion.hand_in(handover, batch)
    counted = Counter(result.status for result in results)
    if counted["retry"] == len(results):
        raise unavailable("The events could not be stored; nothing of them was.", results[0].code or "unavailable")
    if counted["retry"]:
        headers["Retry-After"] = str(RETRY_SECONDS)
    data = {
        "accepted": counted["accepted"],
        "duplicates": counted["duplicate"],
        "rejected": counted["rejected"],
        "results": [_answer(index, result) for index, result in enumerate(results)],
        "received_at": instant_text(received_at),
    }
    # A batch of nothing but bad events is answered like any other, or clients would send it for ever.
    meta = {"warning": "every event was rejected"} if counted["rejected"] == len(results) else {}
    return JSONResponse({"data": data, "meta": meta}, 202, headers=headers)


def _envelope(body: object) -> tuple[Sequence[object], datetime | None]:
    """The events of a batch and when it was sent.

    Raises:
        Problem: 422 where it is no batch.
    """
    if not isinstance(body, dict):
        raise _unusable("invalid_batch", "must be an object with the list `batch`", "")
    batch = body.get("batch")
    if not isinstance(batch, list) or not batch:
        raise _unusable("invalid_batch", f"must be a list of 1 to {MOST_EVENTS} events", "/batch")
    if len(batch) > MOST_EVENTS:
        raise _unusable("too_many_events", f"may have at most {MOST_EVENTS} events", "/batch")
    name = "sent_at" if "sent_at" in body else "sentAt"
    if body.get(name) is None:
        return batch, None
    try:
        return batch, instant(body[name])
    except Invalid as reason:
        raise _unusable("invalid_sent_at", reason.detail, f"/{name}") from None


def _unusable(code: str, rule: str, pointer: str) -> Problem:
    return Problem(422, code, f"{pointer or 'The body'} {rule}.", extensions={"pointer": pointer})


def _end_user(event: object) -> str:
    """Whom a browser's event counts for: the person it names, else the session, else everyone who names nobody."""
    if isinstance(event, Mapping):
        for name in ("userId", "user_id", "sessionId", "session_id"):
            if isinstance(given := event.get(name), str) and given:
                return given
    return ""


def _of_viewer(request: Request, caller: Caller, parts: Services) -> tuple[str | None, Place | None]:
    """User agent and place of the viewer, that is of a browser; behind a server's key both are the server's own."""
    return (request.headers.get("user-agent"), parts.places.of(request)) if caller.is_browser else (None, None)


def _answer(index: int, result: EventResult) -> dict[str, object]:
    answer: dict[str, object] = {"index": index, "event_id": result.event_id, "status": result.status}
    if result.code is not None:
        answer["code"] = result.code
    if result.detail is not None:
        answer["detail"] = result.detail
    if result.pointer is not None:
        answer["pointer"] = f"/batch/{index}{result.pointer}"
    return answer
