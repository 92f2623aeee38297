"""How much one may send and read, counted in this process or in Redis."""
