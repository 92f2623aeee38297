"""Answers of the reading routes from the cache: moved exactly by the days they are about, and by nobody else's data."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from metrics_pipeline.lake.lake import Lake
from metrics_pipeline_tests.api.conftest import Client
from metrics_pipeline_tests.api.reading.conftest import days_of, points_of, write_days

PATH = "/v1/accounts/a/metrics"
ASKED = {"start": "2026-03-02", "end": "2026-03-05"}


def status(answer: httpx.Response) -> str:
    return answer.headers["cache-status"].split("; ")[1]


def test_a_commit_of_its_days_moves_an_answer_and_another_day_does_not(lake: Lake, reader: httpx.Client) -> None:
    write_days(lake, days_of([1, 2, 3]))
    first = reader.get(PATH, params=ASKED)
    assert (status(first), status(reader.get(PATH, params=ASKED))) == ("fwd=miss", "hit")
    write_days(lake, days_of({7: 9.0}))
    assert status(reader.get(PATH, params=ASKED)) == "hit"
    write_days(lake, days_of({3: 4.0}))
    after = reader.get(PATH, params=ASKED)
    assert status(after) == "fwd=miss"
    assert points_of(after) == {"2026-03-02": 2.0, "2026-03-03": 3.0, "2026-03-04": 4.0}
    assert after.headers["etag"] != first.headers["etag"]
    assert after.json()["meta"]["generation"] != first.json()["meta"]["generation"]


def test_who_has_it_already_gets_nothing_again(lake: Lake, reader: httpx.Client) -> None:
    write_days(lake, days_of([1, 2, 3]))
    etag = reader.get(PATH, params=ASKED).headers["etag"]
    again = reader.get(PATH, params=ASKED, headers={"If-None-Match": f'"other", W/{etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert status(again) == "hit", "no statement was run for it"
    assert reader.get(PATH, params=ASKED, headers={"If-None-Match": '"other"'}).status_code == 200


def test_formats_and_questions_are_kept_apart(lake: Lake, reader: httpx.Client) -> None:
    write_days(lake, days_of([1, 2, 3]) + days_of([5, 6, 7], metric="likes"))
    plain = reader.get(PATH, params=ASKED)
    for parameters, accept in (({"metric": "likes"}, "*/*"), ({"compare": "previous_period"}, "*/*"), ({}, "text/csv")):
        answer = reader.get(PATH, params={**ASKED, **parameters}, headers={"Accept": accept})
        assert status(answer) == "fwd=miss"
        assert answer.headers["etag"] != plain.headers["etag"]
    # the same question in other words
    spelled = {"start": "2026-03-02T00:00:00Z", "end": "2026-03-04T12:00:00Z"}
    assert status(reader.get(PATH, params=spelled)) == "hit"


def test_another_tenants_data_changes_neither_bytes_nor_tags(
    lake: Lake, reader: httpx.Client, client: Client, key: Callable[..., str]
) -> None:
    """The files of a day are shared: what is computed anew because of somebody else comes out the same."""
    write_days(lake, days_of([1, 2, 3]) + days_of([1], kind="workspace", entity="acme"))
    workspace = "/v1/workspaces/acme"
    paths = [f"{PATH}?start=2026-03-01", f"{workspace}/metrics?start=2026-03-01", f"{workspace}/dashboard",
             f"{workspace}/snapshots", "/v1/trending", "/v1/top-performing"]  # fmt: skip
    before = [reader.get(path) for path in paths]
    write_days(
        lake, days_of([9, 9, 9], workspace="beta") + days_of([9], workspace="beta", kind="workspace", entity="beta")
    )
    after = [reader.get(path) for path in paths]
    assert {status(answer) for answer in after} >= {"fwd=miss"}
    assert [(a.content, a.headers["etag"]) for a in after] == [(b.content, b.headers["etag"]) for b in before]
    other = client(key("beta", "read")).get(PATH, params={"start": "2026-03-01"})
    assert points_of(other)["2026-03-01"] == 9.0, "the same account id in another workspace is another account"
