"""Statuses of messages, from a notification to the row of the message: any order, any repeats, any crash."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable
from hypothesis import given, settings, strategies

from metrics_pipeline.control.account_owners import Owner, Owners
from metrics_pipeline.events.drain import DrainFigures, drain
from metrics_pipeline.events.inbox import Inbox, open_inbox
from metrics_pipeline.events.recipients import Recipients, message_key, within
from metrics_pipeline.events.sqlite_inbox import SqliteInbox
from metrics_pipeline.events.status_drain import adopt_statuses
from metrics_pipeline.events.whatsapp_statuses import Notified, read_notification
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.maintenance import Retention, maintain_table
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.events.samples import NOW, Sent, stored

WABA = "1020000000000001"
OWNERS: Owners = {WABA: (Owner("acme", "wa-1"),)}
RECIPIENTS = Recipients(b"p" * 32)
RANKS = {"failed": 1, "sent": 0, "delivered": 2, "read": 3}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with its tables: each test copies it."""
    path = tmp_path_factory.mktemp("made") / "lake"
    Lake(str(path)).initialise()
    return path


@pytest.fixture
def lake(made: Path, tmp_path: Path) -> Lake:
    return Lake(str(shutil.copytree(made, tmp_path / "lake")))


def status(message_id: str, name: str, at: datetime, **fields: object) -> Sent:
    return {"id": message_id, "status": name, "timestamp": str(int(at.timestamp())), "recipient_id": "1555", **fields}


def notification(*statuses: Sent, waba: str = WABA) -> Sent:
    metadata = {"display_phone_number": "15550100001", "phone_number_id": "2010"}
    value: Sent = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": list(statuses)}
    return {"object": "whatsapp_business_account", "entry": [{"id": waba, "changes": [_change(value)]}]}


def _change(value: Sent, field: str = "messages") -> Sent:
    return {"field": field, "value": value}


def read(payload: object, received_at: datetime = NOW) -> Notified:
    return read_notification(payload, received_at, RECIPIENTS)


def bring(inbox: Inbox, lake: Lake, *statuses: Sent, owners: Owners = OWNERS, waba: str = WABA) -> DrainFigures:
    inbox.append(read(notification(*statuses, waba=waba)).rows)
    return drain(inbox, lake, chunk=1000, owners=lambda: owners)


def rows(lake: Lake) -> list[dict[str, object]]:
    return stored(lake, "*", "message_statuses")


def test_a_row_says_everything_that_its_statuses_said(inbox: Inbox, lake: Lake) -> None:
    at = NOW - timedelta(hours=3)
    priced = {"billable": True, "pricing_model": "PMP", "category": "Marketing", "type": "regular"}
    figures = bring(
        inbox,
        lake,
        status("m1", "sent", at, pricing=priced),
        status("m1", "read", at + timedelta(minutes=9)),
        status("m2", "failed", at, errors=[{"code": 131026, "title": "to 15550177"}], recipient_id=None),
    )
    assert (figures.statuses, figures.rejected, inbox.backlog().rows) == (3, 0, 0)
    by_key = {row["message_id"]: row for row in rows(lake)}
    known = by_key[message_key("m1")]
    assert known == {
        "workspace_id": "acme",
        "platform": "whatsapp",
        "date": at.date(),
        "account_id": "wa-1",
        "message_id": message_key("m1"),
        "recipient_hash": within("acme", RECIPIENTS.digest("number", "1555")),
        "status": "read",
        "sent_at": at,
        "delivered_at": None,
        "read_at": at + timedelta(minutes=9),
        "failed_at": None,
        "error_code": None,
        "pricing_category": "marketing",
        "received_at": NOW,
    }
    failed = by_key[message_key("m2")]
    assert (failed["status"], failed["error_code"], failed["recipient_hash"]) == ("failed", "131026", None)
    [same] = Engine(lake).session().run("select message_key('m1') as k").read_all()["k"].to_pylist()
    assert same == known["message_id"]


