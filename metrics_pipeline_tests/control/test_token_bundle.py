"""What may be stored as an account's token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_pipeline.control.token_bundle import TokenBundle
from metrics_pipeline.errors import UserError

NOW = datetime(2026, 3, 16, tzinfo=UTC)
texts = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
instants = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(texts.filter(lambda t: not t.startswith("{")), st.none() | texts, instants, instants)
def test_what_is_dumped_is_read_back(
    access: str, refresh: str | None, expires: datetime | None, refresh_expires: datetime | None
) -> None:
    bundle = TokenBundle(access, refresh, expires, refresh_expires if refresh else None)
    assert TokenBundle.parse(bundle.dump(), NOW) == bundle


def test_lifetimes_count_from_now() -> None:
    bundle = TokenBundle.parse('{"access_token": "a", "expires_in": "3599", "refresh_token_expires_in": 60}', NOW)
    assert bundle.expires_at == NOW + timedelta(seconds=3599)
    assert bundle.refresh_expires_at == NOW + timedelta(seconds=60)


def test_an_answer_with_its_tokens_under_data_is_read_whole() -> None:
    answer = '{"code": 0, "message": "OK", "data": {"access_token": "a", "refresh_token": "r", "expires_in": 86400}}'
    assert TokenBundle.parse(answer, NOW) == TokenBundle("a", "r", NOW + timedelta(days=1))


def test_tokens_do_not_show() -> None:
    assert "secret" not in repr(TokenBundle("secret-a", "secret-r"))


@pytest.mark.parametrize("text", ["{", "{}", '{"access_token": ""}', '{"access_token": 1}', '{"token": "x"}'])
def test_what_is_no_token_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(UserError, match="token"):
        TokenBundle.parse(text, NOW)


def test_a_lifetime_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="expires_in"):
        TokenBundle.parse('{"access_token": "a", "expires_in": "soon"}', NOW)
