"""The HTTP interface: who calls, what they may do, how much, and answers that never repeat what was sent."""
