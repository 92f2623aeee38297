"""Reads METRICS_GEOIP_FILE: networks and where they are, as CSV with a header or as Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import fields
from operator import itemgetter
from pathlib import Path

from metrics_pipeline.errors import UserError
from metrics_pipeline.events.fields import OBJECTS, Check, Invalid
from metrics_pipeline.events.geoip import Place, PlaceTable, network_code, packed_address

NETWORK = "network"
COLUMNS = tuple(field.name for field in fields(Place))
_CHECKS: dict[str, Check] = {column: check for column, check, _ in OBJECTS["location"] if column in COLUMNS}
Row = tuple[object, ...]


def load_places(path: Path) -> PlaceTable:
    """The table of a file with the column `network` (such as 203.0.113.0/24 or 2001:db8::/32) and any of country,
    region, city, latitude, longitude.

    Raises:
        UserError: it cannot be read, or a row of it cannot be meant; the message names setting, file and line.
    """
    import pyarrow as pa

    try:
        rows = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
        return _table(path, rows)
    except (OSError, pa.ArrowException, csv.Error, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no such file"
        raise _unusable(path, f"cannot be read as {path.suffix.lstrip('.') or 'CSV'}: {reason}") from None


def _table(path: Path, rows: Iterable[tuple[int, object, Row]]) -> PlaceTable:
    numbers: dict[Row, int] = {}
    places = [Place()]
    v4: list[int] = []
    v6: list[int] = []
    for line, network, values in rows:
        number = numbers.get(values)
        if number is None:
            number = numbers[values] = len(places)
            places.append(_place(path, line, values))
        found = _code(str(network), number)
        if found is None:
            raise _unusable(path, f"line {line}: {str(network)[:50]!r} is no network such as 203.0.113.0/24")
        (v6 if ":" in str(network) else v4).append(found)
    if not v4 and not v6:
        raise _unusable(path, "has no rows")
    return PlaceTable(places, v4, v6)


def _code(network: str, place: int) -> int | None:
    """A network with its place; an address alone is a network of one."""
    address, slash, length = network.strip().partition("/")
    packed = packed_address(address)
    if packed is None or (slash and not (length.isascii() and length.isdecimal())):
        return None
    host_bits = len(packed) * 8 - int(length) if slash else 0
    first = int.from_bytes(packed, "big")
    if host_bits < 0 or first & ((1 << host_bits) - 1):  # bits beyond the length: a slip of whoever made the file
        return None
    return network_code(first, host_bits, place)


def _place(path: Path, line: int, values: Row) -> Place:
    checked: dict[str, object] = {}
    for column, value in zip(COLUMNS, values, strict=True):
        if value is None or value == "":
            continue
        try:
            checked[column] = _CHECKS[column](_number(value) if column in ("latitude", "longitude") else value)
        except Invalid as reason:
            raise _unusable(path, f"line {line}: {column} {reason.detail}") from None
    if checked.get("latitude") is None or checked.get("longitude") is None:
        checked |= {"latitude": None, "longitude": None}
    return Place(**checked)  # type: ignore[arg-type]


def _number(value: object) -> object:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _csv(path: Path) -> Iterator[tuple[int, object, Row]]:
    with path.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text)
        header = [name.strip().lower() for name in next(reader, [])]
        where = _columns(path, header)
        network = where[NETWORK]
        # beyond the last column stands an empty value, for the columns that the file lacks
        pick = itemgetter(*(where.get(name, len(header)) for name in COLUMNS))
        for values in reader:
            if not values:
                continue
            if len(values) != len(header):
                raise _unusable(path, f"line {reader.line_num} has {len(values)} values under {len(header)} columns")
            values.append("")
            yield reader.line_num, values[network], pick(values)


def _parquet(path: Path) -> Iterator[tuple[int, object, Row]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(io.BytesIO(path.read_bytes())) as file:
        where = _columns(path, file.schema_arrow.names)
        line = 0
        for batch in file.iter_batches(columns=[name for name in (NETWORK, *COLUMNS) if name in where]):
            columns = {name: batch.column(name).to_pylist() for name in batch.schema.names}
            for n in range(batch.num_rows):
                line += 1
                yield line, columns[NETWORK][n], tuple(columns[c][n] if c in columns else None for c in COLUMNS)


def _columns(path: Path, header: list[str]) -> dict[str, int]:
    where = {name: place for place, name in enumerate(header)}
    if NETWORK not in where or not set(COLUMNS) & set(where):
        raise _unusable(path, f"has no column {NETWORK!r} with {', '.join(COLUMNS)} beside it")
    return where


def _unusable(path: Path, reason: str) -> UserError:
    return UserError(f"METRICS_GEOIP_FILE cannot be used: {path.name} {reason}.")
