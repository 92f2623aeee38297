"""What a request costs, and pacing below limits per minute."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.catalog.calls import ApiCall, Limit
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.platforms.contract import Account
from metrics_pipeline.platforms.errors import Answer
from metrics_pipeline.platforms.metering import MINUTE, Pace, Request, item_ids, request_of
from metrics_pipeline.settings import Settings

ONE, OTHER = (Account("w", name, "x", name, "token") for name in ("a", "b"))


def request(account: Account = ONE, endpoint: str = "/posts") -> Request:
    return Request(account, endpoint, None, {})


def limit(amount: int, *, per_endpoint: bool = False, per_account: bool = False) -> Limit:
    return Limit(unit="calls", amount=amount, every="minute", per_endpoint=per_endpoint, per_account=per_account)


@given(st.integers(1, 6), st.lists(st.floats(0, 40), min_size=1, max_size=60))
def test_no_sliding_minute_holds_more_than_the_limit(amount: int, gaps: list[float]) -> None:
    pace, now, sent = Pace([limit(amount)]), 0.0, []
    for gap in gaps:
        now += gap
        now += pace.delay(request(), now)
        sent.append(now)
    for first, beyond in zip(sent, sent[amount:], strict=False):
        assert beyond - first >= MINUTE - 1e-6


def test_nothing_waits_that_need_not() -> None:
    pace = Pace([limit(3)])
    assert [pace.delay(request(), 5.0) for _ in range(3)] == [0, 0, 0]
    assert pace.delay(request(), 6.0) == pytest.approx(59.0)
    assert pace.delay(request(), 200.0) == 0


def test_requests_side_by_side_are_spread_before_any_of_them_is_sent() -> None:
    pace = Pace([limit(2)])
    assert [pace.delay(request(), 0.0) for _ in range(5)] == [0, 0, 60, 60, 120]


def test_endpoints_and_accounts_have_counts_of_their_own_where_the_platform_says_so() -> None:
    pace = Pace([limit(1, per_endpoint=True, per_account=True), limit(3)])
    asked = [request(), request(OTHER), request(endpoint="/users"), request(OTHER, "/users"), request()]
    assert [pace.delay(one, 0.0) for one in asked] == [0, 0, 0, 60, 60]


@pytest.mark.parametrize(
    ("platform", "path", "endpoint"),
    [
        ("x", "/2/users/12/tweets", "/2/users/{id}/tweets"),
        ("x", "/2/tweets", "/2/tweets"),
        ("x", "/2/users/12/followers", "/{id}/users/{id}/followers"),
        ("instagram", "/v99.0/178/insights", "/{version}/{id}/insights"),
        ("linkedin", "/rest/networkSizes/urn%3Ali%3Aorganization%3A1", "/rest/networkSizes/{id}"),
        ("youtube", "/v2/reports", "/v2/reports"),
        ("tiktok", "/open_api/v1.3/business/get/", "/open_api/v1.3/business/get"),
    ],
)
def test_a_request_is_counted_under_the_endpoint_that_its_platform_names(
    platform: str, path: str, endpoint: str
) -> None:
    settings = Settings(tiktok_api="accounts")
    calls = [call for call in catalog().platforms[platform].calls if call.applies(settings)]
    assert request_of(calls, ONE, path, {}).endpoint == endpoint


@pytest.mark.parametrize(
    ("params", "most"), [({"ids": "1,2,3"}, 3), ({"max_results": "100"}, 100), ({"max_results": "all"}, 1), ({}, 1)]
)
def test_a_request_can_cost_no_more_than_what_it_asks_for(params: dict[str, str], most: int) -> None:
    assert request_of([], ONE, "/2/tweets", params).most_items == most


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ({"data": [{"id": "1"}, {"id": 2}, {"text": "without"}]}, ["1", "2", "#2"]),
        ({"data": {"id": "9"}}, ["9"]),
        ({"errors": []}, []),
        ([], []),
    ],
)
def test_items_of_an_answer(body: object, ids: list[str]) -> None:
    assert item_ids(Answer(200, {}, body)) == ids


def test_every_setting_named_in_a_condition_exists() -> None:
    for spec in catalog().platforms.values():
        described: list[ApiCall | Limit] = [*spec.calls, *spec.limits]
        assert all(name in Settings.model_fields for one in described for name in one.when), spec.platform
