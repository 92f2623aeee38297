"""From readings to daily, weekly and monthly tables."""
