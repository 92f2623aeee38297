"""One outcome per metric asked, whatever happened to its parts."""

from __future__ import annotations

from datetime import date

import pytest

from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.platforms.contract import AccountResult, Outcome, State
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.outcomes import COUNTERS, SERIES, Tally, expected_outcomes, state_of

DAY = date(2026, 11, 18)


def only(result: AccountResult) -> Outcome:
    assert len(result.outcomes) == 1
    return result.outcomes[0]


@pytest.mark.parametrize(
    ("values", "missed", "planned", "state", "objects", "ok"),
    [
        ([5.0, 0.0], 0, 2, State.VALUE, 2, 2),
        ([0.0, 0.0], 0, 2, State.ZERO, 2, 2),
        ([-3.0], 0, 1, State.VALUE, 1, 1),
        ([5.0], 1, 3, State.VALUE, 3, 1),
        ([], 2, 2, State.NOT_SUPPORTED, 2, 0),
        ([], 0, 2, State.UNKNOWN, 2, 0),
        ([], 0, 0, State.UNKNOWN, 0, 0),
    ],
)
def test_posts_are_summed_up(
    values: list[float], missed: int, planned: int, state: State, objects: int, ok: int
) -> None:
    result = AccountResult()
    with Tally(result) as tally:
        tally.plan("post", "likes", DAY, planned)
        for value in values:
            tally.hit("post", "likes", DAY, value)
        for _ in range(missed):
            tally.miss("post", "likes", DAY, State.NOT_SUPPORTED, "hidden")
    outcome = only(result)
    assert (outcome.state, outcome.objects, outcome.objects_ok) == (state, objects, ok)
    assert (outcome.reason is None) == (ok == objects > 0)


def test_the_reason_one_can_act_on_wins() -> None:
    result = AccountResult()
    with Tally(result) as tally:
        tally.miss("post", "likes", DAY, State.NOT_SUPPORTED, "hidden")
        tally.refuse("post", "likes", DAY, PlatformError(Act.PERMISSION, "no scope"))
    assert (only(result).state, only(result).reason, only(result).error_class) == (
        State.NOT_PERMITTED,
        "no scope",
        "permission",
    )


def test_left_by_an_error_it_reports_only_what_was_reached() -> None:
    result = AccountResult()

    def interrupted() -> None:
        with Tally(result) as tally:
            tally.plan("account", "views", DAY)
            tally.plan("account", "likes", DAY)
            tally.hit("account", "likes", DAY, 3)
            raise PlatformError(Act.REAUTH, "expired")

    with pytest.raises(PlatformError):
        interrupted()
    assert [o.metric for o in result.outcomes] == ["likes"]


def test_a_week_is_told_apart_from_its_last_day() -> None:
    result = AccountResult()
    with Tally(result) as tally:
        tally.hit("account", "reach", DAY, 3)
        tally.hit("account", "reach", DAY, 9, "P7D")
    assert [o.window for o in result.outcomes] == ["P7D", "P1D"]


@pytest.mark.parametrize("act", list(Act))
def test_every_act_has_a_state(act: Act) -> None:
    assert state_of(PlatformError(act, "m")) in (State.FAILED, State.NOT_PERMITTED, State.NOT_SUPPORTED)


def test_expected_outcomes_are_unique_and_complete() -> None:
    for spec in catalog().platforms.values():
        for kinds in (COUNTERS, SERIES):
            keys = expected_outcomes(spec, kinds, [DAY])
            assert len(keys) == len(set(keys))
            assert {(level, metric) for level, metric, _ in keys} == {
                (s.level, s.metric) for s in spec.sources if s.kind in kinds
            }
