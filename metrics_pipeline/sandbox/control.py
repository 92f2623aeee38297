"""The sandbox's own endpoints: faults, the request log, health."""

from __future__ import annotations

from json import JSONDecodeError
from typing import get_args

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from metrics_pipeline.sandbox.faults import Fault, FaultBook, FaultKind
from metrics_pipeline.sandbox.request_log import RequestLog

_FILTERS = ("platform", "external_id", "fault")


def control_routes(faults: FaultBook, log: RequestLog, seed: int) -> list[Route]:
    """Routes below `/sandbox`.

    GET, POST, DELETE /faults: list, switch on (JSON body of a Fault), switch off (query parameters platform,
    external_id, fault; none means all). GET, DELETE /log: counted requests, forget them. GET /health.
    """

    async def list_faults(request: Request) -> Response:
        return JSONResponse({"faults": [_shown(fault) for fault in faults.listed()]})

    async def set_fault(request: Request) -> Response:
        try:
            fault = Fault.model_validate(await request.json())
        except JSONDecodeError:
            return JSONResponse({"detail": "the body is no JSON"}, 400)
        except ValidationError as error:
            details = [{"field": list(e["loc"]), "message": e["msg"]} for e in error.errors(include_input=False)]
            return JSONResponse({"detail": details}, 422)
        faults.add(fault)
        return JSONResponse(_shown(fault), 201)

    async def clear_faults(request: Request) -> Response:
        unknown = sorted(set(request.query_params) - set(_FILTERS))
        if unknown:
            return JSONResponse({"detail": f"faults are not cleared by {', '.join(unknown)}"}, 400)
        platform, external_id, kind = (request.query_params.get(name) for name in _FILTERS)
        if kind is not None and kind not in get_args(FaultKind):
            return JSONResponse({"detail": f"there is no fault '{kind}'"}, 400)
        return JSONResponse({"cleared": faults.clear(platform, external_id, _kind(kind))})

    async def show_log(request: Request) -> Response:
        counted = log.items()
        entries = [
            {
                "platform": asked.platform,
                "accounts": list(asked.accounts),
                "path": asked.path,
                "status": asked.status,
                "count": count,
            }
            for asked, count in counted
        ]
        busiest = [
            {"platform": platform, "path": path, "count": count}
            for (platform, path), count in log.busiest_minute().items()
        ]
        return JSONResponse(
            {"total": sum(count for _, count in counted), "requests": entries, "busiest_minute": busiest}
        )

    async def clear_log(request: Request) -> Response:
        log.clear()
        return Response(status_code=204)

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok", "seed": seed})

    return [
        Route("/faults", list_faults, methods=["GET"]),
        Route("/faults", set_fault, methods=["POST"]),
        Route("/faults", clear_faults, methods=["DELETE"]),
        Route("/log", show_log, methods=["GET"]),
        Route("/log", clear_log, methods=["DELETE"]),
        Route("/health", health, methods=["GET"]),
    ]


def _kind(text: str | None) -> FaultKind | None:
    known: tuple[FaultKind, ...] = get_args(FaultKind)
    return next((kind for kind in known if kind == text), None)


def _shown(fault: Fault) -> dict[str, object]:
    """A fault as JSON; the token it refuses is not repeated."""
    shown: dict[str, object] = fault.model_dump(mode="json", exclude_none=True)
    if "token" in shown:
        shown["token"] = "***"  # noqa: S105 - a mask
    return shown
