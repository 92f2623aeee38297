"""Tokens at rest: each is encrypted with its own data key, and that key with one of the ring.

Both layers are AES-256-GCM with the row's identity as associated data, so a ciphertext copied to another row, or
one layer passed off as the other, does not open. Rotation re-wraps the data keys and never sees a token.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from metrics_pipeline.control.database import writing
from metrics_pipeline.control.key_ring import KEY_BYTES, KeyRing
from metrics_pipeline.control.models import Credential
from metrics_pipeline.errors import UserError

NONCE_BYTES = 12  # what GCM is defined for; random is safe: every data key encrypts once
TOKEN_LENGTH = 16_384  # far above any platform's token; stops a file piped in by mistake


@dataclass(frozen=True)
class Sealed:
    """An encrypted token: ciphertext under a data key, the data key under ring key `key_id`."""

    key_id: str
    wrapped_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


def checked_token(token: str) -> str:
    """The token without surrounding space.

    Raises:
        UserError: it is empty, longer than TOKEN_LENGTH, or spans lines; the message never repeats it.
    """
    token = token.strip()
    if token.startswith("{"):  # a token endpoint's answer, which may come in several lines
        token = " ".join(token.split())
    if not token:
        raise UserError("The token is empty.")
    if len(token) > TOKEN_LENGTH or not token.isprintable():
        raise UserError(f"The token is not one line of at most {TOKEN_LENGTH} printable characters.")
    return token


def seal(ring: KeyRing, workspace_id: str, account_id: str, token: str) -> Sealed:
    """Encrypt a token for one account with the ring's newest key."""
    data_key = secrets.token_bytes(KEY_BYTES)
    key_id, key = ring.newest
    return Sealed(
        key_id=key_id,
        wrapped_key=_encrypt(key, data_key, _binding(workspace_id, account_id, "data-key")),
        ciphertext=_encrypt(data_key, token.encode(), _binding(workspace_id, account_id, "token")),
    )


def unseal(ring: KeyRing, workspace_id: str, account_id: str, sealed: Sealed) -> str:
    """The token of one account.

    Raises:
        UserError: the key is not in the ring, is another than the one used, or the record was changed or moved.
    """
    data_key = _unwrap(ring, workspace_id, account_id, sealed)
    try:
        token = _decrypt(data_key, sealed.ciphertext, _binding(workspace_id, account_id, "token"))
    except InvalidTag:
        raise UserError(_damaged(workspace_id, account_id)) from None
    return token.decode()


def store_token(
    session: Session,
    ring: KeyRing,
    workspace_id: str,
    account_id: str,
    token: str,
    now: datetime,
    valid_until: datetime | None = None,
) -> None:
    """Write or replace an account's tokens within the caller's transaction; who was refreshing them no longer is."""
    sealed = seal(ring, workspace_id, account_id, token)
    session.merge(
        Credential(
            workspace_id=workspace_id,
            account_id=account_id,
            key_id=sealed.key_id,
            wrapped_key=sealed.wrapped_key,
            ciphertext=sealed.ciphertext,
            updated_at=now,
            valid_until=valid_until,
            lease_owner=None,
            lease_until=None,
        )
    )


def load_token(session: Session, ring: KeyRing, workspace_id: str, account_id: str) -> str | None:
    """An account's token, or None where none is stored.

    Raises:
        UserError: as for unseal.
    """
    row = session.get(Credential, (workspace_id, account_id))
    if row is None:
        return None
    return unseal(ring, workspace_id, account_id, Sealed(row.key_id, row.wrapped_key, row.ciphertext))


def rotate(engine: Engine, ring: KeyRing) -> int:
    """Re-wrap every credential that is not under the newest key, all or none; the number that changed.

    Raises:
        UserError: one record cannot be unwrapped; nothing is changed then.
    """
    newest_id, newest = ring.newest
    with writing(engine) as session:
        rows = session.scalars(select(Credential).where(Credential.key_id != newest_id).with_for_update()).all()
        for row in rows:
            sealed = Sealed(row.key_id, row.wrapped_key, row.ciphertext)
            data_key = _unwrap(ring, row.workspace_id, row.account_id, sealed)
            row.wrapped_key = _encrypt(newest, data_key, _binding(row.workspace_id, row.account_id, "data-key"))
            row.key_id = newest_id
        return len(rows)


def _unwrap(ring: KeyRing, workspace_id: str, account_id: str, sealed: Sealed) -> bytes:
    key = ring.key(sealed.key_id)
    try:
        return _decrypt(key, sealed.wrapped_key, _binding(workspace_id, account_id, "data-key"))
    except InvalidTag:
        raise UserError(
            _damaged(workspace_id, account_id, f", or {ring.source} has another key {sealed.key_id!r}")
        ) from None


def _binding(workspace_id: str, account_id: str, purpose: str) -> bytes:
    # Unambiguous: ids hold no slash.
    return f"{workspace_id}/{account_id}/{purpose}".encode()


def _encrypt(key: bytes, clear: bytes, binding: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, clear, binding)


def _decrypt(key: bytes, sealed: bytes, binding: bytes) -> bytes:
    if len(sealed) <= NONCE_BYTES:  # cut short: the library would say so in another way than for a changed byte
        raise InvalidTag
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], binding)


def _damaged(workspace_id: str, account_id: str, or_else: str = "") -> str:
    return (
        f"The token of account {account_id} in workspace {workspace_id} was changed or moved{or_else}; store it again "
        f"with: metrics-pipeline account token {account_id} --workspace {workspace_id} --token-stdin."
    )
