"""RES: where data is held and where it may go."""
