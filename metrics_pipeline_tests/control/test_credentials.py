"""Tokens at rest: what opens them, what does not, and rotation."""

from __future__ import annotations

import dataclasses
import logging
import traceback
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from metrics_pipeline.control.accounts import add_account, read_token
from metrics_pipeline.control.credentials import Sealed, rotate, seal, unseal
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import KeyRing
from metrics_pipeline.control.models import Credential
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.control.conftest import NOW, ring_of

TOKEN = "EAAB-planted-token-5f2c"


def test_a_token_opens_with_the_key_it_was_sealed_with(ring: KeyRing) -> None:
    assert unseal(ring, "acme", "ig", seal(ring, "acme", "ig", TOKEN)) == TOKEN


def test_two_seals_of_one_token_share_nothing(ring: KeyRing) -> None:
    one, two = seal(ring, "acme", "ig", TOKEN), seal(ring, "acme", "ig", TOKEN)
    assert one.ciphertext != two.ciphertext
    assert one.wrapped_key != two.wrapped_key


@pytest.mark.parametrize(("workspace", "account"), [("other", "ig"), ("acme", "yt"), ("acm", "e.ig")])
def test_a_record_moved_to_another_row_does_not_open(ring: KeyRing, workspace: str, account: str) -> None:
    with pytest.raises(UserError, match="changed or moved"):
        unseal(ring, workspace, account, seal(ring, "acme", "ig", TOKEN))


def test_every_flipped_byte_is_noticed(ring: KeyRing) -> None:
    sealed = seal(ring, "acme", "ig", TOKEN)
    changed = [dataclasses.replace(sealed, ciphertext=other) for other in _flipped(sealed.ciphertext)]
    changed += [dataclasses.replace(sealed, wrapped_key=other) for other in _flipped(sealed.wrapped_key)]
    for record in changed:
        with pytest.raises(UserError, match="changed or moved"):
            unseal(ring, "acme", "ig", record)


def _flipped(whole: bytes) -> list[bytes]:
    return [whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :] for index in range(len(whole))]


def test_one_rows_ciphertext_with_anothers_data_key_does_not_open(ring: KeyRing) -> None:
    one, two = seal(ring, "acme", "ig", TOKEN), seal(ring, "acme", "ig", "other")
    with pytest.raises(UserError, match="changed or moved"):
        unseal(ring, "acme", "ig", Sealed(one.key_id, one.wrapped_key, two.ciphertext))


def test_an_unknown_key_id_and_a_wrong_key_are_told_apart(ring: KeyRing) -> None:
    sealed = seal(ring, "acme", "ig", TOKEN)
    with pytest.raises(UserError, match="Key 'first' is not in test ring"):
        unseal(ring_of("second"), "acme", "ig", sealed)
    impostor = KeyRing((("first", b"x" * 32),), "test ring")
    with pytest.raises(UserError, match="test ring has another key 'first'"):
        unseal(impostor, "acme", "ig", sealed)


def test_no_error_and_no_repr_shows_a_token_or_a_key(ring: KeyRing) -> None:
    sealed = seal(ring, "acme", "ig", TOKEN)
    assert "first...." not in repr(ring)
    assert repr(sealed) == "Sealed(key_id='first')"
    try:
        unseal(ring, "other", "ig", sealed)
    except UserError as error:
        text_of_error = "".join(traceback.format_exception(error))
    assert TOKEN not in text_of_error
    assert "InvalidTag" not in text_of_error


def test_rotation_moves_every_record_to_the_newest_key(engine: Engine) -> None:
    old, both, new = ring_of("old"), ring_of("new", "old"), ring_of("new")
    add_workspace(engine, "acme", now=NOW)
    accounts = [add_account(engine, old, "acme", "x", str(n), token=f"token-{n}", now=NOW) for n in range(3)]
    with Session(engine) as session:
        before = {row.account_id: row.ciphertext for row in session.scalars(select(Credential))}

    assert rotate(engine, both) == 3
    assert rotate(engine, both) == 0

    assert [read_token(engine, new, account) for account in accounts] == ["token-0", "token-1", "token-2"]
    with Session(engine) as session:
        rows = session.scalars(select(Credential)).all()
        assert {row.key_id for row in rows} == {"new"}
        assert {row.account_id: row.ciphertext for row in rows} == before, "tokens are not decrypted to rotate"


def test_rotation_changes_nothing_when_one_record_cannot_be_read(engine: Engine) -> None:
    add_workspace(engine, "acme", now=NOW)
    good = add_account(engine, ring_of("old"), "acme", "x", "1", token="token-1", now=NOW)
    add_account(engine, ring_of("lost"), "acme", "x", "2", token="token-2", now=NOW)
    with pytest.raises(UserError, match="Key 'lost' is not in"):
        rotate(engine, ring_of("new", "old"))
    assert read_token(engine, ring_of("old"), good) == "token-1"


def test_a_row_swapped_in_the_database_does_not_open(engine: Engine, ring: KeyRing) -> None:
    add_workspace(engine, "mine", now=NOW)
    add_workspace(engine, "theirs", now=NOW)
    mine = add_account(engine, ring, "mine", "x", "1", token="mine", now=NOW)
    add_account(engine, ring, "theirs", "x", "1", token="theirs", now=NOW)
    with engine.begin() as connection:
        connection.execute(
            text(
                "update credentials set "
                "wrapped_key = (select wrapped_key from credentials where workspace_id = 'theirs'), "
                "ciphertext = (select ciphertext from credentials where workspace_id = 'theirs') "
                "where workspace_id = 'mine'"
            )
        )
    with pytest.raises(UserError, match="changed or moved"):
        read_token(engine, ring, mine)


def test_no_file_and_no_log_line_holds_the_token(
    tmp_path: Path, ring: KeyRing, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("sqlalchemy.engine").setLevel(logging.DEBUG)
    try:
        engine = open_control(load_settings(data_dir=tmp_path))
        add_workspace(engine, "acme", now=NOW)
        record = add_account(engine, ring, "acme", "x", "1", token=TOKEN, now=NOW)
        assert read_token(engine, ring, record) == TOKEN
        stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    finally:
        logging.getLogger("sqlalchemy.engine").setLevel(logging.NOTSET)
    assert b"acme" in stored, "the files of the open database are the ones searched"
    assert TOKEN.encode() not in stored
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(record)
