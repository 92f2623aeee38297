"""What an application may say of one content item over HTTP: under which names, and what each value has to be.

Stricter than events: a name that is not known is refused, since leaving an attribute out deletes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pydantic_core import to_json

from metrics_pipeline.events.content import CAPTION_LENGTH
from metrics_pipeline.events.fields import ID, SECONDS, Check, Invalid, Value, instant, text
from metrics_pipeline.events.inbox import InboxRow

METADATA_BYTES = 16_384
METADATA_DEPTH = 8
_CAPTION = text(10_000)
_ADDRESS = text(2000)


def _caption(value: object) -> Value | None:
    given = _CAPTION(value)
    return given[:CAPTION_LENGTH] if isinstance(given, str) else None


def _address(value: object) -> Value | None:
    given = _ADDRESS(value)
    if not isinstance(given, str):
        return None
    try:
        parts = urlsplit(given)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:  # such as half an IPv6 address
        is_web = False
    if not is_web or any(character.isspace() for character in given):
        raise Invalid("bad_url", "must be an address that begins with http:// or https://")
    return given


def _metadata(value: object) -> Value | None:
    """An object as JSON text."""
    if not isinstance(value, Mapping):
        raise Invalid("wrong_type", "must be an object")
    if _is_deeper(value, METADATA_DEPTH):
        raise Invalid("too_deep", f"may be at most {METADATA_DEPTH} levels deep")
    try:
        written = json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False)
        size = len(written.encode())
    except UnicodeEncodeError:
        raise Invalid("bad_text", "holds characters that are no text") from None
    except ValueError:  # a number such as 1e999
        raise Invalid("not_finite", "must have finite numbers only") from None
    if size > METADATA_BYTES:
        raise Invalid("too_long", f"may have at most {METADATA_BYTES} bytes as JSON")
    return written if value else None


def _is_deeper(value: object, levels: int) -> bool:
    inner = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else None
    if inner is None:
        return False
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inner)


# column, check, its name in camelCase
ATTRIBUTES: tuple[tuple[str, Check, str], ...] = (
    ("creator_id", ID, "creatorId"),
    ("content_type", text(64), "contentType"),
    ("caption", _caption, "caption"),
    ("thumbnail_url", _address, "thumbnailUrl"),
    ("duration_seconds", SECONDS, "durationSeconds"),
    ("published_at", instant, "publishedAt"),
    ("deleted_at", instant, "deletedAt"),
    ("metadata", _metadata, "metadata"),
)
_KNOWN = {name: (column, check) for column, check, camel in ATTRIBUTES for name in (column, camel)}
# An answer may be sent back as it came: these are not the client's to say.
_NOT_READ = frozenset({"workspace_id", "workspaceId", "updated_at", "updatedAt"})


def parse_attributes(content_id: str, given: object) -> dict[str, Value]:
    """The columns of the table `content` that are given, by name; a null says nothing.

    Raises:
        Invalid: the first thing that is wrong, with its pointer.
    """
    if not isinstance(given, Mapping):
        raise Invalid("wrong_type", "must be an object")
    columns: dict[str, Value] = {}
    for name, value in given.items():
        try:
            if name in ("content_id", "contentId"):
                if value != content_id:
                    raise Invalid("other_content_id", "must be the item that the path names, or be left out")
            elif name not in _NOT_READ:
                _take(name, value, columns)
        except Invalid as reason:
            reason.pointer = _pointer(name)
            raise
    return columns


def _take(name: str, value: object, columns: dict[str, Value]) -> None:
    if name not in _KNOWN:
        raise Invalid("unknown_field", "is no attribute of content")
    column, check = _KNOWN[name]
    if column in columns:
        raise Invalid("duplicate_field", "is given in two spellings")
    checked = None if value is None else check(value)
    if checked is not None:
        columns[column] = checked


def _pointer(name: str) -> str:
    """Where a name stands; of one that was made up only if it could be a misspelt attribute."""
    return f"/{name}" if name.isascii() and name.replace("_", "").isalnum() and len(name) <= 32 else ""


def inbox_row(workspace_id: str, content_id: str, columns: Mapping[str, Value], received_at: datetime) -> InboxRow:
    """What waits for the lake: the whole row, so that what is not given is null from then on."""
    row = {**columns, "workspace_id": workspace_id, "content_id": content_id, "updated_at": received_at.astimezone(UTC)}
    return InboxRow(workspace_id, None, received_at, "content", to_json(row).decode())
