"""Secrets planted wherever there can be any, and then looked for in everything that the API says."""

from __future__ import annotations

import base64
import json
import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from metrics_pipeline.api.operations.request_log import JsonLines
from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.control.api_keys import INGEST, SCOPES, Rights, create_key
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.conftest import PAGE, event
from metrics_pipeline_tests.api.operations.routes import Operation, operations
from metrics_pipeline_tests.api.tokens.issuer import AUDIENCE, RSA, Issuer, public_jwk
from metrics_pipeline_tests.conftest import PostgresUrls

# What our own code and the libraries under it log; what the tests' client logs is its own.
LOGGERS = ("metrics_pipeline", "uvicorn", "sqlalchemy", "redis", "fastapi", "starlette", "jwt", "limits", "deltalake")


def canary() -> str:
    return f"Canary+{secrets.token_hex(12)}/="  # with characters that encodings change


def spellings(secret: str) -> set[str]:
    """How a secret may look where it has leaked: as it is, and encoded."""
    raw = secret.encode()
    found = {secret, quote(secret, safe=""), quote(secret), raw.hex(), raw.hex().upper(), json.dumps(secret)[1:-1]}
    for before in range(3):  # base64 of a longer text that holds it somewhere
        whole = base64.b64encode(b"x" * before + raw).decode()
        inner = whole[4 if before else 0 : len(whole) // 4 * 4 - 4]
        found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return found


@dataclass
class Said:
    """Everything that came out, and what must not be in it."""

    planted: dict[str, str]
    texts: dict[str, list[str]] = field(default_factory=dict)

    def hear(self, where: str, answer: httpx.Response) -> httpx.Response:
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        text = f"{headers}\n{answer.content.decode('latin-1')}"
        if answer.is_success:  # which may tell the question that it answers, such as a workspace that was named
            text = text.replace(self.planted["odd value"], "")
        self.texts.setdefault(where, []).append(text)
        return answer

    def leaks(self) -> set[str]:
        return {
            f"{name} in {where}"
            for name, secret in self.planted.items()
            for spelling in spellings(secret)
            for where, texts in self.texts.items()
            if any(spelling in text for text in texts)
        }


def test_a_leak_would_be_found() -> None:
    secret = canary()
    for text in (
        secret,
        f"a {quote(secret)}",
        base64.b64encode(f"user:{secret} and more".encode()).decode(),
        base64.urlsafe_b64encode(f"x{secret}y".encode()).decode(),
        secret.encode().hex(),
    ):
        assert Said({"secret": secret}, {"there": [text]}).leaks() == {"secret in there"}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        running.keys = [public_jwk("rsa", RSA)]
        yield running


def _clients(settings: Settings, said: Said, issuer: Issuer) -> dict[str, dict[str, str]]:
    """Headers of callers, good and bad; their secrets are planted."""
    control = open_control(settings)
    now = datetime.now(UTC)
    add_workspace(control, "acme", now=now)
    rights = {
        "server key": Rights("acme", SCOPES),
        "operator key": Rights(None, [scope for scope in SCOPES if scope != INGEST]),
        "browser key": Rights("acme", [INGEST], (PAGE,)),
    }
    keys = {
        name: create_key(control, load_key_ring(settings), each, now=now)[1].reveal() for name, each in rights.items()
    }
    control.dispose()
    subject = said.planted["subject"]
    tokens = {
        "token": issuer.token(sub=subject, scope=list(SCOPES)),
        "old token": issuer.token(sub=subject, exp=int((now - timedelta(days=1)).timestamp())),
    }
    for name, text in keys.items():
        said.planted[name] = text.rpartition("_")[2]
    for name, text in tokens.items():
        said.planted[name] = text.rpartition(".")[2]
        said.planted[f"claims of the {name}"] = text.split(".")[1]
    wrong = {"wrong key": keys["server key"][:-1] + "?", "garbage": said.planted["garbage"]}
    return {name: {"Authorization": f"Bearer {text}", "Origin": PAGE} for name, text in (keys | tokens | wrong).items()}


def _requests(operation: Operation, said: Said) -> Iterator[tuple[str, dict[str, object]]]:
    """Good and bad ones: with a person's id wherever it may stand, and an odd value wherever something else may."""
    user, odd = said.planted["user"], said.planted["odd value"]
    is_about_person = "/users/" in operation.path
    url = operation.url(quote(user, safe="")) if is_about_person else operation.url()
    bodies: list[dict[str, object]] = [{}]
    if operation.takes_body:
        names = operation.properties()
        valid = [event(userId=user), {"batch": [event(userId=user), {"eventType": odd}]}]
        bodies = [{"json": body} for body in (*valid, {}, dict.fromkeys(names, odd), {odd: odd}, [odd], odd)]
        bodies += [{"content": odd.encode(), "headers": {"Content-Type": "application/json"}}]
        bodies += [{"content": odd.encode(), "headers": {"Content-Type": odd, "Content-Encoding": odd}}]
    for body in bodies:
        yield url, body
    for name in operation.query:
        yield f"{url}?{name}={quote(odd, safe='')}", {}
    yield f"{url}?{quote(odd, safe='')}=1", {}
    if operation.has_path_parameters and operation.method != "PUT":
        yield operation.url(quote(odd, safe="")), {}


def test_no_secret_is_said(
    settings: Settings, postgres_url: PostgresUrls, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    names = ("database", "redis", "verify token", "app secret", "subject", "user", "odd value", "garbage", "header")
    said = Said({name: canary() for name in names})
    url = make_url(postgres_url()).set(password=said.planted["database"]).render_as_string(hide_password=False)
    settings = settings.model_copy(
        update={
            "database_url": SecretStr(url),
            "redis_url": SecretStr(f"redis://:{quote(said.planted['redis'], safe='')}@127.0.0.1:1/0"),
            "whatsapp_verify_token": SecretStr(said.planted["verify token"]),
            "whatsapp_client_secret": SecretStr(said.planted["app secret"]),
            "jwt_issuer": issuer.url,
            "jwt_audience": AUDIENCE,
            "api_log": "json",
            "api_metrics": "open",
            "api_user_reads_per_minute": 10_000,
            "api_triggers_per_minute": 10_000,
        }
    )
    callers = _clients(settings, said, issuer)
    for name in LOGGERS:
        caplog.set_level(logging.DEBUG, name)
    with (
        ApiServer(settings) as server,
        httpx.Client(base_url=server.url, timeout=20) as client,
    ):
        statuses = _drive(client, callers, said, said.hear("/openapi.json", client.get("/openapi.json")).json())
        webhook = f"/v1/webhooks/whatsapp?hub.verify_token={quote(said.planted['odd value'])}"
        for path in ("/docs", "/metrics", "/readyz", webhook):
            said.hear(path.partition("?")[0], client.get(path))
    lines = [JsonLines().format(each) for each in caplog.records if each.name.startswith(LOGGERS)]
    said.texts["log"] = [*lines, *(str(each.__dict__) for each in caplog.records if each.name.startswith(LOGGERS))]
    assert {200, 202, 400, 401, 403, 404, 405, 415, 422} <= statuses
    assert 500 not in statuses
    assert len(lines) > 300
    assert said.leaks() == set()


def _drive(
    client: httpx.Client, callers: dict[str, dict[str, str]], said: Said, described: dict[str, object]
) -> set[int]:
    statuses = set()
    for operation in operations(described):
        if operation.path == "/v1/live":  # a stream without an end
            continue
        for caller, headers in callers.items():
            most = None if caller == "server key" else 3
            for url, given in list(_requests(operation, said))[:most]:
                extra = given.pop("headers", {})
                assert isinstance(extra, dict)
                sent = {**headers, "X-Canary": said.planted["header"], "User-Agent": said.planted["header"], **extra}
                answer = client.request(operation.method, url, headers=sent, **given)  # type: ignore[arg-type]
                said.hear(str(operation), answer)
                statuses.add(answer.status_code)
        statuses.add(said.hear(str(operation), client.request("TRACE", operation.url(), headers=sent)).status_code)
    return statuses
