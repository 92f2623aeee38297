"""The declaration: the tables that come with the package, and one sentence for what is wrong in one of your own."""

from __future__ import annotations

from pathlib import Path

import pytest

from metrics_pipeline.application.lake_tables import table_spec
from metrics_pipeline.catalog.application import load_application
from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.application_tables import APPLICATION_TABLES

GOOD = "tables:\n  t:\n    key: id\n    day: at\n    columns: {id: string, at: timestamp, n: bigint}\n"


def test_the_known_tables_of_the_lake_are_those_that_are_declared() -> None:
    assert [table_spec(table) for table in load_application()] == list(APPLICATION_TABLES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tables: [", r"t\.yaml is not YAML at line"),
        ("table: {}", r"t\.yaml has to begin with `tables:`"),
        ("tables:\n  t: no", r"t\.yaml: t: a table has key"),
        (GOOD.replace("    key: id\n", ""), r"t\.yaml: t: key: Field required"),
        (GOOD.replace("key: id", "key: nr"), r"t\.yaml: t: key: nr is not among the columns"),
        (GOOD.replace("day: at", "day: n"), r"t\.yaml: t: day: n is neither timestamp nor date"),
        (GOOD.replace("    day: at\n", ""), r"t\.yaml: t: day: name the time .* or say snapshot: true"),
        (GOOD.replace("bigint", "money"), r"t\.yaml: t: columns: n: type: Input should be 'string', 'bigint'"),
        (GOOD.replace("bigint", "{type: bigint, sauce: x}"), r"t\.yaml: t: columns: n: sauce: Extra inputs"),
        (GOOD.replace("n: bigint", "extracted_at: date"), r"t\.yaml: t: columns: extracted_at is a name of the lake"),
        (GOOD.replace("n: bigint", "date: date"), r"t\.yaml: t: columns: date is the lake's name"),
        (GOOD.replace("day: at", "day: at\n    timezone: Mars"), r"t\.yaml: t: timezone: there is no time zone 'Mars'"),
        (GOOD.replace("day: at", "day: at\n    snapshot: true"), r"t\.yaml: t: snapshot: a table that is read whole"),
        (GOOD.replace("  t:", "  Tea Time:"), r"t\.yaml: Tea Time: name: String should match"),
    ],
)
def test_what_is_wrong_is_named_by_file_table_and_field(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=message):
        load_application(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"METRICS_APPLICATION_TABLES: .*none\.yaml cannot be read"):
        load_application(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            GOOD.replace("  t:", "  orders:").replace("n: bigint", "amount_cents: double"),
            r"orders\.amount_cents is one",
        ),
        (GOOD.replace("  t:", "  licences:"), r"The table licences .* declare it with snapshot: true"),
    ],
)
def test_tables_that_metrics_rest_on_keep_their_shape(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "t.yaml").write_text(text)
    with pytest.raises(UserError, match=message):
        table_spec(load_application(tmp_path / "t.yaml")[0])


def test_a_known_table_may_have_more_columns_and_lack_some(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(GOOD.replace("  t:", "  orders:"))
    names = [column.name for column in table_spec(load_application(tmp_path / "t.yaml")[0]).columns]
    assert names == [
        "date",
        "workspace_id",
        "id",
        "customer_id",
        "amount_cents",
        "created_at",
        "at",
        "n",
        "extracted_at",
    ]
