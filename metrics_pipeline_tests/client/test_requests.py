"""What the client does with answers that are no answers: errors, repeats, time limits, and what it remembers."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from metrics_pipeline.client import (
    ApiError,
    AuthError,
    LiveEvent,
    MetricsClient,
    NotFound,
    RateLimited,
    Unavailable,
    listening,
)
from metrics_pipeline.client.link import segment
from metrics_pipeline.client.remembered import RememberedAnswers
from metrics_pipeline_tests.client.scripted import Reply, Scripted, scripted

KEY = "mk_canary0000_do-not-tell-anybody"
ACCOUNTS: dict[str, object] = {"data": [], "meta": {}}
STARTED = {"data": {"runs": []}, "meta": {"replayed": False, "skipped": [], "requested_at": "2026-11-20T10:00:00Z"}}


def problem(status: int, code: str, **more: object) -> Reply:
    headers = {"Retry-After": "0"} if status in (429, 503) else {}
    return Reply(status, {"status": status, "code": code, "detail": "So it is.", **more}, headers)


def client_of(server: Scripted, retries: int = 3) -> MetricsClient:
    return MetricsClient(server.url, KEY, retries=retries)


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (problem(401, "invalid_key"), AuthError, "invalid_key"),
        (problem(403, "insufficient_scope"), AuthError, "insufficient_scope"),
        (problem(404, "not_found"), NotFound, "not_found"),
        (problem(422, "missing_field", pointer="/eventType"), ApiError, "missing_field"),
        (problem(429, "quota_exceeded"), RateLimited, "quota_exceeded"),
        (problem(500, "internal_error", trace_id="ab12"), Unavailable, "internal_error"),
        (problem(502, "dagster_error"), Unavailable, "dagster_error"),
        (Reply(502, "<html>"), Unavailable, "http_502"),
        (Reply(307, b"", {"Location": "http://127.0.0.1:1/"}), ApiError, "http_307"),
        (Reply(200, {"data": "other"}), ApiError, "unreadable_answer"),
        (None, Unavailable, "unreachable"),
    ],
)
def test_an_error_is_of_its_kind_and_never_tells_the_key(
    reply: Reply | None, kind: type[ApiError], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with scripted(reply) as server, client_of(server, retries=0) as client:
        with pytest.raises(ApiError) as raised:
            client.accounts()
        error = raised.value
        assert (type(error), error.code) == (kind, code)
        assert error.status == (None if reply is None else reply.status)
        if reply is not None and isinstance(reply.body, dict):
            assert (error.pointer, error.trace_id) == (reply.body.get("pointer"), reply.body.get("trace_id"))
        below = error.__traceback__.tb_next if error.__traceback__ else None  # this test's own frame knows the key
        told = "".join(traceback.StackSummary.extract(traceback.walk_tb(below), capture_locals=True).format())
        assert "self = MetricsClient(" in told
        assert error.__context__ is None
        assert KEY not in told + repr(client) + repr(error) + repr(vars(error)) + caplog.text
        assert server.received[0].headers["Authorization"] == f"Bearer {KEY}"


def test_a_read_is_repeated_until_it_is_answered() -> None:
    with scripted(None, problem(429, "quota_exceeded"), Reply(503), Reply(200, ACCOUNTS)) as server:
        assert client_of(server).accounts().data == []
        assert len(server.received) == 4


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500])
def test_what_would_be_said_again_is_not_asked_again(status: int) -> None:
    with scripted(problem(status, "so_it_is"), Reply(200, ACCOUNTS)) as server:
        with pytest.raises(ApiError):
            client_of(server).accounts()
        assert len(server.received) == 1


def test_a_server_that_asks_for_long_patience_is_told_of_and_not_waited_for() -> None:
    with scripted(Reply(429, b"", {"Retry-After": "3600"})) as server:
        with pytest.raises(RateLimited) as raised:
            client_of(server).accounts()
        assert raised.value.retry_after == 3600
        assert len(server.received) == 1


def test_a_request_that_starts_runs_is_repeated_under_one_key() -> None:
    with scripted(None, problem(409, "request_in_progress"), Reply(202, STARTED)) as server:
        client = client_of(server)
        client.collect_account("a/b", start=datetime(2026, 11, 1, tzinfo=UTC).date())
        client.collect_account("a/b")
    keys = [request.headers["Idempotency-Key"] for request in server.received]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert server.received[0].path == "/v1/accounts/a%2Fb:collect"
    assert server.received[0].json() == {"start": "2026-11-01"}


def test_events_without_ids_are_sent_once_and_others_at_their_own_time_again() -> None:
    taken = {
        "data": {"accepted": 1, "duplicates": 0, "rejected": 0, "received_at": "2026-11-20T10:00:00Z", "results": []},
        "meta": {},
    }
    times = iter(datetime(2026, 11, 20, 10, minute, tzinfo=UTC) for minute in range(10))
    with scripted(None, None, Reply(202, taken)) as server:
        client = MetricsClient(server.url, KEY, now=lambda: next(times))
        with pytest.raises(Unavailable):
            client.track_batch([{"event_type": "like", "event_id": "e1"}, {"event_type": "like"}])
        client.track_batch([{"event_type": "like", "event_id": "e1"}])
    minutes = [request.json()["sent_at"][14:16] for request in server.received]
    assert minutes == ["00", "01", "02"]


def test_an_answer_is_remembered_until_it_changes() -> None:
    first, other = {"data": [], "meta": {"n": "1"}}, {"data": [], "meta": {"n": "2"}}
    script = (Reply(200, first, {"ETag": '"a"'}), Reply(304), Reply(200, other, {"ETag": '"b"'}), Reply(304))
    with scripted(*script) as server:
        client = client_of(server)
        assert [client.accounts().meta["n"] for _ in range(4)] == ["1", "1", "2", "2"]
    assert [request.headers.get("If-None-Match") for request in server.received] == [None, '"a"', '"a"', '"b"']


def test_what_names_a_person_is_not_remembered() -> None:
    history = {
        "data": [],
        "meta": {"next_cursor": None, "has_more": False, "data_through": None, "generation": "g", "cache": "live"},
    }
    with scripted(Reply(200, history, {"ETag": '"a"', "Cache-Control": "no-store"})) as server:
        client = client_of(server)
        client.watch_history("u1")
        client.watch_history("u1")
    assert [request.headers.get("If-None-Match") for request in server.received] == [None, None]


def test_few_answers_are_remembered_and_the_last_used_stay() -> None:
    kept = RememberedAnswers(most=2, most_bytes=10)
    for url in ("a", "b"):
        kept.put(url, "e", b"1234")
    kept.get("a")
    kept.put("c", "e", b"1234")
    assert [kept.get(url) is not None for url in "abc"] == [True, False, True]
    kept.put("d", "e", b"12345678901")
    assert [kept.get(url) for url in "acd"] == [None, None, None]


@pytest.mark.parametrize(
    "make",
    [
        lambda: MetricsClient("http://127.0.0.1", "mk_secret\n"),
        lambda: MetricsClient("http://user:mk_secret@127.0.0.1", KEY),
        lambda: MetricsClient("ftp://127.0.0.1", KEY),
        lambda: segment(".."),
        lambda: segment(""),
    ],
)
def test_what_cannot_be_asked_is_refused_without_repeating_it(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"^(?!.*mk_secret)"):
        make()


def test_live_updates_go_on_where_a_connection_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_LONGEST_PAUSE", 0.01)
    first = (
        b': hello\n\nevent: snapshot\nid: e-1\ndata: {"a":\ndata: 1}\n\nevent: bye\nid: e-2\ndata: {}\n\nevent: lost\n'
    )
    second = b"id:e-3\nevent:metrics.updated\ndata:{}\n\n"
    script = (Reply(200, first), None, Reply(200, second), problem(401, "invalid_key"))
    with scripted(*script) as server, client_of(server) as client:
        stream = client.live(["account:acme/a", "account:acme/b"])
        assert next(stream) == LiveEvent("snapshot", "e-1", {"a": 1})
        assert next(stream) == LiveEvent("metrics.updated", "e-3", {})
        with pytest.raises(AuthError):
            next(stream)
    assert [request.headers.get("Last-Event-ID") for request in server.received] == [None, "e-2", "e-2", "e-3"]
    assert server.received[0].path == "/v1/live?channel=account%3Aacme%2Fa&channel=account%3Aacme%2Fb"
