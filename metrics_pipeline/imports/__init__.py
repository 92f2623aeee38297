"""Imports: numbers that come as files, checked row by row, written once, and undoable."""
