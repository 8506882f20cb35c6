"""Deploying stacks in order; the only module tree that knows the Pulumi Automation API."""
