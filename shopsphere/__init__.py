"""Foundations of the control repository and its one command, `shopsphere`."""
