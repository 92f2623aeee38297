"""Distances, boxes and cells against a plain oracle, and how many views a place may have before it is named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from metrics_pipeline import connect
from metrics_pipeline.cli.sql import SqlFormat, answer
from metrics_pipeline.connection import attach_all
from metrics_pipeline.lake.connect import connect_duckdb
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.content.events import Event, at, event, store

EARTH_KM = 6371.0088
QUITO, KIEL = (-0.2, -78.5), (54.32, 10.13)
START = at("2026-03-02 10:00")

latitudes = st.one_of(st.floats(-90, 90), st.sampled_from((-90.0, 0.0, 90.0, 0.3, 89.95)))
longitudes = st.one_of(st.floats(-180, 180), st.sampled_from((-180.0, -179.9, 0.0, 0.3, 179.9, 180.0)))
places = st.tuples(latitudes, longitudes)

Place = tuple[float, float]


def ask(expression: str, *values: object) -> object:
    with connect_duckdb() as connection:
        found = connection.execute(f"select {expression}", list(values)).fetchone()
    assert found is not None
    return found[0]


def by_vectors(one: Place, other: Place) -> float:
    """The angle between two places as vectors, times the radius: another formula than haversine's."""

    def vector(place: Place) -> tuple[float, float, float]:
        lat, lon = map(math.radians, place)
        return math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)

    a, b = vector(one), vector(other)
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return EARTH_KM * math.atan2(math.hypot(*cross), sum(x * y for x, y in zip(a, b, strict=True)))


@examples(max_examples=25, deadline=None)
@given(pairs=st.lists(st.tuples(places, places), min_size=1, max_size=30))
def test_distances_are_those_of_vectors(pairs: Sequence[tuple[Place, Place]]) -> None:
    values = [[*one, *other] for one, other in pairs]
    query = "select distance_km(v[1], v[2], v[3], v[4]) from (select unnest(cast(? as double[][])) as v)"
    with connect_duckdb() as connection:
        found = [row[0] for row in connection.execute(query, [values]).fetchall()]
    # between opposite points the haversine has half of a double's digits: 0.2 km
    for (one, other), km in zip(pairs, found, strict=True):
        assert km == pytest.approx(by_vectors(one, other), rel=1e-6, abs=0.2)


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [
        (QUITO, QUITO, 0.0),
        ((0.0, 179.5), (0.0, -179.5), 111.195),
        ((90.0, 12.0), (90.0, -170.0), 0.0),
        ((-90.0, 0.0), (90.0, 77.0), 20015.115),
        ((0.0, 0.0), (0.0, 180.0), 20015.115),
        ((48.8566, 2.3522), (51.5074, -0.1278), 343.557),
    ],
)
def test_distances_anyone_can_look_up(one: Place, other: Place, km: float) -> None:
    assert ask("distance_km(?, ?, ?, ?)", *one, *other) == pytest.approx(km, abs=0.001)
    assert ask("within_km(?, ?, ?, ?, ?)", *one, *other, km + 0.001) is True
    assert ask("within_km(?, ?, ?, ?, ?)", *one, *other, km - 0.001) is False


@pytest.mark.parametrize("expression", ["distance_km(?, 1, 1, 1)", "within_km(?, 1, 1, 1, 5)", "area_of(?, 1, 0.1)"])
def test_a_missing_coordinate_is_nowhere(expression: str) -> None:
    assert ask(expression, None) is None


def is_in_box(place: Place, south: float, west: float, north: float, east: float) -> bool:
    """Turns eastwards from the western edge and looks whether the place or the eastern edge comes first."""
    lat, lon = place
    if not south <= lat <= north:
        return False
    if abs(lat) == 90 or (west <= east and east - west == 360):
        return True

    def turn(to: float) -> float:
        return math.fmod(math.fmod(to - west, 360) + 360, 360)

    # a box that begins where it ends is a line, not the whole world
    return turn(lon) <= turn(east)


whole = st.integers(-180, 180).map(float)


@examples(max_examples=30, deadline=None)
@given(
    tries=st.lists(
        st.tuples(st.integers(-90, 90).map(float), whole, st.integers(-90, 90), whole, st.integers(-90, 90), whole),
        min_size=1,
        max_size=40,
    )
)
def test_a_box_is_what_lies_eastwards_of_its_western_edge(tries: Sequence[tuple[float, ...]]) -> None:
    # whole degrees, so that both sides calculate exactly and edges are hit often
    query = "select in_box(v[1], v[2], v[3], v[4], v[5], v[6]) from (select unnest(cast(? as double[][])) as v)"
    with connect_duckdb() as connection:
        found = [row[0] for row in connection.execute(query, [[list(t) for t in tries]]).fetchall()]
    expected = [is_in_box((lat, lon), south, west, north, east) for lat, lon, south, west, north, east in tries]
    assert found == expected


@pytest.mark.parametrize(
    ("place", "is_inside"),
    [((-17.7, 178.0), True), ((-17.7, -179.0), True), ((-17.7, 180.0), True), ((-17.7, 0.0), False)],
)
def test_a_box_may_cross_the_antimeridian(place: Place, is_inside: bool) -> None:
    assert ask("in_box(?, ?, -20, 176, -15, -178)", *place) is is_inside