@pytest.mark.parametrize(
    ("payload", "ignored"),
    [
        (notification(status("m", "played", NOW)), {"other_statuses": 1}),
        (notification(status("m", "read", NOW + timedelta(days=2))), {"malformed": 1}),
        (notification({**status("m", "read", NOW), "timestamp": "1773144000000"}), {"malformed": 1}),
        (notification({**status("m", "read", NOW), "timestamp": None}), {"malformed": 1}),
        (notification({**status("m", "read", NOW), "id": ""}), {"malformed": 1}),
        (notification({"status": ["read"]}), {"malformed": 1}),
        ({"entry": [{"id": WABA, "changes": [_change({}, "account_update"), _change({})]}]}, {"other_fields": 1}),
        ({"entry": [{"changes": [_change({"messages": [{"text": {"body": "hello"}}]})]}]}, {"inbound_messages": 1}),
        ({"entry": {"id": 1}}, {}),
        (["entry"], {}),
    ],
)
def test_what_is_no_status_is_counted_and_left_out(payload: object, ignored: dict[str, int]) -> None:
    found = read(payload)
    assert (found.rows, dict(found.ignored)) == ([], ignored)


TOLD = strategies.lists(
    strategies.tuples(
        strategies.sampled_from(["m1", "m2", "m3"]),
        strategies.sampled_from(sorted(RANKS)),
        strategies.integers(-45 * 24, -1),
        strategies.sampled_from([None, 131026, 131049]),
    ),
    min_size=1,
    max_size=12,
)


def expected(told: Sequence[tuple[str, str, int, int | None]]) -> dict[str, tuple[object, ...]]:
    """Row by message, the slow way: status, day, instants, code."""
    found: dict[str, tuple[object, ...]] = {}
    for message in {message for message, *_ in told}:
        mine = [(name, hours, code) for m, name, hours, code in told if m == message]
        first = {name: min(h for n, h, _ in mine if n == name) for name in {n for n, *_ in mine}}
        codes = [c for n, h, c in mine if n == "failed" and h == first["failed"] and c is not None]
        instants = {name: NOW + timedelta(hours=hours) for name, hours in first.items()}
        found[message_key(message)] = (
            max(first, key=lambda name: RANKS[name]),
            min(instants.values()).date(),
            *(instants.get(name) for name in ("sent", "delivered", "read", "failed")),
            str(min(codes)) if codes else None,
        )
    return found


