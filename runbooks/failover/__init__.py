"""Steps of a failover, in the order of their numbers."""
