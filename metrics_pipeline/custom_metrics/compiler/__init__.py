"""From a metric and periods to one statement: the only place that writes SQL for what users define."""
