"""Metrics that users define, over HTTP: who acts, what is sent, what is refused, what is answered."""
