"""Steps that make the site which was left a replica of the one that is active, in the order of their numbers."""
