"""Where a request comes from, as far as that can be believed; its address is used here and kept nowhere."""

from __future__ import annotations

from ipaddress import ip_address

from starlette.requests import Request

from metrics_pipeline.events.geoip import Place, PlaceTable
from metrics_pipeline.events.geoip_file import load_places
from metrics_pipeline.settings import Settings, networks_of

# Proxies are few; clients behind them many. Longer chains than this nobody has.
_LONGEST_CHAIN = 20


class ClientPlaces:
    """Looks up the places of requests; knows none where METRICS_GEOIP_FILE is not set."""

    def __init__(self, settings: Settings) -> None:
        """Raises UserError where the file cannot be used."""
        self._table: PlaceTable | None = None if settings.geoip_file is None else load_places(settings.geoip_file)
        self._trusted = networks_of(settings.trusted_proxies)

    def of(self, request: Request) -> Place | None:
        """The place of the client: the peer, or who the trusted proxies say stands before them."""
        if self._table is None or request.client is None:
            return None
        address = self._client(request.client.host, request)
        return None if address is None else self._table.find(address)

    def _client(self, peer: str, request: Request) -> str | None:
        """The first address from the server's end that is no trusted proxy's; None where all are."""
        if not self._is_trusted(peer):
            return peer
        told = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        for text in reversed(told[-_LONGEST_CHAIN:]):
            address = _without_port(text.strip())
            if not self._is_trusted(address):
                return address
        return None

    def _is_trusted(self, address: str) -> bool:
        if not self._trusted:
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(parsed in network for network in self._trusted)


def _without_port(text: str) -> str:
    """203.0.113.7:4711 and [2001:db8::1]:4711 as some proxies write them."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
