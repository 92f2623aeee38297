"""What processes share in Redis: positions of workspaces, the newest messages, and who looks at the tables.

Every change is one script, so that a message has its place in its workspace's sequence and in the stream at once, and a
move of a table is told once whoever saw it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from metrics_pipeline.api.live.feed import Step
from metrics_pipeline.api.live.hub import KEPT, KEPT_PER_WORKSPACE, LINGER_SECONDS, new_epoch
from metrics_pipeline.api.live.messages import Draft, Message
from metrics_pipeline.errors import UserError

PREFIX = "metrics-pipeline:live:"
LEASE_MILLISECONDS = 5000
# A Redis nearby answers within a millisecond.
LONGEST_SECONDS = 2.0
BLOCK_MILLISECONDS = 1000

_ENTER = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2])
return {redis.call('HGET', KEYS[2], ARGV[1]), redis.call('HGET', KEYS[3], ARGV[1]) or '0',
        redis.call('LRANGE', KEYS[4], 0, -1)}
"""
_STAY = """
local now = tonumber(redis.call('TIME')[1])
local epochs = {}
for i = 2, #ARGV do
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[1]), ARGV[i])
  epochs[i - 1] = redis.call('HGET', KEYS[2], ARGV[i]) or ''
end
return epochs
"""
_LISTENING = """
local now = tonumber(redis.call('TIME')[1])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  redis.call('HDEL', KEYS[2], gone)
  redis.call('HDEL', KEYS[3], gone)
  redis.call('DEL', ARGV[1] .. gone)
  redis.call('ZREM', KEYS[1], gone)
end
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""
_LEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 1
end
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 2 or 0
"""
_TELL = """
if ARGV[1] ~= '' then
  if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
for i = 7, #ARGV, 2 do
  local epoch = redis.call('HGET', KEYS[2], ARGV[i])
  if epoch then
    local sequence = redis.call('HINCRBY', KEYS[3], ARGV[i], 1)
    local entry = cjson.encode({epoch, sequence}) .. ARGV[i + 1]
    redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[4], '*', 'm', entry)
    local ring = ARGV[6] .. ARGV[i]
    redis.call('RPUSH', ring, entry)
    redis.call('LTRIM', ring, -tonumber(ARGV[5]), -1)
    redis.call('EXPIRE', ring, 3600)
  end
end
return 1
"""


@dataclass(frozen=True)
class Position:
    """Where a workspace's sequence stands, and its newest messages."""

    epoch: str
    last: int
    kept: list[Message]


