"""Steps that take an unfinished roll of the zone's key back, as long as the parent zone does not show the new key."""
