"""A drill: a planned failover and the way back on the live pair, with checks after each, and a record of it."""
