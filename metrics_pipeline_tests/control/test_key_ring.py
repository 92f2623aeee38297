"""The key ring: the setting, the key file, and what makes either unusable."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from metrics_pipeline.control.key_ring import KEY_FILE, add_key, load_key_ring, parse_key_ring
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import load_settings

A, B = (base64.b64encode(letter * 32).decode() for letter in (b"a", b"b"))


def test_the_setting_lists_the_newest_key_first(tmp_path: Path) -> None:
    ring = load_key_ring(load_settings(data_dir=tmp_path, secret_keys=f"k2:{B}, k1:{A}"))
    assert ring.newest == ("k2", b"b" * 32)
    assert ring.key("k1") == b"a" * 32
    assert not (tmp_path / KEY_FILE).exists()


def test_without_the_setting_a_private_file_is_made_once(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "data")
    ring = load_key_ring(settings)
    assert load_key_ring(settings).keys == ring.keys
    assert stat.S_IMODE((tmp_path / "data" / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == [KEY_FILE], "no draft is left"


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    load_key_ring(settings)
    for mode in (0o640, 0o604):
        (tmp_path / KEY_FILE).chmod(mode)
        with pytest.raises(UserError, match="can be read by other users; close it with: chmod 600"):
            load_key_ring(settings)


def test_a_new_key_comes_first_and_the_old_one_stays(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    before = load_key_ring(settings)
    after = add_key(settings)
    assert after.keys[1:] == before.keys
    assert after.newest[0] != before.newest[0]
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_a_new_key_is_not_made_for_the_setting(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="come from METRICS_SECRET_KEYS"):
        add_key(load_settings(data_dir=tmp_path, secret_keys=f"k1:{A}"))


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (A, "entry 1 is not id:base64key"),
        (f"k1:{A},k1:{B}", "key id 'k1' occurs twice"),
        ("k1:c2hvcnQ=", "key 'k1' is not the base64 of 32 bytes"),
        ("k1:%%%%", "key 'k1' is not the base64 of 32 bytes"),
        (f"a/b:{A}", "key id 'a/b' cannot be used"),
        (" , ", "holds no key"),
    ],
)
def test_a_ring_that_cannot_be_read_says_why_without_the_key(value: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        parse_key_ring(value, "METRICS_SECRET_KEYS")
    assert A not in str(caught.value)
