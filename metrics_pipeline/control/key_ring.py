"""The keys that protect stored credentials: from METRICS_SECRET_KEYS, else a 0600 file in the data directory."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from metrics_pipeline.control.identifiers import checked_id
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import Settings

KEY_BYTES = 32  # AES-256
KEY_FILE = "secret_keys"
HOW_TO_MAKE_A_KEY = "head -c 32 /dev/urandom | base64"


@dataclass(frozen=True)
class KeyRing:
    """Keys by id, newest first: the first one protects what is written, all of them read. Never in a repr."""

    keys: tuple[tuple[str, bytes], ...] = field(repr=False)
    source: str = "METRICS_SECRET_KEYS"

    @property
    def newest(self) -> tuple[str, bytes]:
        return self.keys[0]

    def key(self, key_id: str) -> bytes:
        """The key of this id.

        Raises:
            UserError: the ring does not hold it.
        """
        for known, key in self.keys:
            if known == key_id:
                return key
        raise UserError(f"Key {key_id!r} is not in {self.source}; put it back, or store the tokens again.")


def load_key_ring(settings: Settings) -> KeyRing:
    """The configured ring, or that of the key file, which is made at first use.

    Raises:
        UserError: a key cannot be read as `id:base64` of 32 bytes, an id occurs twice, or the file is open to others.
    """
    if settings.secret_keys is not None:
        return parse_key_ring(settings.secret_keys.get_secret_value(), "METRICS_SECRET_KEYS")
    path = _key_file(settings)
    if not path.exists():
        _create(path, _line())
    return parse_key_ring(_read_private(path), str(path))


def add_key(settings: Settings) -> KeyRing:
    """Put a fresh key in front of the key file's; older ones stay, so nothing stored becomes unreadable.

    Raises:
        UserError: the ring comes from METRICS_SECRET_KEYS, which only its owner can change.
    """
    if settings.secret_keys is not None:
        raise UserError(f"The keys come from METRICS_SECRET_KEYS; put a new one first there ({HOW_TO_MAKE_A_KEY}).")
    load_key_ring(settings)
    path = _key_file(settings)
    _replace(path, _line() + _read_private(path))
    return load_key_ring(settings)


def parse_key_ring(text: str, source: str) -> KeyRing:
    """A ring from `id:base64` entries, separated by commas or lines.

    Raises:
        UserError: as for load_key_ring; the message never repeats a key.
    """
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(filter(None, (part.strip() for part in text.replace("\n", ",").split(","))), 1):
        key_id, colon, encoded = entry.partition(":")
        if not colon:
            raise UserError(f"{source}: entry {number} is not id:base64key ({HOW_TO_MAKE_A_KEY} makes a key).")
        checked_id(key_id, f"{source}: key id")
        if key_id in keys:
            raise UserError(f"{source}: key id {key_id!r} occurs twice.")
        keys[key_id] = _decoded(encoded, key_id, source)
    if not keys:
        raise UserError(f"{source} holds no key; write id:base64key ({HOW_TO_MAKE_A_KEY} makes a key).")
    return KeyRing(tuple(keys.items()), source)


def _decoded(encoded: str, key_id: str, source: str) -> bytes:
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise UserError(
            f"{source}: key {key_id!r} is not the base64 of {KEY_BYTES} bytes ({HOW_TO_MAKE_A_KEY} makes one)."
        )
    return key


def _key_file(settings: Settings) -> Path:
    return settings.data_dir.absolute() / KEY_FILE


def _line() -> str:
    return f"local-{secrets.token_hex(4)}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"


def _read_private(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & 0o077:
                raise UserError(f"The key file {path} can be read by other users; close it with: chmod 600 {path}")
            return file.read()
    except OSError as error:
        raise UserError(f"The key file {path} cannot be read ({error.strerror}).") from None


def _create(path: Path, text: str) -> None:
    """Make the file whole or not at all; when another process was first, its file stays."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = _draft(path, text)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    except OSError as error:
        raise UserError(
            f"The key file {path} cannot be made ({error.strerror}); set METRICS_SECRET_KEYS or another --data-dir."
        ) from None


def _replace(path: Path, text: str) -> None:
    try:
        _draft(path, text).replace(path)
    except OSError as error:
        raise UserError(f"The key file {path} cannot be written ({error.strerror}).") from None


def _draft(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft
