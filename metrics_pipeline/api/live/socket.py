"""The WebSocket's conversation: authentication, subscriptions, heartbeats, and an orderly end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy.exc import DBAPIError
from starlette.websockets import WebSocket, WebSocketDisconnect

from metrics_pipeline.api.auth import Caller, Guard
from metrics_pipeline.api.live.live import KEY_INVALID, MOST_CHANNELS, TRY_LATER, Live
from metrics_pipeline.api.live.messages import Channel
from metrics_pipeline.api.live.subscription import Control, Subscription
from metrics_pipeline.api.problems import Problem
from metrics_pipeline.control.api_keys import READ

# A hundred channels of the longest names; uvicorn closes the connection for what is twice as long.
MESSAGE_BYTES = 32_768
AUTH_SECONDS = 5.0
_LONGEST_ID = 200

Fields = dict[str, Any]


class LiveSocket:
    """One WebSocket, from its handshake to its end."""

    def __init__(self, socket: WebSocket, live: Live, guard: Guard) -> None:
        self._socket = socket
        self._live = live
        self._guard = guard

    async def run(self) -> None:
        """Serve it. Raises Problem where the key of the header does not do: the handshake is refused then."""
        header = self._socket.headers.get("authorization")
        try:
            if header is not None:
                scheme, _, key = header.partition(" ")
                caller = await self._caller(key.strip() if scheme.lower() == "bearer" else "")
                subscription = self._live.open("websocket", caller)
                await self._serve(caller, key.strip(), subscription, accept=self._socket.accept)
                return
            await self._socket.accept()
            try:
                caller, key = await self._introduced()
                subscription = self._live.open("websocket", caller)
            except Problem as problem:
                await self._refuse(problem)
                return
            await self._serve(caller, key, subscription, accept=None)
        except (WebSocketDisconnect, RuntimeError, TimeoutError):
            return  # gone, or it takes nothing: uvicorn says so with a RuntimeError where it closed the connection

    async def _caller(self, key: str) -> Caller:
        caller = await self._guard.caller(key)
        caller.require_origin(self._socket.headers.get("origin"))
        caller.require_scope(READ)
        return caller

    async def _introduced(self) -> tuple[Caller, str]:
        """Who says {type: auth, key} first. Raises Problem."""
        try:
            async with asyncio.timeout(AUTH_SECONDS):
                said = _parsed(await self._socket.receive_text())
        except TimeoutError:
            raise Problem(401, "missing_key", "Send {type: auth, key} within 5 seconds.") from None
        except KeyError:  # binary
            raise _unusable("Send JSON as text.") from None
        if said.get("type") != "auth" or not isinstance(said.get("key"), str):
            raise Problem(401, "missing_key", "The first message is {type: auth, key}.")
        return await self._caller(said["key"]), said["key"]

    async def _refuse(self, problem: Problem) -> None:
        await self._say(Control("error", {"code": problem.code, "detail": problem.detail}))
        codes = {401: KEY_INVALID, 403: 4403, 422: 1003}
        await self._socket.close(codes.get(problem.status, TRY_LATER), problem.code)

    async def _serve(
        self, caller: Caller, key: str, subscription: Subscription, accept: Callable[[], Awaitable[None]] | None
    ) -> None:
        try:
            if accept is not None:
                await accept()
            await self._say(Control("ready", {"heartbeat_seconds": self._live.heartbeat_seconds}))
            sending = asyncio.create_task(self._send(subscription, key))
            hearing = asyncio.create_task(self._hear(caller, subscription))
            try:
                await asyncio.wait({sending, hearing}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sending.cancel()
                hearing.cancel()
                results = await asyncio.gather(sending, hearing, return_exceptions=True)
            if subscription.ended is not None:
                await self._socket.close(subscription.close_code, subscription.ended)
            for result in results:
                if isinstance(result, Exception):
                    raise result
        finally:
            self._live.drop(subscription)

    async def _send(self, subscription: Subscription, key: str) -> None:
        ping = Control("ping", {})
        async for item in self._live.items(subscription, key):
            await self._say_text((item or ping).text)

    async def _hear(self, caller: Caller, subscription: Subscription) -> None:
        while True:
            try:
                text = await self._socket.receive_text()
            except KeyError:
                subscription.tell(_error(_unusable("Send JSON as text."), None))
                continue
            while subscription.has_many_answers:
                await asyncio.sleep(0.05)
            said: Fields = {}
            try:
                said = _parsed(text)
                await self._answer(said, caller, subscription)
            except Problem as problem:
                subscription.tell(_error(problem, said.get("id")))
            except DBAPIError:
                away = Problem(503, "unavailable", "A store behind this service does not answer.")
                subscription.tell(_error(away, said.get("id")))

    async def _answer(self, said: Fields, caller: Caller, subscription: Subscription) -> None:
        match said.get("type"):
            case "subscribe":
                await self._subscribe(said, caller, subscription)
            case "unsubscribe":
                names = [name for name in _names(said) if name in subscription.channels]
                for name in names:
                    self._live.hub.leave(subscription, name)
                subscription.tell(Control("unsubscribed", {"channels": names, **_id(said)}))
            case "ping":
                subscription.tell(Control("pong", _id(said)))
            case "pong":
                pass
            case _:
                raise Problem(422, "unknown_type", "The type is subscribe, unsubscribe, ping or pong.")

    async def _subscribe(self, said: Fields, caller: Caller, subscription: Subscription) -> None:
        names = _names(said)
        if len({*subscription.channels, *names}) > MOST_CHANNELS:
            raise Problem(422, "too_many_channels", f"A connection has at most {MOST_CHANNELS} channels.")
        found = await self._live.find(caller, names)
        channels: list[Channel] = [channel for channel in found if channel is not None]
        await self._live.enter({channel.workspace_id for channel in channels})
        for channel in channels:
            self._live.hub.join(subscription, channel.name, channel.workspace_id)
        refused = [
            {"channel": name, "code": "not_found"} for name, known in zip(names, found, strict=True) if known is None
        ]
        subscription.tell(
            Control("subscribed", {"channels": [c.name for c in channels], "refused": refused, **_id(said)})
        )

    async def _say(self, control: Control) -> None:
        await self._say_text(control.text)

    async def _say_text(self, text: str) -> None:
        """Raises TimeoutError for a peer that takes nothing for two heartbeats."""
        async with asyncio.timeout(2 * self._live.heartbeat_seconds):
            await self._socket.send_text(text)


def _parsed(text: str) -> Fields:
    if len(text) > MESSAGE_BYTES:
        raise _unusable(f"A message has at most {MESSAGE_BYTES} characters.")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise _unusable("The message is no JSON.") from None
    if not isinstance(said, dict):
        raise _unusable("The message is no JSON object.")
    return said


def _names(said: Fields) -> Sequence[str]:
    names = said.get("channels")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise _unusable("`channels` is a list of names.")
    if len(names) > MOST_CHANNELS:
        raise Problem(422, "too_many_channels", f"A connection has at most {MOST_CHANNELS} channels.")
    return list(dict.fromkeys(names))


def _id(said: Fields) -> Fields:
    """The client's own id of its message, for the answer."""
    given = said.get("id")
    if given is None:
        return {}
    if not isinstance(given, str | int) or len(str(given)) > _LONGEST_ID:
        raise _unusable("`id` is a short text or a number.")
    return {"id": given}


def _error(problem: Problem, given: object) -> Control:
    usable = isinstance(given, str | int) and len(str(given)) <= _LONGEST_ID
    return Control("error", {"code": problem.code, "detail": problem.detail, **({"id": given} if usable else {})})


def _unusable(detail: str) -> Problem:
    return Problem(422, "invalid_message", detail)
