"""Every reason for which a row is refused, with its line; the rest of the file is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from metrics_pipeline.errors import UserError
from metrics_pipeline_tests.imports.conftest import HEADER, Check, Lines, problems

GOOD = "acme,youtube,chan,,views,2026-03-01,5,,,"


BAD = [
    (",youtube,chan,,views,2026-03-01,5,,,", "workspace_id is missing"),
    ("a/b,youtube,chan,,views,2026-03-01,5,,,", "workspace_id 'a/b' cannot be an id"),
    ("acme,,chan,,views,2026-03-01,5,,,", "platform is missing"),
    ("acme,myspace,chan,,views,2026-03-01,5,,,", "unknown platform 'myspace'"),
    ("acme,youtube, ,,views,2026-03-01,5,,,", "account_id is missing"),
    ("acme,youtube,a:b,,views,2026-03-01,5,,,", "account_id 'a:b' cannot be an id"),
    ("acme,youtube,chan,a b,views,2026-03-01,5,,,", "post_id 'a b' cannot be an id"),
    ("acme,youtube,chan,,,2026-03-01,5,,,", "metric is missing"),
    ("acme,youtube,chan,,vews,2026-03-01,5,,,", "unknown metric 'vews'"),
    ("acme,tiktok,chan,,viewCount,2026-03-01,5,,,", "unknown metric 'viewCount': neither in the catalogue nor"),
    ("acme,youtube,chan,p1,followers,2026-03-01,5,,,", "'followers' does not exist at post level"),
    ("acme,youtube,chan,p1,subscriberCount,2026-03-01,5,,,", "'subscriberCount' exists at account level only"),
    ("acme,youtube,chan,,engagement_rate,2026-03-01,5,,,", "is computed from others"),
    ("acme,youtube,chan,,views,,5,,,", "date is missing"),
    ("acme,youtube,chan,,views,01.03.2026,5,,,", "bad date '01.03.2026'"),
    ("acme,youtube,chan,,views,2026-02-30,5,,,", "bad date '2026-02-30'"),
    ("acme,youtube,chan,,views,1026-02-03,5,,,", "bad date 1026-02-03, before the year 2000"),
    ("acme,youtube,chan,,views,2026-03-06,5,,,", "date 2026-03-06 lies in the future"),
    ("acme,youtube,chan,,views,2026-03-01,many,,,", "bad number 'many'"),
    ("acme,youtube,chan,,views,2026-03-01,NaN,,,", "bad number 'NaN'"),
    ("acme,youtube,chan,,views,2026-03-01,-inf,,,", "bad number '-inf'"),
    ("acme,youtube,chan,,views,2026-03-01,1e999,,,", "bad number '1e999'"),
    ("acme,youtube,chan,,views,2026-03-01,0x10,,,", "bad number '0x10'"),
    ("acme,youtube,chan,,views,2026-03-01,1_000,,,", "bad number '1_000'"),
    ("acme,youtube,chan,,views,2026-03-01,5,total,,", "bad kind 'total'"),
    ("acme,youtube,chan,,views,2026-03-01,5,gauge,,", "bad kind 'gauge': views adds up over days"),
    ("acme,youtube,chan,,views,2026-03-01,5,,yesterday,", "bad read_at 'yesterday'"),
    ("acme,youtube,chan,,views,2026-03-01,5,,2026-03-05T12:00:01Z,", "lies in the future"),
    ("acme,youtube,chan,,views,2026-03-01,5,,2026-02-28T23:59:59Z,", "lies before the measured day"),
    ("acme,youtube,chan,,views,2026-03-01,5,,,[1]", "metadata is no JSON object"),
    ("acme,youtube,chan,,views,2026-03-01,5,,,{a", "metadata is no JSON object"),
    ("acme,youtube,chan,,views,2026-03-01,5", "has 7 fields where the header has 10"),
    ('acme,youtube,chan,"a"b,views,2026-03-01,5,,,', "a quote is closed in the middle of a field"),
]


def test_every_bad_row_has_its_line_and_reason_and_the_rest_is_kept(check: Check, lines: Lines) -> None:
    checked = check(lines(GOOD, "", *(line for line, _ in BAD), GOOD.replace("-01", "-02")))
    found = problems(checked)
    assert list(found) == list(range(4, 4 + len(BAD)))  # after the header, a good line and a blank one
    wrong = {line: found[n] for n, (line, reason) in enumerate(BAD, start=4) if reason not in found[n]}
    assert not wrong
    assert checked.rows.accepted.num_rows == 2


def test_two_values_for_one_key_refuse_both_and_name_each_other(check: Check, lines: Lines) -> None:
    checked = check(
        lines(GOOD, GOOD.replace(",5,", ",6,"), GOOD.replace("chan", "other"), GOOD.replace("chan", "other"))
    )
    assert problems(checked) == {
        2: "line 3 has another value for the same account, metric and date",
        3: "line 2 has another value for the same account, metric and date",
    }
    assert (checked.rows.accepted.num_rows, checked.rows.repeated) == (1, 1)


def test_a_platform_name_and_the_catalogue_name_are_one_key(check: Check, lines: Lines) -> None:
    minutes = "acme,youtube,chan,,estimatedMinutesWatched,2026-03-01,2,,,"
    seconds = "acme,youtube,chan,,watch_time_seconds,2026-03-01,121,,,"
    assert set(problems(check(lines(minutes, seconds)))) == {2, 3}
    assert not problems(check(lines(minutes, seconds.replace("121", "120"))))


def test_two_reads_of_one_day_are_no_contradiction(check: Check, lines: Lines) -> None:
    first, second = (f"acme,x,a,,views,2026-03-01,{n},series,2026-03-0{n}T00:00:00+01:00," for n in (3, 4))
    assert check(lines(first, second)).rows.accepted.num_rows == 2


def test_a_row_without_value_is_skipped_not_bad(check: Check, lines: Lines) -> None:
    checked = check(lines(GOOD, GOOD.replace(",5,", ", ,")))
    assert (checked.rows.without_value, problems(checked)) == (1, {})


def test_lines_are_counted_as_the_file_has_them(check: Check, lines: Lines) -> None:
    two_lines = 'acme,youtube,chan,,views,2026-03-01,5,,,"{""a"":\n1}"'
    checked = check(lines(two_lines, "", "", GOOD.replace("youtube", "nope")))
    assert list(problems(checked)) == [6]


def test_unknown_columns_and_accounts_are_mentioned_once(check: Check, lines: Lines) -> None:
    header = "Workspace_ID;platform;account_id;metric;date;value;campaign"
    row = "acme;tiktok;a;views;2026-03-0{};1,5;x"
    checked = check(lines(row.format(1).replace("1,5", "1.5"), row.format(2).replace(",5", ""), header=header))
    assert checked.extra_columns == ["campaign"]
    assert checked.unconnected == [("acme", "tiktok", "a")]
    assert checked.rows.accepted["value"].to_pylist() == [1.5, 1.0]


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "a.csv", "is empty"),
        (HEADER.encode() + b"\n", "a.csv", "has no rows"),
        (b"acme,youtube,chan,,views,2026-03-01,5,,,\n", "a.csv", "has no column workspace_id, platform, account_id"),
        (HEADER.replace("date,", "").encode() + b"\nx\n", "a.csv", "has no column date;"),
        (HEADER.encode() + b",value\nx\n", "a.csv", "the column value twice"),
        (HEADER.encode() + b'\n"acme,x\n', "a.csv", "from line 2 on"),
        (HEADER.encode() + b"\n\xff\xfe\n", "a.csv", "not UTF-8"),
        (b"PAR1", "a.csv", "is a Parquet file, though read as csv"),
        (b"PAR1 and no more", "a.parquet", "cannot be read as Parquet"),
        (b"a,b\n", "a.parquet", "no Parquet file"),
        (b"a,b\n", "a.txt", "format of a.txt is unknown"),
        (b'[{"a": 1}]\n', "a.ndjson", "is a JSON array"),
        (b'{"workspace_id": "acme"}\n', "a.jsonl", "has no column platform"),
        (b"\xff\n", "a.jsonl", "not UTF-8"),
        (b"\n\n", "a.jsonl", "has no rows"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(
    check: Check, tmp_path: Path, content: bytes, name: str, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=reason):
        check(tmp_path / name)


def test_no_file_and_a_directory(check: Check, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        check(tmp_path / "nope.csv")
    with pytest.raises(UserError, match="is no file"):
        check(tmp_path)
