"""Steps that take back a failover which has not begun the next epoch, in the order of their numbers."""
