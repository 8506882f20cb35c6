"""What was done to an environment, in one list: deployments, changes of the active site, rebuilds and drills."""
