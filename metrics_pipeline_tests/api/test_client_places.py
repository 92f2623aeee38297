"""Country and region by the client's address: whose address is believed, and that it is nowhere afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.api.services import Services
from metrics_pipeline.connection import attach_all
from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings, load_settings
from metrics_pipeline_tests.api.conftest import BATCH, PAGE, TRACK, event
from metrics_pipeline_tests.api.stored import accepted, stored

VIEWER = "203.0.113.77"
ROWS = (
    "network,country,region,city,latitude,longitude\n"
    "203.0.113.0/24,DE,Berlin,Mitte,52.5,13.4\n127.0.0.0/8,ZZ,,,,\n2001:db8::/32,AT,Wien,,,\n"
)
Told = dict[str, str]
Key = Callable[..., str]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "places.csv"
    path.write_text(ROWS)
    return path


@contextmanager
def served(settings: Settings, key: str, told: Told | None = None) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {key}", "Origin": PAGE, **(told or {})}
    with ApiServer(settings) as server, httpx.Client(base_url=server.url, headers=headers, timeout=10) as client:
        yield client


def country(settings: Settings, key: str, told: Told | None = None) -> object:
    """The country of an event that says none."""
    with served(settings, key, told) as client:
        assert client.post(TRACK, json=event()).status_code == 202
    return accepted(settings)[-1].get("country")


@pytest.mark.parametrize(
    ("trusted", "told", "expected"),
    [
        ("", {}, "ZZ"),
        ("", {"X-Forwarded-For": VIEWER}, "ZZ"),
        ("10.0.0.0/8", {"X-Forwarded-For": VIEWER}, "ZZ"),
        ("127.0.0.1", {"X-Forwarded-For": VIEWER}, "DE"),
        ("127.0.0.0/8, 10.0.0.0/8", {"X-Forwarded-For": f"1.1.1.1, {VIEWER}, 10.1.2.3"}, "DE"),
        ("127.0.0.1", {"X-Forwarded-For": f"{VIEWER}, 10.1.2.3"}, None),
        ("127.0.0.1", {"X-Forwarded-For": "[2001:db8::5]:4711"}, "AT"),
        ("127.0.0.1", {"X-Forwarded-For": f"{VIEWER}:4711"}, "DE"),
        ("127.0.0.1", {"X-Forwarded-For": "nonsense"}, None),
        ("127.0.0.1", {}, None),
    ],
)
def test_only_trusted_proxies_are_believed(
    settings: Settings, table: Path, key: Key, trusted: str, told: Told, expected: str | None
) -> None:
    changed = settings.model_copy(update={"geoip_file": table, "trusted_proxies": trusted})
    assert country(changed, key("acme", origins=(PAGE,)), told) == expected


def test_a_servers_key_says_nothing_of_its_viewers_place(settings: Settings, table: Path, key: Key) -> None:
    changed = settings.model_copy(update={"geoip_file": table})
    assert country(changed, key("acme")) is None


def test_without_a_file_nothing_is_filled_in(settings: Settings, key: Key) -> None:
    assert country(settings, key("acme", origins=(PAGE,))) is None


def test_the_address_is_nowhere_afterwards(
    settings: Settings, table: Path, key: Key, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    changed = settings.model_copy(update={"geoip_file": table, "trusted_proxies": "127.0.0.1"})
    told = {"X-Forwarded-For": VIEWER, "Forwarded": f"for={VIEWER}", "X-Real-IP": VIEWER}
    with caplog.at_level(logging.DEBUG), served(changed, key("acme", origins=(PAGE,)), told) as client:
        client.post(TRACK, json=event(location={"consent": True}))
        client.post(TRACK, json=event(ip=VIEWER, ipAddress=VIEWER))
        answer = client.post(BATCH, json={"batch": [event(), event(eventType="dance", client_ip=VIEWER), "no event"]})
        assert client.post(TRACK, content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
        assert client.put("/v1/content/v1", json={}).status_code == 403
        assert VIEWER not in answer.text
        waiting = [(row.kind, row.columns.get("country"), row.columns.get("city")) for row in stored(changed)]
        assert waiting == [
            ("accepted", "DE", "Mitte"),
            ("accepted", "DE", None),
            ("accepted", "DE", None),
            ("rejected", None, None),
            ("rejected", None, None),
        ]
        before = every_byte(settings.data_dir)
    flow = ContentFlow(Pipeline(changed))
    flow.drain()
    flow.refresh()
    needles = [VIEWER.encode(), str(int(ip_address(VIEWER))).encode()]
    for needle in needles:
        assert needle not in before
        assert needle not in every_byte(settings.data_dir)
    connection = attach_all(Pipeline(changed).lake)
    for name in TABLES:  # Parquet is compressed: bytes alone would prove little
        assert VIEWER not in str(connection.table(name).fetchall())
    assert VIEWER not in caplog.text
    output = capfd.readouterr()
    assert VIEWER not in output.out + output.err


def every_byte(directory: Path) -> bytes:
    """All files of the data directory; the table of places is elsewhere."""
    return b"\0".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())


def test_a_wrong_file_is_one_error_at_the_start(settings: Settings, table: Path) -> None:
    table.write_text("network,country\nhere,DE\n")
    changed = settings.model_copy(update={"geoip_file": table})
    with pytest.raises(UserError, match=r"^METRICS_GEOIP_FILE cannot be used: places\.csv line 2"):
        Services.open(changed)


def test_a_wrong_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_TRUSTED_PROXIES", "10.0.0.0/8, proxy.example")
    with pytest.raises(UserError, match=r"METRICS_TRUSTED_PROXIES cannot be used: .*write addresses or networks"):
        load_settings()
