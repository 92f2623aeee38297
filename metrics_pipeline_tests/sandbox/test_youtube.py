"""YouTube's two APIs as the sandbox plays them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import httpx
import pytest

from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline_tests.sandbox.conftest import NOW, Ask

CHANNEL = "UCsandbox00000000000001"
ADDITIVE = ("views", "engagedViews", "likes", "comments", "shares", "estimatedMinutesWatched", "subscribersGained")
LATER = NOW + timedelta(days=30)


def report(ask: Ask, first: str, last: str, at: datetime = NOW, **parameters: object) -> list[list[object]]:
    asked = {"metrics": ",".join(ADDITIVE), "dimensions": "day", **parameters}
    body = ask(
        "youtube", "/v2/reports", at=at, ids=f"channel=={CHANNEL}", startDate=first, endDate=last, **asked
    ).json()
    columns = [column["name"] for column in body["columnHeaders"]]
    assert columns == [*([asked["dimensions"]] if asked["dimensions"] else []), *str(asked["metrics"]).split(",")]
    rows: list[list[object]] = body["rows"]
    return rows


def uploads(ask: Ask, at: datetime = NOW) -> list[str]:
    channel = ask("youtube", "/youtube/v3/channels", at=at, part="contentDetails", id=CHANNEL).json()["items"][0]
    playlist = channel["contentDetails"]["relatedPlaylists"]["uploads"]
    found: list[str] = []
    token: dict[str, object] = {}
    while True:
        body = ask(
            "youtube",
            "/youtube/v3/playlistItems",
            at=at,
            part="contentDetails",
            playlistId=playlist,
            maxResults=50,
            **token,
        ).json()
        found += [item["contentDetails"]["videoId"] for item in body["items"]]
        if "nextPageToken" not in body:
            assert body["pageInfo"]["totalResults"] == len(found)
            return found
        token = {"pageToken": body["nextPageToken"]}


def counters(ask: Ask, ids: list[str], at: datetime) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for start in range(0, len(ids), 50):
        batch = ",".join(ids[start : start + 50])
        for item in ask("youtube", "/youtube/v3/videos", at=at, part="statistics", id=batch).json()["items"]:
            found[item["id"]] = item["statistics"]
    return found


def test_numbers_are_strings_and_subscribers_are_rounded(ask: Ask) -> None:
    channel = ask("youtube", "/youtube/v3/channels", part="statistics,snippet", id=f"{CHANNEL},missing1").json()
    assert channel["pageInfo"]["totalResults"] == 1
    statistics = channel["items"][0]["statistics"]
    assert all(isinstance(statistics[name], str) for name in ("viewCount", "subscriberCount", "videoCount"))
    assert len(statistics["subscriberCount"].rstrip("0")) <= 3
    assert "items" not in ask("youtube", "/youtube/v3/channels", part="id", id="missing1").json()


def test_videos_sum_to_the_channel_and_unknown_ids_are_left_out(ask: Ask) -> None:
    ids = uploads(ask)
    assert len(ids) == len(set(ids)) > 300
    found = counters(ask, [*ids, "nobodysVideo"], NOW)
    assert set(found) == set(ids)
    channel = ask("youtube", "/youtube/v3/channels", part="statistics", id=CHANNEL).json()["items"][0]["statistics"]
    assert sum(int(statistics["viewCount"]) for statistics in found.values()) == int(channel["viewCount"])
    hidden = [statistics for statistics in found.values() if "likeCount" not in statistics]
    assert 0 < len(hidden) < len(ids) / 10


def test_analytics_days_are_the_differences_of_the_counters(ask: Ask) -> None:
    midnights = [datetime.fromisoformat(f"2026-11-0{day}T00:00:00-08:00") for day in (3, 4)]
    views = [
        int(
            ask("youtube", "/youtube/v3/channels", at=at.isoformat(), part="statistics", id=CHANNEL).json()["items"][0][
                "statistics"
            ]["viewCount"]
        )
        for at in midnights
    ]
    rows = report(ask, "2026-11-03", "2026-11-03", metrics="views")
    assert rows == [["2026-11-03", views[1] - views[0]]]


@pytest.mark.parametrize("at", [NOW, LATER])
def test_days_videos_and_totals_agree_at_any_age(ask: Ask, at: datetime) -> None:
    first, last = "2026-10-20", "2026-11-19"
    by_day = report(ask, first, last, at)
    total = report(ask, first, last, at, dimensions="")
    sums = [sum(int(str(row[n])) for row in by_day) for n in range(1, len(ADDITIVE) + 1)]
    assert [sums] == total
    by_video = report(ask, first, last, at, dimensions="video", sort="-views", maxResults=200)
    # The channel also wins subscribers without any video.
    for place, name in enumerate(ADDITIVE[:-1], 1):
        assert sum(int(str(row[place])) for row in by_video) == sums[place - 1], name
    assert sum(int(str(row[-1])) for row in by_video) <= sums[-1]
    one = str(by_video[0][0])
    filtered = report(ask, first, last, at, filters=f"video=={one}")
    assert [sum(int(str(row[n])) for row in filtered) for n in range(1, len(ADDITIVE) + 1)] == by_video[0][1:]


def test_subscribers_gained_less_lost_is_the_change_of_the_level(ask: Ask, server: SandboxServer) -> None:
    rows = report(ask, "2024-01-01", "2026-10-31", LATER, metrics="subscribersGained,subscribersLost", dimensions="")
    gained, lost = (int(str(value)) for value in rows[0])
    levels = [
        int(
            ask("youtube", "/youtube/v3/channels", at=f"{day}T00:00:00-07:00", part="statistics", id=CHANNEL).json()[
                "items"
            ][0]["statistics"]["subscriberCount"]
        )
        for day in ("2024-01-01", "2026-11-01")
    ]
    assert abs((levels[1] - levels[0]) - (gained - lost)) <= levels[1] * 0.01 + 1


def test_a_day_appears_after_two_to_three_days_slightly_low_and_is_final_after_six(ask: Ask) -> None:
    end = datetime.fromisoformat("2026-11-04T00:00:00-08:00")

    def seen(hours: int) -> int | None:
        rows = report(ask, "2026-11-03", "2026-11-03", end + timedelta(hours=hours), metrics="views")
        return int(str(rows[0][1])) if rows else None

    assert seen(47) is None
    young, final = seen(73), seen(6 * 24)
    assert young is not None
    assert final is not None
    assert 0.9 * final < young < final == seen(2_000)


def test_the_table_ends_at_the_last_ready_day(ask: Ask) -> None:
    days = [date.fromisoformat(str(row[0])) for row in report(ask, "2026-11-01", "2026-11-30")]
    assert days == [date(2026, 11, 1) + timedelta(days=n) for n in range(len(days))]
    assert days[-1] in (date(2026, 11, 16), date(2026, 11, 17))


def test_months_and_averages(ask: Ask) -> None:
    months = report(ask, "2026-08-01", "2026-10-01", LATER, dimensions="month", metrics="views")
    assert [row[0] for row in months] == ["2026-08", "2026-09", "2026-10"]
    october = report(ask, "2026-10-01", "2026-10-31", LATER, metrics="views", dimensions="")
    assert october == [[months[2][1]]]
    rows = report(ask, "2026-10-01", "2026-10-31", metrics="averageViewDuration,averageViewPercentage", dimensions="")
    assert 0 < int(str(rows[0][0])) < 1_200
    assert 30 < float(str(rows[0][1])) < 70


def test_mine_is_the_channel_named_in_the_token(ask: Ask) -> None:
    asked = {"startDate": "2026-11-01", "endDate": "2026-11-03", "metrics": "views", "ids": "channel==MINE"}
    named = ask("youtube", "/v2/reports", token=f"secret~{CHANNEL}", **asked).json()["rows"]
    assert named == report(ask, "2026-11-01", "2026-11-03", metrics="views", dimensions="")
    assert ask("youtube", "/v2/reports", **asked).status_code == 404
    own = ask("youtube", "/youtube/v3/channels", token=f"secret~{CHANNEL}", part="id", mine="true").json()
    assert own["items"][0]["id"] == CHANNEL


def reason(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["errors"][0]["reason"]


REPORT = {"ids": f"channel=={CHANNEL}", "startDate": "2026-11-01", "endDate": "2026-11-03", "metrics": "views"}


@pytest.mark.parametrize(
    ("path", "parameters", "expected"),
    [
        (
            "/youtube/v3/videos",
            {"part": "statistics", "id": ",".join(str(n) for n in range(51))},
            (400, "invalidFilters"),
        ),
        ("/youtube/v3/videos", {"id": "a"}, (400, "required")),
        ("/youtube/v3/videos", {"part": "shoes", "id": "a"}, (400, "unknownPart")),
        ("/youtube/v3/channels", {"part": "id"}, (400, "missingRequiredParameter")),
        ("/youtube/v3/playlistItems", {"part": "id", "playlistId": "PLx"}, (404, "playlistNotFound")),
        ("/youtube/v3/playlistItems", {"part": "id", "playlistId": "UUx", "pageToken": "?"}, (400, "invalidPageToken")),
        ("/v2/reports", REPORT | {"metrics": ""}, (400, "required")),
        ("/v2/reports", REPORT | {"startDate": ""}, (400, "required")),
        ("/v2/reports", REPORT | {"metrics": "shoes"}, (400, "badRequest")),
        ("/v2/reports", REPORT | {"metrics": "views,estimatedRevenue"}, (403, "forbidden")),
        ("/v2/reports", REPORT | {"dimensions": "day,video"}, (400, "badRequest")),
        ("/v2/reports", REPORT | {"dimensions": "video"}, (400, "badRequest")),
        ("/v2/reports", REPORT | {"dimensions": "video", "sort": "-views", "maxResults": 201}, (400, "badRequest")),
        ("/v2/reports", REPORT | {"dimensions": "month"}, (400, "badRequest")),
        ("/v2/reports", REPORT | {"filters": "country==US"}, (400, "badRequest")),
        ("/v2/reports", REPORT | {"filters": "video==" + ",".join(["x"] * 501)}, (400, "badRequest")),
        ("/v2/reports", REPORT | {"ids": "channel==missing1"}, (403, "forbidden")),
        ("/youtube/v3/search", {"part": "id"}, (404, "notFound")),
    ],
)
def test_requests_that_are_refused(
    ask: Ask, path: str, parameters: dict[str, object], expected: tuple[int, str]
) -> None:
    assert reason(ask("youtube", path, **parameters)) == expected
