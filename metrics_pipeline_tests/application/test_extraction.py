"""Reading declared tables by day: from SQLite and from a real Postgres, changes, moves, deletions, drift, misfits."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from metrics_pipeline.application.connection import application_engine, reading
from metrics_pipeline.errors import RunFailedError, UserError
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.application.conftest import MakeSource, Source

DAY3, DAY4, DAY5 = date(2026, 3, 3), date(2026, 3, 4), date(2026, 3, 5)
MESSAGES = (
    "create table messages (id integer primary key, workspace_id text, account_id text, conversation_id text, "
    "contact_id text, campaign_id text, direction text, is_template boolean, status text, sent_at timestamp, "
    "delivered_at timestamp, read_at timestamp, failed_at timestamp, converted_at timestamp, internal_note text)"
)


def message(number: int, sent: str | None, **more: object) -> dict[str, object]:
    return {"id": number, "workspace_id": "acme", "is_template": number % 2 == 0, "sent_at": sent, **more}


def days_of(source: Source, table: str = "app_messages") -> dict[str, date]:
    return {str(row["id"]): row["date"] for row in source.rows(table)}  # type: ignore[misc]


@pytest.fixture
def messages(source: MakeSource) -> Source:
    made = source()
    made.execute(MESSAGES)
    return made


def test_a_day_is_read_in_pages_with_its_types(messages: Source) -> None:
    messages.insert("messages", [message(n, f"2026-03-03 1{n % 10}:00:00") for n in range(20, 30)])
    messages.insert("messages", [message(99, "2026-03-04 00:00:00"), message(98, "2026-03-02 23:59:59.999999")])

    done = messages.read("messages", DAY3)

    assert done.rows == 10
    assert done.changed == (DAY3,)
    assert done.undeclared == ("internal_note",)
    assert not done.differences
    assert not done.misfits.rows
    first = messages.rows("app_messages")[0]
    assert first["id"] == "20"
    assert first["sent_at"] == datetime(2026, 3, 3, 10, tzinfo=UTC)
    assert first["is_template"] is True
    assert first["date"] == DAY3
    assert first["campaign_id"] is None


def test_the_same_again_writes_nothing(messages: Source) -> None:
    messages.insert("messages", [message(n, "2026-03-03 10:00:00") for n in range(5)])
    messages.read("messages", DAY3)
    version = messages.lake.version("app_messages")
    before = messages.rows("app_messages")

    again = messages.read("messages", DAY3, now=datetime(2026, 4, 1, tzinfo=UTC))

    assert again.changed == ()
    assert messages.lake.version("app_messages") == version
    assert messages.rows("app_messages") == before


def test_a_message_read_two_days_later_changes_the_day_it_was_sent(messages: Source) -> None:
    messages.insert("messages", [message(n, "2026-03-03 10:00:00") for n in range(5)])
    messages.read("messages", DAY3)
    later = datetime(2026, 3, 6, tzinfo=UTC)
    messages.execute("update messages set status = 'read', read_at = '2026-03-05 09:00:00' where id = 2")

    done = messages.read("messages", DAY5, now=later)

    assert done.changed == done.beside == (DAY3,)
    rows = {row["id"]: row for row in messages.rows("app_messages")}
    assert rows["2"]["read_at"] == datetime(2026, 3, 5, 9, tzinfo=UTC)
    assert rows["2"]["extracted_at"] == later
    assert rows["1"]["extracted_at"] != later, "a row that stands as it stood keeps the instant it was first read"
    assert len(rows) == 5


def test_a_row_whose_day_moved_leaves_its_old_day(messages: Source) -> None:
    messages.insert("messages", [message(n, "2026-03-03 10:00:00") for n in range(3)])
    messages.read("messages", DAY3)
    messages.execute("update messages set sent_at = '2026-03-05 10:00:00' where id = 1")

    done = messages.read("messages", DAY5)

    assert days_of(messages) == {"0": DAY3, "1": DAY5, "2": DAY3}
    assert done.changed == (DAY3, DAY5)
    assert done.beside == (DAY3,)


def test_deleted_rows_go_when_their_day_is_read_again(messages: Source) -> None:
    messages.insert("messages", [message(n, "2026-03-03 10:00:00") for n in range(4)])
    messages.read("messages", DAY3)
    messages.execute("delete from messages where id in (1, 2)")
    messages.read("messages", DAY5)
    assert len(days_of(messages)) == 4

    messages.read("messages", DAY3)

    assert days_of(messages) == {"0": DAY3, "3": DAY3}


def test_the_first_time_that_is_there_gives_the_day_and_rows_without_any_wait(messages: Source) -> None:
    messages.insert("messages", [message(1, None, failed_at="2026-03-04 08:00:00"), message(2, None)])

    done = messages.read("messages", DAY3, date(2026, 3, 6))

    assert days_of(messages) == {"1": DAY4}
    assert done.undated == 1


def test_a_value_that_does_not_fit_is_named_by_key_and_column_and_never_shown(source: MakeSource) -> None:
    made = source(
        "tables:\n  orders:\n    key: id\n    day: created_at\n"
        "    columns: {id: string, amount_cents: bigint, created_at: timestamp}\n"
    )
    made.execute("create table orders (id text primary key, amount_cents text, created_at timestamp)")
    made.insert(
        "orders",
        [
            {"id": "good", "amount_cents": "12", "created_at": "2026-03-03 10:00:00"},
            {"id": "bad", "amount_cents": "hunter2", "created_at": "2026-03-03 10:00:00"},
        ],
    )

    done = made.read("orders", DAY3)

    assert done.rows == 1
    assert done.misfits.shown == ["orders, row id='bad': amount_cents is no number"]
    assert done.misfits.by_column == {"amount_cents": 1}
    assert done.differences == ("amount_cents: TEXT in the database, bigint declared",)
    assert "hunter2" not in repr(done)


def test_rows_without_a_key_are_counted(source: MakeSource) -> None:
    made = contacts(source)
    made.insert("contacts", [{"id": None if n < 5 else f"c{n}", "created_at": "2026-03-03 10:00:00"} for n in range(9)])

    done = made.read("contacts", DAY3)

    assert (done.rows, done.misfits.rows) == (4, 5)


def test_a_key_that_is_none_is_refused(source: MakeSource) -> None:
    made = contacts(source)
    made.insert("contacts", [{"id": "twice", "created_at": "2026-03-03 10:00:00"}] * 2)

    with pytest.raises(UserError, match=r"app_contacts: id is no key, 1 of its values"):
        made.read("contacts", DAY3)
    assert made.rows("app_contacts") == []


def contacts(source: MakeSource, created: str = "timestamp", blocked: str = "timestamp") -> Source:
    made = source()
    made.execute(f"create table contacts (id text, workspace_id text, created_at {created}, blocked_at {blocked})")
    return made


def test_what_is_missing_is_named_with_what_is_there(source: MakeSource) -> None:
    made = source()
    made.execute("create table contacts (id text primary key, workspace_id text, made_at timestamp)")

    with pytest.raises(UserError, match=r"contacts has no column created_at, blocked_at\. There are: id, made_at"):
        made.read("contacts", DAY3)
    with pytest.raises(UserError, match=r"messages: the application database has no table messages\. There are: cont"):
        made.read("messages", DAY3)


def test_a_time_column_that_holds_numbers_is_refused(source: MakeSource) -> None:
    with pytest.raises(UserError, match=r"contacts\.created_at is INTEGER; a column of day or changes has to hold"):
        contacts(source, created="integer").read("contacts", DAY3)


RENAMED = """
tables:
  visits:
    source: tbl_visits
    key: [shop, number]
    day: arrived
    timezone: America/New_York
    workspace: acme
    columns:
      shop: string
      number: {type: bigint, source: nr}
      arrived: {type: timestamp, source: ts}
      paid_cents: {type: bigint, source: paid, scale: 100, description: What was paid.}
      facts: string
