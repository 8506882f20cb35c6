"""A host of the lab: one process tree with its own network, mounts, names and process numbers."""
