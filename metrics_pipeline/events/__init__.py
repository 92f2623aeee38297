"""First-party content events on their way into the lake: validated, made durable, appended exactly once."""