def test_both_names_of_the_antimeridian_are_one_and_poles_have_every_longitude() -> None:
    assert ask("in_box(0, 180, -1, -180, 1, -170)") is True
    assert ask("in_box(0, -180, -1, 170, 1, 180)") is True
    assert ask("in_box(90, 33, 80, -10, 90, 10)") is True


def test_a_place_a_hair_west_of_the_antimeridian_lies_in_a_cell_of_the_world() -> None:
    """Rounding takes it to 180, which is -180: no cell begins there."""
    assert ask("area_of(0, 179.99999999999997, 0.1).longitude") == -179.95


@examples(max_examples=30, deadline=None)
@given(spots=st.lists(places, min_size=1, max_size=40), degrees=st.sampled_from((0.1, 0.25, 0.5, 1.0, 10.0, 90.0)))
def test_a_place_lies_in_its_cell_and_cells_tile_the_world(spots: Sequence[Place], degrees: float) -> None:
    query = (
        "select area_of(v[1], v[2], $d).latitude, area_of(v[1], v[2], $d).longitude "
        "from (select unnest(cast($v as double[][])) as v)"
    )
    with connect_duckdb() as connection:
        found = connection.execute(query, {"v": [list(spot) for spot in spots], "d": degrees}).fetchall()
    for (lat, lon), (centre_lat, centre_lon) in zip(spots, found, strict=True):
        assert abs(lat - centre_lat) <= degrees / 2 + 1e-8
        away = abs(lon - centre_lon)
        assert min(away, 360 - away) <= degrees / 2 + 1e-8
        assert abs(centre_lat) < 90
        assert abs(centre_lon) < 180
        for centre in (centre_lat, centre_lon):
            steps = centre / degrees - 0.5
            assert steps == pytest.approx(round(steps), abs=1e-6), "centres stand on one grid"


@pytest.mark.parametrize(
    ("place", "centre"),
    [
        ((0.3, 0.7), (0.35, 0.75)),
        ((-0.05, -0.05), (-0.05, -0.05)),
        ((90.0, 180.0), (89.95, -179.95)),
        ((-90.0, -180.0), (-89.95, -179.95)),
        ((52.52, 13.405), (52.55, 13.45)),
    ],
)
def test_cells_anyone_can_reckon(place: Place, centre: Place) -> None:
    found = ask("area_of(?, ?, 0.1)", *place)
    assert found == {"latitude": centre[0], "longitude": centre[1]}


def seen(number: int, place: Place | None, viewer: int, **more: object) -> Event:
    where: dict[str, object] = {}
    if place is not None:
        where = {"latitude": place[0], "longitude": place[1], "location_consent": True}
    moment = START + timedelta(minutes=number)
    return event("view_start", moment, f"e{number}", session_id=f"s{number}", viewer_hash=viewer, **where, **more)


@pytest.fixture
def placed(tmp_path: Path) -> Lake:
    """c1: five people in Kiel (one of them twice), two in Quito, one elsewhere who was in Kiel as well."""
    lake = Lake(str(tmp_path / "lake"))
    lake.initialise()
    rows = [seen(n, (KIEL[0] + n / 1000, KIEL[1]), n % 5) for n in range(6)]
    rows += [seen(10 + n, QUITO, 20 + n % 2) for n in range(3)]
    rows += [
        seen(20, (10.0, 10.0), 1),
        seen(21, KIEL, 77, is_bot=True),
        seen(22, None, 78),
        seen(23, KIEL, 79) | {"location_consent": False},
        seen(24, KIEL, 80) | {"event_type": "like"},
        seen(25, KIEL, 81, workspace_id="other"),
    ]
    store(lake, rows)
    return lake


AREAS = "select workspace_id, cell_latitude, cell_longitude, views, unique_viewers from content_by_area order by all"


def test_small_places_are_one_row_without_a_name(placed: Lake) -> None:
    found = attach_all(placed).sql(AREAS).fetchall()
    assert found == [
        ("acme", 54.35, 10.15, 6, 5),
        ("acme", None, None, 4, 3),
        ("other", None, None, 1, 1),
    ]


def test_the_minimum_is_a_setting(placed: Lake) -> None:
    found = attach_all(placed, Settings(area_minimum_viewers=2)).sql(AREAS).fetchall()
    assert [row[1:] for row in found if row[0] == "acme"] == [
        (-0.15, -78.45, 3, 2),
        (54.35, 10.15, 6, 5),
        (None, None, 1, 1),
    ]
    (views,) = attach_all(placed).sql("select sum(views) from content_by_area where workspace_id = 'acme'").fetchall()
    assert views == (10,), "merging loses no view"


def test_they_are_there_in_notebooks_and_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("METRICS_AREA_MINIMUM_VIEWERS", "9")
    connection = connect(tmp_path)
    assert connection.sql("select area_minimum_viewers()").fetchall() == [(9,)]
    query = "select count(*) as n from content_by_area where within_km(cell_latitude, cell_longitude, 54, 10, 50)"
    answer(connection, query, SqlFormat.JSON)
    assert '"n": 0' in capsys.readouterr().out
