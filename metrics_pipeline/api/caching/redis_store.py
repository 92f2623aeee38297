"""Answers kept in Redis, for several processes. Every method raises RedisAway while it does not answer.

Names, all below PREFIX and the version of the program, as another version may answer differently:
`entry:<key without generation>` an answer; `tag:<tenant>:<tag>` the answers that carry a tag, by when they end;
`lock:<key>` who computes it; `clearing:<tenant>` and `clearings` change when something is cleared.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from importlib.metadata import version
from typing import Any

from metrics_pipeline.api.caching.entries import Held, Looked, Record, Selection, Token
from metrics_pipeline.api.caching.keys import CacheKey, escaped
from metrics_pipeline.api.caching.redis_record import decode, encode
from metrics_pipeline.redis_link import RedisLink

PREFIX = f"metrics-pipeline:cache:{escaped(version('metrics-pipeline'))}:"
# A computation that takes longer may be done by a second process as well.
LOCK_SECONDS = 10
# Longer than any computation: what began before a clearing has to see it.
_CLEARING_SECONDS = 86_400
# So many names at a time: each question stays far under what Redis is waited for.
_PAGE = 500
# The line about an answer fits into it; where it does not, the whole answer is read.
_HEADER_BYTES = 4096

# KEYS: entry, clearing, clearings, tags... ARGV: their state at the start (2), value, milliseconds, now, end
_PUT = """
if (redis.call('get', KEYS[2]) or '') ~= ARGV[1] or (redis.call('get', KEYS[3]) or '') ~= ARGV[2] then return 0 end
redis.call('set', KEYS[1], ARGV[3], 'PX', ARGV[4])
for i = 4, #KEYS do
  redis.call('zremrangebyscore', KEYS[i], '-inf', ARGV[5])
  redis.call('zadd', KEYS[i], ARGV[6], KEYS[1])
  if redis.call('pttl', KEYS[i]) < tonumber(ARGV[4]) then redis.call('pexpire', KEYS[i], ARGV[4]) end
