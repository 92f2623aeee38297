"""Opening the control database: first use, agreement of models and revisions, and what can be wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.models import Base
from metrics_pipeline.control.schema import HEAD_REVISION, MIGRATIONS
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import Settings, load_settings
from metrics_pipeline_tests.conftest import PostgresUrls

FIRST_USE = """
import sys
from metrics_pipeline.control.database import open_control
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.control.workspaces import add_workspace, list_workspaces
from metrics_pipeline.settings import load_settings
settings = load_settings()
sys.stdin.readline()
engine = open_control(settings)
add_workspace(engine, sys.argv[1], now=settings.clock.now())
print(load_key_ring(settings).newest[0])
"""


def test_models_and_revisions_agree(new_settings: Settings) -> None:
    with open_control(new_settings).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_head_constant_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD_REVISION]


def test_six_processes_may_start_at_once(new_settings: Settings) -> None:
    environment = {"METRICS_DATA_DIR": str(new_settings.data_dir), "PATH": ""}
    if new_settings.database_url is not None:
        environment["METRICS_DATABASE_URL"] = new_settings.database_url.get_secret_value()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", FIRST_USE, f"w{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for number in range(6)
    ]
    time.sleep(0.5)  # most have imported by now, and wait for the line that lets them all go
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=30) for process in processes]

    assert [error for _out, error in answers] == [""] * 6
    assert len({out for out, _error in answers}) == 1, "every process must end with the same key"
    with open_control(new_settings).connect() as connection:
        assert connection.execute(text("select count(*) from workspaces")).scalar() == 6
        assert connection.execute(text("select count(*) from alembic_version")).scalar() == 1


def test_opening_again_is_quick_and_needs_no_alembic(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    open_control(settings).dispose()
    fastest = 1.0
    for _ in range(10):
        started = time.perf_counter()
        open_control(settings).dispose()
        fastest = min(fastest, time.perf_counter() - started)
    assert fastest < 0.015  # the best of ten: the others say how busy the machine is

    script = (
        "import sys; from metrics_pipeline.control.database import open_control; "
        "from metrics_pipeline.settings import load_settings; open_control(load_settings()); "
        "sys.exit('alembic' in sys.modules)"
    )
    again = subprocess.run([sys.executable, "-c", script], env={"METRICS_DATA_DIR": str(tmp_path)}, check=False)
    assert again.returncode == 0


def test_sqlite_writes_ahead_and_checks_foreign_keys(tmp_path: Path) -> None:
    with open_control(load_settings(data_dir=tmp_path)).connect() as connection:
        assert connection.execute(text("pragma journal_mode")).scalar() == "wal"
        assert connection.execute(text("pragma foreign_keys")).scalar() == 1


def test_a_newer_schema_is_refused(new_settings: Settings) -> None:
    with open_control(new_settings).begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(UserError, match="schema 9999, made by a newer version"):
        open_control(new_settings)


def test_a_failed_migration_leaves_nothing_behind(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    with pytest.raises(UserError, match="cannot be used: table workspaces already exists"):
        _open_beside_a_foreign_table(settings)
    with pytest.raises(UserError, match="already exists"):  # still at no revision, not half way
        open_control(settings)


def _open_beside_a_foreign_table(settings: Settings) -> None:
    from metrics_pipeline.control.database import control_engine

    with control_engine(settings).begin() as connection:
        connection.execute(text("create table workspaces (x int)"))
    open_control(settings)


def test_data_directory_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"data directory .* cannot be made"):
        open_control(load_settings(data_dir=tmp_path / "file" / "data"))


def test_a_directory_without_write_permission_is_refused(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    sentence = _error_of_an_ordinary_user(load_settings(data_dir=tmp_path / "closed"))
    assert "cannot be" in sentence
    assert sentence.endswith("; name another with --data-dir.")


def _error_of_an_ordinary_user(settings: Settings) -> str:
    """What opening says; root may write anywhere, so a root test process forks and becomes nobody first."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setuid(65534)
        try:
            open_control(settings)
        except UserError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as pipe:
        return pipe.read()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "control.db").write_text("not a database" * 100)
    with pytest.raises(UserError, match="file is not a database"):
        open_control(load_settings(data_dir=tmp_path))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("no url, hunter2", "is not a database URL"),
        ("mysql://root:hunter2@localhost/x", "names 'mysql'"),
        ("sqlite://", "names no SQLite file"),
        ("postgresql://me:hunter2@127.0.0.1:1/x", "127.0.0.1/x cannot be used: .*refused"),
        ("postgresql://me:hunter2@127.0.0.1:port/x", "is not a database URL"),
    ],
)
def test_a_wrong_url_is_one_sentence_without_the_password(tmp_path: Path, url: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        open_control(load_settings(data_dir=tmp_path, database_url=url))
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_missing_postgres_database_is_one_sentence(tmp_path: Path, postgres_url: PostgresUrls) -> None:
    url = postgres_url().replace("?", "_missing?")
    with pytest.raises(UserError, match="does not exist; check METRICS_DATABASE_URL"):
        open_control(load_settings(data_dir=tmp_path, database_url=url))


def test_the_newest_revision_goes_down_and_up_again(new_settings: Settings) -> None:
    from alembic import command

    engine, config = open_control(new_settings), Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        before = set(inspect(connection).get_table_names())
        config.attributes["connection"] = connection
        command.downgrade(config, "-1")
        assert "realtime_buckets" not in inspect(connection).get_table_names()
    with open_control(new_settings).connect() as connection:
        assert set(inspect(connection).get_table_names()) == before
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()
