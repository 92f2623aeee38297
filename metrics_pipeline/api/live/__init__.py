"""Live updates: what changed in the tables, told to who listens to a workspace or an account."""
