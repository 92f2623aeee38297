"""The application database as a source."""
