"""The data sets that definitions may name: tables of `catalog/datasets.yaml` and the application's declared ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from metrics_pipeline.application.lake_tables import table_spec
from metrics_pipeline.catalog.application import ApplicationTable
from metrics_pipeline.catalog.datasets import DeclaredDataset, Usual, declared_datasets
from metrics_pipeline.catalog.models import Additivity
from metrics_pipeline.catalog.models import Metric as CatalogMetric
from metrics_pipeline.custom_metrics.formulas.formula import Datatype
from metrics_pipeline.custom_metrics.spans import Grain
from metrics_pipeline.lake.table_spec import ColumnType, TableSpec

_DATATYPES: dict[ColumnType, Datatype] = {
    "string": "string",
    "date": "date",
    "timestamp": "timestamp",
    "double": "number",
    "bigint": "integer",
    "int": "integer",
    "boolean": "boolean",
}
# Who and what a row of the narrow tables is about.
_ENTITY = ("platform", "entity_type", "entity_id", "account_id")
_APPLICATION_HIDDEN = frozenset({"workspace_id", "extracted_at"})
# What names a person in the tables that are known; declared tables say so by their own columns' names.
_PERSONAL = frozenset({"contact_id", "customer_id", "user_id", "email", "phone", "name"})


@dataclass(frozen=True, slots=True)
class DataField:
    """One field. additivity: of fields that are metrics; None for plain columns.

    is_personal: it names a person or a device.
    """

    name: str
    column: str
    datatype: Datatype
    description: str
    additivity: Additivity | None = None
    is_personal: bool = False


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a definition may read under one name.

    times: the fields that may place a row, the first where nothing is said. partition_time: the one whose UTC day is
    the table's day. finest: no shorter period makes sense. is_pivoted: the table has one row per metric. people: the
    column of who is behind a row. completeness: the column that says whether a row is final.
    """

    name: str
    spec: TableSpec
    description: str
    fields: Mapping[str, DataField]
    times: tuple[str, ...]
    partition_time: str | None
    finest: Grain = "day"
    is_pivoted: bool = False
    usual: tuple[Usual, ...] = ()
    people: str | None = None
    completeness: str | None = None
    is_application: bool = False
    datatypes: Mapping[str, Datatype] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "datatypes", {name: entry.datatype for name, entry in self.fields.items()})

    @property
    def table(self) -> str:
        return self.spec.name

    @property
    def is_read_by_day(self) -> bool:
        """Whether its days are known from when they were read."""
        return self.is_application and self.spec.day_column is not None


class Datasets:
    """Every data set there is, by name."""

    def __init__(
        self,
        tables: Mapping[str, TableSpec],
        application: Iterable[ApplicationTable],
        metrics: Iterable[CatalogMetric],
    ) -> None:
        known = [metric for metric in metrics if {"account", "workspace", "post", "campaign"} & set(metric.levels)]
        own = {
            name: _declared(name, entry, tables[entry.table or name], known)
            for name, entry in declared_datasets().items()
        }
        self._by_name = {table.name: _application(table) for table in application} | own

    def __getitem__(self, name: str) -> Dataset:
        return self._by_name[name]

    def get(self, name: str) -> Dataset | None:
        """The data set of a name, None where there is none."""
        return self._by_name.get(name)

    @property
    def tables(self) -> set[str]:
        """The lake's tables behind them."""
        return {dataset.table for dataset in self._by_name.values()}

    @property
    def names(self) -> list[str]:
        """In alphabetical order."""
        return sorted(self._by_name)


def _declared(name: str, entry: DeclaredDataset, spec: TableSpec, metrics: Iterable[CatalogMetric]) -> Dataset:
    if entry.metrics:
        columns = (*entry.times, *_ENTITY)
        fields = {column: _field(spec, column, entry) for column in columns}
        for metric in metrics:
            fields[metric.name] = DataField(
                metric.name, metric.name, "number", f"{metric.label}: {metric.description}", metric.additivity
            )
    else:
        plain = [column.name for column in spec.columns if column.name not in entry.hidden]
        fields = {column: _field(spec, column, entry) for column in plain}
        for alias, column in entry.renamed.items():
            fields[alias] = _field(spec, column, entry, alias)
    return Dataset(
        name=name,
        spec=spec,
        description=entry.description,
        fields=fields,
        times=entry.times,
        partition_time=entry.partition,
        finest=entry.finest,
        is_pivoted=entry.metrics,
        usual=entry.usual,
        people=entry.people,
        completeness="is_complete" if entry.metrics else None,
    )


def _application(declared: ApplicationTable) -> Dataset:
    spec = table_spec(declared)
    fields = {
        column.name: DataField(
            column.name,
            column.name,
            _DATATYPES[column.type],
            column.description,
            is_personal=column.name in _PERSONAL,
        )
        for column in spec.columns
        if column.name not in _APPLICATION_HIDDEN
    }
    instants = [name for name, entry in fields.items() if entry.datatype in ("timestamp", "date")]
    # the day first: of a row whose first day column is filled it is that one's
    own = [name for name in declared.day if name in fields]
    times = tuple(dict.fromkeys([*own, *(name for name in instants if name != "date" or not own)]))
    return Dataset(
        name=declared.name,
        spec=spec,
        description=spec.description,
        fields=fields,
        times=times,
        partition_time=own[0] if own else None,
        is_application=True,
    )


def _field(spec: TableSpec, column: str, entry: DeclaredDataset, name: str | None = None) -> DataField:
    found = spec.column(column)
    name = name or column
    is_unique = name in entry.unique
    return DataField(
        name,
        column,
        _DATATYPES[found.type],
        found.description,
        "unique" if is_unique else None,
        is_personal=name in entry.personal,
    )
