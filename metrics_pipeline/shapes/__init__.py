"""What requests and answers of the HTTP interface look like: known to its server and to its client, and pure."""
