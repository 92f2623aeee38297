"""Request bodies: JSON of a bounded size, read strictly."""

from __future__ import annotations

import json
from typing import NoReturn

from starlette.requests import ClientDisconnect, Request

from metrics_pipeline.api.problems import Problem


async def read_json(request: Request, limit: int) -> object:
    """The body's JSON value; of at most `limit` bytes, whether its length was announced or not.

    Raises:
        Problem: 415 for another content type or encoding, 413 for too much, 400 for what is no JSON, or has two values
            of one name in an object: nobody can tell which one is meant.
    """
    _check_type(request)
    return parse_json(await read_body(request, limit), unique_names=True)


def parse_json(body: bytes, *, unique_names: bool = False) -> object:
    """The JSON value of a body that was read.

    Raises:
        Problem: 400 for what is no JSON.
    """
    try:
        pairs = _object_of if unique_names else None
        return json.loads(body.decode(), parse_constant=_refuse, object_pairs_hook=pairs)
    except (ValueError, RecursionError):  # also no UTF-8, a number of thousands of digits, NaN
        raise Problem(400, "invalid_json", "The body is no JSON text in UTF-8.") from None


def _check_type(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise Problem(415, "unsupported_media_type", "Send the body as Content-Type: application/json.")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Problem(415, "unsupported_encoding", "Send the body as it is, without Content-Encoding.")


async def read_body(request: Request, limit: int) -> bytes:
    """The body as it came, of at most `limit` bytes, whether its length was announced or not.

    Raises:
        Problem: 413 for too much, 400 where the connection ended before it.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise _too_large(limit)
            parts.append(part)
    except ClientDisconnect:
        raise Problem(400, "incomplete_body", "The connection ended before the body did.") from None
    return b"".join(parts)


def _too_large(limit: int) -> Problem:
    return Problem(413, "body_too_large", f"The body may have at most {limit} bytes.")


def _object_of(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name comes twice")
    return found


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")
