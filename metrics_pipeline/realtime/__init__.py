"""Metrics of the last seconds to hours, counted in buckets as updates come in, in memory or in Redis."""
