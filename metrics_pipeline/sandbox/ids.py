"""Post ids that carry their account and number, so that the server can answer for any id without a memory.

Numeric ids (all but YouTube) look like `18` + account + five digits + two check digits; an account id that
is not a plain number is written as the number its bytes make. YouTube ids are a tag, three characters, the channel id
Numeric ids (Instagram, TikTok, X) look like `18` + account + five digits + two check digits; an account id that is not
a plain number is written as the number its bytes make. YouTube ids are a tag, three characters, the channel id
and a check character. The check keeps an account id from being taken for a post id by accident.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_PLAIN = re.compile(r"[1-9][0-9]*")
_SAFE = re.compile(r"[A-Za-z0-9_-]+")
_PREFIX = {
    "facebook": "12",
    "instagram": "18",
    "linkedin": "71",
    "pinterest": "81",
    "threads": "17",
    "tiktok": "75",
    "whatsapp": "14",
    "x": "19",
}
MISSING_PREFIX = "missing"
MAX_INDEX = 99_999


@dataclass(frozen=True, slots=True)
class PostRef:
    """Which post an id means: the owning account and the post's number in its history."""

    external_id: str
    index: int


def exists(external_id: str) -> bool:
    """Every account exists, except those whose id says otherwise."""
    return bool(external_id) and not external_id.startswith(MISSING_PREFIX)


def numeric_id(platform: str, ref: PostRef) -> str:
    """The id of an Instagram medium, a pin, a LinkedIn or an X post: digits only, rising with the post's number."""
    """The id of an Instagram medium, a TikTok video or an X post: digits only, rising with the post's number."""
    if _PLAIN.fullmatch(ref.external_id):
        account = "1" + ref.external_id
    else:
        account = "2" + str(int.from_bytes(b"\x01" + ref.external_id.encode()))
    body = f"{_PREFIX[platform]}{account}{ref.index:05d}"
    return f"{body}{int(body) % 97:02d}"


def parse_numeric_id(platform: str, post_id: str) -> PostRef | None:
    """The post a numeric id means, or None where the id is nobody's."""
    prefix = _PREFIX[platform]
    if not _PLAIN.fullmatch(post_id) or len(post_id) < 11 or not post_id.startswith(prefix):
        return None
    body, check = post_id[:-2], post_id[-2:]
    if f"{int(body) % 97:02d}" != check:
        return None
    tag, account, index = body[len(prefix)], body[len(prefix) + 1 : -5], int(body[-5:])
    if tag == "1":
        return PostRef(account, index) if _PLAIN.fullmatch(account) else None
    if tag != "2" or not account:
        return None
    number = int(account)
    raw = number.to_bytes((number.bit_length() + 7) // 8)
    try:
        return PostRef(raw[1:].decode(), index) if raw[:1] == b"\x01" else None
    except UnicodeDecodeError:
        return None


def video_id(ref: PostRef) -> str:
    """The id of a YouTube video: URL-safe, and free of the separators that report filters use."""
    number = ref.index
    digits = _ALPHABET[number >> 12] + _ALPHABET[(number >> 6) & 63] + _ALPHABET[number & 63]
    safe = _SAFE.fullmatch(ref.external_id) is not None
    body = digits + ("v" + ref.external_id if safe else "h" + ref.external_id.encode().hex())
    return body + _check(body)


def parse_video_id(post_id: str) -> PostRef | None:
    """The video an id means, or None where the id is nobody's."""
    if len(post_id) < 6 or not _SAFE.fullmatch(post_id) or _check(post_id[:-1]) != post_id[-1]:
        return None
    high, middle, low = (_ALPHABET.index(char) for char in post_id[:3])
    index, tag, account = (high << 12) | (middle << 6) | low, post_id[3], post_id[4:-1]
    if tag == "v":
        return PostRef(account, index)
    try:
        return PostRef(bytes.fromhex(account).decode(), index) if tag == "h" else None
    except ValueError:
        return None


def _check(body: str) -> str:
    return _ALPHABET[blake2b(body.encode(), digest_size=1).digest()[0] & 63]
