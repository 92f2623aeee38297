"""Tokens of an external issuer: whom they let in, whom they do not, and what happens while the issuer is away."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Engine

from metrics_pipeline.api.tokens import issuer_keys, token_guard
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.control.workspaces import add_workspace, remove_workspace
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import Settings, load_settings
from metrics_pipeline_tests.api.conftest import BATCH, TRACK, Client, code_of, event
from metrics_pipeline_tests.api.tokens.issuer import AUDIENCE, RSA, Issuer, ec_key, public_jwk

READ = "/v1/workspaces/acme/snapshots"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        running.keys = [public_jwk("rsa", RSA)]
        yield running


@pytest.fixture
def settings(settings: Settings, issuer: Issuer) -> Settings:
    if (left := 60 - time.time() % 60) < 4:  # no minute that ends in the middle of a quota
        time.sleep(left)
    changed = {"jwt_issuer": issuer.url, "jwt_audience": AUDIENCE}
    return settings.model_copy(update={**changed, "api_user_reads_per_minute": 3, "api_user_track_per_minute": 2})


def status_and_code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, code_of(answer)


def test_each_algorithm_and_what_a_token_may(issuer: Issuer, client: Client) -> None:
    curve, edwards = ec_key(), Ed25519PrivateKey.generate()
    issuer.keys = [
        public_jwk("rsa", RSA, use="sig", alg="RS256"),
        public_jwk("ec", curve),
        public_jwk("ed", edwards),
        public_jwk("for-encryption", curve, use="enc"),
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
        {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": ["RSA"], "kid": "odd"},
    ]
    for key, key_id, algorithm in ((RSA, "rsa", "RS256"), (curve, "ec", "ES256"), (edwards, "ed", "EdDSA")):
        holder = client(issuer.token(key, key_id, algorithm, sub=key_id, scope=["read"]))
        assert holder.get(READ).status_code == 200
        assert status_and_code(holder.post(TRACK, json=event())) == (403, "insufficient_scope")
        assert status_and_code(holder.get("/v1/workspaces/beta/snapshots")) == (404, "not_found")
    for key_id in ("for-encryption", "broken", "odd"):
        assert client(issuer.token(curve, key_id, "ES256")).get(READ).status_code == 401
    no_operator = client(issuer.token(scope="admin read", sub="root"))
    assert status_and_code(no_operator.post("/v1/events:process", json={})) == (403, "operator_required")
    assert issuer.asked["/keys"] == 1


def _unsigned(issuer: Issuer, algorithm: str, signature: Callable[[bytes], bytes]) -> str:
    parts = ({"alg": algorithm, "kid": "rsa", "typ": "JWT"}, issuer.claims())
    text = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    return (text + b"." + base64.urlsafe_b64encode(signature(text)).rstrip(b"=")).decode()


def _bad_tokens(issuer: Issuer) -> dict[str, str]:
    now = int(time.time())
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    good = issuer.token()
    changed: dict[str, dict[str, object]] = {
        "over": {"exp": now - 60},
        "not yet": {"nbf": now + 60},
        "from the future": {"iat": now + 60},
        "for ever": {"exp": float("inf")},
        "until NaN": {"exp": float("nan")},
        "until a word": {"exp": "tomorrow"},
        "until true": {"exp": True},
        "until a huge number": {"exp": 10**400},
        "no end": {"exp": None},
        "no beginning": {"nbf": None},
        "nobody": {"sub": None},
        "an empty subject": {"sub": ""},
        "a long subject": {"sub": "x" * 300},
        "for nobody": {"aud": None},
        "for somebody else": {"aud": ["another-api"]},
        "of nobody": {"iss": None},
        "of somebody else": {"iss": "https://evil.example"},
        "no workspace": {"workspace_id": None},
        "an unknown workspace": {"workspace_id": "nowhere"},
        "two workspaces": {"workspace_id": ["acme", "beta"]},
        "no name of a workspace": {"workspace_id": "acme\0"},
        "half a character": {"workspace_id": "\ud800"},
        "too long": {"padding": "x" * token_guard.LONGEST_TOKEN},
    }
    tokens = {name: issuer.signed(claims) for name, claims in changed.items()}
    return tokens | {
        "garbage": "not.a.token",
        "half": good.rpartition(".")[0],
        "not ours": jwt.encode(issuer.claims(), ec_key(), "ES256", headers={"kid": "rsa"}),
        "another key": issuer.token(ec_key(), "unknown", "ES256"),
        "no key id": jwt.encode(issuer.claims(), RSA, "RS256"),
        "a path for a key id": issuer.token(key_id="../../dev/null"),
        "another algorithm of the key": issuer.token(algorithm="RS512"),
        "another padding": issuer.token(algorithm="PS256"),
        "unsigned": _unsigned(issuer, "none", lambda _: b""),
        "signed with the public key": _unsigned(
            issuer, "HS256", lambda text: hmac.digest(public, text, hashlib.sha256)
        ),
        "its own key": jwt.encode(
            issuer.claims(), RSA, "RS256", headers={"kid": "own", "jwk": public_jwk("own", RSA), "jku": issuer.url}
        ),
        "critical": jwt.encode(issuer.claims(), RSA, "RS256", headers={"kid": "rsa", "crit": ["exp"]}),
        "changed": good[:-8] + ("A" * 8 if good[-8:] != "A" * 8 else "B" * 8),
    }


def test_a_bad_token_is_the_same_401_whatever_is_wrong(
    issuer: Issuer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = _bad_tokens(issuer)
    with caplog.at_level(logging.DEBUG, "metrics_pipeline"):
        answers = {name: client(token).get(READ) for name, token in tokens.items()}
    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code != 401} == {}
    assert len({answer.text for answer in answers.values()}) == 1
    assert {status_and_code(answer) for answer in answers.values()} == {(401, "invalid_token")}
    assert caplog.text == ""
    assert issuer.asked["/keys"] == 1, "made-up key ids do not make the API ask"
    assert client(issuer.token()).get(READ).status_code == 200


def test_keys_are_changed_by_the_issuer(issuer: Issuer, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    new = ec_key()
    old, later = issuer.token(), issuer.token(new, "new", "ES256", sub="later")
    assert client(old).get(READ).status_code == 200
    issuer.keys = [public_jwk("new", new)]
    assert client(later).get(READ).status_code == 401, "asked a moment ago"
    monkeypatch.setattr(issuer_keys, "UNKNOWN_SECONDS", 0.0)
    assert client(later).get(READ).status_code == 200
    assert client(old).get(READ).status_code == 401, "what the issuer has taken back"
    issuer.status = 500
    assert client(later).get(READ).status_code == 200, "held keys go on"
    assert client(issuer.token(new, "newer", "ES256")).get(READ).status_code == 401


def test_an_issuer_that_is_away(issuer: Issuer, client: Client, key: Callable[..., str]) -> None:
    issuer.status = 503
    refused = client(issuer.token()).get(READ)
    assert status_and_code(refused) == (503, "issuer_unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert client(key("acme", "read")).get(READ).status_code == 200


@pytest.mark.parametrize(
    "discovery", [{"issuer": "https://evil.example"}, {"jwks_uri": "http://evil.example/keys"}, {"jwks_uri": None}]
)
def test_a_configuration_that_is_not_believed(issuer: Issuer, client: Client, discovery: dict[str, object]) -> None:
    issuer.discovery = discovery
    assert status_and_code(client(issuer.token()).get(READ)) == (503, "issuer_unavailable")


def test_a_removed_workspace(issuer: Issuer, client: Client, control: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_guard, "REMEMBER_SECONDS", 0.0)
    holder = client(issuer.token())
    assert holder.get(READ).status_code == 200
    remove_workspace(control, "acme", now=datetime.now(UTC))
    assert status_and_code(holder.get(READ)) == (401, "invalid_token")
    add_workspace(control, "Acme", "acme", now=datetime.now(UTC))
    assert holder.get(READ).status_code == 200


ROLES_AND_TEAMS: list[tuple[dict[str, object], set[str] | None, set[str]]] = [
    ({}, None, set()),
    ({"roles": None}, None, set()),
    ({"roles": ["metrics:define", 7, {"a": 1}], "teams": "growth ops"}, {"metrics:define"}, {"growth", "ops"}),
    ({"roles": {"metrics:admin": True}, "teams": ["growth"]}, set(), {"growth"}),
]


@pytest.mark.parametrize(("claims", "roles", "teams"), ROLES_AND_TEAMS)
def test_roles_and_teams_of_a_token(
    issuer: Issuer,
    settings: Settings,
    control: Engine,
    claims: dict[str, object],
    roles: set[str] | None,
    teams: set[str],
) -> None:
    guard = token_guard.TokenGuard.of(settings, control, lambda: load_key_ring(settings))
    assert guard is not None
    caller = asyncio.run(guard.caller(issuer.signed(claims)))
    assert (None if caller.roles is None else set(caller.roles), set(caller.teams)) == (roles, teams)


def test_quotas_count_the_end_user(issuer: Issuer, client: Client, key: Callable[..., str]) -> None:
    first, second = client(issuer.token()), client(issuer.token(jti="another", workspace_id="beta"))
    answers = [first.get(READ)]
    answers.append(first.get(READ, headers={"If-None-Match": answers[0].headers["etag"]}))
    answers.append(second.get("/v1/workspaces/acme/snapshots"))
    answers.append(first.get(READ, headers={"If-None-Match": answers[0].headers["etag"]}))
    assert [answer.status_code for answer in answers] == [200, 304, 404, 429], (
        "whatever the answer is, in any workspace"
    )
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert answers[1].headers["ratelimit-policy"] == '"reads";q=3;w=60'
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    assert answers[3].json()["violated-policies"] == ["reads"]
    assert client(issuer.token(sub="bert")).get(READ).status_code == 200
    server = client(key("acme", "read")).get(READ)
    assert '"reads";q=6000;w=60' in server.headers["ratelimit-policy"]

    sent = [first.post(TRACK, json=event(userId=f"u{n}")).status_code for n in range(3)]
    assert sent == [202, 202, 429], "one person, whoever the events name"
    assert first.post(BATCH, json={"batch": [event()]}).headers["ratelimit-policy"] == '"user-batch";q=10;w=60'


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"jwt_issuer": "https://issuer.example"}, "METRICS_JWT_ISSUER needs METRICS_JWT_AUDIENCE"),
        ({"jwt_audience": "a"}, "need METRICS_JWT_ISSUER"),
        ({"jwt_issuer": "http://issuer.example", "jwt_audience": "a"}, "METRICS_JWT_ISSUER cannot be used"),
        ({"jwt_issuer": "https://u:hunter2@issuer.example", "jwt_audience": "a"}, "METRICS_JWT_ISSUER cannot be used"),
    ],
)
def test_settings_that_would_not_be_safe(given: dict[str, str], told: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        load_settings(**given)
    assert "hunter2" not in str(caught.value)
