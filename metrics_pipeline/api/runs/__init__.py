"""Starting runs over HTTP: what a request asks for becomes runs of Dagster, which is spoken to over GraphQL."""
