"""LIM: racks and watts, which no building has more of."""