end
return 1
"""
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


class RedisStore:
    """Ages are told by Redis's own clock: those of the processes do not have to agree."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._put = link.client.register_script(_PUT)
        self._release = link.client.register_script(_RELEASE)

    async def look(self, key: CacheKey) -> Looked:
        """See Store."""
        name = _entry(key.stable)

        async def read() -> tuple[bytes | None, int, Sequence[bytes | None]]:
            async with self._link.client.pipeline(transaction=True) as pipe:
                pipe.get(name)
                pipe.pttl(name)
                pipe.mget([_clearing(key.tenant), _clearing(None)])
                value, milliseconds, clearings = await pipe.execute()
            return value, milliseconds, clearings

        value, milliseconds, clearings = await self._link.ask(read)
        own, every = ((state or b"").decode() for state in clearings)
        token = ("redis", own, every)
        record = decode(value)
        if record is None or milliseconds < 0:
            return Looked(None, 0.0, token)
        return Looked(record, max(0.0, record.kept_seconds - milliseconds / 1000), token)

    async def put(self, key: CacheKey, record: Record, token: Token) -> None:
        """See Store."""
        store, own, every = token
        if store != "redis":
            return
        tags = [_tag(escaped(key.tenant), tag) for tag in sorted(record.entry.tags)]
        now, milliseconds = time.time(), math.ceil(record.kept_seconds * 1000)
        end = now + record.kept_seconds
        names = [_entry(key.stable), _clearing(key.tenant), _clearing(None), *tags]
        arguments: list[str | bytes | float] = [own, every, encode(record), milliseconds, now, end]
        await self._link.ask(lambda: self._put(keys=names, args=arguments))

    async def claim(self, key: CacheKey) -> str | None:
        """See Store."""
        claim = secrets.token_hex(8)
        got = await self._command("SET", _lock(key), claim, "NX", "PX", LOCK_SECONDS * 1000)
        return claim if got else None

    async def release(self, key: CacheKey, claim: str) -> None:
        """See Store."""
        await self._link.ask(lambda: self._release(keys=[_lock(key)], args=[claim]))

    async def clear(self, selection: Selection) -> int:
        """See Store."""
        # first of all: what is being computed now is not kept
        await self._command("SET", _clearing(selection.tenant), secrets.token_hex(8), "EX", _CLEARING_SECONDS)
        cleared = 0
        async for names in self._tagged(selection) if selection.tags else self._scan("entry:", selection.prefix):
            chosen = await self._chosen(selection, names)
            if chosen:
                cleared += int(await self._command("UNLINK", *chosen))
        return cleared

    async def held(self, tenant: str | None) -> Held:
        """See Store; the size is that of the values."""
        count = size = 0
        async for names in self._scan("entry:", Selection(tenant).prefix):
            lengths = await self._pipelined("strlen", names)
            count += sum(1 for length in lengths if length)
            size += sum(int(length) for length in lengths)
        return Held(count, size)

    async def is_shared(self) -> bool:
        """See Store."""
        return await self._link.check()

    async def close(self) -> None:
        """See Store."""
        await self._link.close()

    async def _chosen(self, selection: Selection, names: Sequence[bytes]) -> list[bytes]:
        """Those of the names that are meant. All are the tenant's; of their values only the head is read."""
        if selection.glob is None and not selection.tags:
            return list(names)
        heads = await self._pipelined("getrange", names, 0, _HEADER_BYTES - 1)
        chosen = []
        for name, head in zip(names, heads, strict=True):
            is_cut = head and b"\n" not in head
            record = decode(await self._command("GET", name) if is_cut else head)
            if record is not None and selection.takes(name.decode().removeprefix(_entry("")), record):
                chosen.append(name)
        return chosen

    async def _tagged(self, selection: Selection) -> AsyncIterator[Sequence[bytes]]:
        """Names of answers that carry one of the tags, or did."""
        sets: set[bytes] = set()
        for tag in selection.tags:
            if selection.tenant is not None:
                sets.add(_tag(escaped(selection.tenant), tag).encode())
                continue
            async for names in self._scan("tag:", "*", f":{escaped(tag)}"):
                sets.update(names)
        for name in sets:
            listed: list[bytes] = await self._command("ZRANGE", name, 0, -1)
            for first in range(0, len(listed), _PAGE):
                yield listed[first : first + _PAGE]

    async def _scan(self, kind: str, prefix: str, suffix: str = "*") -> AsyncIterator[Sequence[bytes]]:
        """Names that begin with this; nothing in an escaped key is a pattern to Redis."""
        pattern = f"{PREFIX}{kind}{prefix}{suffix}"
        cursor, is_through = 0, False
        while not is_through:
            names: list[bytes]
            cursor, names = await self._command("SCAN", cursor, "MATCH", pattern, "COUNT", _PAGE)
            if names:
                yield names
            is_through = not cursor

    async def _command(self, *parts: str | bytes | int) -> Any:
        execute: Callable[..., Awaitable[Any]] = self._link.client.execute_command
        return await self._link.ask(lambda: execute(*parts))

    async def _pipelined(self, command: str, names: Sequence[bytes], *arguments: int) -> list[bytes]:
        async def ask() -> list[bytes]:
            async with self._link.client.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.execute_command(command.upper(), name, *arguments)
                return list(await pipe.execute())

        return await self._link.ask(ask)


def _entry(stable: str) -> str:
    return f"{PREFIX}entry:{stable}"


def _lock(key: CacheKey) -> str:
    return f"{PREFIX}lock:{key.text}"


def _tag(tenant: str, tag: str) -> str:
    return f"{PREFIX}tag:{tenant}:{escaped(tag)}"


def _clearing(tenant: str | None) -> str:
    return f"{PREFIX}clearings" if tenant is None else f"{PREFIX}clearing:{escaped(tenant)}"
