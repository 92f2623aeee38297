"""What an API key looks like, and what is stored of it.

`mk_<key id>_<secret><check>`: the prefix and the check let a scanner find leaked keys without asking anyone, and a
mistyped key be refused without a look into the database. Of the secret only a keyed hash is stored: 256 random bits
need no slow hash, and without the key ring the hashes of a stolen database verify nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field

from metrics_pipeline.control.key_ring import KeyRing

PREFIX = "mk"
KEY_ID_LENGTH = 10
SECRET_BYTES = 32
SECRET_LENGTH = 43  # 62 ** 43 is the first power above 2 ** 256
CHECK_LENGTH = 6  # 62 ** 6 is above 2 ** 32
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE = re.compile(
    rf"{PREFIX}_([0-9A-Za-z]{{{KEY_ID_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{CHECK_LENGTH}}})"
)
_PEPPER_PURPOSE = b"metrics-pipeline api keys v1"


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key as its holder has it; the secret never shows in a repr."""

    key_id: str
    secret: str = field(repr=False)

    def reveal(self) -> str:
        """The whole key: to be shown once."""
        return f"{PREFIX}_{self.key_id}_{self.secret}{_check(self.key_id, self.secret)}"

    def digest(self, ring: KeyRing, ring_key_id: str) -> bytes:
        """What is stored: HMAC-SHA-256 under a pepper that follows from one key of the ring.

        Raises:
            UserError: the ring does not hold that key.
        """
        pepper = hmac.digest(ring.key(ring_key_id), _PEPPER_PURPOSE, hashlib.sha256)
        return hmac.digest(pepper, f"{self.key_id}.{self.secret}".encode(), hashlib.sha256)


def new_key_text() -> KeyText:
    """A key nobody has seen."""
    key_id = "".join(secrets.choice(_DIGITS) for _ in range(KEY_ID_LENGTH))
    return KeyText(key_id, _base62(int.from_bytes(secrets.token_bytes(SECRET_BYTES)), SECRET_LENGTH))


def parse_key_text(text: str) -> KeyText | None:
    """The key in a text; None where it has another shape or its check does not fit."""
    match = _SHAPE.fullmatch(text)
    if match is None or _check(match[1], match[2]) != match[3]:
        return None
    return KeyText(match[1], match[2])


def _check(key_id: str, secret: str) -> str:
    return _base62(zlib.crc32(f"{PREFIX}_{key_id}_{secret}".encode()), CHECK_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
