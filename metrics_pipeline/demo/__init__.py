"""The demonstration: weeks of history, collected over HTTP from the sandbox and rolled up by Dagster."""
