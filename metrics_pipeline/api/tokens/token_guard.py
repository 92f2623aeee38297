"""Who presents a token: its signature, whom it is for and until when; the workspace and the rights stand in it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt
from sqlalchemy import Engine

from metrics_pipeline.api.auth import REMEMBER_SECONDS, REMEMBERED_KEYS, Caller, unauthorized
from metrics_pipeline.api.tokens.issuer_keys import IssuerKeys
from metrics_pipeline.clock import Clock
from metrics_pipeline.control.api_keys import SCOPES
from metrics_pipeline.control.identifiers import checked_id
from metrics_pipeline.control.key_ring import KeyRing
from metrics_pipeline.control.workspaces import is_live_workspace
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import Settings

# Tokens with many claims have some 2 KB; proxies stop at 8 KB of headers.
LONGEST_TOKEN = 8192
LONGEST_SUBJECT = 255  # as OpenID Connect has it
# Clocks of two machines are never the same.
LEEWAY_SECONDS = 30
_REQUIRED = ("iss", "aud", "exp", "sub")
_PURPOSE = b"metrics-pipeline token subjects v1"


class TokenGuard:
    """Checks tokens of one issuer, with what the database said of workspaces remembered for a few seconds."""

    def __init__(self, keys: IssuerKeys, control: Engine, ring: KeyRing, settings: Settings) -> None:
        self._keys = keys
        self._control = control
        self._clock: Clock = settings.clock
        self._settings = settings
        self._pepper = hmac.digest(ring.newest[1], _PURPOSE, hashlib.sha256)
        self._workspaces: dict[str, tuple[float, bool]] = {}

    @classmethod
    def of(cls, settings: Settings, control: Engine, load_ring: Callable[[], KeyRing]) -> TokenGuard | None:
        """For the configured issuer; None where there is none, and only keys are taken."""
        keys = IssuerKeys.of(settings)
        return None if keys is None else cls(keys, control, load_ring(), settings)

    async def caller(self, text: str) -> Caller:
        """Who presents this token. Never an operator: a token is for one workspace.

        Raises:
            Problem: 401, the same whatever is wrong with it; 503 while no key of the issuer is known.
        """
        try:
            claims = await self._checked(text)
            workspace_id = checked_id(_text(claims[self._settings.jwt_workspace_claim]), "Workspace id")
        except (jwt.PyJWTError, UserError, ValueError, TypeError, KeyError, RecursionError):
            raise _invalid() from None
        if not await self._is_live(workspace_id):
            raise _invalid()
        subject, roles = claims["sub"], claims.get(self._settings.jwt_roles_claim)
        return Caller(
            key_id=self._name(workspace_id, subject),
            workspace_id=workspace_id,
            scopes=self._scopes(claims.get(self._settings.jwt_scope_claim)),
            subject=subject,
            roles=None if roles is None else frozenset(_words(roles)),
            teams=frozenset(_words(claims.get(self._settings.jwt_teams_claim))),
        )

    async def _checked(self, text: str) -> dict[str, Any]:
        """The claims of a token that holds now."""
        if len(text) > LONGEST_TOKEN:
            raise ValueError("too long")
        header = jwt.get_unverified_header(text)
        if "crit" in header:  # whatever it asks for is not understood here
            raise ValueError("critical extensions")
        key = await self._keys.find(_text(header.get("kid")))
        if key is None or header.get("alg") != key.algorithm:
            raise ValueError("no such key")
        claims: dict[str, Any] = jwt.decode(
            text,
            key.key,
            algorithms=[key.algorithm],
            issuer=self._settings.jwt_issuer,
            audience=self._settings.jwt_audience,
            # times are held against the pipeline's clock, below
            options={
                "require": list(_REQUIRED),
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        self._check_times(claims)
        if not 0 < len(_text(claims["sub"])) <= LONGEST_SUBJECT:
            raise ValueError("no subject")
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock.now().timestamp()
        if _instant(claims["exp"]) <= now - LEEWAY_SECONDS:
            raise ValueError("over")
        if self._settings.jwt_require_nbf and "nbf" not in claims:
            raise ValueError("no nbf")
        for name in ("nbf", "iat"):
            if name in claims and _instant(claims[name]) > now + LEEWAY_SECONDS:
                raise ValueError("not yet")

    def _scopes(self, given: object) -> frozenset[str]:
        words = _words(given)
        prefix = self._settings.jwt_scope_prefix
        return frozenset(scope for scope in SCOPES if prefix + scope in words)

    def _name(self, workspace_id: str, subject: str) -> str:
        """What logs and runs may call this caller: it leads to nobody without the key ring."""
        told = f"{workspace_id}\x1f{subject}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(told, digest_size=10, key=self._pepper).hexdigest()

    async def _is_live(self, workspace_id: str) -> bool:
        now = time.monotonic()
        read_at, is_live = self._workspaces.get(workspace_id, (float("-inf"), False))
        if now - read_at > REMEMBER_SECONDS:
            is_live = await asyncio.to_thread(is_live_workspace, self._control, workspace_id)
            if len(self._workspaces) >= REMEMBERED_KEYS:
                self._workspaces.clear()
            self._workspaces[workspace_id] = (now, is_live)
        return is_live


def _words(given: object) -> list[str]:
    """The words of a claim: a list, or a text with spaces between; what is neither has none."""
    if isinstance(given, str):
        return given.split()
    return [word for word in given if isinstance(word, str)] if isinstance(given, list) else []


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _instant(value: object) -> float:
    """Seconds since 1970. Raises ValueError, TypeError for what is none: NaN and Infinity pass every comparison."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("no number")
    try:
        seconds = float(value)
    except OverflowError:
        raise ValueError("out of range") from None
    if not math.isfinite(seconds):
        raise ValueError("out of range")
    return seconds


def _invalid() -> Exception:
    return unauthorized("invalid_token", "The token is not one that is valid here and now.", ', error="invalid_token"')
