"""The client: retries, waiting, budget, and no token anywhere in what it leaves behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.platforms import instagram, x
from metrics_pipeline.platforms.contract import AccountResult
from metrics_pipeline.platforms.errors import Act, Answer, PlatformError, redact
from metrics_pipeline.platforms.http import PlatformClient
from metrics_pipeline_tests.platforms.loopback import NOW, TOKEN, Asked, Loopback, Reply, account_of, settings_for

THROTTLED = {"error": {"message": "limit", "code": 80002}}


class Caller:
    """A client against the loopback server that remembers how long it would have slept."""

    def __init__(self, loopback: Loopback, platform: str = "instagram", **settings: object) -> None:
        dialect = {"instagram": instagram.DIALECT, "x": x.DIALECT}[platform]
        self.slept: list[float] = []
        self.result = AccountResult()
        self.platform = platform
        self.settings = settings_for(loopback, platform, **settings)
        self.spec = catalog().platforms[platform]
        self.dialect = dialect

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def get(self, *paths: str, token: str = TOKEN) -> list[Answer | PlatformError]:
        async def run() -> list[Answer | PlatformError]:
            client = PlatformClient(self.spec, self.dialect, self.settings, sleep=self._sleep)
            answers: list[Answer | PlatformError] = []
            try:
                for number, path in enumerate(paths):
                    account = account_of(self.platform, str(number), token)
                    # Each call is another account's, but they share the client as they do in a run.
                    session = client.session(account, NOW, self.result)
                    try:
                        answers.append(await session.get(path, {"a": "b"}))
                    except PlatformError as error:
                        answers.append(error)
            finally:
                await client.aclose()
            return answers

        return asyncio.run(run())


def in_turn(*replies: Reply) -> Iterator[Reply]:
    yield from replies
    while True:
        yield replies[-1]


def serve(loopback: Loopback, *replies: Reply) -> None:
    queue = in_turn(*replies)
    loopback.answer = lambda _asked: next(queue)


def test_a_hiccup_is_retried_with_growing_pauses(loopback: Loopback) -> None:
    serve(loopback, Reply("<html>", 502), Reply("{half", 200), Reply({"error": {"code": 2}}, 500), Reply({"id": "1"}))
    caller = Caller(loopback)
    (answer,) = caller.get("/v26.0/1")
    assert isinstance(answer, Answer)
    assert answer.body == {"id": "1"}
    assert caller.result.calls == 4
    assert [r.status for r in caller.result.responses] == [502, 200, 500, 200]
    assert caller.slept == sorted(caller.slept)
    assert 0.5 <= caller.slept[0] <= 1.0


def test_retries_are_bounded(loopback: Loopback) -> None:
    serve(loopback, Reply({}, 503))
    caller = Caller(loopback, http_max_attempts=3)
    (error,) = caller.get("/v26.0/1")
    assert isinstance(error, PlatformError)
    assert (error.act, caller.result.calls) == (Act.RETRY, 3)


def test_a_dead_host_is_a_retryable_error(loopback: Loopback) -> None:
    caller = Caller(loopback, instagram_base_url="http://127.0.0.1:9", http_max_attempts=2)
    (error,) = caller.get("/v26.0/1")
    assert isinstance(error, PlatformError)
    assert error.act is Act.RETRY
    assert len(caller.slept) == 1


def test_a_client_mistake_is_not_retried(loopback: Loopback) -> None:
    serve(loopback, Reply({"error": {"message": "bad", "code": 2500}}, 400))
    caller = Caller(loopback)
    caller.get("/v26.0/1")
    assert caller.result.calls == 1


def test_a_short_window_is_waited_for_and_a_long_one_ends_the_turn(loopback: Loopback) -> None:
    reset = {"x-rate-limit-reset": str(int((NOW + timedelta(seconds=30)).timestamp()))}
    serve(loopback, Reply({"title": "Too Many"}, 429, reset), Reply({"data": []}))
    patient = Caller(loopback, "x")
    assert isinstance(patient.get("/2/users")[0], Answer)
    assert patient.slept == [32.0]

    serve(loopback, Reply({"title": "Too Many"}, 429, reset))
    hurried = Caller(loopback, "x", http_max_wait_seconds=10)
    (error,) = hurried.get("/2/users")
    assert isinstance(error, PlatformError)
    assert (error.act, error.wait_seconds, hurried.slept) == (Act.WAIT, 32.0, [])


def test_an_announced_end_of_quota_is_respected_before_the_next_call(loopback: Loopback) -> None:
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(NOW.timestamp()) + 20)}
    serve(loopback, Reply({"data": []}, 200, headers), Reply({"data": []}))
    caller = Caller(loopback, "x")

    async def run() -> None:
        client = PlatformClient(caller.spec, caller.dialect, caller.settings, sleep=caller._sleep)
        session = client.session(account_of("x"), NOW, caller.result)
        await session.get("/2/users/44/tweets", {})
        await session.get("/2/users", {})  # another endpoint has its own window
        assert caller.slept == []
        await session.get("/2/users/44/tweets", {})
        await client.aclose()

    asyncio.run(run())
    assert caller.slept == [22.0]


def test_the_app_limit_of_one_account_holds_for_the_next(loopback: Loopback) -> None:
    serve(loopback, Reply({"error": {"message": "app limit", "code": 4}}, 400))
    caller = Caller(loopback)
    first, second = caller.get("/v26.0/1", "/v26.0/2")
    assert isinstance(first, PlatformError)
    assert isinstance(second, PlatformError)
    assert (first.act, second.act) == (Act.WAIT, Act.WAIT)
    assert len(loopback.asked) == 1


def test_an_account_limit_leaves_the_others_alone(loopback: Loopback) -> None:
    serve(loopback, Reply(THROTTLED, 400), Reply({"id": "2"}))
    first, second = Caller(loopback).get("/v26.0/1", "/v26.0/2")
    assert isinstance(first, PlatformError)
    assert isinstance(second, Answer)


def test_out_of_money_stops_the_platform_for_every_account(loopback: Loopback) -> None:
    serve(loopback, Reply({"type": "https://api.x.com/2/problems/credits-depleted"}, 402))
    errors = Caller(loopback, "x").get("/2/users", "/2/users", "/2/users")
    assert [e.act for e in errors if isinstance(e, PlatformError)] == [Act.STOP_PLATFORM] * 3
    assert len(loopback.asked) == 1


def test_the_budget_ends_the_turn(loopback: Loopback) -> None:
    serve(loopback, Reply({"id": "1"}))
    answers = Caller(loopback, request_budget=2).get("/v26.0/1", "/v26.0/1", "/v26.0/1")
    assert isinstance(answers[2], PlatformError)
    assert (answers[2].act, answers[2].code) == (Act.WAIT, "request_budget")
    assert len(loopback.asked) == 2


def test_the_instant_stands_in_the_url_and_the_served_version_is_kept(loopback: Loopback) -> None:
    serve(loopback, Reply({"id": "1"}, 200, {"facebook-api-version": "v27.0"}))
    caller = Caller(loopback, instagram_base_url=f"{loopback.url}/at/{{at}}/instagram/")
    caller.get("/v26.0/1")
    assert loopback.paths() == ["/at/2026-11-20T10:00:00Z/instagram/v26.0/1"]
    assert caller.result.responses[0].endpoint == "/v26.0/1"
    assert caller.result.responses[0].api_version == "v27.0"


def test_no_token_in_anything_that_is_left_behind(loopback: Loopback) -> None:
    def echo(asked: Asked) -> Reply:
        assert asked.headers["authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in str(asked.params)
        escaped = TOKEN.replace("/", "\\/")
        link = f"https://graph.example/x?access_token={TOKEN}&after=A"
        encoded = str(httpx.URL("https://graph.example/x", params={"access_token": TOKEN}))
        body = json.dumps({"error": {"message": f"bad token {TOKEN}", "code": 190}, "l": link, "e": encoded})
        return Reply(body[:-1] + f', "j": "{escaped}"}}', 401)

    loopback.answer = echo
    caller = Caller(loopback)
    (error,) = caller.get("/v26.0/1")
    left = repr(caller.result) + repr(error) + str(error)
    for secret in (TOKEN, TOKEN.replace("/", "\\/"), "s3cret", "Token+with"):
        assert secret not in left
    assert "after=A" in left


def test_a_token_that_cannot_be_sent_is_refused_before_it_can_leak(loopback: Loopback) -> None:
    async def run() -> None:
        caller = Caller(loopback)
        client = PlatformClient(caller.spec, caller.dialect, caller.settings)
        try:
            with pytest.raises(PlatformError, match="stored token") as caught:
                client.session(account_of("instagram", token="abc\ndef"), NOW, caller.result)
            assert "abc" not in str(caught.value)
        finally:
            await client.aclose()

    asyncio.run(run())
    assert loopback.asked == []


@pytest.mark.parametrize(
    "text",
    [
        "https://h/p?access_token=EAAB123&x=1",
        '{"access_token": "EAAB123"}',
        r'{"next":"https:\/\/h\/p?access_token=EAAB123\u0026limit=5"}',
        "Authorization: Bearer EAAB123",
        "appsecret_proof=EAAB123",
    ],
)
def test_redaction_knows_secrets_by_their_name(text: str) -> None:
    assert "EAAB123" not in redact(text)


@pytest.mark.parametrize("path", ["/v26.0/1?x=y", "/v26.0/../me", "/v26.0//1", "/v26.0/1 2", "/v26.0/1#f", "/v26.0/"])
def test_an_id_cannot_bend_the_path(loopback: Loopback, path: str) -> None:
    (error,) = Caller(loopback).get(path)
    assert isinstance(error, PlatformError)
    assert error.act is Act.CONFIG
    assert loopback.asked == []


def test_one_slow_answer_is_cut_off(loopback: Loopback) -> None:
    async def stall(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(5)
        return httpx.Response(200)

    async def run() -> PlatformError:
        caller = Caller(loopback, http_timeout_seconds=0.05, http_max_attempts=1)
        client = PlatformClient(caller.spec, caller.dialect, caller.settings, transport=httpx.MockTransport(stall))
        with pytest.raises(PlatformError) as caught:
            await client.session(account_of("instagram"), NOW, caller.result).get("/v26.0/1", {})
        await client.aclose()
        return caught.value

    assert asyncio.run(run()).act is Act.RETRY
