"""The catalogue is checked when it is loaded: what contradicts itself does not start."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from metrics_pipeline.catalog.loader import METRICS_FILE, CatalogError, catalog, load_catalog
from metrics_pipeline.catalog.platform_names import PLATFORM_NAMES
from metrics_pipeline.settings import Settings, load_settings

SOURCE = {"source": "views", "metric": "views", "level": "account", "kind": "series", "api": "a"}


def platform(tmp_path: Path, **changes: object) -> Path:
    file = tmp_path / "toy.yaml"
    content = {
        "platform": "toy",
        "label": "Toy",
        "hosts": {"api": "https://toy.example"},
        "sources": [SOURCE | changes],
    }
    file.write_text(yaml.safe_dump(content))
    return file


def test_the_project_catalogue_is_sound() -> None:
    loaded = catalog()
    assert tuple(loaded.platforms) == PLATFORM_NAMES
    needed = {"followers", "views", "reach", "engagement_rate", "follower_growth", "posts_published"}
    assert needed <= set(loaded.metrics)


def test_every_way_to_renew_a_token_leans_on_what_exists() -> None:
    for spec in catalog().platforms.values():
        for oauth in [*spec.oauth, *(o.otherwise for o in spec.oauth if o.otherwise)]:
            assert oauth.host in spec.hosts
            needed = [*oauth.when, *(f"{spec.platform}_client_{part}" for part in oauth.client)]
            assert [name for name in needed if name not in Settings.model_fields] == []


def test_a_setting_chooses_between_two_ways() -> None:
    tiktok = catalog().platforms["tiktok"]
    chosen = [tiktok.oauth_under(load_settings(tiktok_api=api)) for api in ("display", "accounts")]
    assert [oauth.send for oauth in chosen if oauth is not None] == ["form", "json"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "vibes"}, "unknown metric: vibes"),
        ({"metric": "engagement"}, "computed, not read"),
        ({"metric": "followers", "level": "post"}, "does not exist at post level"),
        ({"kind": "guess"}, "cannot be read"),
        ({"surprise": 1}, "cannot be read"),
    ],
)
def test_a_source_that_contradicts_the_metrics_is_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(CatalogError, match=message):
        load_catalog(METRICS_FILE, [platform(tmp_path, **changes)])


@pytest.mark.parametrize(
    ("name", "message"),
    [("yot", r"toy\.yaml describes the platform yot"), ("My-Toy", "pattern"), ("all", "cannot be called all")],
)
def test_a_platform_has_the_name_of_its_file_and_one_of_its_own(tmp_path: Path, name: str, message: str) -> None:
    file = platform(tmp_path)
    file.write_text(file.read_text().replace("platform: toy", f"platform: {name}"))
    with pytest.raises(CatalogError, match=message):
        load_catalog(METRICS_FILE, [file])


def test_a_ratio_names_its_parts_and_only_a_ratio_does(tmp_path: Path) -> None:
    metric = {
        "name": "rate", "label": "Rate", "description": "d", "unit": "ratio", "levels": ["account"],
        "additivity": "ratio", "across_entities": "ratio",
    }  # fmt: skip
    file = tmp_path / "metrics.yaml"
    file.write_text(yaml.safe_dump({"metrics": [metric]}))
    with pytest.raises(CatalogError, match="numerator and denominator"):
        load_catalog(file, [])
    file.write_text(yaml.safe_dump({"metrics": [metric | {"numerator": "a", "denominator": "b"}]}))
    with pytest.raises(CatalogError, match="unknown metric: a"):
        load_catalog(file, [])


def test_definition_versions_count_breaks(tmp_path: Path) -> None:
    youtube = catalog().platforms["youtube"]
    views = next(s for s in youtube.sources if s.source == "views" and s.level == "account")
    assert views.definition_version(date(2026, 8, 23)) + 1 == views.definition_version(date(2026, 8, 24))


def test_names_resolve_by_catalogue_and_by_platform() -> None:
    loaded = catalog()
    resolved = loaded.resolve("youtube", "estimatedMinutesWatched", "account")
    assert resolved is not None
    assert resolved[0] == "watch_time_seconds"
    assert resolved[1] is not None
    assert resolved[1].scale == 60
    assert loaded.resolve("pinterest", "views", "account") == ("views", None)
    assert loaded.resolve("youtube", "nonsense", "account") is None
