"""Proof of residency: customers who do not exist are planted, and their words looked for everywhere else."""
