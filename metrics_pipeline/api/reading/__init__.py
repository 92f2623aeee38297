"""What the read API asks the lake."""