"""


def test_names_zones_amounts_and_a_tenant_come_from_the_declaration(source: MakeSource) -> None:
    made = source(RENAMED, batch_rows=2)
    kind = "jsonb" if made.dialect == "postgresql" else "text"
    made.execute(f"create table tbl_visits (shop text, nr integer, ts timestamp, paid numeric(10, 2), facts {kind})")
    facts = json.dumps({"b": [1, "é"]})
    rows = [("a", 2), ("b", 1), ("a", 1), ("b", 3), ("b", 2)]
    for shop, number in rows:
        made.execute(f"insert into tbl_visits values ('{shop}', {number}, '2026-03-03 21:30:00', 12.34, '{facts}')")

    done = made.read("visits", DAY4)

    assert done.rows == 5
    assert not done.misfits.rows
    found = made.rows("app_visits", "shop, number, date, arrived, paid_cents, facts, workspace_id")
    assert sorted((str(r["shop"]), r["number"]) for r in found) == sorted(rows)
    assert {r["date"] for r in found} == {DAY4}, "half past nine in New York is the next day in UTC"
    assert found[0]["arrived"] == datetime(2026, 3, 4, 2, 30, tzinfo=UTC)
    assert {r["paid_cents"] for r in found} == {1234}
    assert json.loads(str(found[0]["facts"])) == {"b": [1, "é"]}
    assert {r["workspace_id"] for r in found} == {"acme"}
    assert made.rows("app_messages") == [], "the tables that metrics read are there all the same"


def test_a_snapshot_is_read_whole_and_replaced(source: MakeSource) -> None:
    made = source()
    made.execute("create table licences (id text primary key, industry text, expires_at timestamp, renewed boolean)")
    made.insert("licences", [{"id": f"l{n}", "industry": "retail", "renewed": False} for n in range(5)])
    assert made.read("licences", DAY3).is_changed
    made.execute("delete from licences where id = 'l0'")
    made.execute(f"update licences set renewed = {'true' if made.dialect == 'postgresql' else '1'} where id = 'l1'")

    done = made.read("licences", DAY3)

    assert done.is_changed
    assert [(r["id"], r["renewed"]) for r in made.rows("app_licences")] == [
        ("l1", True),
        ("l2", False),
        ("l3", False),
        ("l4", False),
    ]
    assert not made.read("licences", DAY4).is_changed


def test_the_days_of_a_table_may_be_dates(source: MakeSource) -> None:
    made = source()
    made.execute(
        "create table assets (id text, category text, hours_used numeric, hours_available real, date date, "
        "primary key (id, date))"
    )
    made.insert(
        "assets",
        [{"id": "a", "hours_used": 1.5, "hours_available": 8, "date": f"2026-03-0{n}"} for n in range(2, 7)],
    )

    assert made.read("assets", DAY3, DAY5).rows == 2
    assert [(r["date"], r["hours_used"]) for r in made.rows("app_assets")] == [(DAY3, 1.5), (DAY4, 1.5)]


def test_a_column_cannot_change_its_type(source: MakeSource) -> None:
    declaration = "tables:\n  t:\n    key: id\n    day: at\n    columns: {id: string, at: timestamp, n: %s}\n"
    made = source(declaration % "bigint")
    made.execute("create table t (id text primary key, at timestamp, n integer)")
    made.read("t", DAY3)

    other = source(declaration % "string")
    with pytest.raises(UserError, match=r"app_t\.n holds int64 and is declared as string now"):
        other.read("t", DAY3)


def test_what_the_driver_cannot_read_is_one_bad_row(source: MakeSource) -> None:
    made = contacts(source, blocked="text") if source().dialect == "sqlite" else contacts(source)
    if made.dialect == "sqlite":
        made.execute("insert into contacts values ('b', cast(x'ff' as text), '2026-03-03', null)")
    else:
        made.execute("insert into contacts values ('b', 'w', 'infinity', '2026-03-03 10:00')")
    made.execute(
        "insert into contacts values ('a', 'w', '2026-03-03', 'infinity')",
        "insert into contacts values ('c', 'w', '2026-03-03', null)",
    )

    done = made.read("contacts", DAY3)

    assert (done.rows, done.misfits.rows) == (1, 2)
    assert [row["id"] for row in made.rows("app_contacts")] == ["c"]


def test_a_broken_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "application.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(RunFailedError, match="application database cannot be read: file is not a database"):
        Source(f"sqlite:///{tmp_path / 'application.db'}", tmp_path).read("contacts", DAY3)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_server_that_does_not_answer_is_one_sentence_without_the_password(scheme: str, tmp_path: Path) -> None:
    settings = load_settings(
        data_dir=tmp_path, application_database_url=f"{scheme}://someone:hunter2@127.0.0.1:1/nowhere"
    )
    with (
        pytest.raises(RunFailedError, match="METRICS_APPLICATION_DATABASE_URL") as caught,
        reading(application_engine(settings)),
    ):
        pass
    assert "hunter2" not in str(caught.value) + repr(settings)


@pytest.mark.parametrize(
    "url", ["nonsense", "oracle://u:hunter2@h/d", "sqlite://", "sqlite:////not/there.db", "mysql://h:x/"]
)
def test_a_url_that_cannot_be_used_is_one_sentence(url: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="METRICS_APPLICATION_DATABASE_URL") as caught:
        application_engine(load_settings(data_dir=tmp_path, application_database_url=url))
    assert "hunter2" not in str(caught.value)


def test_the_source_is_never_written(source: MakeSource) -> None:
    made = contacts(source)
    with pytest.raises(RunFailedError, match=r"read-?only"), reading(application_engine(made.settings)) as connection:
        connection.execute(sa.text("insert into contacts (id) values ('x')"))
