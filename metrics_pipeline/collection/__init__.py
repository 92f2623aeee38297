"""Collection: accounts from the control database, numbers from the platforms, rows into the lake."""
