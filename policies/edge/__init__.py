"""RES rules of the edge: what may leave every jurisdiction."""
