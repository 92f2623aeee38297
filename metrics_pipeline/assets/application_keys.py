"""What the assets of the application's tables are called, for those that rest on them."""

from collections.abc import Collection, Sequence

import dagster as dg

from metrics_pipeline.catalog.application import ApplicationTable
from metrics_pipeline.partitions import UPSTREAM_MAY_NOT_EXIST


def application_key(table: str) -> dg.AssetKey:
    return dg.AssetKey(["app", table])


def application_deps(
    tables: Sequence[ApplicationTable], names: Collection[str], *, by_day: bool = True
) -> list[dg.AssetDep]:
    """Those of the named tables that are declared; `by_day`: what rests on them has days as well."""
    mapping = UPSTREAM_MAY_NOT_EXIST if by_day else None
    return [
        dg.AssetDep(application_key(t.name), partition_mapping=None if t.snapshot else mapping)
        for t in tables
        if t.name in names
    ]
