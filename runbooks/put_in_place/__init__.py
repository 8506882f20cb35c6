"""Steps that put a restored database in the place of the live one, take that back, or remove what is left of it."""
