"""Policies that a site's own API server applies: what the rules say, in CEL, with that site's literals."""
