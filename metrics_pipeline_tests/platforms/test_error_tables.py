"""Each row of the platforms' error tables, and what the run does about it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from metrics_pipeline.platforms import graph_errors, tiktok_errors, x_errors, youtube_errors
from metrics_pipeline.platforms.errors import Act, Answer

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def graph(code: int, message: str = "text", subcode: int | None = None, status: int = 400, **more: object) -> Answer:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "t", **more}
    if subcode is not None:
        error["error_subcode"] = subcode
    return Answer(status, {}, {"error": error}, {"metric": "views,reach"})


@pytest.mark.parametrize(
    ("answer", "act"),
    [
        (graph(1), Act.RETRY),
        (graph(2, status=500), Act.RETRY),
        (graph(1, "Please reduce the amount of data you're asking for", status=500), Act.CONFIG),
        (graph(4), Act.WAIT),
        (graph(17), Act.WAIT),
        (graph(32), Act.WAIT),
        (graph(341), Act.WAIT),
        (graph(613, subcode=1996), Act.WAIT),
        (graph(80001), Act.WAIT),
        (graph(80002), Act.WAIT),
        (graph(80006), Act.WAIT),
        (graph(80007), Act.WAIT),
        (graph(80008), Act.WAIT),
        (graph(102), Act.REAUTH),
        *[(graph(190, subcode=s), Act.REAUTH) for s in (458, 459, 460, 463, 464, 467, 492)],
        (graph(190, "This method must be called with a Page Access Token"), Act.CONFIG),
        (graph(3), Act.PERMISSION),
        (graph(10), Act.PERMISSION),
        (graph(200), Act.PERMISSION),
        (graph(299), Act.PERMISSION),
        (graph(10, "(#10) Not enough viewers for the media to show insights"), Act.SKIP_METRIC),
        (graph(100), Act.CONFIG),
        (graph(100, subcode=33), Act.SKIP_OBJECT),
        (graph(100, "Object with ID '2' does not exist, cannot be loaded"), Act.SKIP_OBJECT),
        (graph(100, subcode=2108006), Act.SKIP_OBJECT),
        (graph(-1, "Fatal", subcode=2207086), Act.SKIP_METRIC),
        (graph(368), Act.WAIT),
        (graph(2500), Act.CONFIG),
        (graph(3001, subcode=1504028), Act.CONFIG),
        (graph(36104), Act.SKIP_METRIC),
        (graph(100, "(#100) The value must be a valid insights metric"), Act.SKIP_METRIC),
        (graph(100, "(#100) should be specified with parameter metric_type=total_value"), Act.CONFIG),
        (graph(100, "(#100) Incompatible breakdowns (x)"), Act.CONFIG),
        (graph(100, "(#100) There cannot be more than 30 days (2592000 s)"), Act.CONFIG),
        (graph(100, "(#100) There cannot be more than 93 days (8035200 s) between since and until"), Act.CONFIG),
        (graph(1, "There cannot be more than 8035200 s between since and until"), Act.CONFIG),
        (graph(100, "API calls from the server requires an appsecret_proof argument"), Act.CONFIG),
        (graph(987654, is_transient=True), Act.RETRY),
        (graph(987654), Act.CONFIG),
        (graph(190, status=200), Act.REAUTH),
        (Answer(200, {}, {"data": []}), None),
        (Answer(503, {}, None), Act.RETRY),
        (Answer(400, {}, {"error_type": "OAuthException", "code": 400, "error_message": "bad code"}), Act.CONFIG),
    ],
)
def test_graph_errors(answer: Answer, act: Act | None) -> None:
    error = graph_errors.classify(answer)
    assert (error and error.act) == act


@pytest.mark.parametrize(
    ("message", "metric"),
    [
        ("(#100) metric[1] must be one of the following values: views, likes", "reach"),
        ("(#100) The Media Insights API does not support the follows metric for this media product type", "follows"),
        (
            "(#100) (follower_count) only supports querying data for the last 30 days excluding the current day",
            "follower_count",
        ),
        ("(#100) The value must be a valid insights metric", None),
    ],
)
def test_graph_names_the_refused_metric(message: str, metric: str | None) -> None:
    error = graph_errors.classify(graph(100, message))
    assert error is not None
    assert (error.act, error.metric) == (Act.SKIP_METRIC, metric)


def test_graph_wait_comes_from_the_header_in_minutes() -> None:
    usage = '{"17001": [{"type": "instagram", "call_count": 100, "estimated_time_to_regain_access": 7}]}'
    answer = graph(80002)
    error = graph_errors.classify(Answer(400, {"x-business-use-case-usage": usage}, answer.body))
    assert error is not None
    assert (error.wait_seconds, error.scope) == (420, "account")
    app = graph_errors.classify(graph(4))
    assert app is not None
    assert (app.wait_seconds, app.scope) == (300, "app")


@pytest.mark.parametrize(("percent", "pause"), [(94, None), (95, 300.0), (100, 300.0)])
def test_graph_keeps_silent_from_95_percent(percent: int, pause: float | None) -> None:
    usage = f'{{"call_count": 10, "total_time": {percent}, "total_cputime": 3}}'
    assert graph_errors.quota_used_up(Answer(200, {"x-app-usage": usage}, {})) == pause


def x_problem(status: int, name: str, **more: object) -> Answer:
    body = {"title": name, "detail": "text", "type": f"https://api.x.com/2/problems/{name}", "status": status, **more}
    return Answer(status, {"x-rate-limit-reset": str(int(NOW.timestamp()) + 100)}, body)


@pytest.mark.parametrize(
    ("answer", "act"),
    [
        (Answer(401, {}, {"title": "Unauthorized", "type": "about:blank", "status": 401}), Act.REAUTH),
        (x_problem(402, "credits-depleted"), Act.STOP_PLATFORM),
        (x_problem(403, "client-forbidden", reason="client-not-enrolled"), Act.PERMISSION),
        (x_problem(403, "not-authorized-for-resource"), Act.PERMISSION),
        (x_problem(403, "unsupported-authentication"), Act.PERMISSION),
        (x_problem(403, "not-authorized-for-field"), Act.SKIP_METRIC),
        (x_problem(403, "field-unauthorized"), Act.SKIP_METRIC),
        (x_problem(404, "resource-not-found"), Act.SKIP_OBJECT),
        (x_problem(403, "resource-unavailable"), Act.SKIP_OBJECT),
        (x_problem(400, "invalid-request"), Act.CONFIG),
        (x_problem(429, "rate-limit-exceeded"), Act.WAIT),
        (Answer(429, {}, {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}), Act.WAIT),
        (x_problem(429, "usage-capped", period="Monthly", scope="Product"), Act.STOP_PLATFORM),
        *[(Answer(status, {}, None), Act.RETRY) for status in (500, 502, 503, 504)],
        (Answer(200, {}, {"errors": [{"title": "Not Found Error"}]}), None),
    ],
)
def test_x_errors(answer: Answer, act: Act | None) -> None:
    error = x_errors.classify(answer, NOW)
    assert (error and error.act) == act


def test_x_waits_until_the_reset_and_a_whole_window_without_one() -> None:
    with_reset = x_errors.classify(x_problem(429, "rate-limit-exceeded"), NOW)
    without = x_errors.classify(Answer(429, {}, {"errors": [{"code": 88, "message": "m"}]}), NOW)
    assert with_reset is not None
    assert without is not None
    assert (with_reset.wait_seconds, without.wait_seconds) == (102, 900)


def google(http: int, reason: str, message: str = "text", **more: object) -> Answer:
    body = {"error": {"code": http, "message": message, "errors": [{"domain": "d", "reason": reason}], **more}}
    return Answer(http, {}, body, {"metrics": "views"})


@pytest.mark.parametrize(
    ("answer", "act"),
    [
        (google(403, "quotaExceeded"), Act.WAIT),
        (google(403, "dailyLimitExceeded"), Act.WAIT),
        (google(403, "rateLimitExceeded"), Act.RETRY),
        (google(403, "userRateLimitExceeded"), Act.RETRY),
        (
            google(429, "rateLimitExceeded", "Quota exceeded for quota metric 'Queries' and limit 'Queries per day'"),
            Act.WAIT,
        ),
        (
            google(429, "rateLimitExceeded", "Quota exceeded for quota metric 'Queries' and limit 'per minute'"),
            Act.RETRY,
        ),
        (google(401, "authError"), Act.REAUTH),
        (Answer(400, {}, {"error": "invalid_grant", "error_description": "Bad Request"}), Act.REAUTH),
        (google(403, "insufficientPermissions"), Act.REAUTH),
        (google(403, "forbidden"), Act.PERMISSION),
        (google(403, "accountDelegationForbidden"), Act.PERMISSION),
        *[
            (google(403, r), Act.REAUTH)
            for r in ("authenticatedUserAccountClosed", "authenticatedUserAccountSuspended", "channelClosed")
        ],
        (google(403, "channelSuspended"), Act.REAUTH),
        *[(google(404, r), Act.SKIP_OBJECT) for r in ("channelNotFound", "playlistNotFound", "videoNotFound")],
        (google(400, "keyInvalid"), Act.STOP_PLATFORM),
        (google(403, "accessNotConfigured"), Act.STOP_PLATFORM),
        *[(google(400, r), Act.CONFIG) for r in ("invalidPageToken", "incompatibleParameters", "badRequest")],
        (google(500, "backendError"), Act.RETRY),
        (google(503, "whatever"), Act.RETRY),
        (google(403, "SERVICE_UNAVAILABLE", "no permission", status="PERMISSION_DENIED"), Act.PERMISSION),
        (Answer(200, {}, {"items": []}), None),
    ],
)
def test_youtube_errors(answer: Answer, act: Act | None) -> None:
    error = youtube_errors.classify(answer, NOW)
    assert (error and error.act) == act


def test_youtube_refuses_money_and_unknown_metrics_by_metric() -> None:
    money = google(403, "forbidden")
    refused = youtube_errors.classify(Answer(403, {}, money.body, {"metrics": "estimatedRevenue"}), NOW)
    unknown = youtube_errors.classify(google(400, "badRequest", "Unknown identifier (likes) given in field x"), NOW)
    assert refused is not None
    assert unknown is not None
    assert refused.act is Act.SKIP_METRIC
    assert (unknown.act, unknown.metric) == (Act.SKIP_METRIC, "likes")


def test_youtube_quota_returns_at_midnight_pacific() -> None:
    error = youtube_errors.classify(google(403, "quotaExceeded"), NOW)  # 02:00 in California
    assert error is not None
    assert (error.wait_seconds, error.scope) == (22 * 3600, "app")


def display(status: int, code: str, message: str = "text") -> Answer:
    error = {"code": code, "message": message, "log_id": "l"}
    return Answer(status, {}, {"data": {}, "error": error}, {"fields": "id,like_count,share_count"})


def business(code: int, message: str = "text", status: int = 200) -> Answer:
    body = {"code": code, "message": message, "request_id": "r", "data": {}}
    return Answer(status, {}, body, {"fields": '["likes","reach"]'})


@pytest.mark.parametrize(
    ("answer", "act"),
    [
        (display(200, "ok"), None),
        (display(401, "access_token_invalid"), Act.REAUTH),
        (display(200, "access_token_invalid"), Act.REAUTH),
        (display(401, "scope_not_authorized"), Act.REAUTH),
        (display(400, "scope_permission_missed"), Act.SKIP_METRIC),
        (display(400, "invalid_params"), Act.CONFIG),
        (display(429, "rate_limit_exceeded"), Act.WAIT),
        (display(500, "internal_error"), Act.RETRY),
        (display(503, "whatever"), Act.RETRY),
        (display(200, "whatever"), Act.CONFIG),
        (display(403, "whatever"), Act.PERMISSION),
        (Answer(400, {}, {"error": "invalid_grant", "error_description": "d", "log_id": "l"}), Act.REAUTH),
        (Answer(200, {}, {"error": "invalid_grant", "error_description": "d", "log_id": "l"}), Act.REAUTH),
        (business(0), None),
        (business(40100), Act.WAIT),
        (business(40105), Act.REAUTH),
        (business(40110), Act.REAUTH),
        (business(40001), Act.PERMISSION),
        (business(40001, "no permission for the fields likes, reach"), Act.SKIP_METRIC),
        (business(40002), Act.CONFIG),
        (business(40002, "fields: reach is not a valid choice"), Act.SKIP_METRIC),
        (business(40009), Act.CONFIG),
        (business(50000), Act.RETRY),
        (business(51234), Act.RETRY),
        (business(0, status=502), Act.RETRY),
        (Answer(502, {}, None), Act.RETRY),
        (Answer(429, {}, None), Act.WAIT),
        (Answer(200, {}, {"data": {"videos": []}}), Act.RETRY),
        (Answer(200, {}, []), Act.RETRY),
    ],
)
def test_tiktok_errors(answer: Answer, act: Act | None) -> None:
    error = tiktok_errors.classify(answer, NOW)
    assert (error and error.act) == act


@pytest.mark.parametrize(
    ("answer", "metric"),
    [
        (display(400, "scope_permission_missed", "no scope for share_count"), "share_count"),
        (display(400, "scope_permission_missed", "no scope for like_count and share_count"), None),
        (business(40002, "fields: reach is not a valid choice"), "reach"),
        (business(40002, "unreachable field"), None),
    ],
)
def test_tiktok_names_the_refused_field(answer: Answer, metric: str | None) -> None:
    error = tiktok_errors.classify(answer, NOW)
    assert error is not None
    assert (error.act, error.metric) == (Act.SKIP_METRIC, metric)


def test_tiktok_waits_a_minute_for_the_app_or_for_the_account() -> None:
    for answer, scope in ((display(429, "rate_limit_exceeded"), "app"), (business(40100), "account")):
        error = tiktok_errors.classify(answer, NOW)
        assert error is not None
        assert (error.wait_seconds, error.scope) == (60, scope)
