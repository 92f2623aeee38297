"""Real-time metrics over HTTP: fed by events and by callers, read, told live, copied so that a restart loses little."""
