"""LIM: racks and watts, of which a building has a fixed amount."""
