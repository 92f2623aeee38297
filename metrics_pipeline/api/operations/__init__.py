"""Running the API: measurements, readiness, logs, several processes."""
