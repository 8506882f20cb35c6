"""The WAN: one switch in user space with the distances of the topology, cuts and losses."""
