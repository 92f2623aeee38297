"""API keys: their text, what is stored of it, and how long they are good for."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from metrics_pipeline.control.api_key_check import (
    StoredKey,
    find_key,
    keys_under_older_ring_keys,
    live_origins,
    note_use,
)
from metrics_pipeline.control.api_key_text import KeyText, new_key_text, parse_key_text
from metrics_pipeline.control.api_keys import ApiKeyRecord, Rights, create_key, list_keys, revoke_key, rotate_key
from metrics_pipeline.control.key_ring import KeyRing
from metrics_pipeline.control.origins import checked_origins
from metrics_pipeline.control.workspaces import add_workspace, remove_workspace
from metrics_pipeline.errors import UserError
from metrics_pipeline_tests.control.conftest import NOW, ring_of

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _workspace(engine: Engine) -> None:
    add_workspace(engine, "Acme", now=NOW)


def stored(engine: Engine, key_id: str) -> StoredKey:
    found = find_key(engine, key_id)
    assert found is not None
    return found


def make(engine: Engine, ring: KeyRing, *, expires_at: datetime | None = None) -> tuple[ApiKeyRecord, KeyText]:
    return create_key(engine, ring, Rights("acme", ["ingest", "read"]), now=NOW, expires_at=expires_at)


def test_a_key_is_read_back_and_no_other_text_is_a_key() -> None:
    key = new_key_text()
    assert parse_key_text(key.reveal()) == key
    assert len({new_key_text().reveal() for _ in range(100)}) == 100
    assert key.secret not in repr(key)


@given(position=st.integers(0, 61), letter=st.sampled_from("0aZ_ -é"))
def test_one_wrong_letter_is_found_without_a_database(position: int, letter: str) -> None:
    right = KeyText("0123456789", "a" * 43).reveal()
    wrong = right[:position] + letter + right[position + 1 :]
    assert (parse_key_text(wrong) is None) == (wrong != right)


def test_only_a_keyed_hash_is_stored(engine: Engine, ring: KeyRing) -> None:
    record, key = make(engine, ring)
    assert record.scopes == ("read", "ingest")
    with engine.connect() as connection:
        row = connection.execute(text("select * from api_keys")).one()
    assert key.secret not in str(row)
    assert key.secret.encode() not in bytes(row.digest)
    assert len(bytes(row.digest)) == 32
    assert stored(engine, record.key_id).accepts(key, ring, NOW)
    with pytest.raises(UserError, match="not in test ring"):
        stored(engine, record.key_id).accepts(key, ring_of("second"), NOW)


def test_another_keys_secret_does_not_fit(engine: Engine, ring: KeyRing) -> None:
    (one, _), (_, other) = make(engine, ring), make(engine, ring)
    assert not stored(engine, one.key_id).accepts(KeyText(one.key_id, other.secret), ring, NOW)


def test_a_key_ends_when_it_says_when_revoked_and_with_its_workspace(engine: Engine, ring: KeyRing) -> None:
    ending, key = make(engine, ring, expires_at=NOW + HOUR)
    assert stored(engine, ending.key_id).accepts(key, ring, NOW + HOUR - timedelta(seconds=1))
    assert not stored(engine, ending.key_id).accepts(key, ring, NOW + HOUR)
    revoked, key = make(engine, ring)
    assert revoke_key(engine, revoked.key_id, now=NOW).revoked_at == NOW
    assert revoke_key(engine, revoked.key_id, now=NOW + HOUR).revoked_at == NOW
    assert not stored(engine, revoked.key_id).accepts(key, ring, NOW)
    orphan, key = make(engine, ring)
    remove_workspace(engine, "acme", now=NOW)
    assert find_key(engine, orphan.key_id) is None
    add_workspace(engine, "Acme", now=NOW)
    assert not stored(engine, orphan.key_id).accepts(key, ring, NOW), "a revived workspace has none of its old keys"


def test_rotation_overlaps_and_keeps_rights_and_length_of_life(engine: Engine, ring: KeyRing) -> None:
    old, old_key = make(engine, ring, expires_at=NOW + 100 * HOUR)
    new, new_key = rotate_key(engine, ring, old.key_id, overlap=2 * HOUR, now=NOW + HOUR)
    assert (new.scopes, new.workspace_id, new.rotated_from) == (old.scopes, "acme", old.key_id)
    assert new.expires_at == NOW + 101 * HOUR
    during, after = NOW + 2 * HOUR, NOW + 3 * HOUR
    assert [stored(engine, old.key_id).accepts(old_key, ring, at) for at in (during, after)] == [True, False]
    assert [stored(engine, new.key_id).accepts(new_key, ring, at) for at in (during, after)] == [True, True]
    with pytest.raises(UserError, match="is expired"):
        rotate_key(engine, ring, old.key_id, overlap=HOUR, now=after)


def test_use_is_noted_and_moves_the_hash_to_the_newest_ring_key(engine: Engine, ring: KeyRing) -> None:
    record, key = make(engine, ring)
    assert stored(engine, record.key_id).needs_note(ring, NOW)
    note_use(engine, ring, key, NOW)
    assert not stored(engine, record.key_id).needs_note(ring, NOW + timedelta(minutes=9))
    assert stored(engine, record.key_id).needs_note(ring, NOW + timedelta(minutes=10))

    both = ring_of("second", "first")
    assert keys_under_older_ring_keys(engine, both, NOW) == 1
    assert stored(engine, record.key_id).needs_note(both, NOW)
    note_use(engine, both, key, NOW)
    assert keys_under_older_ring_keys(engine, both, NOW) == 0
    assert stored(engine, record.key_id).accepts(key, ring_of("second"), NOW), "the older ring key is not needed now"


@pytest.mark.parametrize(
    ("rights", "sentence"),
    [
        (Rights("acme", ["write"]), "no scope 'write'"),
        (Rights("acme", []), "at least one"),
        (Rights("nobody", ["read"]), "no workspace 'nobody'"),
        (Rights(None, ["read", "ingest"]), "cannot have the scope ingest"),
        (Rights("acme", ["read", "ingest"], ["https://a.example"]), "ingest only"),
        (Rights("acme", ["ingest"], ["*"]), "is no origin"),
        (Rights("acme", ["read"], label="two\nlines"), "printable"),
    ],
)
def test_rights_that_cannot_be_given(engine: Engine, ring: KeyRing, rights: Rights, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        create_key(engine, ring, rights, now=NOW)
    assert list_keys(engine) == []


def test_origins_of_valid_browser_keys(engine: Engine, ring: KeyRing) -> None:
    one, _two = (
        create_key(engine, ring, Rights("acme", ["ingest"], [f"https://{name}.example"]), now=NOW)[0]
        for name in ("one", "two")
    )
    assert live_origins(engine, NOW) == {"https://one.example", "https://two.example"}
    revoke_key(engine, one.key_id, now=NOW)
    assert live_origins(engine, NOW) == {"https://two.example"}
    remove_workspace(engine, "acme", now=NOW)
    assert live_origins(engine, NOW) == frozenset()


def test_origins_have_the_form_browsers_send() -> None:
    assert checked_origins(["HTTPS://App.Example:443/", "https://app.example", "http://localhost:3000"]) == (
        "https://app.example",
        "http://localhost:3000",
    )


@pytest.mark.parametrize("text", ["*", "null", "app.example", "https://", "https://a/path", "ftp://a", "https://u@a"])
def test_what_is_no_origin(text: str) -> None:
    with pytest.raises(UserError, match="is no origin"):
        checked_origins([text])


def test_a_whole_key_in_the_place_of_its_id_is_not_repeated(engine: Engine, ring: KeyRing) -> None:
    _, key = make(engine, ring)
    with pytest.raises(UserError) as caught:
        revoke_key(engine, key.reveal(), now=NOW)
    assert key.secret[:4] not in str(caught.value)
