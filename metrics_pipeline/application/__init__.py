"""The application's own database as a source: declared tables, read by day, kept as lake tables `app_<table>`."""
