"""Real data centres on one machine: the embedded default in place of an owner's clusters and providers."""
