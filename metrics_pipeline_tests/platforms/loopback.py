"""A real HTTP server on loopback whose answers a test writes itself."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext, Outcome, Reading
from metrics_pipeline.platforms.errors import PlatformError
from metrics_pipeline.platforms.registry import build_adapter
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
TOKEN = "s3cret/Token+with=signs"


@dataclass(frozen=True)
class Asked:
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    query: str = ""  # as it was sent, still encoded
    raw_path: str = ""
    method: str = "GET"
    body: object = None


@dataclass(frozen=True)
class Reply:
    body: object = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Asked], Reply]


class Loopback:
    """`answer` decides what each request gets; `asked` is what came in."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Handler = lambda _asked: Reply({}, 404)
        app = Starlette(routes=[Route("/{path:path}", self._serve, methods=["GET", "POST"])])
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    async def _serve(self, request: Request) -> Response:
        raw_path = request.scope["raw_path"].decode()
        body = await request.json() if request.method == "POST" else None
        asked = Asked(
            request.url.path,
            dict(request.query_params),
            dict(request.headers),
            request.url.query,
            raw_path,
            request.method,
            body,
        )
        self.asked.append(asked)
        reply = self.answer(asked)
        text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        return Response(text, reply.status, dict(reply.headers), media_type="application/json")

    def reset(self) -> None:
        self.asked.clear()
        self.answer = lambda _asked: Reply({}, 404)

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@dataclass
class Turn:
    """What one account's turn yielded, the error that ended it, and how long it would have slept."""

    result: AccountResult = field(default_factory=AccountResult)
    error: PlatformError | None = None
    slept: list[float] = field(default_factory=list)

    def value(self, metric: str, post_id: str | None = None, window: str | None = None) -> float | None:
        found = self.readings(metric, post_id, window)
        assert len(found) <= 1, found
        return found[0].value if found else None

    def readings(self, metric: str, post_id: str | None = None, window: str | None = None) -> list[Reading]:
        return [
            r for r in self.result.readings if (r.metric, r.post_id) == (metric, post_id) and window in (None, r.window)
        ]

    def outcome(self, level: str, metric: str, day: str | None = None, window: str = "P1D") -> Outcome:
        found = [
            o
            for o in self.result.outcomes
            if (o.level, o.metric, o.window) == (level, metric, window) and day in (None, o.date.isoformat())
        ]
        assert len(found) == 1, (level, metric, day, found)
        return found[0]


def settings_for(loopback: Loopback, platform: str, **more: object) -> Settings:
    values: dict[str, object] = {f"{platform}_base_url": loopback.url, "now": NOW, **more}
    return Settings(**values)  # type: ignore[arg-type]


def account_of(platform: str, external_id: str = "17001", token: str = TOKEN) -> Account:
    return Account("w1", f"a-{external_id}", platform, external_id, token)


def take_turn(
    platform: str,
    settings: Settings,
    *,
    window: Window | None = None,
    known: tuple[str, ...] = (),
    now: datetime = NOW,
    observed_at: datetime | None = None,
    external_id: str = "17001",
    post_age: timedelta | None = timedelta(days=35),
    reads_account: bool = True,
) -> Turn:
    """One turn of one account through the platform's own adapter, over real HTTP, without real sleeping."""
    turn = Turn()

    async def sleep(seconds: float) -> None:
        turn.slept.append(seconds)

    async def run() -> None:
        adapter = build_adapter(platform, settings, sleep=sleep)
        context = CollectionContext(now, observed_at or now, known, post_age, reads_account)
        account = account_of(platform, external_id)
        try:
            if window is None:
                await adapter.counters(account, context, turn.result)
            else:
                await adapter.insights(account, window, context, turn.result)
        except PlatformError as error:
            turn.error = error
        finally:
            await adapter.aclose()

    asyncio.run(run())
    return turn
