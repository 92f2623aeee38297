"""The webhook over real HTTP: who is believed, what is answered, and that no number is kept anywhere."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine

from metrics_pipeline.api.routes.webhooks import NOTIFICATION_BYTES
from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.control.account_status import remove_account
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.doctor import examine
from metrics_pipeline.events.inbox import InboxRow, InboxUnavailableError, open_inbox
from metrics_pipeline.events.sqlite_inbox import SqliteInbox
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.sandbox.messaging import Messaging
from metrics_pipeline.sandbox.whatsapp_webhooks import notifications, phone_number, send, signature
from metrics_pipeline.settings import Settings, load_settings
from metrics_pipeline_tests.api.conftest import code_of

WEBHOOK, SECRET, WORD = "/v1/webhooks/whatsapp", "app-secret", "word of our own"
WABA, NUMBER = "1020000000000001", "16505550177"
# as WhatsApp makes them: the recipient's number stands in it
MESSAGE = "wamid." + base64.b64encode(b"\x1c\x18\x0b" + NUMBER.encode() + b"\x15\x02\x00\x11\x18\x14A1B2").decode()


def body(**fields: object) -> bytes:
    sent_at = str(int((datetime.now(UTC) - timedelta(minutes=1)).timestamp()))
    status = {"id": MESSAGE, "status": "sent", "timestamp": sent_at, "recipient_id": NUMBER, **fields}
    value = {
        "metadata": {"phone_number_id": "2010", "display_phone_number": NUMBER},
        "contacts": [{"wa_id": NUMBER, "profile": {"name": "Sheena"}}],
        "statuses": [status],
        "messages": [{"from": NUMBER, "text": {"body": f"call {NUMBER}"}}],
    }
    return json.dumps({"entry": [{"id": WABA, "changes": [{"field": "messages", "value": value}]}]}).encode()


@pytest.fixture
def webhook(settings: Settings) -> Settings:
    return load_settings(data_dir=settings.data_dir, whatsapp_client_secret=SECRET, whatsapp_verify_token=WORD)


@pytest.fixture
def meta(webhook: Settings) -> Iterator[httpx.Client]:
    with ApiServer(webhook) as server, httpx.Client(base_url=server.url, timeout=10) as client:
        yield client


@pytest.fixture
def waiting(webhook: Settings) -> Callable[[], int]:
    def count() -> int:
        inbox = open_inbox(webhook)
        try:
            return inbox.backlog().rows
        finally:
            inbox.close()

    return count


def post(client: httpx.Client, content: bytes, signed: str | None = None) -> httpx.Response:
    return client.post(
        WEBHOOK,
        content=content,
        headers={"X-Hub-Signature-256": signature(content, SECRET) if signed is None else signed},
    )


def asked(**changed: str) -> dict[str, str]:
    return {"hub.mode": "subscribe", "hub.verify_token": WORD, "hub.challenge": "1158201444"} | {
        f"hub.{name}": value for name, value in changed.items()
    }


def test_meta_gets_its_challenge_back_for_the_right_word_only(meta: httpx.Client) -> None:
    answer = meta.get(WEBHOOK, params=asked())
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")
    for wrong in (asked(verify_token="word of our owm"), asked(mode="unsubscribe"), asked(verify_token="wörd"), {}):
        refused = meta.get(WEBHOOK, params=wrong)
        assert (refused.status_code, code_of(refused)) == (403, "verification_failed")
        assert "1158201444" not in refused.text


def test_without_both_settings_there_is_nothing_here(settings: Settings) -> None:
    half = settings.model_copy(update={"whatsapp_verify_token": None})
    with ApiServer(half) as server, httpx.Client(base_url=server.url) as client:
        for answer in (client.get(WEBHOOK, params=asked()), post(client, body())):
            assert (answer.status_code, code_of(answer)) == (404, "not_found")


def test_only_what_was_signed_with_the_secret_is_believed(meta: httpx.Client, waiting: Callable[[], int]) -> None:
    content = body()
    changed = content.replace(b'"sent"', b'"read"')
    good = signature(content, SECRET)
    for sent, signed, code in (
        (content, "", "missing_signature"),
        (content, good.removeprefix("sha256="), "missing_signature"),
        (content, signature(content, "other-secret"), "invalid_signature"),
        (content, good[:-1] + ("0" if good[-1] != "0" else "1"), "invalid_signature"),
        (content[:-1] + b" ", good, "invalid_signature"),
        (changed, good, "invalid_signature"),
        (b"no json", good, "invalid_signature"),
    ):
        refused = post(meta, sent, signed)
        assert (refused.status_code, code_of(refused)) == (401, code)
        assert refused.headers["www-authenticate"]
    assert waiting() == 0
    taken = post(meta, content)
    assert taken.status_code == 200
    assert taken.json()["data"] == {"accepted": 1, "ignored": {"inbound_messages": 1}}
    assert waiting() == 1


def test_what_was_signed_and_cannot_be_used_is_told(meta: httpx.Client, waiting: Callable[[], int]) -> None:
    assert code_of(post(meta, b"{")) == "invalid_json"
    large = post(meta, b" " * (NOTIFICATION_BYTES + 1))
    assert (large.status_code, code_of(large)) == (413, "body_too_large")
    unknown = post(meta, body(status="played"))
    assert (unknown.status_code, unknown.json()["data"]["ignored"]) == (
        200,
        {"other_statuses": 1, "inbound_messages": 1},
    )
    assert waiting() == 0


def test_200_means_stored(meta: httpx.Client, waiting: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: SqliteInbox, _rows: list[InboxRow]) -> list[bool]:
        raise InboxUnavailableError("disk_full", "no space")

    with monkeypatch.context() as patched:
        patched.setattr(SqliteInbox, "append", full)
        refused = post(meta, body())
    assert (refused.status_code, code_of(refused), waiting()) == (503, "inbox_disk_full", 0)
    assert post(meta, body()).status_code == 200
    assert waiting() == 1


def test_from_the_sandbox_to_the_row_of_each_message_in_its_own_workspace(
    meta: httpx.Client, webhook: Settings, control: Engine
) -> None:
    day = date(2026, 11, 2)
    until = datetime(2026, 11, 3, 12, tzinfo=UTC)
    messaging = Messaging(7, "acme", day)
    first, second = (account.removeprefix("whatsapp-") for account in messaging.accounts)
    ring, now = load_key_ring(webhook), datetime.now(UTC)
    for workspace_id, external_id in (("acme", first), ("acme", second), ("beta", second)):
        add_account(control, ring, workspace_id, "whatsapp", external_id, now=now)
    assert send(f"{meta.base_url}{WEBHOOK}", SECRET, notifications(messaging, [day], until)) > 3

    pipeline = Pipeline(webhook)
    figures = ContentFlow(pipeline).drain()
    assert (figures.rejected, figures.statuses > 300) == (0, True)
    outbound = [m for c in messaging.conversations(day) for m in c.messages if not m.is_inbound and m.tried_at <= until]
    for workspace_id, accounts in (("acme", messaging.accounts), ("beta", messaging.accounts[1:])):
        assert _statuses(pipeline, workspace_id) == sorted(
            _status_of(until, m.sent_at, m.delivered_at, m.read_at, m.failed_at)
            for m in outbound
            if m.account_id in accounts
        )
    numbers = sorted({phone_number(m.contact_id) for m in outbound})
    assert _files_with(webhook.data_dir, [number.encode() for number in numbers[:10]]) == []


def _status_of(until: datetime, *instants: datetime | None) -> str:
    sent, delivered, read, failed = (at is not None and at <= until for at in instants)
    return "read" if read else "delivered" if delivered else "failed" if failed else "sent" if sent else "?"


def _statuses(pipeline: Pipeline, workspace_id: str) -> list[str]:
    with pipeline.engine.session() as session:
        statement = "select status from message_statuses where workspace_id = $w order by status"
        return [str(status) for status in session.run(statement, {"w": workspace_id}).read_all()["status"].to_pylist()]


def _files_with(directory: Path, needles: list[bytes]) -> list[str]:
    files = [path for path in directory.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(needle in _content(path) for needle in needles)]


def _content(file: Path) -> bytes:
    """The bytes of a file, and those of its values where they are compressed."""
    values = str(pq.read_table(file, partitioning=None).to_pylist()).encode() if file.suffix == ".parquet" else b""
    return file.read_bytes() + values


def test_no_number_is_kept_in_any_store_or_log(
    meta: httpx.Client, webhook: Settings, control: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where it stands encoded in the id of the message, and for an account that nobody has."""
    needles = [NUMBER.encode(), base64.b64encode(b"\x1c\x18\x0b" + NUMBER.encode())[4:16], MESSAGE.encode()[6:]]
    with caplog.at_level(logging.DEBUG):
        post(meta, body())
        assert _files_with(webhook.data_dir, needles) == []
        account = add_account(control, load_key_ring(webhook), "acme", "whatsapp", WABA, now=datetime.now(UTC))
        assert ContentFlow(Pipeline(webhook)).drain().statuses == 1
        remove_account(control, account.account_id, "acme", now=datetime.now(UTC))
        post(meta, body(status="failed", errors=[{"code": 131026, "message": NUMBER}]))
        post(meta, body(timestamp=NUMBER))
        post(meta, body(), "sha256=" + "0" * 64)
        assert ContentFlow(Pipeline(webhook)).drain().rejected == 1
    assert _files_with(webhook.data_dir, needles) == []
    assert not any(needle.decode() in caplog.text for needle in needles)
    # and the search finds what there is
    assert _files_with(webhook.data_dir, [b"unknown_account"])


@pytest.mark.parametrize(
    ("told", "verdict", "text"),
    [
        ({}, "ok", "not set up"),
        ({"whatsapp_verify_token": WORD}, "warning", "METRICS_WHATSAPP_CLIENT_SECRET"),
        ({"whatsapp_verify_token": WORD, "whatsapp_client_secret": SECRET}, "ok", "nothing was told of yet"),
    ],
)
def test_doctor_says_whether_it_is_set_up(settings: Settings, told: dict[str, str], verdict: str, text: str) -> None:
    pipeline = Pipeline(load_settings(data_dir=settings.data_dir, **told))
    [found] = [finding for finding in examine(pipeline) if finding.subject == "WhatsApp webhook"]
    assert (found.verdict, text in found.text) == (verdict, True)
    assert SECRET not in found.text
