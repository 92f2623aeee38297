"""How many random histories the aggregation tests look at: enough to meet every rule, few enough for a slow core."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

# Not shrunk: the failing comparison names the rows that differ, and shrinking a whole history takes minutes.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


def histories(count: int) -> settings:
    """Settings for tests that build tables anew per example; they clear shared engines themselves."""
    return settings(
        max_examples=count,
        deadline=None,
        phases=_PHASES,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
        print_blob=False,
    )