class SharedStore:
    """One connection pool; every call raises RedisError, OSError or TimeoutError where Redis does not answer."""

    def __init__(self, url: str) -> None:
        """Connects when first asked. Raises UserError for what is no Redis URL."""
        try:
            self._redis: Redis = Redis.from_url(
                url,
                decode_responses=True,
                socket_connect_timeout=LONGEST_SECONDS,
                socket_timeout=LONGEST_SECONDS + BLOCK_MILLISECONDS / 1000,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError:
            raise UserError("METRICS_REDIS_URL is no Redis URL; write redis://host:6379/0.") from None
        self._token = secrets.token_hex(8)
        self._run = {
            name: self._redis.register_script(text)
            for name, text in (
                ("enter", _ENTER),
                ("stay", _STAY),
                ("listening", _LISTENING),
                ("lease", _LEASE),
                ("tell", _TELL),
            )
        }

    async def ping(self) -> None:
        """Returns where Redis answers."""
        await self._redis.ping()

    async def disconnect(self) -> None:
        """Drop connections: those that broke would fail again, each when it is next used."""
        await self._redis.connection_pool.disconnect()

    async def close(self) -> None:
        """Let go of the lease and of the connections."""
        await self._redis.aclose()

    async def newest(self) -> str:
        """The place in the stream after which everything is to come."""
        found = await self._redis.xrevrange(PREFIX + "stream", count=1)
        return str(found[0][0]) if found else "0-0"

    async def read(self, after: str) -> tuple[str, list[Message]]:
        """Messages after a place in the stream, and the place to go on from; waits a second for the first."""
        found: Any = await self._redis.xread({PREFIX + "stream": after}, count=500, block=BLOCK_MILLISECONDS)
        if isinstance(found, dict):  # as the third version of the protocol has it
            found = [(name, parts[0]) for name, parts in found.items()]
        entries = found[0][1] if found else []
        if not entries:
            return after, []
        return str(entries[-1][0]), [_message(fields["m"]) for _, fields in entries]

    async def enter(self, workspace_id: str) -> Position:
        """Listen to a workspace: its sequence is begun, or goes on."""
        keys = [PREFIX + "watched", PREFIX + "epochs", PREFIX + "sequences", _ring(workspace_id)]
        epoch, last, kept = await self._run["enter"](keys, [workspace_id, new_epoch(), int(LINGER_SECONDS)])
        messages = [message for text in kept if (message := _message(text)).epoch == epoch]
        return Position(str(epoch), int(last), messages)

    async def stay(self, workspaces: Sequence[str]) -> dict[str, str]:
        """Go on listening; the epochs that Redis has of them, empty where it knows none."""
        if not workspaces:
            return {}
        keys = [PREFIX + "watched", PREFIX + "epochs"]
        epochs = await self._run["stay"](keys, [int(LINGER_SECONDS), *workspaces])
        return dict(zip(workspaces, map(str, epochs), strict=True))

    async def listening(self) -> frozenset[str]:
        """Workspaces that somebody listens to in any process, or did lately; the others are forgotten."""
        keys = [PREFIX + "watched", PREFIX + "epochs", PREFIX + "sequences"]
        return frozenset(map(str, await self._run["listening"](keys, [_ring("")])))

    async def lease(self) -> int:
        """Whether this process is to look at the tables: 0 no, 1 as before, 2 from now on."""
        return int(await self._run["lease"]([PREFIX + "lease"], [self._token, LEASE_MILLISECONDS]))

    async def release(self) -> None:
        """Let another process look at the tables at once."""
        if await self.lease():
            await self._redis.delete(PREFIX + "lease")

    async def versions(self, at_least: Mapping[str, int]) -> dict[str, int]:
        """Up to which version each table was told; these where nothing was told yet."""
        for name, version in at_least.items():
            await self._redis.hsetnx(PREFIX + "versions", name, str(version))
        found = await self._redis.hgetall(PREFIX + "versions")
        return {str(name): int(version) for name, version in found.items()}

    async def begin_at(self, versions: Mapping[str, int]) -> None:
        """Say up to which version each table was told."""
        await self._redis.hset(PREFIX + "versions", mapping={name: str(v) for name, v in versions.items()})

    async def tell(self, step: Step) -> bool:
        """Tell a step to every process; False where another one has told the move."""
        table: tuple[str, str, str] = ("", "", "")
        if step.move is not None:
            before, after = step.versions
            table = (step.move.table, str(before), str(after))
        bodies = [text for draft in step.drafts for text in (draft.workspace_id, json.dumps(asdict(draft)))]
        keys = [PREFIX + name for name in ("versions", "epochs", "sequences", "stream")]
        arguments: Collection[str | int] = [*table, KEPT, KEPT_PER_WORKSPACE, _ring(""), *bodies]
        return bool(await self._run["tell"](keys, list(arguments)))


def _ring(workspace_id: str) -> str:
    return f"{PREFIX}ring:{workspace_id}"


def _message(entry: str) -> Message:
    """An entry is the JSON [epoch, sequence], and the draft's JSON right after it."""
    (epoch, sequence), end = json.JSONDecoder().raw_decode(entry)
    return Message(Draft(**json.loads(entry[end:])), str(epoch), int(sequence))
