"""LinkedIn's pages as the sandbox plays them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest

from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline_tests.sandbox.conftest import NOW

PAGE = "4500"
ENTITY = quote(f"urn:li:organization:{PAGE}", safe="")
SHARES = f"organizationalEntityShareStatistics?q=organizationalEntity&organizationalEntity={ENTITY}"
GAINS = f"organizationalEntityFollowerStatistics?q=organizationalEntity&organizationalEntity={ENTITY}"
VIEWS = f"organizationPageStatistics?q=organization&organization={ENTITY}"
POSTS = f"posts?q=author&author={ENTITY}&sortBy=CREATED&count=100"
SIZE = f"networkSizes/{ENTITY}?edgeType=COMPANY_FOLLOWED_BY_MEMBER"
HEADERS = {"LinkedIn-Version": "202608", "X-Restli-Protocol-Version": "2.0.0", "X-RestLi-Method": "FINDER"}
ADDITIVE = {"impressionCount", "clickCount", "likeCount", "commentCount", "shareCount"}
LATER = NOW + timedelta(days=30)


class Page:
    """Asks with a query written by hand, as the platform wants it."""

    def __init__(self, server: SandboxServer, client: httpx.Client) -> None:
        self._server = server
        self._client = client

    def get(self, query: str, at: datetime = NOW, **headers: str) -> httpx.Response:
        base = self._server.base_url("linkedin").format(at=f"{at:%Y-%m-%dT%H:%M:%SZ}")
        sent = {"Authorization": "Bearer token", **HEADERS, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self._client.get(f"{base}/rest/{query}", headers=sent)

    def elements(self, query: str, at: datetime = NOW) -> list[dict[str, dict[str, float]]]:
        found: list[dict[str, dict[str, float]]] = self.get(query, at).json()["elements"]
        return found


@pytest.fixture
def page(server: SandboxServer) -> Iterator[Page]:
    with httpx.Client() as client:
        yield Page(server, client)


def days(first: str, end: str, granularity: str = "DAY") -> str:
    start, stop = (int(datetime.fromisoformat(d).replace(tzinfo=UTC).timestamp()) * 1000 for d in (first, end))
    return f"&timeIntervals=(timeRange:(start:{start},end:{stop}),timeGranularityType:{granularity})"


def post_ids(page: Page, at: datetime = NOW) -> list[str]:
    return [str(post["id"]) for post in page.elements(POSTS, at)]


def totals(page: Page, ids: list[str], at: datetime) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for kind, name in (("share", "shares"), ("ugcPost", "ugcPosts")):
        urns = ",".join(quote(urn, safe="") for urn in ids if f":{kind}:" in urn)
        for element in page.elements(f"{SHARES}&{name}=List({urns})", at):
            found[str(element[kind])] = element["totalShareStatistics"]
    return found


def test_days_are_the_differences_of_the_posts_totals(page: Page) -> None:
    start, end = datetime(2026, 11, 3, tzinfo=UTC), datetime(2026, 11, 6, tzinfo=UTC)
    ids = post_ids(page, end)
    before, after = totals(page, ids, start), totals(page, ids, end)
    buckets = page.elements(SHARES + days("2026-11-03", "2026-11-06"), LATER)
    assert len(buckets) == 3
    for name in ADDITIVE:
        gained = sum(after[urn][name] - before.get(urn, {}).get(name, 0) for urn in after)
        assert sum(bucket["totalShareStatistics"][name] for bucket in buckets) == gained > 0


def test_follower_gains_are_the_differences_of_the_level(page: Page) -> None:
    sizes = [page.get(SIZE, datetime(2026, 11, d, tzinfo=UTC)).json()["firstDegreeSize"] for d in (3, 10)]
    gains = [e["followerGains"] for e in page.elements(GAINS + days("2026-11-03", "2026-11-10"), LATER)]
    assert sum(gain["organicFollowerGain"] for gain in gains) == sizes[1] - sizes[0]


def test_months_hold_what_their_days_hold_and_fewer_people(page: Page) -> None:
    month = page.elements(SHARES + days("2026-10-01", "2026-11-01", "MONTH"), LATER)
    single = page.elements(SHARES + days("2026-10-01", "2026-11-01"), LATER)
    assert (len(month), len(single)) == (1, 31)
    for name in ADDITIVE:
        assert month[0]["totalShareStatistics"][name] == sum(d["totalShareStatistics"][name] for d in single)
    people = [d["totalShareStatistics"]["uniqueImpressionsCount"] for d in single]
    assert max(people) <= month[0]["totalShareStatistics"]["uniqueImpressionsCount"] < sum(people)


def test_a_day_is_low_for_two_days_and_then_final(page: Page) -> None:
    def seen(hours: int) -> float:
        at = datetime(2026, 11, 5, tzinfo=UTC) + timedelta(hours=hours)
        return page.elements(SHARES + days("2026-11-04", "2026-11-05"), at)[0]["totalShareStatistics"][
            "impressionCount"
        ]

    assert 0 < seen(1) < seen(30) < seen(48) == seen(2_000)


def test_the_rate_is_interactions_by_impressions(page: Page) -> None:
    numbers = page.elements(SHARES + days("2026-11-04", "2026-11-05"))[0]["totalShareStatistics"]
    interactions = sum(numbers[name] for name in ADDITIVE - {"impressionCount"})
    assert numbers["engagement"] == pytest.approx(interactions / numbers["impressionCount"])


def test_views_of_the_page_are_the_total_not_the_sum_of_sections(page: Page) -> None:
    body = page.get(VIEWS + days("2026-11-04", "2026-11-05")).json()
    every = body["elements"][0]["totalPageStatistics"]["views"]["allPageViews"]
    assert 0 < every["uniquePageViews"] <= every["pageViews"]


def test_posts_come_in_pages_newest_first_and_a_wrong_kind_has_no_statistics(page: Page) -> None:
    first = page.get(POSTS).json()
    second = page.get(f"{POSTS}&start=100").json()
    assert first["paging"]["links"][0]["rel"] == "next"
    created = [post["createdAt"] for post in first["elements"] + second["elements"]]
    assert created == sorted(created, reverse=True)
    share = next(str(urn) for urn in post_ids(page) if ":share:" in urn)
    swapped = quote(share.replace(":share:", ":ugcPost:"), safe="")
    assert page.elements(f"{SHARES}&ugcPosts=List({swapped})") == []
    assert page.get(f"posts/{swapped}").status_code == 404
    assert page.get(f"posts/{quote(share, safe='')}").json()["id"] == share


def test_old_days_and_old_posts_are_left_out(page: Page) -> None:
    assert page.elements(SHARES + days("2025-10-01", "2025-10-05")) == []
    old = post_ids(page, NOW - timedelta(days=400))
    assert len(totals(page, old, NOW - timedelta(days=400))) > 10
    assert totals(page, old, NOW) == {}


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        (SIZE, {"LinkedIn_Version": ""}, 426),
        (SIZE, {"LinkedIn_Version": "202508"}, 426),
        (SIZE, {"LinkedIn_Version": "latest"}, 426),
        (SHARES + days("2026-11-01", "2026-11-02"), {"X_Restli_Protocol_Version": "1.0.0"}, 400),
        ((SHARES + days("2026-11-01", "2026-11-02")).replace("(", "%28"), {}, 400),
        (SHARES.replace("%3A", ":"), {}, 400),
        (SHARES + days("2026-11-01", "2026-11-01"), {}, 400),
        (SHARES + days("2025-01-01", "2026-11-01"), {}, 400),
        (SHARES + days("2026-11-01", "2026-11-05", "MONTH"), {}, 400),
        (POSTS, {"X_RestLi_Method": ""}, 400),
        (POSTS + "&start=x", {}, 400),
        (SIZE.replace("4500", "missing1"), {}, 404),
        ("networkSizes/urn%3Ali%3Aperson%3A1?edgeType=COMPANY_FOLLOWED_BY_MEMBER", {}, 400),
        ("socialActions", {}, 404),
    ],
)
def test_requests_that_are_refused(page: Page, query: str, headers: dict[str, str], status: int) -> None:
    refused = page.get(query, NOW, **headers)
    assert (refused.status_code, refused.json()["status"]) == (status, status)


def test_faults_speak_linkedin(page: Page, server: SandboxServer) -> None:
    server.faults.switch_on("linkedin", PAGE, "throttled", requests=1)
    limited = page.get(SIZE)
    assert (limited.status_code, "retry-after" in limited.headers) == (429, False)
    assert "Resource level throttle" in limited.json()["message"]
    assert page.get(SIZE, Authorization="Bearer expired").json()["serviceErrorCode"] == 65604
    server.faults.switch_on("linkedin", PAGE, "permission")
    assert page.get(SIZE).json()["code"] == "ACCESS_DENIED"
    server.faults.clear()
    server.faults.switch_on("linkedin", PAGE, "refused_metric", metric="likeCount")
    assert "likeCount" not in page.elements(SHARES + days("2026-11-04", "2026-11-05"))[0]["totalShareStatistics"]
    deleted = post_ids(page)[0]
    server.faults.switch_on("linkedin", PAGE, "deleted_post", post_id=deleted)
    assert deleted not in post_ids(page)
    assert totals(page, [deleted], NOW) == {}
    assert page.get(f"posts/{quote(deleted, safe='')}").status_code == 404


def test_a_restated_day_changes_from_an_instant_on(page: Page, server: SandboxServer) -> None:
    since = NOW - timedelta(days=1)
    server.faults.switch_on("linkedin", PAGE, "restated", day="2026-11-05", factor=2, since=since)

    def seen(at: datetime) -> float:
        return page.elements(SHARES + days("2026-11-05", "2026-11-06"), at)[0]["totalShareStatistics"][
            "impressionCount"
        ]

    assert seen(NOW) == 2 * seen(since - timedelta(hours=1)) > 0
