"""What nobody expected: logged without a value, answered with a trace id."""

from __future__ import annotations

import logging
import traceback

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from metrics_pipeline.api.operations.request_record import record_of
from metrics_pipeline.api.problems import Problem

log = logging.getLogger(__name__)


class LastResort:
    """Around everything that answers: what nobody expected is logged without any value and answered with a trace id.

    An exception's own message may hold what was sent, so the log gets its type and the lines of code only.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] in ("http.response.start", "websocket.accept")
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - the boundary of one request: the others go on
            trace_id = record_of(scope).trace_id
            lines = "".join(traceback.format_tb(error.__traceback__))
            log.error("request %s failed with %s\n%s", trace_id, type(error).__qualname__, lines)
            if not started:
                problem = Problem(
                    500, "internal_error", "This is a fault of the service.", extensions={"trace_id": trace_id}
                )
                await problem.response()(scope, receive, send)
