"""docs/adding_a_platform.md, carried out: a YAML, a module and a line bring a platform from its API to the week."""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel

from metrics_pipeline.catalog.calls import ApiCall, Limit
from metrics_pipeline.catalog.models import PlatformSpec, SourceMetric
from metrics_pipeline.platforms.contract import Adapter, CollectionContext
from metrics_pipeline.platforms.dialect import Dialect
from metrics_pipeline.platforms.errors import Act, Answer, by_status
from metrics_pipeline.platforms.http import PlatformClient
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.toy_platform.mastodon import MastodonAdapter
from metrics_pipeline_tests.toy_platform.server import ACCOUNT_ID, TOKEN, MastodonServer

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "adding_a_platform.md"
TOY = ROOT / "metrics_pipeline_tests" / "toy_platform"
REGISTRY = "metrics_pipeline/platforms/registry.py"
COMMAND = "from metrics_pipeline.cli.main import main; main()"
ASSET_KEYS = """
import json, metrics_pipeline
from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.pipeline import Pipeline
keys = build_definitions(Pipeline.from_environment()).resolve_asset_graph().get_all_asset_keys()
print(json.dumps([metrics_pipeline.__file__, sorted(key.to_user_string() for key in keys)]))
"""

keeps_the_contract: Callable[[PlatformSpec, Settings, PlatformClient], Adapter] = MastodonAdapter


