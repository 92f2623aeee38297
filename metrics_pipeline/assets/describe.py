"""How a table specification shows in Dagster."""

import dagster as dg

from metrics_pipeline.lake.table_spec import TableSpec


def table_metadata(spec: TableSpec) -> dict[str, dg.TableSchema | str]:
    """Definition metadata of an asset that fills a lake table."""
    columns = [
        dg.TableColumn(
            name=c.name,
            type=c.sql_type,
            description=c.description,
            constraints=dg.TableColumnConstraints(other=["partition column"] if c.name in spec.partition_by else []),
        )
        for c in spec.columns
    ]
    return {
        "dagster/column_schema": dg.TableSchema(columns=columns),
        "dagster/table_name": spec.name,
        "keys": ", ".join(spec.keys),
    }
