"""Where definitions of metrics live: who may do what, versions that never change, and what was done."""
