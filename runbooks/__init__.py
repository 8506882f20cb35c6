"""Changes of role: the witness, the agent of each site, and the runbooks that move a pair."""
