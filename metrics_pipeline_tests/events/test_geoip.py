"""Places by address against the standard library's networks, and files that cannot be used."""

from __future__ import annotations

import time
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics_pipeline.errors import UserError
from metrics_pipeline.events.geoip import Place, PlaceTable, network_code
from metrics_pipeline.events.geoip_file import load_places
from metrics_pipeline.events.model import Handover
from metrics_pipeline_tests.events.samples import NOW, columns, like

Network = IPv4Network | IPv6Network

ROWS = """network,country,region,city,latitude,longitude
203.0.113.0/24,de,Berlin,Berlin,52.52,13.405
203.0.113.128/25,DE,Bayern,Fürth,49.47,10.99
198.51.100.7,FR,,,,
2001:db8::/32,AT,Wien,Wien,48.2,
255.255.255.0/24,ZZ,,,,
ffff::/16,YY,,,,
"""


def written(folder: Path, text: str, name: str = "places.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@st.composite
def some_networks(draw: st.DrawFn) -> list[Network]:
    """Networks of few addresses, so that they lie in and beside each other, also at both ends of the space."""
    found: list[Network] = []
    for _ in range(draw(st.integers(1, 14))):
        bits, sixth = (128, True) if draw(st.booleans()) else (32, False)
        length = draw(st.integers(bits - 6, bits))
        base = draw(st.sampled_from((0, 2**bits - 64, 5 * 2**16)))
        number = base + draw(st.integers(0, 63))
        number -= number % (1 << (bits - length))
        found.append(IPv6Network((number, length)) if sixth else IPv4Network((number, length)))
    return found


@settings(max_examples=200, deadline=None)
@given(networks=some_networks())
def test_the_narrowest_network_counts(networks: Sequence[Network]) -> None:
    places = [Place(), *(Place(country=str(n)) for n in range(len(networks)))]
    codes: dict[int, list[int]] = {4: [], 6: []}
    for place, network in enumerate(networks, start=1):
        code = network_code(int(network[0]), network.max_prefixlen - network.prefixlen, place)
        codes[network.version].append(code)
    table = PlaceTable(places, codes[4], codes[6])
    for network in networks:
        near = {int(network[0]) - 1, int(network[0]), int(network[-1]), int(network[-1]) + 1}
        for number in near:
            if not 0 <= number < 2**network.max_prefixlen:
                continue
            address = type(network[0])(number)
            around = [n for n in networks if n.version == address.version and address in n]
            found = table.find(str(address))
            if not around:
                assert found is None
                continue
            longest = max(n.prefixlen for n in around)
            # of two rows with the same network the place that was named later counts
            last = max(p for p, n in enumerate(networks, start=1) if n in around and n.prefixlen == longest)
            assert found == places[last]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.127", Place("DE", "Berlin", "Berlin", 52.52, 13.405)),
        ("203.0.113.128", Place("DE", "Bayern", "Fürth", 49.47, 10.99)),
        ("::ffff:203.0.113.1", Place("DE", "Berlin", "Berlin", 52.52, 13.405)),
        ("198.51.100.7", Place("FR")),
        ("198.51.100.8", None),
        ("2001:db8::1%eth0", Place("AT", "Wien", "Wien")),
        ("2001:db9::1", None),
        ("255.255.255.255", Place("ZZ")),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Place("YY")),
        ("0.0.0.0", None),
        ("unknown", None),
        ("", None),
        ("1.2.3.4\0", None),
    ],
)
def test_a_file_of_either_kind_says_where_an_address_is(tmp_path: Path, address: str, expected: Place | None) -> None:
    assert load_places(written(tmp_path, ROWS)).find(address) == expected
    lines = [line.split(",") for line in ROWS.splitlines()]
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    typed = [
        {k: (float(v) if k in ("latitude", "longitude") else v) if v else None for k, v in row.items()} for row in rows
    ]
    pq.write_table(pa.Table.from_pylist(typed), tmp_path / "places.parquet")
    assert load_places(tmp_path / "places.parquet").find(address) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "has no column 'network' with country, region, city, latitude, longitude beside it"),
        ("network\n203.0.113.0/24\n", "has no column 'network' with"),
        ("network,country\n", "has no rows"),
        ("network,country\n203.0.113.0/33,DE\n", r"line 2: '203.0.113.0/33' is no network such as 203.0.113.0/24"),
        ("network,country\n203.0.113.1/24,DE\n", "line 2: '203.0.113.1/24' is no network"),
        ("network,country\n203.0.113.0/24,DE\nhere,DE\n", "line 3: 'here' is no network"),
        ("network,country\n203.0.113.0/24,DE,Berlin\n", "line 2 has 3 values under 2 columns"),
        ("network,latitude,longitude\n203.0.113.0/24,91,1\n", "line 2: latitude must lie between -90 and 90"),
        ("network,latitude\n203.0.113.0/24,north\n", "line 2: latitude must be a number"),
        ("network,country\n203.0.113.0/24," + "x" * 65 + "\n", "line 2: country may have at most 64 characters"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UserError, match=rf"^METRICS_GEOIP_FILE cannot be used: places\.csv {complaint}"):
        load_places(written(tmp_path, text))


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read as csv: No such file or directory"):
        load_places(tmp_path / "missing.csv")
    with pytest.raises(UserError, match=r"places\.parquet cannot be read as parquet: it is no such file"):
        load_places(written(tmp_path, ROWS, "places.parquet"))
    (tmp_path / "latin.csv").write_bytes("network,city\n203.0.113.0/24,Fürth\n".encode("latin-1"))
    with pytest.raises(UserError, match="cannot be read as csv: it is no such file"):
        load_places(tmp_path / "latin.csv")