@dataclass(frozen=True)
class Site:
    """A copy of the project with the platform in it, a data directory, and the platform itself."""

    tree: Path
    data_dir: Path
    server: MastodonServer
    today: date

    def python(self, code: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run code with the copy's package; nothing is set but where the data is and where the platform is."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self.tree),
            "METRICS_DATA_DIR": str(self.data_dir),
            "METRICS_MASTODON_BASE_URL": self.server.url,
        }
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            cwd=self.data_dir,
        )

    def command(self, *arguments: str, stdin: str = "") -> str:
        """Run `metrics-pipeline` to its good end; what it printed."""
        done = self.python(COMMAND, *arguments, stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def rows(self, query: str) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = json.loads(self.command("sql", query, "--format", "json"))
        return rows


def copy_project(tree: Path) -> None:
    for folder in ("metrics_pipeline", "sql"):
        shutil.copytree(ROOT / folder, tree / folder)
    shutil.copy2(ROOT / "dagster.yaml", tree)


def add_platform(tree: Path) -> None:
    """Exactly what the page says: two files, and its line among those of the registry."""
    for name in ("mastodon.yaml", "mastodon.py"):
        shutil.copy2(TOY / name, tree / "metrics_pipeline" / "platforms")
    (line,) = re.findall(r"^ +\"mastodon\": .*\n", PAGE.read_text(), re.MULTILINE)
    registry = tree / REGISTRY
    before, after = registry.read_text().split("ADAPTERS: dict[str, str] = {\n")
    registry.write_text(f"{before}ADAPTERS: dict[str, str] = {{\n    {line.strip()}\n{after}")


def files_of(tree: Path) -> dict[str, str]:
    found = (file for part in ("metrics_pipeline", "sql") for file in (tree / part).rglob("*"))
    return {str(f.relative_to(tree)): f.read_text() for f in found if f.is_file() and f.suffix != ".pyc"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    now = datetime.now(UTC)
    if (now + timedelta(minutes=1)).date() != now.date():
        time.sleep(61)  # these tests are about one day, and know no other clock than the real one
        now = datetime.now(UTC)
    tree, data_dir = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("data")
    copy_project(tree)
    add_platform(tree)
    server = MastodonServer(now)
    site = Site(tree, data_dir, server, now.date())
    site.command("workspace", "add", "Acme", "--id", "acme")
    for name, external_id, token in (("main", ACCOUNT_ID, TOKEN), ("revoked", "109303", "yesterday's")):
        account = ["--workspace", "acme", "--platform", "mastodon", "--external-id", external_id, "--id", name]
        site.command("account", "add", *account, "--token-stdin", stdin=token)
    yield site
    server.stop()


def test_a_platform_is_a_yaml_a_module_and_a_line(site: Site) -> None:
    original, changed = files_of(ROOT), files_of(site.tree)

    assert set(original) <= set(changed)
    assert set(changed) - set(original) == {
        "metrics_pipeline/platforms/mastodon.py",
        "metrics_pipeline/platforms/mastodon.yaml",
    }
    assert [name for name, text in original.items() if changed[name] != text] == [REGISTRY]
    lines = difflib.ndiff(original[REGISTRY].splitlines(), changed[REGISTRY].splitlines())
    assert [line for line in lines if line[0] != " "] == ['+     "mastodon": "MastodonAdapter",']


def test_its_numbers_reach_the_day_and_the_week(site: Site) -> None:
    plan = json.loads(site.command("plan", "--format", "json"))
    assert [(row["platform"], row["accounts"]) for row in plan] == [("mastodon", 2)]

    read = site.command("collect", "main")
    today = site.today.isoformat()
    site.command("backfill", "platforms/mastodon/insights", "daily_metrics", "weekly_metrics", "--from", today)

    assert "the account and 110 posts" in read
    pages = [asked.params.get("max_id") for asked in site.server.asked if asked.path.endswith("/statuses")]
    assert pages == [None, "961", "921"]
    # 100 of the posts are of today: what they have, they got today; what the older ones got today nobody knows yet
    wanted = {"followers": 1200, "posts_published": 100, "likes": 300, "shares": 200, "comments": 0, "engagement": 500}
    rows = site.rows(
        f"select 'day' as period, metric, value from daily_metrics where date = '{today}' and entity_id = 'main' "
        f"union all select 'week', metric, value from weekly_metrics where entity_id = 'main' "
        f"and '{today}' between week_start and week_start + 6"
    )
    for period in ("day", "week"):
        found = {row["metric"]: row["value"] for row in rows if row["period"] == period}
        assert {metric: found.get(metric) for metric in wanted} == wanted, period
    assert "333 readings, 0 new rows" in site.command("replay", "mastodon", "--from", today)


def test_dagster_shows_its_assets(site: Site) -> None:
    done = site.python(ASSET_KEYS)
    assert done.returncode == 0, done.stderr
    package, keys = json.loads(done.stdout)
    assert Path(package).is_relative_to(site.tree)
    assert {"platforms/mastodon/counters", "platforms/mastodon/insights"} <= set(keys)


def test_a_refused_token_asks_its_owner_to_sign_in(site: Site) -> None:
    done = site.python(COMMAND, "collect", "revoked")
    assert done.returncode == 1
    assert "The access token is invalid" in done.stderr

    accounts = json.loads(site.command("account", "list", "--format", "json"))
    assert {a["account_id"]: a["status"] for a in accounts} == {"main": "active", "revoked": "needs_reauth"}


@pytest.mark.parametrize("model", [PlatformSpec, SourceMetric, ApiCall, Limit])
def test_the_page_explains_every_part_of_the_yaml(model: type[BaseModel]) -> None:
    assert [name for name in model.model_fields if f"`{name}`" not in PAGE.read_text()] == []


def test_the_page_names_what_an_adapter_deals_with() -> None:
    page = PAGE.read_text()
    assert [part.name for part in fields(Dialect) if f"`{part.name}`" not in page] == []
    told = {name for name in dir(CollectionContext) if not name.startswith("_")} | {"now", "observed_at"}
    assert set(re.findall(r"`context\.(\w+)`", page)) == told - {"post_age"}, "oldest says what post_age means"


def test_the_page_tells_what_each_error_means() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| [^|]* \| ([^|]*)\|", PAGE.read_text(), re.MULTILINE)
    assert {act for act, _ in rows} == {act.name for act in Act}
    for act, statuses in rows:
        for status in re.findall(r"\d{3}", statuses):
            error = by_status(Answer(int(status), {}, None), "")
            assert error is not None
            assert error.act.name == act, status


def test_the_files_that_the_page_names_exist() -> None:
    named = set(re.findall(r"`([\w/]+\.(?:py|yaml))`", PAGE.read_text()))
    there = [str(f) for part in ("metrics_pipeline", "metrics_pipeline_tests") for f in (ROOT / part).rglob("*.*")]
    assert [name for name in sorted(named) if not any(f.endswith(f"/{name}") for f in there)] == []
