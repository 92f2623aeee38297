"""The control database: workspaces, accounts, encrypted credentials, imports."""
