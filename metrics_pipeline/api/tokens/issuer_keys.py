"""The public keys of the issuer of tokens: fetched, kept, and looked for again when a token names an unknown one."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from metrics_pipeline.api.problems import Problem
from metrics_pipeline.settings import Settings
from metrics_pipeline.settings.serving import is_safe_address

# By kind of key, so that a token cannot say of a key what it is not. No algorithm here has a shared secret.
ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
SMALLEST_RSA_BITS = 2048
# Anyone can make up key ids: however many do, the issuer is asked once in so long.
UNKNOWN_SECONDS = 30.0
# A key that the issuer has taken back is believed no longer than this.
OLD_SECONDS = 600.0
# With no keys at all every request fails, so it is tried sooner.
NONE_SECONDS = 2.0
FETCH_SECONDS = 5.0
MOST_BYTES = 1_048_576
MOST_KEYS = 200
_DISCOVERY = "/.well-known/openid-configuration"

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class IssuerKey:
    """A public key, and the one algorithm that it is for."""

    algorithm: str
    key: PublicKey


class _Unusable(Exception):  # noqa: N818 - a state of the issuer
    """What came is no key set; the text is for the log."""


class IssuerKeys:
    """The key set. Belongs to one event loop."""

    def __init__(self, issuer: str, jwks_url: str | None) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._keys: Mapping[str, IssuerKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    @classmethod
    def of(cls, settings: Settings) -> IssuerKeys | None:
        """The configured issuer's; None where there is none."""
        return None if settings.jwt_issuer is None else cls(settings.jwt_issuer, settings.jwt_jwks_url)

    async def find(self, key_id: str) -> IssuerKey | None:
        """The key of this id; None where the issuer has no such key.

        Raises:
            Problem: 503, no key set was ever had from the issuer.
        """
        if self._is_due(key_id):
            async with self._lock:
                if self._is_due(key_id):  # while waiting for the lock another request has fetched
                    await self._refresh()
        if not self._keys:
            raise Problem(
                503,
                "issuer_unavailable",
                "The issuer of tokens does not answer, so none can be checked; keys work.",
                headers={"Retry-After": str(round(NONE_SECONDS))},
            )
        return self._keys.get(key_id)

    def _is_due(self, key_id: str) -> bool:
        now = time.monotonic()
        if not self._keys:
            return now - self._tried_at >= NONE_SECONDS
        is_wanted = key_id not in self._keys or now - self._fetched_at >= OLD_SECONDS
        return is_wanted and now - self._tried_at >= UNKNOWN_SECONDS

    async def _refresh(self) -> None:
        """Take the issuer's present keys; those held stay where it does not answer."""
        self._tried_at = time.monotonic()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                self._keys = await self._fetched()
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, _Unusable) as error:
            told = str(error) if isinstance(error, _Unusable) else type(error).__name__
            log.warning("the keys of the issuer of tokens cannot be read: %s", told)
        else:
            self._fetched_at = time.monotonic()
        # waiting for the issuer is no part of the pause
        self._tried_at = time.monotonic()

    async def _fetched(self) -> Mapping[str, IssuerKey]:
        async with httpx.AsyncClient(timeout=FETCH_SECONDS, follow_redirects=False) as client:
            address = self._jwks_url or await self._discovered(client)
            found = await _json(client, address)
        given = found.get("keys")
        if not isinstance(given, list):
            raise _Unusable("it is no key set")
        keys = dict(_usable(given[:MOST_KEYS]))
        if not keys:
            raise _Unusable("the key set has no key for RS256, ES256 or EdDSA with a key id")
        return keys

    async def _discovered(self, client: httpx.AsyncClient) -> str:
        found = await _json(client, self._issuer.rstrip("/") + _DISCOVERY)
        address = found.get("jwks_uri")
        if found.get("issuer") != self._issuer:
            raise _Unusable("its openid-configuration names another issuer")
        if not isinstance(address, str) or not is_safe_address(address):
            raise _Unusable("its openid-configuration has no https address of keys")
        return address


async def _json(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    """An object that is fetched; of bounded size."""
    body = bytearray()
    async with client.stream("GET", address, headers={"Accept": "application/json"}) as answer:
        if answer.status_code != httpx.codes.OK:
            raise _Unusable(f"status {answer.status_code}")
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > MOST_BYTES:
                raise _Unusable("the answer is too long")
    try:
        found = json.loads(bytes(body))
    except (ValueError, RecursionError):
        raise _Unusable("the answer is no JSON") from None
    if not isinstance(found, dict):
        raise _Unusable("the answer is no object")
    return found


def _usable(given: list[Any]) -> list[tuple[str, IssuerKey]]:
    """The keys of a set that can check a signature here; the others belong to somebody else."""
    usable = []
    for each in given:
        if not isinstance(each, dict) or not isinstance(key_id := each.get("kid"), str):
            continue
        kind = each.get("kty")
        algorithm = (
            ALGORITHMS.get((kind, None if kind == "RSA" else each.get("crv"))) if isinstance(kind, str) else None
        )
        if algorithm is None or each.get("use", "sig") != "sig" or each.get("alg", algorithm) != algorithm:
            continue
        try:
            key = jwt.PyJWK({**each, "alg": algorithm}).key
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        is_weak = isinstance(key, RSAPublicKey) and key.key_size < SMALLEST_RSA_BITS
        if is_weak or not isinstance(key, PublicKey):
            continue
        usable.append((key_id, IssuerKey(algorithm, key)))
    return usable
