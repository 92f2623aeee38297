"""The sandbox as a web application: `/at/{instant}/{platform}/...`, `/{platform}/...` and its own `/sandbox/...`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from metrics_pipeline.clock import Clock
from metrics_pipeline.sandbox import facebook, instagram, linkedin, pinterest, threads, tiktok, whatsapp, x, youtube
from metrics_pipeline.sandbox.calls import Call, RefusedError, Reply
from metrics_pipeline.sandbox.control import control_routes
from metrics_pipeline.sandbox.faults import FaultBook
from metrics_pipeline.sandbox.request_log import Asked, RequestLog
from metrics_pipeline.sandbox.tokens import TokenEndpoints
from metrics_pipeline.sandbox.usage import Usage
from metrics_pipeline.sandbox.world import AccountWorld, World

ANSWERS: Mapping[str, Callable[[Call], Reply]] = {
    "facebook": facebook.answer,
    "instagram": instagram.answer,
    "linkedin": linkedin.answer,
    "pinterest": pinterest.answer,
    "threads": threads.answer,
    "tiktok": tiktok.answer,
    "whatsapp": whatsapp.answer,
    "x": x.answer,
    "youtube": youtube.answer,
}
# Platforms that ask some questions by POST.
POSTING = frozenset({"tiktok"})


class Platforms:
    """Answers every platform request from one world, one book of faults and one log."""

    def __init__(self, seed: int, clock: Clock, faults: FaultBook, log: RequestLog) -> None:
        self._world = World(seed, self._renamed)
        self._clock = clock
        self._faults = faults
        self._log = log
        self._usage = Usage()

    def _renamed(self, account: AccountWorld, instant: float) -> AccountWorld:
        fault = self._faults.renamed(account.platform, account.external_id, instant)
        return account if fault is None or fault.name is None else account.called(fault.name, fault.account_type)

    async def __call__(self, request: Request) -> Response:
        instant: str | None = request.path_params.get("at")
        at = self._clock.now() if instant is None else parse_at(instant)
        if at is None:
            return JSONResponse({"detail": f"'{instant}' is no ISO 8601 instant with a time zone"}, 400)
        platform: str = request.path_params["platform"]
        answer = ANSWERS.get(platform)
        if answer is None:
            return JSONResponse({"detail": f"no platform '{platform}'; there are {', '.join(ANSWERS)}"}, 404)
        if request.method == "POST" and platform not in POSTING:
            return JSONResponse({"detail": f"{platform} is asked by GET"}, 405)
        prefix = f"/at/{instant}/{platform}" if instant is not None else f"/{platform}"
        params = dict(request.query_params)
        call = Call(
            platform=platform,
            path="/" + request.path_params["path"],
            params=params,
            token=_token(request, params),
            at=at.timestamp(),
            base_url=f"{request.url.scheme}://{request.url.netloc}{prefix}",
            world=self._world,
            faults=self._faults,
            usage=self._usage,
            headers=request.headers,
            query=request.url.query,
            body=await _json_body(request),
        )
        try:
            reply = answer(call)
        except RefusedError as refused:
            reply = refused.reply
        self._log.add(Asked(platform, call.accounts, call.path, reply.status))
        if call.delay_seconds:
            await asyncio.sleep(call.delay_seconds)
        text = json.dumps(reply.body, separators=(",", ":")) if reply.raw is None else reply.raw
        return Response(text, reply.status, dict(reply.headers), "application/json")


def parse_at(text: str) -> datetime | None:
    """The instant a path names, or None where it is none."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo is not None else None


async def _json_body(request: Request) -> object:
    """What a POST brought, None where it brought nothing that is JSON."""
    try:
        return json.loads(await request.body()) if request.method == "POST" else None
    except ValueError:
        return None


def _token(request: Request, params: Mapping[str, str]) -> str | None:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credentials.strip():
        return credentials.strip()
    return request.headers.get("access-token") or params.get("access_token") or None


def make_app(seed: int, clock: Clock, faults: FaultBook, log: RequestLog) -> Starlette:
    """The application; `faults` and `log` stay in the caller's hands."""
    platforms = Platforms(seed, clock, faults, log)
    return Starlette(
        routes=[
            Mount("/sandbox", routes=control_routes(faults, log, seed)),
            *TokenEndpoints.noting(log).routes(),
            Route("/at/{at}/{platform}/{path:path}", platforms.__call__, methods=["GET", "POST"]),
            Route("/{platform}/{path:path}", platforms.__call__, methods=["GET", "POST"]),
        ]
    )