@settings(max_examples=8, deadline=None)
@given(told=TOLD, data=strategies.data())
def test_any_order_any_repeats_and_any_pieces_come_to_the_same_rows(
    made: Path, told: list[tuple[str, str, int, int | None]], data: strategies.DataObject
) -> None:
    again = data.draw(strategies.permutations(told + told[: len(told) // 2]))
    cut = data.draw(strategies.integers(0, len(again)))
    with tempfile.TemporaryDirectory() as directory:
        lake, inbox = Lake(str(shutil.copytree(made, f"{directory}/lake"))), SqliteInbox(Path(directory) / "events.db")
        for piece in (again[:cut], again[cut:]):
            sent = [
                status(m, name, NOW + timedelta(hours=h), errors=[] if code is None else [{"code": code}])
                for m, name, h, code in piece
            ]
            bring(inbox, lake, *sent)
        columns = ("status", "date", "sent_at", "delivered_at", "read_at", "failed_at", "error_code")
        found = {str(row["message_id"]): tuple(row[c] for c in columns) for row in rows(lake)}
        assert len(found) == len(rows(lake)), "a message stands in two rows"
        assert found == expected(told)
        before = lake.version("message_statuses")
        bring(inbox, lake, *sent)
        assert lake.version("message_statuses") == before, "the same again was written"
        inbox.close()


def test_a_status_of_long_ago_finds_its_message_and_moves_it(inbox: Inbox, lake: Lake) -> None:
    sent = NOW - timedelta(days=80)
    bring(inbox, lake, status("m1", "delivered", sent + timedelta(days=1)), status("m2", "sent", NOW))
    bring(inbox, lake, status("m1", "read", NOW))
    bring(inbox, lake, status("m1", "sent", sent))
    found = {row["message_id"]: (row["date"], row["status"]) for row in rows(lake)}
    assert found == {message_key("m1"): (sent.date(), "read"), message_key("m2"): (NOW.date(), "sent")}


def test_every_workspace_with_the_account_is_told_and_no_other(inbox: Inbox, lake: Lake) -> None:
    owners = {WABA: (Owner("acme", "wa-1"), Owner("beta", "theirs")), "77": (Owner("cine", "c"),)}
    bring(inbox, lake, status("m1", "sent", NOW), owners=owners)
    bring(inbox, lake, status("m1", "read", NOW), owners=owners, waba="77")
    found = {row["workspace_id"]: row for row in rows(lake)}
    assert {w: (row["account_id"], row["status"]) for w, row in found.items()} == {
        "acme": ("wa-1", "sent"),
        "beta": ("theirs", "sent"),
        "cine": ("c", "read"),
    }
    assert len({row["recipient_hash"] for row in found.values()}) == 3, "tenants can compare their recipients"


def test_a_status_of_nobodys_account_is_kept_apart_with_the_reason(inbox: Inbox, lake: Lake) -> None:
    figures = bring(inbox, lake, status("m1", "sent", NOW), status("m1", "read", NOW), owners={})
    assert (figures.statuses, figures.rejected) == (0, 2)
    first, _ = stored(lake, "*", "rejected_events")
    assert (first["workspace_id"], first["code"], first["origin"], first["date"]) == (
        None,
        "unknown_account",
        "webhook",
        NOW.date(),
    )
    kept = [json.loads(str(row["payload"])) for row in stored(lake, "*", "rejected_events")]
    assert {(k["external_id"], k["phone_number_id"], k["status"]) for k in kept} == {
        (WABA, "2010", "sent"),
        (WABA, "2010", "read"),
    }
    assert rows(lake) == []
    assert adopt_statuses(Engine(lake), {"77": (Owner("beta", "b"),)}) == 0
    # registered since: nothing is lost, and nothing comes twice
    assert adopt_statuses(Engine(lake), OWNERS) == 1
    [row] = rows(lake)
    assert (row["workspace_id"], row["status"], row["sent_at"]) == ("acme", "read", NOW)
    assert adopt_statuses(Engine(lake), OWNERS) == 0
    assert rows(lake) == [row]


class CrashedError(Exception):
    """The process ends between the commit and the clean-up of the inbox."""


def test_a_crash_after_the_commit_changes_nothing(inbox: Inbox, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_sequence: int) -> int:
        raise CrashedError

    inbox.append(
        read(notification(status("m1", "sent", NOW))).rows + read(notification(status("x", "read", NOW), waba="9")).rows
    )
    with monkeypatch.context() as patched:
        patched.setattr(inbox, "delete_through", crash)
        with pytest.raises(CrashedError):
            drain(inbox, lake, chunk=1000, owners=lambda: OWNERS)
    before, versions = rows(lake), [lake.version(name) for name in ("message_statuses", "rejected_events")]
    assert (len(before), inbox.backlog().rows) == (1, 2)
    drain(inbox, lake, chunk=1000, owners=lambda: OWNERS)
    assert inbox.backlog().rows == 0
    assert rows(lake) == before
    assert [lake.version(name) for name in ("message_statuses", "rejected_events")] == versions


class Overtaken(Lake):
    """A lake in which somebody else commits between the moment the table is opened and its first use."""

    def __init__(self, location: str, meanwhile: Callable[[], object]) -> None:
        super().__init__(location)
        self._meanwhile: Callable[[], object] | None = meanwhile

    def table(self, name: str) -> DeltaTable:
        opened = super().table(name)
        if name == "message_statuses" and self._meanwhile is not None:
            meanwhile, self._meanwhile = self._meanwhile, None
            meanwhile()
        return opened


def test_two_drains_never_place_one_message_in_two_days(inbox: Inbox, either: Settings, lake: Lake) -> None:
    """One of them knows only a part of what the other knows: by their days the two commits would not collide."""
    inbox.append(read(notification(status("m", "read", NOW), status("m", "sent", NOW - timedelta(days=3)))).rows)
    other = open_inbox(either)
    overtaken = Overtaken(lake.location, lambda: drain(other, lake, chunk=9, owners=lambda: OWNERS))
    drain(inbox, overtaken, chunk=1, owners=lambda: OWNERS)
    other.close()
    [row] = rows(lake)
    assert (row["date"], row["status"]) == (date(2026, 3, 7), "read")


def test_maintenance_takes_out_recipients_where_events_expire(inbox: Inbox, lake: Lake) -> None:
    bring(inbox, lake, status("old", "sent", NOW - timedelta(days=91)), status("new", "sent", NOW))
    done = maintain_table(lake, "message_statuses", NOW.astimezone(UTC).date(), Retention(30, 90), 168)
    assert "0 rows expired, 1 rows anonymised" in done.line()
    known = {row["message_id"]: row["recipient_hash"] is not None for row in rows(lake)}
    assert known == {message_key("old"): False, message_key("new"): True}
    assert "anonymised" not in maintain_table(lake, "message_statuses", NOW.date(), Retention(30, 90), 168).line()