BERLIN = Place("DE", "Berlin", "Mitte", 52.5, 13.4)
CONSENT = {"location_consent": True}


@pytest.mark.parametrize(
    ("event", "place", "expected"),
    [
        ({}, BERLIN, {"country": "DE", "region": "Berlin"}),
        ({}, None, {}),
        ({}, Place(), {}),
        ({"country": "de"}, BERLIN, {"country": "DE", "region": "Berlin"}),
        ({"country": "FR"}, BERLIN, {"country": "FR"}),
        ({"country": "FR", **CONSENT}, BERLIN, {"country": "FR"}),
        ({"region": "Bayern", **CONSENT}, BERLIN, {"country": "DE", "region": "Bayern"}),
        (CONSENT, BERLIN, {"country": "DE", "region": "Berlin", "city": "Mitte", "latitude": 52.5, "longitude": 13.4}),
        ({"city": "Ulm", **CONSENT}, BERLIN, {"country": "DE", "region": "Berlin", "city": "Ulm"}),
        (
            {"latitude": 48.0, "longitude": 9.0, **CONSENT},
            BERLIN,
            {"country": "DE", "region": "Berlin", "latitude": 48.0, "longitude": 9.0},
        ),
        ({"city": "Ulm"}, BERLIN, {"country": "DE", "region": "Berlin"}),
        (CONSENT, Place("DE"), {"country": "DE"}),
    ],
)
def test_only_what_the_event_does_not_say_is_filled_in(
    event: dict[str, object], place: Place | None, expected: dict[str, object]
) -> None:
    found = columns(like("a", **event), Handover("acme", NOW, place=place))
    names = ("country", "region", "city", "latitude", "longitude")
    assert {name: found[name] for name in names if name in found} == expected


def test_a_look_up_takes_microseconds(tmp_path: Path) -> None:
    v4 = [network_code(n << 8, 8, 1) for n in range(300_000)]
    table = PlaceTable([Place(), BERLIN], v4, [network_code(n << 104, 104, 1) for n in range(300_000)])
    asked = [str(ip_address(n * 7_919_000 % 2**26)) for n in range(500)]
    asked += [str(ip_address(n << 96)) for n in range(1, 500)]

    def seconds() -> float:
        started = time.perf_counter()
        for address in asked:
            table.find(address)
        return (time.perf_counter() - started) / len(asked)

    assert min(seconds() for _ in range(5)) < 50e-6
