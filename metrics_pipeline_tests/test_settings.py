"""Settings: defaults for a laptop, one sentence for what cannot be used, a file per data directory."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from metrics_pipeline.errors import UserError
from metrics_pipeline.pipeline_start import PipelineStart, extend_pipeline_start, fix_pipeline_start, pipeline_start
from metrics_pipeline.settings import Settings, load_settings


def test_nothing_has_to_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert settings.data_dir == Path("data")
    assert settings.lake_location == str(tmp_path / "data" / "lake")
    assert settings.week_start_index == 0
    assert settings.clock.now() - datetime.now(UTC) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEEK_START", "someday"),
        ("PIPELINE_START", "2026-13-01"),
        ("PIPELINE_START", "2999-01-01"),
        ("NOW", "yesterday"),
        ("PARALLEL_WORKSPACES", "0"),
        ("HTTP_TIMEOUT_SECONDS", "soon"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"METRICS_{name}", value)
    with pytest.raises(UserError, match=f"METRICS_{name} cannot be used"):
        load_settings()


def test_secrets_are_not_shown() -> None:
    settings = Settings(secret_keys="k1:c2VjcmV0", database_url="postgresql://u:hunter2@h/d")
    assert "hunter2" not in repr(settings)
    assert "c2VjcmV0" not in repr(settings)


def test_the_data_directory_may_bring_its_own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text("METRICS_WEEK_START=Sunday\nMETRICS_X_BASE_URL=http://127.0.0.1:1\n")
    assert load_settings(data_dir=tmp_path).week_start == "sunday"
    monkeypatch.setenv("METRICS_WEEK_START", "saturday")
    assert load_settings(data_dir=tmp_path).week_start == "saturday"
    assert load_settings(data_dir=tmp_path).base_url("x") == "http://127.0.0.1:1"
    assert load_settings(data_dir=tmp_path).base_url("youtube") is None


def test_a_platform_needs_no_field_to_have_its_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text(
        "METRICS_TOY_BASE_URL=http://file.example\nMETRICS_TOY_CLIENT_ID=app\nMETRICS_TOY_CLIENT_SECRET=hunter2\n"
    )
    settings = load_settings(data_dir=tmp_path)
    assert settings.base_url("toy") == "http://file.example"
    assert settings.client_credentials("toy") == ("app", "hunter2")
    assert settings.client_credentials("x") == (None, None)

    monkeypatch.setenv("METRICS_TOY_BASE_URL", "http://environment.example")
    monkeypatch.setenv("METRICS_TOY_CLIENT_ID", "")
    settings = load_settings(data_dir=tmp_path)
    assert settings.base_url("toy") == "http://environment.example"
    assert settings.client_credentials("toy") == ("app", "hunter2"), "what is set to nothing is not set"
    assert "hunter2" not in repr(settings) + str(settings.model_dump()) + repr(settings.__pydantic_private__)


@pytest.mark.parametrize("platform", ["toy", "x"])
def test_a_copy_may_go_to_another_host(platform: str) -> None:
    settings = Settings(**{f"{platform}_base_url": "http://first.example"})  # type: ignore[arg-type]
    other = settings.with_base_url(platform, "http://second.example")
    assert settings.base_url(platform) == "http://first.example"
    assert other.model_copy(update={"now": None}).base_url(platform) == "http://second.example"


def test_the_start_is_fixed_at_first_use(tmp_path: Path) -> None:
    first = pipeline_start(load_settings(data_dir=tmp_path, now="2026-11-20T10:00:00Z"))
    assert first == PipelineStart(date(2025, 10, 1), date(2026, 11, 20))
    assert pipeline_start(load_settings(data_dir=tmp_path, now="2027-05-01T00:00:00Z")) == first
    assert (
        fix_pipeline_start(load_settings(data_dir=tmp_path), PipelineStart(date(2020, 1, 1), date(2020, 1, 1))) == first
    )


def test_an_import_may_move_the_start_back_but_not_against_the_operator(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, now="2026-11-20T10:00:00Z")
    assert extend_pipeline_start(settings, date(2021, 7, 16))
    assert pipeline_start(settings).pipeline == date(2021, 7, 1)
    assert pipeline_start(settings).collection == date(2026, 11, 20)
    assert not extend_pipeline_start(settings, date(2022, 1, 1))
    fixed = load_settings(data_dir=tmp_path, pipeline_start=date(2026, 1, 1))
    assert not extend_pipeline_start(fixed, date(2019, 1, 1))
    assert pipeline_start(fixed).pipeline == date(2026, 1, 1)


@pytest.mark.parametrize("weekday", range(7))
def test_weeks_and_days_begin_at_or_before_the_first_month(weekday: int) -> None:
    start = PipelineStart(date(2026, 10, 17), date(2026, 10, 17))
    assert start.month == date(2026, 10, 1)
    assert start.week(weekday) <= start.month
    assert (start.month - start.week(weekday)).days < 7


def test_a_broken_start_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").write_text("pipeline_start = nonsense")
    with pytest.raises(UserError, match=r"pipeline\.toml cannot be read"):
        pipeline_start(load_settings(data_dir=tmp_path))


def test_a_copy_at_another_instant_has_another_clock() -> None:
    settings = load_settings(now="2026-11-20T10:00:00Z")
    assert settings.clock.now().day == 20
    earlier = settings.model_copy(update={"now": datetime(2026, 11, 18, tzinfo=UTC)})
    assert earlier.clock.now().day == 18
