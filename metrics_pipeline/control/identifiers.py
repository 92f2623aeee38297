"""What may name a workspace, an account or a key, and how a name becomes such an id."""

from __future__ import annotations

import re
import unicodedata

from metrics_pipeline.catalog.platform_names import PLATFORM_NAMES
from metrics_pipeline.errors import UserError

ID_LENGTH = 64
NAME_LENGTH = 200
EXTERNAL_ID_LENGTH = 255

# No slash and no colon: ids are joined by "/" where they are bound to a ciphertext, and keys are written "id:key".
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9._-]+")


def checked_id(value: str, what: str) -> str:
    """The id itself.

    Raises:
        UserError: it has other characters than letters, digits, dot, underscore and hyphen, or more than 64.
    """
    if not _ID.fullmatch(value):
        raise UserError(
            f"{what} {value[:80]!r} cannot be used: "
            f"an id has 1 to {ID_LENGTH} letters, digits, dots, underscores, hyphens."
        )
    return value


def slug(text: str) -> str:
    """The id made from a text: accents dropped, every run of other characters one hyphen; may be empty."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _NOT_IN_ID.sub("-", ascii_text).strip("-")[:ID_LENGTH].rstrip("-")


def checked_name(value: str) -> str:
    """A workspace's display name without surrounding space.

    Raises:
        UserError: it is empty, too long or has control characters.
    """
    name = value.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise UserError(f"A workspace name has 1 to {NAME_LENGTH} printable characters.")
    return name


def checked_external_id(value: str) -> str:
    """The id a platform knows the account by, without surrounding space.

    Raises:
        UserError: it is empty, too long, or has space or control characters inside.
    """
    external_id = value.strip()
    if not external_id or len(external_id) > EXTERNAL_ID_LENGTH or not external_id.isprintable() or " " in external_id:
        raise UserError(f"An external id has 1 to {EXTERNAL_ID_LENGTH} printable characters and no space.")
    return external_id


def checked_platform(value: str) -> str:
    """The platform's name in lower case.

    Raises:
        UserError: the name is not one of PLATFORM_NAMES; the message lists them.
    """
    platform = value.strip().lower()
    if platform not in PLATFORM_NAMES:
        raise UserError(f"Platform {value[:80]!r} is not known; use one of {', '.join(PLATFORM_NAMES)}.")
    return platform
