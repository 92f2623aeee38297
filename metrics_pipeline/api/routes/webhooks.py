"""`/v1/webhooks/whatsapp`: Meta tells what became of messages. 200 means that it is on disk."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic.config import JsonDict
from starlette.responses import JSONResponse, PlainTextResponse

from metrics_pipeline.api.answers import NotifiedAnswer, errors_of
from metrics_pipeline.api.bodies import parse_json, read_body
from metrics_pipeline.api.body_shapes import NO_NUL
from metrics_pipeline.api.problems import Problem, not_found, unavailable
from metrics_pipeline.api.services import Parts, Services
from metrics_pipeline.api.whatsapp_webhook import WhatsAppWebhook, is_signature
from metrics_pipeline.events.whatsapp_statuses import read_notification

# Meta bundles up to 1,000 updates; 3 MB is what it says a notification may have.
NOTIFICATION_BYTES = 3_145_728
LONGEST_CHALLENGE = 1024
SIGNATURE = "X-Hub-Signature-256"

log = logging.getLogger(__name__)
router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

_TEXT: JsonDict = {"pattern": NO_NUL}
_ERRORS = errors_of(
    {
        400: "invalid_json, incomplete_body.",
        401: "missing_signature or invalid_signature.",
        404: "not_found: no webhook is set up here.",
        413: "body_too_large.",
        503: "Nothing was stored; the same notification is to be sent again.",
    }
)
# Written by hand: the body is not parsed, and the header not looked at, before the one is checked against the other.
_NOTIFICATION = {
    "object": "whatsapp_business_account",
    "entry": [
        {
            "id": "102290129340398",
            "changes": [
                {
                    "field": "messages",
                    "value": {
                        "messaging_product": "whatsapp",
                        "metadata": {"phone_number_id": "106540352242922"},
                        "statuses": [
                            {
                                "id": "wamid.A1",
                                "status": "delivered",
                                "timestamp": "1795600000",
                                "recipient_id": "49151",
                            }
                        ],
                    },
                }
            ],
        }
    ],
}
_REQUEST = {
    "parameters": [
        {
            "name": SIGNATURE,
            "in": "header",
            "required": True,
            "description": "The body's signature under the app's secret.",
            "schema": {"type": "string", "pattern": "^sha256=[0-9a-f]{64}$"},
        }
    ],
    "requestBody": {
        "required": True,
        "description": "As Meta sends it: `entry[].changes[]` with the field `messages`.",
        "content": {"application/json": {"schema": {"type": "object", "example": _NOTIFICATION}}},
    },
}


@router.get(
    "/whatsapp",
    response_class=PlainTextResponse,
    responses=errors_of(
        {403: "verification_failed.", 404: "not_found: no webhook is set up here.", 422: "invalid_request."}
    ),
    name="verify_whatsapp_webhook",
)
async def verify(
    parts: Parts,
    mode: Annotated[str, Query(json_schema_extra=_TEXT, alias="hub.mode", description="`subscribe`.")] = "",
    token: Annotated[
        str, Query(json_schema_extra=_TEXT, alias="hub.verify_token", description="The word that was agreed on.")
    ] = "",
    challenge: Annotated[
        str,
        Query(
            json_schema_extra=_TEXT,
            alias="hub.challenge",
            max_length=LONGEST_CHALLENGE,
            description="To be given back.",
        ),
    ] = "",
) -> PlainTextResponse:
    """Meta asks once, when the webhook is set up, and gets its challenge back.

    No key: `hub.verify_token` has to be METRICS_WHATSAPP_VERIFY_TOKEN.
    """
    is_known = _webhook(parts).knows(token)
    if not is_known or mode != "subscribe":
        raise Problem(403, "verification_failed", "This is not how the webhook was set up.")
    return PlainTextResponse(challenge, headers={"X-Content-Type-Options": "nosniff"})


@router.post(
    "/whatsapp", response_model=NotifiedAnswer, responses=_ERRORS, openapi_extra=_REQUEST, name="notify_whatsapp"
)
async def notify(request: Request, parts: Parts) -> JSONResponse:
    """Take a notification of the WhatsApp Business Platform: statuses of messages that were sent.

    No key: the header `X-Hub-Signature-256` has to be `sha256=` and the hexadecimal HMAC-SHA256 of the raw body under
    the app's secret. Answered with 200 once what is kept is durable. What is not about statuses is counted and ignored.
    """
    webhook, signature = _webhook(parts), request.headers.get(SIGNATURE, "")
    if not is_signature(signature):
        raise _unsigned("missing_signature", f"A notification carries {SIGNATURE}.")
    body = await read_body(request, NOTIFICATION_BYTES)
    if not webhook.has_signed(body, signature):
        raise _unsigned("invalid_signature", "The signature was not made from this body with the app's secret.")
    found = read_notification(parse_json(body), parts.clock.now(), webhook.recipients)
    if found.ignored["malformed"]:
        log.warning("%d statuses of a WhatsApp notification cannot be read", found.ignored["malformed"])
    if found.rows and (retry := await parts.ingestion.keep(*found.rows)) is not None:
        raise unavailable("The notification could not be stored; nothing of it was.", retry.code)
    return JSONResponse({"data": {"accepted": len(found.rows), "ignored": dict(found.ignored)}, "meta": {}})


def _webhook(parts: Services) -> WhatsAppWebhook:
    if parts.whatsapp is None:
        raise not_found()
    return parts.whatsapp


def _unsigned(code: str, detail: str) -> Problem:
    return Problem(401, code, detail, headers={"WWW-Authenticate": SIGNATURE})
