"""Public names: the state record of a pair and how every name follows from it."""
