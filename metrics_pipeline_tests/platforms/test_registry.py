"""The registry, and what the catalogue says about the platforms in it."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys

import pytest

from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.catalog.platform_names import PLATFORM_NAMES as DESCRIBED
from metrics_pipeline.errors import UserError
from metrics_pipeline.platforms.contract import Adapter
from metrics_pipeline.platforms.dialect import Dialect
from metrics_pipeline.platforms.registry import PLATFORM_NAMES, build_adapter, can_observe_past, load_adapter
from metrics_pipeline.settings import Settings


def test_every_platform_has_a_description_and_an_adapter() -> None:
    assert set(PLATFORM_NAMES) == set(catalog().platforms) == set(DESCRIBED)
    for name in PLATFORM_NAMES:
        adapter = build_adapter(name, Settings())
        assert adapter.name == name
        asyncio.run(adapter.aclose())


@pytest.mark.parametrize("name", PLATFORM_NAMES)
def test_every_adapter_keeps_the_contract(name: str) -> None:
    dialect, adapter = load_adapter(name)

    assert isinstance(dialect, Dialect)
    assert getattr(adapter, "name", None) == name
    for method, wanted in inspect.getmembers(Adapter, inspect.iscoroutinefunction):
        kept = getattr(adapter, method)
        assert inspect.iscoroutinefunction(kept), method
        assert inspect.signature(kept) == inspect.signature(wanted), method


def test_looking_up_names_loads_no_adapter() -> None:
    code = (
        "import sys; from metrics_pipeline.platforms import registry; registry.known_platform('x'); "
        "print(*(n for n in registry.PLATFORM_NAMES if f'metrics_pipeline.platforms.{n}' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_an_unknown_platform_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UserError, match=", ".join(PLATFORM_NAMES)):
        build_adapter("myspace", Settings())
    with pytest.raises(UserError, match="myspace"):
        can_observe_past("myspace", Settings())


@pytest.mark.parametrize(
    ("url", "past"), [(None, False), ("http://proxy.example", False), ("http://sandbox.example/at/{at}/x", True)]
)
def test_only_a_url_with_an_instant_can_answer_for_the_past(url: str | None, past: bool) -> None:
    assert can_observe_past("x", Settings(x_base_url=url)) is past


def test_restatement_days_are_what_the_platforms_need() -> None:
    needed = {
        "facebook": 3,
        "instagram": 3,
        "linkedin": 7,
        "pinterest": 4,
        "threads": 3,
        "tiktok": 4,
        "whatsapp": 8,
        "x": 3,
        "youtube": 14,
    }
    days = {name: catalog().platforms[name].restatement_days for name in needed}
    assert days == needed


# Where a setting chooses between two APIs, a source belongs to one of them by the beginning of its api.
CHOICES = {"tiktok": ("display_", "accounts_")}


def test_no_platform_gives_one_metric_twice_for_the_same_object() -> None:
    choices = [(spec, start) for spec in catalog().platforms.values() for start in CHOICES.get(spec.platform, ("",))]
    for spec, start in choices:
        for level in ("account", "post"):
            for kinds in (("series",), ("counter", "unique_counter", "gauge")):
                seen: dict[tuple[str, str], str] = {}
                for source in spec.select(level):
                    if source.kind in kinds and source.api.startswith(start):
                        for post_type in source.post_types or ["any"]:
                            assert (source.metric, post_type) not in seen, (spec.platform, source.source)
                            seen[source.metric, post_type] = source.source
