"""What is kept of a refused event: enough to mend it, nothing that may not be stored."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic_core import PydanticSerializationError, to_json

# Never stored, wherever they stand in an event.
_FORBIDDEN = frozenset({"ip", "ipaddress", "clientip", "remoteaddr", "remoteip", "useragent"})
# Stored only with consent.
_PRECISE = frozenset({"city", "latitude", "longitude", "lat", "lon", "lng", "postalcode", "zip"})
# Deeper things are no events of ours.
_DEPTH = 8
LARGEST_PAYLOAD = 32_768


def payload_of(event: object) -> str | None:
    """The event as JSON without addresses, user agents and, unless agreed to, precise places.

    None for one that is too large to keep or that JSON cannot hold.
    """
    left_out = _FORBIDDEN if _consents(event) else _FORBIDDEN | _PRECISE
    try:
        written = to_json(_without(event, left_out, _DEPTH), inf_nan_mode="strings", serialize_unknown=True)
    except PydanticSerializationError:
        return None
    return written.decode() if len(written) <= LARGEST_PAYLOAD else None


def _consents(event: object) -> bool:
    if not isinstance(event, Mapping):
        return False
    location = event.get("location")
    nested = location.get("consent") if isinstance(location, Mapping) else None
    return event.get("location_consent") is True or nested is True


def _without(value: object, left_out: frozenset[str], depth: int) -> object:
    if isinstance(value, str):
        return value.encode(errors="replace").decode().replace("\0", "?")
    if not isinstance(value, Mapping | list | tuple):
        return value
    if depth == 0:
        return None
    if isinstance(value, Mapping):
        return {
            _without(str(key), left_out, depth): _without(item, left_out, depth - 1)
            for key, item in value.items()
            if str(key).replace("_", "").replace("-", "").lower() not in left_out
        }
    return [_without(item, left_out, depth - 1) for item in value]
